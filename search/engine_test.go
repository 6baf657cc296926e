package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/search/internal/index"
	"wikibot/wiki"
)

var (
	host  = wiki.Caller{User: "operator", Via: wiki.ViaCLI, Host: true}
	alice = wiki.Caller{User: "alice", Via: wiki.ViaWeb}
	carol = wiki.Caller{User: "carol", Via: wiki.ViaWeb}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a site with the wiki notes, which alice owns and carol reads.
type place struct {
	t     testing.TB
	store *gitstore.Store
	e     *Engine
	dir   string
}

func newPlace(t testing.TB, change func(*Config)) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.openStore()
	ctx := context.Background()
	for _, u := range []wiki.Username{"alice", "carol", "mallory"} {
		must(t, p.store.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	p.wiki("notes")
	p.open(change)
	t.Cleanup(func() {
		p.e.Close()
		p.store.Close()
	})
	return p
}

func (p *place) openStore() {
	p.t.Helper()
	s, err := gitstore.Open(context.Background(), gitstore.Config{Dir: p.dir, Domain: "example.org"})
	must(p.t, err)
	p.store = s
}

func (p *place) wiki(slug wiki.Slug) {
	p.t.Helper()
	ctx := context.Background()
	must(p.t, p.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: slug, Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n\nWelcome.\n")}}))
	must(p.t, p.store.SetGrant(ctx, alice, slug, "carol", wiki.Viewer))
}

func (p *place) open(change func(*Config)) {
	p.t.Helper()
	c := Config{Store: p.store}
	if change != nil {
		change(&c)
	}
	e, err := Open(c)
	must(p.t, err)
	p.store.OnRewrite(e.Forget)
	p.e = e
}

// again closes everything and opens it as after a restart.
func (p *place) again(change func(*Config)) {
	p.t.Helper()
	must(p.t, p.e.Close())
	must(p.t, p.store.Close())
	p.openStore()
	p.open(change)
}

func (p *place) save(slug wiki.Slug, pages map[string]string) {
	p.t.Helper()
	_, err := p.store.Update(context.Background(), alice, slug, gitstore.Meta{}, func(tx *gitstore.Tx) error {
		for name, text := range pages {
			path, err := wiki.ParsePagePath(name)
			if err != nil {
				return err
			}
			if text == "" {
				err = tx.Delete(path, gitstore.DeleteOptions{})
			} else {
				err = tx.Put(path, []byte(text), gitstore.PutOptions{Overwrite: true})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	must(p.t, err)
}

func (p *place) view(slug wiki.Slug) *gitstore.View {
	p.t.Helper()
	v, err := p.store.View(context.Background(), carol, slug)
	must(p.t, err)
	return v
}

func (p *place) search(slug wiki.Slug, q string) *Answer {
	p.t.Helper()
	a, err := p.e.Search(context.Background(), p.view(slug), Request{Text: q})
	if err != nil {
		p.t.Fatalf("searching %q: %v", q, err)
	}
	return a
}

// finds checks which pages a query finds, in their order.
func (p *place) finds(slug wiki.Slug, q string, want ...wiki.PagePath) {
	p.t.Helper()
	a := p.search(slug, q)
	var got []wiki.PagePath
	for _, r := range a.Results {
		got = append(got, r.Page)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("%q finds %q, want %q", q, got, want)
	}
	if a.Total != len(want) {
		p.t.Errorf("%q finds %d in all, want %d", q, a.Total, len(want))
	}
}

func TestSearchFollowsEveryChange(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "zebra")
	p.save("notes", map[string]string{"Animals/Zebra": "# The zebra\n\nIt has stripes.", "Plan": "# Plan\n\nBuy a zebra next week.\n\n## Later\n\nAnd a giraffe."})
	p.finds("notes", "zebra", "Animals/Zebra", "Plan")
	p.finds("notes", "giraffes", "Plan")
	r := p.search("notes", "giraffe").Results[0]
	if r.Anchor != "plan" || r.Updated.IsZero() || r.Author != "alice" || r.Name() != "Plan" || !strings.Contains(r.Text(), "giraffe") {
		t.Errorf("the result is %+v", r)
	}
	p.save("notes", map[string]string{"Plan": "# Plan\n\nNothing yet."})
	p.finds("notes", "giraffe")
	p.finds("notes", "zebra", "Animals/Zebra")
	p.save("notes", map[string]string{"Animals/Zebra": ""})
	p.finds("notes", "zebra")
}

func TestANameComesFirst(t *testing.T) {
	p := newPlace(t, nil)
	pages := map[string]string{"Merge": "Short."}
	for i := range 20 {
		pages[fmt.Sprintf("Page %d", i)] = strings.Repeat("merge merge merge ", 20)
	}
	p.save("notes", pages)
	a := p.search("notes", "merge")
	if a.Results[0].Page != "Merge" || a.Results[0].Score != 1 {
		t.Errorf("the first result is %q with %v", a.Results[0].Page, a.Results[0].Score)
	}
	for i, r := range a.Results[1:] {
		if r.Score > a.Results[i].Score || r.Score < 0 {
			t.Errorf("result %d has score %v after %v", i+1, r.Score, a.Results[i].Score)
		}
	}
}

func TestPagesWithEveryWordComeBeforeOthers(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{
		"Both":  "Something about git in a long text that goes on for a while.\n\n# Other\n\nAnd here is the word harbour.",
		"One":   "harbour harbour harbour",
		"Other": "git git git",
	})
	a := p.search("notes", "git harbour")
	if a.Results[0].Page != "Both" || !a.Results[0].Every || a.All != 1 || a.Total != 3 {
		t.Errorf("first %q, %d with all of %d", a.Results[0].Page, a.All, a.Total)
	}
	p.finds("notes", "git -harbour", "Other")
	p.finds("notes", "git +harbour", "Both", "One")
	p.finds("notes", "+git +harbour", "Both")
	p.finds("notes", `"word harbour"`, "Both")
}

func TestDidYouMean(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "The harbour lies in the north."})
	if got := p.search("notes", "harbuor north").DidYouMean; got != "harbour north" {
		t.Errorf("did you mean %q", got)
	}
	if got := p.search("notes", "harbour").DidYouMean; got != "" {
		t.Errorf("a word with hits becomes %q", got)
	}
}

func TestSearchesAreFiltered(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{
		"Design/Auth":    "---\ntitle: How to sign in\ntags: [security, web]\ncategory: reference\n---\n\nTokens.",
		"Design/Storage": "---\ntags: git\n---\n\nTokens in git.",
		"Log":            "Tokens.",
	})
	for q, want := range map[string][]wiki.PagePath{
		"tokens path:design":              {"Design/Auth", "Design/Storage"},
		"tokens path:design tag:git":      {"Design/Storage"},
		"tokens -path:design":             {"Log"},
		"tokens tag:Security":             {"Design/Auth"},
		"category:reference":              {"Design/Auth"},
		`title:"sign in"`:                 {"Design/Auth"},
		"tokens author:nobody":            nil,
		"tokens path:design author:alice": {"Design/Auth", "Design/Storage"},
		"tokens updated:<2001-01-01":      nil,
		"tokens updated:7d path:log":      {"Log"},
	} {
		var got []wiki.PagePath
		for _, r := range p.search("notes", q).Results {
			got = append(got, r.Page)
		}
		if len(got) != len(want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
			continue
		}
		for _, w := range want {
			if !strings.Contains(fmt.Sprint(got), string(w)) {
				t.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
	}
}

func TestRegularExpressionsAndCase(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "Version v1.22 is out.\n\n# More\n\nUse HTTP.", "B": "Version vX is not. Use http."})
	p.finds("notes", `/v[0-9]+\.[0-9]+/`, "A")
	p.finds("notes", `version -/v[0-9]+\.[0-9]+/`, "B")
	p.finds("notes", `HTTP case:yes`, "A")
	if r := p.search("notes", `/HTTP\./`).Results; len(r) != 1 || !strings.Contains(r[0].Text(), "HTTP") {
		t.Errorf("the snippet does not show the match: %+v", r)
	}
	_, err := p.e.Search(context.Background(), p.view("notes"), Request{Text: "/((/"})
	if err != nil && !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a bad pattern: %v", err)
	}
}

// TestTheSavedIndexIsUsed: after a restart nothing but what has changed is read again.
func TestTheSavedIndexIsUsed(t *testing.T) {
	p := newPlace(t, nil)
	pages := map[string]string{}
	for i := range 300 {
		pages[fmt.Sprintf("Page %d", i)] = fmt.Sprintf("The number %d in words: item%d.", i, i)
	}
	p.save("notes", pages)
	p.finds("notes", "item17", "Page 17")
	p.again(nil)
	p.save("notes", map[string]string{"Page 17": "Other now.", "New": "item17 moved here."})
	p.finds("notes", "item17", "New")
	if n := p.e.site("notes").read.Load(); n != 2 {
		t.Errorf("%d pages were read after the restart, want 2", n)
	}
	p.finds("notes", "item18", "Page 18")
}

func TestADamagedFileIsNotBelieved(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "harbour"})
	p.finds("notes", "harbour", "A")
	for _, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		func(b []byte) []byte { return append(b, 0) },
		func(b []byte) []byte { return []byte(strings.Repeat("x", len(b))) },
	} {
		must(t, p.e.Close())
		files, err := filepath.Glob(filepath.Join(p.e.Dir, "notes", "*"+indexSuffix))
		if err != nil || len(files) != 1 {
			t.Fatalf("saved files: %q, %v", files, err)
		}
		b, err := os.ReadFile(files[0])
		must(t, err)
		must(t, os.WriteFile(files[0], damage(b), 0o600))
		must(t, os.WriteFile(filepath.Join(filepath.Dir(files[0]), "new-123"), []byte("half"), 0o600)) // what a crash leaves
		p.open(nil)
		p.finds("notes", "harbour", "A")
		if n := p.e.site("notes").read.Load(); n < 2 {
			t.Errorf("only %d pages were read", n)
		}
	}
	must(t, p.e.Close())
	if left, _ := filepath.Glob(filepath.Join(p.e.Dir, "notes", "new-*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	p.open(nil)
}

// TestOneBadPageStopsNobody: the others are found, and nothing is saved that would keep
// the bad one from being tried again.
func TestOneBadPageStopsNobody(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "harbour"})
	v, x, s := p.view("notes"), index.New("en"), p.e.site("notes")
	must(t, s.take(context.Background(), v, x, []wiki.FileChange{{Page: "Not there", New: "1"}, {Page: "A", New: "2"}}))
	if pages, _ := x.Counts(); pages != 1 || !s.partial {
		t.Errorf("%d pages, partial %v", pages, s.partial)
	}
}

