package objects

import (
	"bufio"
	"bytes"
	stdzlib "compress/zlib"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// pages lists the blobs of main's pages.
func pages(tb testing.TB, dir string) []plumbing.Hash {
	tb.Helper()
	var list []plumbing.Hash
	for line := range strings.SplitSeq(gitstoretest.Git(tb, dir, "ls-tree", "-r", "main"), "\n") {
		list = append(list, plumbing.NewHash(line[12:52]))
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// median runs f for each page and gives the middle time of one.
func median(tb testing.TB, list []plumbing.Hash, f func(plumbing.Hash) error) time.Duration {
	tb.Helper()
	times := make([]time.Duration, len(list))
	for i, oid := range list {
		start := time.Now()
		if err := f(oid); err != nil {
			tb.Fatal(err)
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkGet measures the median of a cold read, a read of which only the
// delta bases are warm, and a cache hit, beside `git cat-file --batch-command`
// by object name, over the 10,000 pages of one repository.
func BenchmarkGet(b *testing.B) {
	dir := gitstoretest.Repo(b, 10_000, 10_000)
	list := pages(b, dir)
	for b.Loop() {
		git := catFile(b, dir, list)
		none, err := Open(disk.OS{}, dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		cold := median(b, list, func(oid plumbing.Hash) error { _, _, err := none.GetUncached(oid); return err })
		cached, err := Open(disk.OS{}, dir, NewCache(256<<20))
		if err != nil {
			b.Fatal(err)
		}
		first := median(b, list, func(oid plumbing.Hash) error { _, _, err := cached.Get(oid); return err })
		hit := median(b, list, func(oid plumbing.Hash) error { _, _, err := cached.Get(oid); return err })
		header := median(b, list, func(oid plumbing.Hash) error { _, _, err := none.Header(oid); return err })
		b.ReportMetric(float64(git.Nanoseconds()), "git-ns")
		b.ReportMetric(float64(cold.Nanoseconds()), "uncached-ns")
		b.ReportMetric(float64(first.Nanoseconds()), "bases-ns")
		b.ReportMetric(float64(hit.Nanoseconds()), "hit-ns")
		b.ReportMetric(float64(header.Nanoseconds()), "header-ns")
		b.ReportMetric(float64(cold)/float64(git), "uncached/git")
		b.ReportMetric(float64(first)/float64(git), "bases/git")
		b.ReportMetric(float64(hit)/float64(git), "hit/git")
	}
}

// catFile measures the same reads by a running git.
func catFile(tb testing.TB, dir string, list []plumbing.Hash) time.Duration {
	tb.Helper()
	cmd := exec.Command("git", "cat-file", "--batch-command", "--buffer")
	cmd.Args = cmd.Args[:3]
	cmd.Dir, cmd.Env = dir, gitstoretest.Env()
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	out := bufio.NewReaderSize(stdout, 64<<10)
	d := median(tb, list, func(oid plumbing.Hash) error {
		if _, err := fmt.Fprintf(in, "contents %s\n", oid); err != nil {
			return err
		}
		head, err := out.ReadString('\n')
		if err != nil {
			return err
		}
		var name, kind string
		var size int64
		if _, err := fmt.Sscan(head, &name, &kind, &size); err != nil {
			return err
		}
		_, err = io.CopyN(io.Discard, out, size+1)
		return err
	})
	if err := in.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		tb.Fatal(err)
	}
	return d
}

// BenchmarkCacheHit is one hit in the content cache.
func BenchmarkCacheHit(b *testing.B) {
	dir := gitstoretest.Repo(b, 1000, 1000)
	db, err := Open(disk.OS{}, dir, NewCache(64<<20))
	if err != nil {
		b.Fatal(err)
	}
	list := pages(b, dir)
	for _, oid := range list {
		if _, _, err := db.Get(oid); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, _, err := db.Get(list[i]); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(list) {
			i = 0
		}
	}
}

// BenchmarkInflate is the pure cost of DEFLATE for a page.
func BenchmarkInflate(b *testing.B) {
	page := []byte(gitstoretest.Page(1, 1))
	var z bytes.Buffer
	if err := deflate(&z, page); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, len(page))
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inflateZlib(dst, z.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeflate measures the levels of the compressor: time, and size by the
// size of the page.
func BenchmarkDeflate(b *testing.B) {
	page := []byte(gitstoretest.Page(1, 1))
	for _, l := range []int{1, 2, 3, 4, 5, 6, 9} {
		b.Run(fmt.Sprintf("klauspost-%d", l), func(b *testing.B) {
			w, err := zlib.NewWriterLevel(io.Discard, l)
			if err != nil {
				b.Fatal(err)
			}
			measureDeflate(b, w, page)
		})
		b.Run(fmt.Sprintf("standard-%d", l), func(b *testing.B) {
			w, err := stdzlib.NewWriterLevel(io.Discard, l)
			if err != nil {
				b.Fatal(err)
			}
			measureDeflate(b, w, page)
		})
	}
}

func measureDeflate(b *testing.B, w interface {
	io.WriteCloser
	Reset(io.Writer)
}, page []byte) {
	b.Helper()
	var z bytes.Buffer
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		z.Reset()
		w.Reset(&z)
		if _, err := w.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(z.Len())/float64(len(page)), "size")
}

// BenchmarkWritePack is one edit of one page of 10,000, made durable: blob, two
// trees and a commit in a pack.
func BenchmarkWritePack(b *testing.B) {
	dir := gitstoretest.Copy(b, gitstoretest.Repo(b, 10_000, 10_000))
	for _, edits := range []int{1, 64} {
		b.Run(fmt.Sprint(edits), func(b *testing.B) {
			db, err := Open(disk.OS{}, dir, NewCache(64<<20))
			if err != nil {
				b.Fatal(err)
			}
			e := newEditor(b, db, 200)
			for b.Loop() {
				batch := db.NewBatch()
				for range edits {
					e.edit(batch)
				}
				e.write(batch)
				b.StopTimer()
				if db.PackCount() > 32 {
					if _, err := db.Fold(context.Background(), FoldOptions{}); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkFold is the cost of folding for each edit, over 512 packs of one
// edit: every one is copied as often as it changes its class.
func BenchmarkFold(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		db, err := Open(disk.OS{}, gitstoretest.Bare(b), nil)
		if err != nil {
			b.Fatal(err)
		}
		e := newEditor(b, db, 200)
		most, bytes, folds := 0, int64(0), time.Duration(0)
		b.StartTimer()
		for range 512 {
			batch := db.NewBatch()
			e.edit(batch)
			e.write(batch)
			if most = max(most, db.PackCount()); db.PackCount()%8 == 0 {
				start := time.Now()
				res, err := db.Fold(context.Background(), FoldOptions{})
				if err != nil {
					b.Fatal(err)
				}
				folds += time.Since(start)
				bytes += res.Bytes
			}
		}
		b.ReportMetric(float64(folds.Microseconds())/512, "fold-µs/edit")
		b.ReportMetric(float64(bytes)/512, "fold-B/edit")
		b.ReportMetric(float64(most), "packs")
	}
}
