package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestPurgeBesideEverybody: one purge after another beside writers, readers and pushes
// from new clones. Nothing acknowledged is lost, no read fails, and no secret is left
// or comes back.
func TestPurgeBesideEverybody(t *testing.T) {
	h := newHooked(t)
	ctx, cancel := context.WithTimeout(context.Background(), duration()+time.Minute)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	var edits, refused, pushes, reads, purges atomic.Int64
	loop := func(once func(i int) error) {
		all.Go(func() {
			for i := 0; ctx.Err() == nil && !t.Failed(); i++ {
				if err := once(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for w := range 2 {
		loop(func(i int) error {
			err := h.write(w, i)
			if errors.Is(err, wiki.ErrUnavailable) {
				refused.Add(1) // told to try again
				return nil
			}
			edits.Add(1)
			return err
		})
		loop(func(int) error {
			reads.Add(1)
			return h.readSome()
		})
	}
	loop(func(i int) error {
		dir, err := os.MkdirTemp(t.TempDir(), "clone")
		if err != nil {
			return err
		}
		if _, err := try("/", "clone", "-q", "--no-local", h.repo, dir); err != nil {
			return nil // the repository was replaced under it
		}
		for _, kv := range [][2]string{{"user.name", "Bob"}, {"user.email", "bob@example.org"}} {
			git(t, dir, "config", kv[0], kv[1])
		}
		page := fmt.Sprintf("Pushed/Page %d", i)
		if err := commitPage(dir, page, checked(page, i)); err != nil {
			return err
		}
		if out, err := try(dir, "push", "-q", "origin", "HEAD:refs/merge/main"); err == nil {
			pushes.Add(1)
			h.ack(page)
		} else if !strings.Contains(out, "rewritten") && !strings.Contains(out, "not appear to be a git repository") {
			t.Logf("a push: %s", out)
		}
		return nil
	})
	loop(func(i int) error {
		secret := fmt.Sprintf("secret-%d-of-nobody", i)
		for _, text := range []string{"it is " + secret, "it is not here"} {
			_, err := h.store.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
				return tx.Put("Secret", []byte(text), gitstore.PutOptions{Overwrite: true})
			})
			if err != nil {
				return ignore(ctx, err)
			}
		}
		if _, err := h.store.Purge(ctx, host, "notes", gitstore.PurgeRequest{Text: secret}); err != nil {
			return ignore(ctx, err)
		}
		purges.Add(1)
		return nil
	})
	all.Go(func() { // on a busy machine it takes longer until enough has happened
		defer cancel()
		for ctx.Err() == nil && !t.Failed() && (time.Since(began) < duration() || purges.Load() < 2 || pushes.Load() < 1) {
			time.Sleep(20 * time.Millisecond)
		}
	})
	all.Wait()
	t.Logf("%d purges, %d edits (%d told to try again), %d pushes, %d reads", purges.Load(), edits.Load(), refused.Load(), pushes.Load(), reads.Load())
	if purges.Load() < 2 || edits.Load() < 10 || pushes.Load() < 1 || reads.Load() < 20 {
		t.Error("too little was going on")
	}
	h.nothingLost()
	if _, err := h.store.Purge(context.Background(), host, "notes", gitstore.PurgeRequest{Text: "-of-nobody"}); err != nil && !errors.Is(err, wiki.ErrNotFound) {
		t.Error(err)
	}
	for line := range strings.Lines(git(t, h.repo, "cat-file", "--batch-all-objects", "--batch", "--unordered")) {
		if strings.Contains(line, "-of-nobody") {
			t.Errorf("still there: %s", line)
		}
	}
}

// ignore leaves out the error of a test that is over.
func ignore(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, wiki.ErrUnavailable) {
		return nil
	}
	return err
}
