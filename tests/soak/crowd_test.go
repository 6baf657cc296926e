package soak

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestCrowd: 20 people clone and 20 push at the same moment, while 8 browsers
// save. Nobody is turned away, each clone is whole, and all that was
// acknowledged is in the history.
func TestCrowd(t *testing.T) {
	const people = 20
	s := newSite(t)
	s.start()
	s.signIn()
	l := &ledger{pages: map[string]int{}, files: map[string]int{}, subjects: map[string]bool{}}
	clones := make([]string, people)
	for i := range clones {
		clones[i] = s.clone()
		page := fmt.Sprintf("Soak/Pusher %d", i)
		if err := commit(context.Background(), clones[i], page, text(page, 1), "Push "+page); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var writers sync.WaitGroup
	for w := range 8 {
		client := s.browser()
		writers.Go(func() {
			for ctx.Err() == nil {
				if err := s.edit(client, l, fmt.Sprintf("Soak/Writer %d", w)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	dir := t.TempDir()
	together(t, 2*people, func(i int) error {
		if i >= people {
			to := filepath.Join(dir, fmt.Sprint(i))
			if out, err := git(context.Background(), "/", "clone", "-q", "--bare", s.remote(), to); err != nil {
				return fmt.Errorf("git clone: %w %s", err, out)
			}
			out, err := git(context.Background(), to, "rev-list", "--count", "--objects", "--all")
			if err != nil || strings.TrimSpace(out) == "0" {
				return fmt.Errorf("the clone is not whole: %w %s", err, out)
			}
			return nil
		}
		if out, err := git(context.Background(), clones[i], "push", "-q", "origin", "HEAD:refs/merge/main"); err != nil {
			return fmt.Errorf("git push: %w %s", err, out)
		}
		page := fmt.Sprintf("Soak/Pusher %d", i)
		l.ack(l.pages, page, 1, "Push "+page)
		return nil
	})
	cancel()
	writers.Wait()
	if len(l.subjects) < people {
		t.Errorf("%d changes were acknowledged, want at least %d", len(l.subjects), people)
	}
	t.Logf("%d changes acknowledged beside %d clones and %d pushes", len(l.subjects), people, people)
	if err := s.whole(l); err != nil {
		t.Error(err)
	}
}
