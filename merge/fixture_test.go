package merge

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// page is a text of Markdown-like lines; few different ones where vocabulary
// is small, so that runs can slide.
func page(r *rand.Rand, lines, vocabulary int) []string {
	out := make([]string, lines)
	for i := range out {
		out[i] = randomLine(r, vocabulary)
	}
	return out
}

func randomLine(r *rand.Rand, vocabulary int) string {
	switch n := r.IntN(12); {
	case n < 3:
		return ""
	case n == 3:
		return fmt.Sprintf("## Section %d", r.IntN(vocabulary))
	case n == 4:
		return fmt.Sprintf("    indented %d", r.IntN(vocabulary))
	case n == 5:
		return [...]string{"---", "```", "- ", "}"}[r.IntN(4)]
	}
	return fmt.Sprintf("The line %d says so.", r.IntN(vocabulary))
}

// shapes are the ways in which people change pages.
var shapes = map[string]func(r *rand.Rand, p []string) []string{
	"insert": func(r *rand.Rand, p []string) []string {
		i := r.IntN(len(p) + 1)
		return splice(p, i, i, page(r, 1+r.IntN(4), 30))
	},
	"delete": func(r *rand.Rand, p []string) []string {
		i := r.IntN(len(p) + 1)
		return splice(p, i, min(i+1+r.IntN(4), len(p)), nil)
	},
	"change": func(r *rand.Rand, p []string) []string {
		i := r.IntN(len(p) + 1)
		j := min(i+1+r.IntN(3), len(p))
		return splice(p, i, j, page(r, j-i, 30))
	},
	"edit words": func(r *rand.Rand, p []string) []string {
		if len(p) == 0 {
			return p
		}
		i := r.IntN(len(p))
		return splice(p, i, i+1, []string{p[i] + " More."})
	},
	"move": func(r *rand.Rand, p []string) []string {
		i := r.IntN(len(p) + 1)
		j := min(i+1+r.IntN(5), len(p))
		moved := append([]string(nil), p[i:j]...)
		rest := splice(p, i, j, nil)
		k := r.IntN(len(rest) + 1)
		return splice(rest, k, k, moved)
	},
	"append": func(r *rand.Rand, p []string) []string {
		return splice(p, len(p), len(p), page(r, 1+r.IntN(3), 30))
	},
	"repeat": func(r *rand.Rand, p []string) []string {
		i := r.IntN(len(p) + 1)
		j := min(i+1+r.IntN(3), len(p))
		return splice(p, j, j, p[i:j])
	},
	"rewrite": func(r *rand.Rand, p []string) []string { return page(r, r.IntN(20), 10) },
}

var shapeNames = []string{"insert", "delete", "change", "edit words", "move", "append", "repeat", "insert", "change", "append", "edit words", "rewrite"}

func splice(p []string, i, j int, with []string) []string {
	out := append([]string(nil), p[:i]...)
	out = append(out, with...)
	return append(out, p[j:]...)
}

func edited(r *rand.Rand, p []string) []string {
	for range 1 + r.IntN(4) {
		p = shapes[shapeNames[r.IntN(len(shapeNames))]](r, p)
	}
	return p
}

type ends struct {
	eol  string
	last bool // the last line has one
}

func randomEnds(r *rand.Rand) ends {
	e := ends{"\n", r.IntN(8) != 0}
	if r.IntN(8) == 0 {
		e.eol = "\r\n"
	}
	return e
}

func (e ends) text(p []string) []byte {
	s := strings.Join(p, e.eol)
	if e.last && len(p) > 0 {
		s += e.eol
	}
	return []byte(s)
}

type triple struct{ base, ours, theirs []byte }

// randomTriple is a page and two edits of it: independent, near to each other,
// or with a part in common.
func randomTriple(seed uint64) triple {
	r := rand.New(rand.NewPCG(seed, 3))
	p := page(r, r.IntN(60), 1+r.IntN(40))
	e := randomEnds(r)
	ours, theirs := edited(r, p), edited(r, p)
	switch r.IntN(4) {
	case 0: // both begin with the same change
		common := edited(r, p)
		ours, theirs = edited(r, common), edited(r, common)
	case 1: // both at one place
		i := r.IntN(len(p) + 1)
		j := min(i+r.IntN(4), len(p))
		k := min(j+r.IntN(3), len(p))
		ours, theirs = splice(p, i, j, page(r, r.IntN(4), 30)), splice(p, k, min(k+r.IntN(3), len(p)), page(r, r.IntN(4), 30))
	}
	t := triple{e.text(p), e.text(ours), e.text(theirs)}
	if r.IntN(10) == 0 {
		t.ours = randomEnds(r).text(ours)
	}
	return t
}

// gitMergeFile is what stock git makes of a triple.
func gitMergeFile(tb testing.TB, dir string, t triple) (text []byte, conflicts int) {
	tb.Helper()
	for name, data := range map[string][]byte{"base": t.base, "ours": t.ours, "theirs": t.theirs} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	cmd := exec.Command("git", "merge-file", "-p", "-q", "-L", "ours", "-L", "base", "-L", "theirs", "ours", "base", "theirs")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "HOME=" + dir}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() < 128 {
		return out.Bytes(), exit.ExitCode()
	}
	if err != nil {
		tb.Fatalf("git merge-file: %v: %s", err, stderr.String())
	}
	return out.Bytes(), 0
}
