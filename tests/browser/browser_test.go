// Package browser drives a real Chromium through the pages, as a person would:
// signing in, writing, meeting a conflict, uploading, comparing. Pictures of
// what it saw are left in the folder that WIKIBOT_SCREENSHOTS names.
package browser

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"wikibot/gitstore"
	"wikibot/server"
	"wikibot/wiki"
)

// site is a served site with the wiki notes, whose owner is operator.
type site struct {
	t      *testing.T
	server *server.Server
	url    string
	link   string // signs operator in
}

func serve(t *testing.T) *site {
	t.Helper()
	cfg := server.Default()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, stop := context.WithCancel(context.Background())
	srv, err := server.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	link, _, err := srv.Fresh(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: srv, url: "http://" + srv.Addr().String(), link: link}
	for range 200 {
		if res, err := http.Get(s.url + "/health"); err == nil {
			res.Body.Close()
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server does not answer")
	return nil
}

// person opens a browser of their own.
type person struct {
	*site
	ctx    context.Context
	mu     sync.Mutex
	faults []string // exceptions in the pages' own scripts; guarded by mu
}

func (s *site) browser(width, height int64, dark bool) *person {
	s.t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(s.t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	actx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	s.t.Cleanup(cancel)
	p := &person{site: s}
	ctx, cancel := chromedp.NewContext(actx)
	s.t.Cleanup(cancel)
	p.ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	s.t.Cleanup(cancel)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	// The context of the first run is the browser's own: it ends with that.
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})); err != nil {
		s.t.Fatal(err)
	}
	messages := chromedp.Console(p.ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleException {
				p.mu.Lock()
				p.faults = append(p.faults, m.Text+" "+m.URL)
				p.mu.Unlock()
			}
		}
	}()
	return p
}

// complaints is what the browser's console has had to say so far.
func (p *person) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

type action = chromedp.Action[chromedp.Void]

func (p *person) do(actions ...action) {
	p.t.Helper()
	run(p, chromedp.Steps(actions...))
}

// run does one thing in the browser and returns its value; a test that cannot
// go on says where it stood.
func run[T any](p *person, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 45*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.shot("failed")
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		where, _ := chromedp.Run(ctx, chromedp.Location())
		body, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		p.t.Fatalf("at %s: %v\n%s", where, err, body)
	}
	return v
}

func (p *person) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url+path), chromedp.WaitReady(chromedp.CSS("body")))
}

// visit opens an address that is no page of HTML, and tells where the browser is
// a moment later.
func (p *person) visit(path string) (where string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, page.Navigate, page.NavigateParams{URL: p.url + path}); err != nil {
			return err
		}
		time.Sleep(time.Second)
		h, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err == nil {
			where = h.Entries[h.CurrentIndex].URL
		}
		return err
	}))
	return where
}

func (p *person) text(selector string) string {
	p.t.Helper()
	return run(p, chromedp.Text(chromedp.CSS(selector)))
}

func (p *person) see(selector, want string) {
	p.t.Helper()
	if got := p.text(selector); !strings.Contains(got, want) {
		p.shot("not-seen")
		p.t.Errorf("%s shows %q, want %q in it", selector, got, want)
	}
}

