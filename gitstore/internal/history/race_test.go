package history

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// TestReadersBesideAWriter is for the race detector: answers may be of any
// moment, but whole.
func TestReadersBesideAWriter(t *testing.T) {
	r := randomHistory(t, 600, 100, true)
	x := r.build(r.head)
	all := x.LastAll()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				read(t, x, all[i%len(all)].File, r.all[i%len(r.all)])
			}
		})
	}
	dir := t.TempDir()
	for i := range 150 {
		oid := r.all[i*37%len(r.all)]
		if err := x.Advance(oid); err != nil {
			t.Error(err)
		}
		x.SetPushed(r.all[0], oid, "bob", wiki.ViaSSH)
		if i%50 == 0 {
			if _, err := x.Save(dir); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	readers.Wait()
}

func read(t *testing.T, x *Index, file string, oid plumbing.Hash) {
	log, _, err := x.Log(plumbing.ZeroHash, file, plumbing.ZeroHash, 10)
	expect(t, "Log", err)
	if err == nil && len(log) == 0 {
		t.Error("a log is empty without an error")
	}
	_, err = x.Blame(context.Background(), plumbing.ZeroHash, file)
	expect(t, "Blame", err)
	_, _, err = x.Changes(Filter{Limit: 5, Prefix: "Design/"})
	expect(t, "Changes", err)
	_, err = x.Commit(revision(oid))
	expect(t, "Commit", err)
	_, _, err = x.Last(oid, file)
	expect(t, "Last", err)
	x.LastAll()
}

func expect(t *testing.T, what string, err error) {
	if err != nil && !errors.Is(err, wiki.ErrNotFound) && !errors.Is(err, wiki.ErrUnavailable) {
		t.Errorf("%s: %v", what, err)
	}
}
