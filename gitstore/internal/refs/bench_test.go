package refs

import (
	"context"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// BenchmarkCurrent is the cost of knowing that a branch has not moved.
func BenchmarkCurrent(b *testing.B) {
	dir, tips := repo(b, 1)
	d := Open(disk.OS{}, dir)
	if err := d.Set(context.Background(), Update{Name: "refs/heads/main", New: tips[0]}); err != nil {
		b.Fatal(err)
	}
	time.Sleep(2 * disk.Granularity)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Current("refs/heads/main"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransaction moves two refs in two folders, durably.
func BenchmarkTransaction(b *testing.B) {
	dir, tips := repo(b, 2)
	d := Open(disk.OS{}, dir)
	old, i := plumbing.ZeroHash, 0
	for b.Loop() {
		next := tips[i%2]
		if err := d.Set(context.Background(), Update{Name: "refs/wikibot/audit", Old: old, New: next}, Update{Name: "refs/heads/main", Old: old, New: next}); err != nil {
			b.Fatal(err)
		}
		old = next
		i++
	}
}