// shot leaves a picture, where somebody wants to look at it.
func (p *person) shot(name string) {
	dir := os.Getenv("WIKIBOT_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	if png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
		_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
}

// submit clicks and waits for the page that the click leads to. A click that meets
// the page while it moves (it is scrolled first, on a small screen) hits nothing;
// like a person it is tried once more then.
func (p *person) submit(selector string) {
	p.t.Helper()
	run(p, chromedp.Evaluate[bool](`window.before = true`))
	p.do(chromedp.Click(chromedp.CSS(selector)))
	for i := range 400 {
		if i == 200 {
			p.do(chromedp.Click(chromedp.CSS(selector)))
		}
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!window.before && document.readyState == "complete"`))
		cancel()
		if err == nil && there {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatalf("a click on %s led nowhere", selector)
}

func (p *person) signIn() {
	p.t.Helper()
	p.do(chromedp.Navigate(p.link))
	p.submit("button[type=submit]")
}

// write replaces the whole text in the editor by typing, as the editor's own
// component takes it; where the bundles are not built, in the plain text area.
func (p *person) write(text string) {
	p.t.Helper()
	p.do(chromedp.WaitReady(chromedp.CSS("#Content")))
	focus := `!!(function() { const h = document.querySelector(".code-host"); if (h) h.shadowRoot.querySelector(".cm-content").focus(); return h })()`
	rich := false
	for range 100 {
		if rich = run(p, chromedp.Evaluate[bool](focus)); rich {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !rich {
		p.t.Fatal("the editor did not load")
	}
	p.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
	if got := run(p, chromedp.Evaluate[string](`document.querySelector(".code-host").shadowRoot.querySelector(".cm-content").innerText`)); !strings.Contains(got, strings.Fields(text)[1]) {
		p.t.Fatalf("the editor holds %q after typing", got)
	}
}

func (p *person) save() {
	p.t.Helper()
	p.submit(`button[name=action][value=save]`)
}

// store is the same wiki as another person's program sees it.
func (s *site) edit(name wiki.PagePath, text string) {
	s.t.Helper()
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	_, err := s.server.Store().Update(context.Background(), host, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put(name, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name wiki.PagePath) string {
	s.t.Helper()
	got, err := s.server.Store().Page(context.Background(), wiki.Caller{Host: true}, "notes", name)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(got.Content)
}

func TestAPersonsDay(t *testing.T) {
	s := serve(t)
	p := s.browser(1280, 900, false)
	p.open("/w/notes/")
	if body := p.text("body"); strings.Contains(body, "Welcome") {
		t.Error("a visitor reads the private wiki")
	}
	p.signIn()
	p.open("/w/notes/")
	p.shot("home")

	// She makes a page and sees it.
	p.open("/w/notes/-/edit/Garden/Tomatoes")
	p.write("# Tomatoes\n\nSow in March.\n\n## Watering\n\nEvery evening.\n\n## Harvest\n\nFrom July.\n")
	p.shot("editor")
	p.save()
	p.see("main", "Sow in March.")
	p.shot("page")
	if got := s.read("Garden/Tomatoes"); !strings.Contains(got, "Every evening.") {
		t.Errorf("the page holds %q", got)
	}

	// While she writes somebody else changes another part: the two are merged.
	p.open("/w/notes/-/edit/Garden/Tomatoes")
	s.edit("Garden/Tomatoes", "# Tomatoes\n\nSow in February.\n\n## Watering\n\nEvery evening.\n\n## Harvest\n\nFrom July.\n")
	p.write("# Tomatoes\n\nSow in March.\n\n## Watering\n\nEvery evening.\n\n## Harvest\n\nFrom August.\n")
	p.save()
	if got := s.read("Garden/Tomatoes"); !strings.Contains(got, "February") || !strings.Contains(got, "August") {
		t.Errorf("after a merge the page holds %q", got)
	}
	p.shot("merged")

	// The same line: she is shown both sides, nothing is lost, and saves again.
	p.open("/w/notes/-/edit/Garden/Tomatoes")
	s.edit("Garden/Tomatoes", strings.Replace(s.read("Garden/Tomatoes"), "February", "January", 1))
	p.write(strings.Replace(s.read("Garden/Tomatoes"), "January", "April", 1))
	p.save()
	p.do(chromedp.WaitVisible(chromedp.CSS("#Conflict")))
	p.shot("conflict")
	if got := s.read("Garden/Tomatoes"); !strings.Contains(got, "January") {
		t.Errorf("the conflict already wrote %q", got)
	}
	p.see("main", "April")
	p.see("main", "January")
	p.write("# Tomatoes\n\nSow from January to April.\n\n## Watering\n\nEvery evening.\n\n## Harvest\n\nFrom August.\n")
	p.save()
	p.see("main", "Sow from January to April.")

	// She uploads a picture and a drawing that tries to run.
	files := []string{filepath.Join(t.TempDir(), "leaf.svg")}
	svg := `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle r="20" cx="20" cy="20" fill="green"/><script>location.href="/w/notes/-/index"</script></svg>`
	if err := os.WriteFile(files[0], []byte(svg), 0o644); err != nil {
		t.Fatal(err)
	}
	p.open("/w/notes/-/attachments/Garden/Tomatoes")
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#Upload input[type=file]"), files))
	p.submit("#Upload button.primary")
	p.see("table.files", "leaf.svg")
	p.shot("attachments")
	if where := p.visit("/w/notes/Garden/Tomatoes/leaf.svg"); !strings.HasSuffix(where, "/leaf.svg") {
		t.Errorf("a script in an uploaded drawing ran and went to %s", where)
	}

	// History, a comparison, blame.
	p.open("/w/notes/-/history/Garden/Tomatoes")
	p.shot("history")
	p.submit("form .row-links button")
	p.see("main", "January")
	p.shot("diff")
	p.open("/w/notes/-/blame/Garden/Tomatoes")
	p.see("main", "operator")
	p.shot("blame")
	p.open("/w/notes/-/changelog")
	p.see("main", "Garden/Tomatoes")
	p.shot("changelog")
	p.open("/w/notes/-/search?q=evening")
	p.see("main", "Tomatoes")
	if c := p.complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %q", c)
	}
}

// TestNothingOnAPageRuns: a page by an attacker who may write.
func TestNothingOnAPageRuns(t *testing.T) {
	s := serve(t)
	s.edit("Evil", `# Evil
<script>document.title="owned"</script>
<img src=x onerror="document.title='owned'">
<svg><script>document.title='owned'</script></svg>
[click](javascript:document.title='owned')
<a href="javascript:document.title='owned'" id="Main">x</a>
<iframe srcdoc="<script>top.document.title='owned'</script>"></iframe>
<form action="http://127.0.0.1:1/"><input name="id"></form>
<style>body{display:none}</style>

`+"```mermaid\ngraph TD; A[\"<img src=x onerror=parent.document.title='owned'>\"]-->B; click A \"javascript:document.title='owned'\"\n```\n\n$\\href{javascript:document.title='owned'}{x}$\n")
	p := s.browser(1000, 800, false)
	p.signIn()
	p.open("/w/notes/Evil")
	p.do(chromedp.Sleep(1500 * time.Millisecond))
	p.shot("evil")
	title := run(p, chromedp.Title())
	anchors := run(p, chromedp.Evaluate[[]string](`[...document.querySelectorAll("a")].map(a => a.protocol).filter(x => x == "javascript:")`))
	if strings.Contains(title, "owned") || len(anchors) > 0 {
		t.Errorf("title %q, script links %v", title, anchors)
	}
	p.see("body", "Evil")
}

// TestPicturesOfEveryLook only looks: wide and narrow, light and dark, and that
// nothing is wider than the window.
func TestPicturesOfEveryLook(t *testing.T) {
	s := serve(t)
	s.edit("Guide/Looks", "---\ntags: [a, b]\nconfidence: high\n---\n# Looks\n\nA paragraph with a [[Home]] link, a [[Missing page]] and ==a mark==.\n\n> [!NOTE]\n> Mind this.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```go\nfunc main() { println(\"hi\") }\n```\n\n- [x] done\n- [ ] open\n\nEuler: $e^{i\\pi}+1=0$\n\n```mermaid\ngraph LR; A-->B\n```\n\nA footnote[^1].\n\n[^1]: here.\n\n"+strings.Repeat("averyveryverylongword", 12)+"\n")
	for _, look := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"wide-light", 1400, 900, false}, {"wide-dark", 1400, 900, true}, {"narrow-light", 390, 800, false}, {"narrow-dark", 390, 800, true}} {
		t.Run(look.name, func(t *testing.T) {
			one := *s
			one.t = t
			link, err := s.server.Host().Do(context.Background(), server.Command{Do: "sign-in-link", User: string(server.Operator)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			one.link = link.Line
			p := one.browser(look.width, look.height, look.dark)
			p.signIn()
			for _, address := range []string{"/w/notes/Guide/Looks", "/w/notes/", "/w/notes/-/index", "/w/notes/-/changelog", "/w/notes/-/edit/Guide/Looks", "/w/notes/-/connect", "/w/notes/-/settings", "/"} {
				p.open(address)
				over := 0
				for range 40 { // a diagram takes its place when it is drawn
					time.Sleep(100 * time.Millisecond)
					if over = run(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); over <= 0 {
						break
					}
				}
				p.shot(look.name + strings.ReplaceAll(address, "/", "_"))
				if over > 0 {
					wide := run(p, chromedp.Evaluate[[]string](`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 100)).slice(0, 5)`))
					t.Errorf("%s is %d pixels wider than the window: %q", address, over, wide)
				}
			}
			if c := p.complaints(); len(c) > 0 {
				t.Errorf("the browser complained: %q", c)
			}
		})
	}
}
