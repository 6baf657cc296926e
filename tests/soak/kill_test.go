package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// ledger is what the server has acknowledged.
type ledger struct {
	mu       sync.Mutex
	pages    map[string]int  // page → version; guarded by mu, as all below
	files    map[string]int  // folder of uploads → version
	subjects map[string]bool // of commits
	tried    int             // versions given out
	pushes   int             // acknowledged
	refused  int             // pushes that were not acknowledged
}

// next is a version that nobody has used.
func (l *ledger) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried++
	return l.tried
}

func (l *ledger) ack(set map[string]int, name string, version int, subject string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set[name] = version
	l.subjects[subject] = true
}

// TestKills kills the server under mixed load. After each kill the next start is
// quick, needs no hand, and has everything that was acknowledged.
func TestKills(t *testing.T) {
	s := newSite(t)
	s.start()
	s.signIn()
	l := &ledger{pages: map[string]int{}, files: map[string]int{}, subjects: map[string]bool{}}
	clones := []string{s.clone(), s.clone(), s.clone(), s.cloneSSH()}
	kills := number("SOAK_KILLS", 10)
	slowest := time.Duration(0)
	for round := range kills {
		moment := time.Duration(50+rand.IntN(3000)) * time.Millisecond
		if err := s.load(l, clones, moment); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		died := s.log
		took := s.start()
		slowest = max(slowest, took)
		if took > startLimit {
			t.Errorf("round %d: the start took %s, at most %s are allowed", round, took, startLimit)
		}
		if left := s.leftovers(); len(left) > 0 {
			t.Errorf("round %d: left behind: %v", round, left)
		}
		if err := s.has(l); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if err := s.sound(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if t.Failed() {
			t.Fatalf("round %d, killed after %s; the server's log before:\n%.4000s\nand after:\n%s", round, moment, died, s.log)
		}
	}
	t.Logf("%d kills, %d acknowledged changes checked (%d of them pushes, %d pushes not acknowledged), slowest start %s",
		kills, len(l.subjects), l.pushes, l.refused, slowest.Round(time.Millisecond))
	if len(l.subjects) < kills*10 || l.pushes < kills/2 {
		t.Errorf("%d changes, %d pushes: the load was too small to show anything", len(l.subjects), l.pushes)
	}
}

// load keeps the server busy until the moment of its death: browsers that edit,
// uploads of several files at once, pushes to main and refs/merge/main, over HTTP
// and, by the last clone, over SSH, and
// git's own maintenance.
func (s *site) load(l *ledger, clones []string, moment time.Duration) error {
	for _, clone := range clones { // drop what the last death left unanswered
		if err := follow(context.Background(), clone); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var over atomic.Bool // the server is being killed: what fails from now on may
	var all sync.WaitGroup
	errs := make(chan error, 64)
	loop := func(once func() error) {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := once(); err != nil {
					if !over.Load() {
						errs <- err
					}
					return
				}
			}
		})
	}
	for b := range 4 {
		client := s.browser()
		loop(func() error { return s.edit(client, l, fmt.Sprintf("Soak/Browser %d/Page %d", b, rand.IntN(5))) })
	}
	client := s.browser()
	loop(func() error { return s.upload(client, l, fmt.Sprintf("Soak/Files/Set %d", rand.IntN(3))) })
	for i, clone := range clones {
		loop(func() error { return s.push(l, clone, i) })
	}
	loop(func() error { return s.cloneOnce(ctx) })
	loop(func() error { s.maintain(ctx); return nil })
	time.Sleep(moment)
	over.Store(true)
	s.kill()
	cancel()
	all.Wait()
	close(errs)
	var failed []error
	for err := range errs {
		failed = append(failed, fmt.Errorf("before the kill: %w", err))
	}
	return errors.Join(failed...)
}

// edit saves one page as a browser does.
func (s *site) edit(c *http.Client, l *ledger, page string) error {
	code, base, err := s.form(c, page)
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("the editor of %s: %d, %v", page, code, err)
	}
	v := l.next()
	subject := fmt.Sprintf("Edit %s to %d", page, v)
	code, body, err := s.post(c, page, base, text(page, v), subject)
	if err != nil || code != http.StatusSeeOther {
		return fmt.Errorf("saving %s: %d, %v %.300s", page, code, err, body)
	}
	l.ack(l.pages, page, v, subject)
	return nil
}

// upload sends three files that become one commit.
func (s *site) upload(c *http.Client, l *ledger, page string) error {
	v := l.next()
	subject := fmt.Sprintf("Upload %s at %d", page, v)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	err := errors.Join(w.WriteField("message", subject), w.WriteField("replace", "1"))
	for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
		f, ferr := w.CreateFormFile("file", name)
		if ferr == nil {
			_, ferr = f.Write([]byte(text(name, v)))
		}
		err = errors.Join(err, ferr)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	res, err := c.Post(s.base+"/-/attachments/"+escape(page), w.FormDataContentType(), &b)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("uploading to %s: %s", page, res.Status)
	}
	l.ack(l.files, page, v, subject)
	return nil
}

