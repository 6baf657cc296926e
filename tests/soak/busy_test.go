package soak

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPushBesideWriters: beside 8 browsers that save without a pause, pushes to
// refs/merge/main that do not conflict succeed at the first try, and the clone
// can go on with a plain fast-forward.
func TestPushBesideWriters(t *testing.T) {
	s := newSite(t)
	s.start()
	s.signIn()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := &ledger{pages: map[string]int{}, files: map[string]int{}, subjects: map[string]bool{}}
	var writers, pushers sync.WaitGroup
	for w := range 8 {
		client := s.browser()
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := s.edit(client, l, fmt.Sprintf("Soak/Writer %d/Page %d", w, i%10)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	pushes := number("SOAK_PUSHES", 20)
	// 8 writers make some 150 commits/s, so the history that each pull brings
	// grows all the time; the test ends when it has seen enough.
	const most, least = 8 * time.Minute, 20
	var tried, landed atomic.Int64
	began := time.Now()
	for p := range 2 {
		clone := s.clone()
		pushers.Go(func() {
			for i := 0; i < pushes/2 && time.Since(began) < most; i++ {
				tried.Add(1)
				v := l.next()
				page := fmt.Sprintf("Soak/Pusher %d/Page %d", p, v%20)
				subject := fmt.Sprintf("Push %s at %d", page, v)
				if err := commit(ctx, clone, page, text(page, v), subject); err != nil {
					t.Error(err)
					return
				}
				if out, err := git(ctx, clone, "push", "origin", "HEAD:refs/merge/main"); err != nil {
					t.Logf("a push failed: %v %s", err, out)
					continue
				}
				landed.Add(1)
				l.ack(l.pages, page, v, subject)
				if out, err := git(ctx, clone, "pull", "-q", "--ff-only"); err != nil {
					t.Errorf("git pull --ff-only: %v %s", err, out)
				}
			}
		})
	}
	pushers.Wait()
	took := time.Since(began)
	cancel()
	writers.Wait()
	edits := len(l.subjects) - int(landed.Load())
	t.Logf("%d of %d pushes landed at the first try beside %.0f saves/s", landed.Load(), tried.Load(), float64(edits)/took.Seconds())
	if tried.Load() < least {
		t.Errorf("%d pushes in %s, want at least %d", tried.Load(), took, least)
	}
	if landed.Load()*100 < tried.Load()*99 {
		t.Errorf("%d of %d pushes landed, want 99 %%", landed.Load(), tried.Load())
	}
	if err := s.whole(l); err != nil {
		t.Error(err)
	}
}

// TestManyClients: 64 people save at once, each on a page of their own and then
// all on one page, in lines of their own. Nobody gets an error, nothing is lost.
func TestManyClients(t *testing.T) {
	const clients, rounds = 64, 3
	s := newSite(t)
	s.start()
	s.signIn()
	l := &ledger{pages: map[string]int{}, files: map[string]int{}, subjects: map[string]bool{}}
	together(t, clients, func(c int) error {
		client := s.browser()
		for range rounds {
			if err := s.edit(client, l, fmt.Sprintf("Soak/Person %d", c)); err != nil {
				return err
			}
		}
		return nil
	})
	// The shared page has a line for each of them, three lines apart, so that
	// edits of neighbours do not touch.
	var lines []string
	for c := range clients {
		lines = append(lines, fmt.Sprintf("person %d: -", c), "", "")
	}
	const shared = "Soak/Shared"
	page := strings.Join(lines, "\n") + "end\n"
	if code, _, err := s.post(s.browser(), shared, "", page, "Begin"); err != nil || code != http.StatusSeeOther {
		t.Fatalf("making the shared page: %d, %v", code, err)
	}
	_, base, err := s.form(s.browser(), shared)
	if err != nil {
		t.Fatal(err)
	}
	together(t, clients, func(c int) error {
		mine := strings.Replace(page, fmt.Sprintf("person %d: -", c), fmt.Sprintf("person %d: was here", c), 1)
		code, body, err := s.post(s.browser(), shared, base, mine, fmt.Sprintf("Person %d", c))
		if err != nil || code != http.StatusSeeOther {
			return fmt.Errorf("person %d: %d, %v %.200s", c, code, err, body)
		}
		return nil
	})
	_, got, err := s.read(s.browser(), shared)
	if n := strings.Count(got, "was here"); err != nil || n != clients {
		t.Errorf("the shared page has the lines of %d people, want %d (%v)", n, clients, err)
	}
	if len(l.subjects) != clients*rounds {
		t.Errorf("%d saves were acknowledged, want %d", len(l.subjects), clients*rounds)
	}
	if err := s.whole(l); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("the log has errors:\n%.2000s", s.log)
	}
}

// together runs what n people do, all from the same moment on.
func together(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			if err := do(i); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
}

// TestChildOutlivesServer kills the server while a receive-pack that the kernel
// does not end with it is still to receive its push. The next start waits for
// it, the push is refused, and nothing of it is left.
func TestChildOutlivesServer(t *testing.T) {
	s := newSite(t)
	wrapper := filepath.Join(t.TempDir(), "git")
	real := run(t, "/", "sh", "-c", "command -v git")
	mark := filepath.Join(t.TempDir(), "began")
	script := "#!/bin/sh\ncase \"$*\" in\n*--http-backend-info-refs*) ;;\nreceive-pack*)\n\texec 9<&0\n\t{ touch '" + mark + "'; sleep 3; exec '" + real + "' \"$@\" <&9 9<&-; } &\n\twait $!\n\texit ;;\nesac\nexec '" + real + "' \"$@\"\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"--git", wrapper}
	s.start()
	s.signIn()
	clone := s.clone()
	ctx := context.Background()
	before := run(t, "/", "git", "--git-dir="+s.repo(), "for-each-ref")
	if err := commit(ctx, clone, "Soak/Late", text("Soak/Late", 1), "Push late"); err != nil {
		t.Fatal(err)
	}
	pushed := make(chan string, 1)
	go func() {
		out, err := git(ctx, clone, "push", "origin", "HEAD:refs/merge/main")
		pushed <- fmt.Sprint(err, out)
	}()
	for range 1000 {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	began := time.Now()
	s.kill()
	if out := <-pushed; strings.HasPrefix(out, "<nil>") {
		t.Fatalf("the push was acknowledged by a server that is dead: %s", out)
	}
	s.args = nil
	s.start()
	if waited := time.Since(began); waited < 2*time.Second {
		t.Errorf("the next start was after %s, while the child was still at work", waited)
	}
	if after := run(t, "/", "git", "--git-dir="+s.repo(), "for-each-ref"); after != before {
		t.Errorf("refs moved from\n%s\nto\n%s", before, after)
	}
	if left := s.leftovers(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := s.sound(); err != nil {
		t.Error(err)
	}
	if out, err := git(ctx, clone, "push", "origin", "HEAD:refs/merge/main"); err != nil {
		t.Errorf("pushing again: %v %s", err, out)
	}
	if _, got, err := s.read(s.browser(), "Soak/Late"); got != text("Soak/Late", 1) {
		t.Errorf("the page is %.100q, %v", got, err)
	}
}
