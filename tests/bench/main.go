// Command bench measures wikibot beside its baseline from the same run: stock
// git for the store, the disk and a bare server for HTTP. It prints one line for
// each figure:
//
//	bench NAME VALUE UNIT baseline VALUE ratio R want ≤X ok|short
//
// A want with a unit (≤5ms) is about the value, one without about the ratio.
// Rounds of ours and of the baseline take turns, because other work on the
// machine moves both: value and baseline are the middle ones of their rounds,
// the ratio is the middle one of the rounds' own ratios.
//
// The store is measured in this process through its public methods, with
// policy, audit, the index of history and events on. The server is the real
// binary in a process of its own, and this process is its load.
//
//	go run ./tests/bench -only 'read|commit'   figures by a regular expression
//	BENCH_SHORT=1 go run ./tests/bench         smaller fixtures, fewer rounds
//	WIKIBOT_DATA=DIR go run ./tests/bench      also on DIR/tldr-pages.bundle
//
// The fixtures are made once and kept in the temporary folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"
)

// bench is one run.
type bench struct {
	ctx    context.Context
	out    io.Writer
	work   string // folder of this run, removed at its end
	binary string // the wikibot program
	rounds int
	short  bool
	window time.Duration // of one round of a rate
	data   string        // folder with real data, "" for none
	tldr   string        // the repository made of it

	sites  map[string]string // data folders that are ready to be copied, by fixture
	missed int
	number int // of folders made in work
}

// figure is a group of lines that are measured together.
type figure struct {
	name string
	run  func(*bench) error
}

func figures() []figure {
	return []figure{
		{"read", (*bench).read}, {"read.busy", (*bench).readBusy}, {"open", (*bench).openCold},
		{"commit", (*bench).commit}, {"packs", (*bench).packs},
		{"history", (*bench).history}, {"blame", (*bench).blame}, {"last", (*bench).last},
		{"snapshot", (*bench).snapshot}, {"growth", (*bench).growth},
		{"http", (*bench).http}, {"lists", (*bench).lists}, {"save", (*bench).save}, {"start", (*bench).start},
		{"clone", (*bench).clone}, {"hook", (*bench).hooks}, {"push", (*bench).push},
		{"network", (*bench).network}, {"large", (*bench).large}, {"tags", (*bench).tags},
		{"tldr.read", onReal((*bench).readOf)}, {"tldr.history", onReal((*bench).historyOf)}, {"tldr.blame", onReal((*bench).blameOf)},
		{"tldr.last", onReal((*bench).lastOf)}, {"tldr.http", onReal((*bench).httpOf)}, {"tldr.clone", onReal((*bench).cloneOf)},
		{"search", (*bench).search}, {"search.faces", (*bench).searchFaces}, {"tldr.search", onReal((*bench).searchOf)},
		{"tldr.network", onReal((*bench).networkOf)},
		{"agents", (*bench).agents}, {"tldr.agents", onReal((*bench).agentsOf)},
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareArg {
		os.Exit(serveBare(os.Args[2]))
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("only", "", "measure the figures whose name matches this regular expression")
	short := flag.Bool("short", os.Getenv("BENCH_SHORT") != "", "smaller fixtures, fewer rounds")
	rounds := flag.Int("rounds", 5, "rounds of each comparison")
	profile := flag.String("cpuprofile", "", "write a profile of this process, not of the server, to this file")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{ctx: ctx, out: os.Stdout, rounds: *rounds, short: *short, window: 1500 * time.Millisecond,
		data: os.Getenv("WIKIBOT_DATA"), sites: map[string]string{}}
	if b.short {
		b.rounds, b.window = min(b.rounds, 3), 500*time.Millisecond
	}
	if b.work, err = os.MkdirTemp("", "wikibot-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	return b.all(match)
}

// all measures the figures one after another; one that fails does not keep the
// others from being measured.
func (b *bench) all(match *regexp.Regexp) error {
	if err := b.build(); err != nil {
		return err
	}
	var failed []error
	for _, f := range figures() {
		if !match.MatchString(f.name) || b.ctx.Err() != nil {
			continue
		}
		if err := b.guard(f); err != nil {
			err = fmt.Errorf("%s: %w", f.name, err)
			fmt.Fprintln(os.Stderr, "bench:", err)
			failed = append(failed, err)
		}
	}
	if b.missed > 0 {
		fmt.Fprintf(b.out, "%d figures are short of what is wanted\n", b.missed)
	}
	return errors.Join(errors.Join(failed...), b.ctx.Err())
}

// build makes the program that is measured, as make build does.
func (b *bench) build() error {
	b.binary = filepath.Join(b.work, "wikibot")
	cmd := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-o", b.binary, "wikibot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building wikibot: %w\n%s", err, out)
	}
	return nil
}

// folder makes the name of a fresh folder of this run. They lie side by side, so
// that ours and the baseline's are equally far from each other on the disk.
func (b *bench) folder(kind string) string {
	b.number++
	return filepath.Join(b.work, fmt.Sprintf("%s-%d", kind, b.number))
}

// fixtures lets the fixtures of tests be made outside a test.
type fixtures struct {
	testing.TB
	dir string
}

type fatal struct{ text string }

func (fixtures) Helper()                           {}
func (fixtures) Fatal(args ...any)                 { panic(fatal{fmt.Sprint(args...)}) }
func (fixtures) Fatalf(format string, args ...any) { panic(fatal{fmt.Sprintf(format, args...)}) }
func (f fixtures) TempDir() string                 { return f.dir }

// guard turns a fixture that cannot be made into an error.
func (b *bench) guard(f figure) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fatal:
			err = errors.New(p.text)
		default:
			panic(p)
		}
	}()
	return f.run(b)
}
