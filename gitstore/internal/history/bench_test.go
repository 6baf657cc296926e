//go:build unix

package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sys/unix"
	"wikibot/gitstore/gitstoretest"
)

const benchPages, benchCommits = 10_000, 10_000

func benchRepo(b *testing.B) (*repo, *Index) {
	b.Helper()
	r := open(b, gitstoretest.Repo(b, benchPages, benchCommits))
	return r, r.build(r.head)
}

// median runs f n times and gives the middle duration.
func median(n int, f func()) time.Duration {
	var ds []time.Duration
	for range n {
		began := time.Now()
		f()
		ds = append(ds, time.Since(began))
	}
	slices.Sort(ds)
	return ds[n/2]
}

func report(b *testing.B, name string, got, git time.Duration) {
	b.ReportMetric(float64(got.Microseconds()), name+"-µs")
	if git > 0 {
		b.ReportMetric(float64(git.Microseconds()), name+"-git-µs")
		b.ReportMetric(float64(got)/float64(git), name+"-ratio")
	}
}

// quiet runs git and throws away what it prints, as a log that is only counted.
func (r *repo) quiet(args ...string) {
	if err := r.git(args...).Run(); err != nil {
		r.tb.Fatal(err)
	}
}

func BenchmarkBuild(b *testing.B) {
	r, x := benchRepo(b)
	for b.Loop() {
		var got, git []time.Duration
		var gotCPU, gitCPU time.Duration
		for range 5 {
			began := cpu(b)
			got = append(got, median(1, func() { r.build(r.head) }))
			between := cpu(b)
			git = append(git, median(1, func() { _, _ = r.git("log", "--name-only", "main").Output() }))
			gotCPU, gitCPU = gotCPU+between-began, gitCPU+cpu(b)-between
		}
		slices.Sort(got)
		slices.Sort(git)
		report(b, "build", got[2], git[2])
		b.ReportMetric(float64(gotCPU)/float64(gitCPU), "build-cpu-ratio")
	}
	s := x.Stats()
	b.ReportMetric(float64(s.Bytes)/float64(s.Commits), "B/commit")
}