// TestRoundsThatFailRest: whoever asks meanwhile is told why, and costs nothing.
func TestRoundsThatFailRest(t *testing.T) {
	now := time.Now()
	p := newPlace(t, func(c *Config) { c.Now = func() time.Time { return now } })
	s := p.e.site("nowhere") // no such wiki: every round fails
	wait := func() error {
		round := s.kick()
		for {
			s.mu.Lock()
			over, changed, err := s.ended >= round, s.changed, s.err
			s.mu.Unlock()
			if over {
				return err
			}
			<-changed
		}
	}
	for range 5 {
		if err := wait(); !errors.Is(err, wiki.ErrNotFound) {
			t.Fatalf("a wiki that is not there: %v", err)
		}
	}
	if s.failed != 1 {
		t.Errorf("%d rounds were tried, want 1", s.failed)
	}
	now = now.Add(2 * time.Second)
	wait()
	if s.failed != 2 {
		t.Errorf("%d rounds were tried, want 2", s.failed)
	}
}

// An index on which a change panicked is half changed: it answers nobody any more.
func TestAnIndexThatPanicsIsMadeAnew(t *testing.T) {
	now := time.Now()
	p := newPlace(t, func(c *Config) { c.Now = func() time.Time { return now } })
	p.finds("notes", "welcome", "Home")
	s := p.e.site("notes")
	s.mu.Lock()
	s.index = new(index.Index) // which has no arms
	s.mu.Unlock()
	_, err := p.store.Update(context.Background(), alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put("Second", []byte("welcome too\n"), gitstore.PutOptions{})
	})
	must(t, err)
	if _, err := p.e.Search(context.Background(), p.view("notes"), Request{Text: "welcome"}); err == nil {
		t.Fatal("a broken index answers")
	}
	now = now.Add(time.Minute)
	p.finds("notes", "welcome", "Home", "Second")
}