// push commits on what main is now and pushes: clone 0 to main, where it may
// be refused since others are quicker, the others to refs/merge/main.
func (s *site) push(l *ledger, clone string, which int) error {
	// Not the load's context: a git client that is killed leaves locks of its own.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	target := "HEAD:refs/merge/main"
	if which == 0 {
		target = "HEAD:main"
		if err := follow(ctx, clone); err != nil {
			return err
		}
	}
	v := l.next()
	page := fmt.Sprintf("Soak/Clone %d/Page %d", which, v%4)
	subject := fmt.Sprintf("Push %s at %d", page, v)
	if err := commit(ctx, clone, page, text(page, v), subject); err != nil {
		return err
	}
	out, err := git(ctx, clone, "push", "-q", "origin", target)
	if err != nil && strings.Contains(out, "unable to write file ./objects/") {
		// git repack -d, run here behind the server's back, has removed the empty
		// folder that receive-pack was about to write into; the server itself
		// removes none. The push is refused whole, and said again it goes through.
		out, err = git(ctx, clone, "push", "-q", "origin", target)
	}
	if err != nil {
		l.mu.Lock()
		l.refused++
		l.mu.Unlock()
		if which == 0 {
			return nil // somebody was quicker, or the server is gone: the next fetch tells
		}
		return fmt.Errorf("git push %s: %w %s", target, err, out)
	}
	l.ack(l.pages, page, v, subject)
	l.mu.Lock()
	l.pushes++
	l.mu.Unlock()
	if which != 0 {
		if out, err := git(ctx, clone, "pull", "-q", "--ff-only"); err != nil {
			return fmt.Errorf("git pull --ff-only: %w %s", err, out)
		}
	}
	return nil
}

// cloneOnce clones the wiki and throws the clone away. One that is whole is sound.
func (s *site) cloneOnce(ctx context.Context) error {
	dir, err := os.MkdirTemp(os.Getenv("SOAK_DIR"), "once")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if out, err := git(ctx, dir, "clone", "-q", "--bare", s.remote(), "c"); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("git clone: %w %s", err, out)
	}
	if out, err := git(ctx, dir, "-C", "c", "rev-parse", "--verify", "-q", "main^{tree}"); err != nil && ctx.Err() == nil {
		return fmt.Errorf("a clone without main: %w %s", err, out)
	}
	return nil
}

// follow makes a clone what main is.
func follow(ctx context.Context, clone string) error {
	if out, err := git(ctx, clone, "fetch", "-q"); err != nil {
		return fmt.Errorf("git fetch: %w %s", err, out)
	}
	if out, err := git(ctx, clone, "reset", "-q", "--hard", "origin/main"); err != nil {
		return fmt.Errorf("git reset: %w %s", err, out)
	}
	return nil
}

func commit(ctx context.Context, clone, page, content, subject string) error {
	if err := write(clone, page, content); err != nil {
		return err
	}
	if out, err := git(ctx, clone, "add", "--sparse", "."); err != nil {
		return fmt.Errorf("git add: %w %s", err, out)
	}
	if out, err := git(ctx, clone, "commit", "-q", "-m", subject); err != nil {
		return fmt.Errorf("git commit: %w %s", err, out)
	}
	return nil
}

// maintain runs git's own maintenance on the repository, as an operator's cron
// would. It dies with the server and leaves its locks behind.
func (s *site) maintain(ctx context.Context) {
	for _, args := range [][]string{
		{"pack-refs", "--all"},
		{"repack", "--geometric=2", "-d", "-q"},
		{"commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"},
	} {
		if ctx.Err() != nil {
			return
		}
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir, cmd.Env = s.repo(), environment()
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		_ = cmd.Run() // it may meet a lock, and it is killed
	}
	time.Sleep(20 * time.Millisecond)
}

// finds checks that a search sees one of the acknowledged pages as it is, though the
// server died while the index was moved or saved.
func (s *site) finds(c *http.Client, l *ledger) error {
	for page := range l.pages { // whichever comes
		at, err := s.currentVersion(c, page)
		if err != nil {
			return err
		}
		for range 50 { // the index may be being built
			code, got, err := get(c, fmt.Sprintf("%s/-/search.json?q=%s", s.base, url.QueryEscape(fmt.Sprintf(`+"version %d" path:"%s"`, at, page))))
			if err != nil || code == http.StatusServiceUnavailable {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			if code != http.StatusOK || !strings.Contains(got, `"total":1`) {
				return fmt.Errorf("version %d of %s is not found: %d %.300s", at, page, code, got)
			}
			return nil
		}
		return fmt.Errorf("the search does not answer")
	}
	return nil
}

func (s *site) currentVersion(c *http.Client, page string) (int, error) {
	code, got, err := s.read(c, page)
	if err != nil || code != http.StatusOK {
		return 0, fmt.Errorf("reading %s: %d, %v", page, code, err)
	}
	return version(page, got)
}

// has looks for everything that was acknowledged: the commits in main's
// history, and the newest text of each page.
func (s *site) has(l *ledger) error {
	var errs []error
	subjects := s.subjects()
	for subject := range l.subjects {
		if !subjects[subject] {
			errs = append(errs, fmt.Errorf("lost: %s", subject))
		}
	}
	c := s.browser()
	if err := s.finds(c, l); err != nil {
		errs = append(errs, err)
	}
	for page, acked := range l.pages {
		code, got, err := s.read(c, page)
		v := 0
		if err == nil && code == http.StatusOK {
			v, err = version(page, got)
		}
		if err != nil || v < acked {
			errs = append(errs, fmt.Errorf("%s is at version %d (%d, %v), version %d was acknowledged", page, v, code, err, acked))
		}
	}
	for page, acked := range l.files {
		seen := map[int]bool{}
		for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
			code, got, err := get(c, s.base+"/"+escape(page)+"/"+name)
			v := 0
			if err == nil && code == http.StatusOK {
				v, err = version(name, got)
			}
			if err != nil || v < acked {
				errs = append(errs, fmt.Errorf("%s/%s is at version %d (%d, %v), version %d was acknowledged", page, name, v, code, err, acked))
			}
			seen[v] = true
		}
		if len(seen) > 1 {
			errs = append(errs, fmt.Errorf("%s: the files of one upload have different versions: %v", page, seen))
		}
	}
	return errors.Join(errs...)
}