// cpu is the processor time of this process and of its ended children: on a
// machine that others use as well it tells more than the clock.
func cpu(b *testing.B) (sum time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

func BenchmarkAdvance(b *testing.B) {
	r, x := benchRepo(b)
	commits := strings.Fields(r.out("rev-list", "--reverse", "-n", "1001", "main"))
	for b.Loop() {
		b.StopTimer()
		if err := x.Advance(plumbing.NewHash(commits[0])); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := time.Now()
		for _, c := range commits[1:] {
			if err := x.Advance(plumbing.NewHash(c)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "µs/commit")
	}
}

func BenchmarkAppend(b *testing.B) {
	x := New(Options{ServerEmail: serverEmail})
	var head []plumbing.Hash
	n := 0
	for b.Loop() {
		n++
		c := Commit{Parents: head, Message: fmt.Sprintf("Edit %d\n\nWikibot-Actor: alice\nWikibot-Via: web\nWikibot-Key: %d\n", n, n),
			Author: Signature{"Alice", "alice@example.org", time.Unix(int64(n), 0)}, Committer: Signature{"wikibot", serverEmail, time.Unix(int64(n), 0)},
			Changes: []Change{{Kind: 'M', File: gitstoretest.PagePath(n % benchPages)}}}
		for i := range 4 {
			c.OID[i] = byte(n * 2654435761 >> (8 * i))
		}
		c.OID[10], c.OID[11], c.OID[12], c.OID[13] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
		if err := x.Append(c); err != nil {
			b.Fatal(err)
		}
		head = []plumbing.Hash{c.OID}
	}
}

func BenchmarkLog(b *testing.B) {
	r, x := benchRepo(b)
	file := gitstoretest.PagePath(7919 % benchPages)
	git := median(5, func() { r.quiet("log", "main", "--", file) })
	for b.Loop() {
		if _, _, err := x.Log(plumbing.ZeroHash, file, plumbing.ZeroHash, 50); err != nil {
			b.Fatal(err)
		}
	}
	report(b, "log", b.Elapsed()/time.Duration(b.N), git)
}

func BenchmarkLast(b *testing.B) {
	r, x := benchRepo(b)
	git := median(5, func() { r.quiet("log", "-1", "main", "--", gitstoretest.PagePath(17)) })
	n := 0
	for b.Loop() {
		n++
		if _, _, err := x.Last(plumbing.ZeroHash, gitstoretest.PagePath(n%benchPages)); err != nil {
			b.Fatal(err)
		}
	}
	report(b, "last", b.Elapsed()/time.Duration(b.N), git)
}

func BenchmarkLastAll(b *testing.B) {
	_, x := benchRepo(b)
	for b.Loop() {
		x.LastAll()
	}
}

func BenchmarkChanges(b *testing.B) {
	_, x := benchRepo(b)
	for b.Loop() {
		if _, _, err := x.Changes(Filter{Limit: 50}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChangesFiltered(b *testing.B) {
	_, x := benchRepo(b)
	for b.Loop() {
		if _, _, err := x.Changes(Filter{Limit: 50, Author: "nobody", Prefix: "Topic 7/"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBlame blames a page of 70 lines that was edited 500 times.
func BenchmarkBlame(b *testing.B) {
	w := &writer{r: rand.New(rand.NewPCG(1, 1))}
	const file, most = "Page.md", 500
	tree := files{file: w.text(70)}
	tip := w.commit("main", tree, "Begin")
	for range most {
		tree[file] = w.change(tree[file])
		tip = w.commit("main", tree, "Edit", tip)
	}
	r := w.repo(b)
	r.out("repack", "-adq")
	r.out("commit-graph", "write", "--reachable", "--changed-paths", "--no-progress")
	r = open(b, r.dir)
	x := r.build(r.head)
	var blames, gits []time.Duration
	for range 7 {
		gits = append(gits, median(1, func() { r.quiet("blame", "--line-porcelain", "main", "--", file) }))
		y := open(b, r.dir) // nothing cached
		x.source = y.db
		x.blames = newLRU[blameKey, []blameRun](1 << 18)
		began := time.Now()
		if _, err := x.Blame(context.Background(), plumbing.ZeroHash, file); err != nil {
			b.Fatal(err)
		}
		blames = append(blames, time.Since(began))
	}
	slices.Sort(blames)
	slices.Sort(gits)
	for b.Loop() {
		if _, err := x.Blame(context.Background(), plumbing.ZeroHash, file); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(most), "revisions")
	report(b, "cold", blames[3], gits[3])
}

func BenchmarkSaveLoad(b *testing.B) {
	x := New(Options{ServerEmail: serverEmail})
	var head []plumbing.Hash
	for n := range 100_000 {
		c := Commit{Parents: head, Message: fmt.Sprintf("Edit page %d in some words\n\nWikibot-Actor: alice\nWikibot-Via: web\nWikibot-Key: %d\n", n, n),
			Author: Signature{"Alice", "alice@example.org", time.Unix(int64(n), 0)}, Committer: Signature{"wikibot", serverEmail, time.Unix(int64(n), 0)},
			Changes: []Change{{Kind: 'M', File: gitstoretest.PagePath(n % benchPages)}}}
		c.OID = plumbing.ComputeHash(plumbing.CommitObject, []byte(c.Message))
		if err := x.Append(c); err != nil {
			b.Fatal(err)
		}
		head = []plumbing.Hash{c.OID}
	}
	dir := b.TempDir()
	var file string
	for b.Loop() {
		save := median(3, func() { file, _ = x.Save(dir) })
		load := median(3, func() {
			if _, err := Load(dir, Options{ServerEmail: serverEmail}); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(float64(save.Milliseconds()), "save-ms")
		b.ReportMetric(float64(load.Milliseconds()), "load-ms")
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/100_000, "file-B/commit")
	b.ReportMetric(float64(x.Stats().Bytes)/100_000, "mem-B/commit")
}