func TestIndexesArePutAway(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Memory = 1 })
	for _, slug := range []wiki.Slug{"north", "south"} {
		p.wiki(slug)
		p.save(slug, map[string]string{"Here": "We are in the " + string(slug)})
	}
	for range 3 {
		p.finds("north", "we", "Here")
		p.finds("south", "we", "Here")
		p.finds("south", "north")
	}
	deadline := time.Now().Add(10 * time.Second)
	for p.e.site("north").bytes() > 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
		p.e.trim(p.e.site("south")) // as the next tick does, for what was busy before
	}
	if n := p.e.site("north").bytes(); n != 0 {
		t.Errorf("the index of north still takes %d bytes", n)
	}
	p.finds("north", "north", "Here")
}

// TestOnePushIsIndexedOnce: 500 commits that touch 3,000 pages are one difference.
// An index that is put away between its round and the question that asked for it was
// nil in the question's hands.
func TestAnIndexIsPutAwayUnderAQuestion(t *testing.T) {
	p := newPlace(t, nil)
	s := p.e.site("notes")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				s.putAway()
			}
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	found := 0
	for range 300 {
		a, err := p.e.Search(context.Background(), p.view("notes"), Request{Text: "welcome"})
		switch building := (*NotReady)(nil); {
		case err == nil && a.Total == 1:
			found++
		case !errors.As(err, &building):
			t.Fatalf("got %v, %v", a, err)
		}
	}
	if found == 0 {
		t.Error("nothing was ever found")
	}
}

