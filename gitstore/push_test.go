package gitstore_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
)

// TestPushesBesideBusyWriters: beside 8 writers in the process, pushes to
// refs/merge/main that do not conflict land at the first try, and a plain
// fast-forward brings the clone up to date.
func TestPushesBesideBusyWriters(t *testing.T) {
	pushes := 10
	if n, err := strconv.Atoi(os.Getenv("SOAK_PUSHES")); err == nil {
		pushes = n
	}
	h := newHooked(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var writers sync.WaitGroup
	var edits atomic.Int64
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := h.write(w, i); err != nil {
					t.Error(err)
					return
				}
				edits.Add(1)
			}
		})
	}
	clone, landed := h.clone("Pushed"), 0
	began := time.Now()
	for i := range pushes {
		page := fmt.Sprintf("Pushed/Page %d", i)
		must(t, commitPage(clone, page, checked(page, i)))
		if out, err := try(clone, "push", "-q", "origin", "HEAD:refs/merge/main"); err != nil {
			t.Logf("push %d: %v %s", i, err, out)
			continue
		}
		landed++
		h.ack(page)
		if out, err := try(clone, "pull", "-q", "--ff-only"); err != nil {
			t.Errorf("git pull --ff-only after push %d: %v %s", i, err, out)
		}
	}
	rate := float64(edits.Load()) / time.Since(began).Seconds()
	cancel()
	writers.Wait()
	t.Logf("%d of %d pushes landed at the first try beside %.0f commits/s", landed, pushes, rate)
	if landed*100 < pushes*99 {
		t.Errorf("%d of %d pushes landed, want 99 %%", landed, pushes)
	}
	h.nothingLost()
}

// TestUpkeepWaitsForPushes: a repack that is due while a push is under way waits
// for it, and holds up neither the push, nor the next one, nor edits.
func TestUpkeepWaitsForPushes(t *testing.T) {
	h := newHooked(t)
	ctx := context.Background()
	first, err := h.store.Repository(ctx, bob, "notes", true)
	must(t, err)
	upkeep := make(chan error, 1)
	go func() { upkeep <- gitstore.Upkeep(ctx, h.store, "notes") }()
	time.Sleep(100 * time.Millisecond)
	done := make(chan error, 1)
	go func() {
		second, err := h.store.Repository(ctx, bob, "notes", true)
		if err == nil {
			err = h.write(0, 0)
			second.Release()
		}
		done <- err
	}()
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("an edit and a second push wait for a repack that waits for the first push")
	}
	select {
	case err := <-upkeep:
		t.Errorf("the repack did not wait for the push: %v", err)
	default:
	}
	first.Release()
	must(t, <-upkeep)
	h.nothingLost()
}
