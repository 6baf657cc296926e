package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// clone compares a clone through the server with one whose git runs upload-pack
// itself, and looks at what the server's memory grows by.
func (b *bench) clone() error { return b.cloneOf("", b.fixture(b.size())) }

func (b *bench) cloneOf(prefix, repo string) error {
	s, err := b.newServed(repo)
	if err != nil {
		return err
	}
	defer s.remove()
	dst := b.folder("clone")
	from := func(address string) measure {
		return once(func() error { return os.RemoveAll(dst) }, func() error {
			return git(b.ctx, b.work, "-c", "safe.directory=*", "clone", "-q", "--bare", address, dst)
		})
	}
	through := from(fmt.Sprintf("http://carol:%s@%s/w/%s.git", s.reader, s.addr, slug))
	alone := from("file://" + s.repo)
	if _, err := through(); err != nil { // warm
		return err
	}
	if err := s.resetPeak(); err != nil {
		return err
	}
	before, err := s.memory("VmRSS")
	if err != nil {
		return err
	}
	if err := b.compare(prefix+"clone", "ms", atMost(1.2), through, alone); err != nil {
		return err
	}
	peak, err := s.memory("VmHWM")
	if err != nil {
		return err
	}
	b.print(prefix+"clone.memory", pair{peak - before, before, peak / before}, "MB", valueMost(16, "MB"))
	return nil
}

// hooks runs each hook as git does; the benchmark is package hooks' own.
func (b *bench) hooks() error {
	runs, err := b.goBench("wikibot/hooks", "BenchmarkHook$", b.rounds, "50x")
	if err != nil {
		return err
	}
	base := runs.median("Hook/true", "ns/op")
	for _, hook := range []string{"pre-receive", "proc-receive"} {
		v := runs.median("Hook/"+hook, "ns/op")
		b.print("hook."+hook, pair{v / 1e6, base / 1e6, v / base}, "ms", valueMost(4, "ms"))
	}
	return nil
}

// push is a push of one file through the whole path, over HTTP and over SSH,
// beside the same listener without hooks; the benchmarks are package server's own.
func (b *bench) push() error {
	for _, f := range []struct{ name, bench string }{{"push", "GitPush"}, {"push.ssh", "SSHPush"}} {
		runs, err := b.goBench("wikibot/server", "Benchmark"+f.bench+"$", b.rounds, "20x")
		if err != nil {
			return err
		}
		b.print(f.name, pair{runs.median(f.bench, "ms/push"), runs.median(f.bench, "ms/plain"), runs.median(f.bench, "ratio")}, "ms", atMost(1.35))
	}
	return nil
}

// goRuns are the numbers of Go benchmarks: benchmark and unit → one for each run.
type goRuns map[string][]float64

func (r goRuns) median(name, unit string) float64 { return median(r[name+" "+unit]) }

// goBench runs a benchmark of a package several times.
func (b *bench) goBench(pkg, pattern string, count int, benchtime string) (goRuns, error) {
	cmd := exec.CommandContext(b.ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, "-count", strconv.Itoa(count), "-timeout", "20m", pkg)
	cmd.Env = append(os.Environ(), "TMPDIR="+b.work) // beside everything else that is measured
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	runs := goRuns{}
	for line := range strings.Lines(out.String()) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(f[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i] // the number of processors
			}
		}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				runs[name+" "+f[i+1]] = append(runs[name+" "+f[i+1]], v)
			}
		}
	}
	if err == nil && len(runs) == 0 {
		err = errors.New("no result")
	}
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", pattern, pkg, err, out.String())
	}
	return runs, nil
}

// onReal measures on a real repository, where there is one.
func onReal(run func(b *bench, prefix, repo string) error) func(*bench) error {
	return func(b *bench) error {
		if b.data == "" {
			return nil
		}
		if b.tldr == "" {
			repo := b.folder("tldr")
			if err := git(b.ctx, b.work, "clone", "-q", "--bare", filepath.Join(b.data, "tldr-pages.bundle"), repo); err != nil {
				return err
			}
			if err := git(b.ctx, repo, "commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"); err != nil {
				return err
			}
			b.tldr = repo
		}
		return run(b, "tldr.", b.tldr)
	}
}