func TestOnePushIsIndexedOnce(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "welcome", "Home")
	s := p.e.site("notes")
	for i := range 30 {
		pages := map[string]string{}
		for k := range 60 {
			pages[fmt.Sprintf("Page %d", k)] = fmt.Sprintf("word%d", i)
		}
		s.mu.Lock() // holds up the follower, as if all commits came at once
		p.save("notes", pages)
		s.mu.Unlock()
	}
	a := p.search("notes", "word29")
	if a.Total != 60 {
		t.Errorf("%d pages were found, want 60", a.Total)
	}
	if a := p.search("notes", "word28"); a.Total != 0 {
		t.Errorf("%d pages of an earlier commit were found", a.Total)
	}
}

func TestForget(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "harbour"})
	p.finds("notes", "harbour", "A")
	p.e.site("notes").save()
	p.e.Forget("notes")
	if _, err := os.Stat(p.e.dir("notes")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	p.finds("notes", "harbour", "A")
}

func TestADeletedWikiIsForgotten(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "welcome", "Home")
	p.e.site("notes").save()
	_, err := p.store.DeleteWiki(context.Background(), host, "notes", "notes")
	must(t, err)
	p.e.look(p.e.site("notes"))
	if _, err := os.Stat(p.e.dir("notes")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestReindexIsForOwners(t *testing.T) {
	p := newPlace(t, nil)
	if err := p.e.Reindex(context.Background(), p.view("notes")); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("a reader has the index made anew: %v", err)
	}
	p.save("notes", map[string]string{"A": "harbour"})
	v, err := p.store.View(context.Background(), alice, "notes")
	must(t, err)
	done := 0
	st, err := p.e.ReindexNow(context.Background(), v, func(d, total int) { done = d })
	must(t, err)
	if st.State != Complete || st.Pages != 2 || done != 2 {
		t.Errorf("after reindexing: %+v, progress %d", st, done)
	}
	p.finds("notes", "harbour", "A")
}

func TestSuggest(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"Design/Auth": "---\ntitle: Signing in\n---\nx", "Authors": "x", "Home/Old": "# About authors\n\nx"})
	got, err := p.e.Suggest(context.Background(), p.view("notes"), "auth", 10)
	must(t, err)
	var pages []wiki.PagePath
	for _, s := range got {
		pages = append(pages, s.Page)
	}
	if want := []wiki.PagePath{"Design/Auth", "Authors", "Home/Old"}; fmt.Sprint(pages) != fmt.Sprint(want) {
		t.Errorf("suggested %q, want %q", pages, want)
	}
	if got[1].Path[0] != (Span{"Auth", true}) {
		t.Errorf("marks: %+v", got[1].Path)
	}
}

// TestLanguages: each page is read in its own language, and a query in all that the
// wiki has.
func TestLanguages(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{
		"Haus":    "---\nlang: de\n---\nDie Häuser stehen am Fluss.",
		"Running": "She was running along the river.",
		"搜索":      "---\nlang: zh\n---\n这是一个全文检索系统。",
		"ไทย":     "---\nlang: th\n---\nระบบค้นหาข้อความ",
		"Façade":  "The façade of the naïve café, and the ﬁre.",
		"Код":     "---\nlang: ru\n---\nСобаки бегали по полю.",
	})
	for q, want := range map[string]wiki.PagePath{
		"Haus": "Haus", "runs": "Running", "检索": "搜索", "全文检索": "搜索", "ค้นหา": "ไทย", "fire": "Façade", "café": "Façade", "cafe": "Façade", "naive facade": "Façade", "собака": "Код", "flüsse": "Haus",
	} {
		p.finds("notes", q, want)
	}
	r := p.search("notes", "检索").Results[0]
	if len(r.Snippet) < 2 {
		t.Errorf("nothing is marked: %+v", r.Snippet)
	}
}
