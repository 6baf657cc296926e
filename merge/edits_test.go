package merge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// apply makes new of old by an edit script, checking its promises.
func apply(t *testing.T, old, new []byte, es []Edit) []byte {
	t.Helper()
	o, n := split(old), split(new)
	var out []byte
	i, j := 0, 0
	for k, e := range es {
		if e.OldStart < i || e.NewStart < j || k > 0 && e.OldStart == i || e.OldEnd < e.OldStart || e.NewEnd < e.NewStart ||
			e.OldEnd == e.OldStart && e.NewEnd == e.NewStart || e.OldStart-i != e.NewStart-j {
			t.Fatalf("edit %d of %v is out of order", k, es)
		}
		out = append(out, o.lines(i, e.OldStart)...)
		out = append(out, n.lines(e.NewStart, e.NewEnd)...)
		i, j = e.OldEnd, e.NewEnd
	}
	return append(out, o.lines(i, o.len())...)
}

func TestEditsLikeGitDiff(t *testing.T) {
	dir := t.TempDir()
	differ := 0
	for seed := range uint64(300) {
		in := randomTriple(seed + 5000)
		if bytes.Equal(in.base, in.ours) {
			continue
		}
		got := Edits(in.base, in.ours)
		if !bytes.Equal(apply(t, in.base, in.ours, got), in.ours) {
			t.Errorf("seed %d: the edits do not give the new text", seed)
		}
		if want := gitDiff(t, dir, in.base, in.ours); fmt.Sprint(got) != fmt.Sprint(want) {
			differ++
			t.Logf("seed %d: %v, git has %v", seed, got, want)
		}
	}
	if differ > 0 {
		t.Errorf("%d of 300 scripts differ from git's", differ)
	}
}

var hunkHeader = regexp.MustCompile(`(?m)^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

func gitDiff(t *testing.T, dir string, old, new []byte) (es []Edit) {
	t.Helper()
	for name, data := range map[string][]byte{"old": old, "new": new} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", "diff", "--no-index", "--text", "-U1", "--inter-hunk-context=0", "old", "new")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "HOME=" + dir}
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("git diff: %v", err)
	}
	first := hunkHeader.FindIndex(out)
	if first == nil {
		t.Fatalf("git diff printed no hunk:\n%s", out)
	}
	i, j, open := 0, 0, false
	for line := range strings.Lines(string(out[first[0]:])) {
		if m := hunkHeader.FindStringSubmatch(line); m != nil {
			i, j, open = hunkStart(t, m[1], m[2]), hunkStart(t, m[3], m[4]), false
			continue
		}
		switch line[0] {
		case ' ':
			i, j, open = i+1, j+1, false
		case '-', '+':
			if !open {
				es = append(es, Edit{i, i, j, j})
				open = true
			}
			if line[0] == '-' {
				i++
			} else {
				j++
			}
			es[len(es)-1].OldEnd, es[len(es)-1].NewEnd = i, j
		}
	}
	return es
}

// hunkStart is the 0-based first line of "start,count" in a hunk header.
func hunkStart(t *testing.T, start, count string) int {
	n, err := strconv.Atoi(start)
	if err != nil {
		t.Fatal(err)
	}
	if count == "0" {
		return n
	}
	return n - 1
}

func FuzzEdits(f *testing.F) {
	for seed := range uint64(20) {
		t := randomTriple(seed)
		f.Add(t.base, t.ours)
	}
	f.Fuzz(func(t *testing.T, old, new []byte) {
		es := Edits(old, new)
		if got := apply(t, old, new, es); !bytes.Equal(got, new) {
			t.Errorf("%q to %q: the edits give %q", old, new, got)
		}
		checkHunks(t, old, new, Lines(old, new, 2))
		if s := Similarity(old, new); s < 0 || s > 100 || s == 100 && len(es) > 0 && !bytes.Contains(append(old, new...), []byte{'\r'}) && len(old) != len(new) {
			t.Errorf("similarity of %q and %q is %d", old, new, s)
		}
	})
}

// checkHunks puts the old and the new text together again from what hunks show.
func checkHunks(t *testing.T, old, new []byte, hunks []Hunk) {
	t.Helper()
	o, n := split(old), split(new)
	for _, h := range hunks {
		olds, news := 0, 0
		for _, l := range h.Lines {
			text := l.Text + "\n"
			if l.NoEOL {
				text = l.Text
			}
			if l.Kind != '+' {
				olds++
				if string(o.line(l.Old-1)) != text {
					t.Errorf("old line %d is %q, not %q", l.Old, o.line(l.Old-1), text)
				}
			}
			if l.Kind != '-' {
				news++
				if string(n.line(l.New-1)) != text {
					t.Errorf("new line %d is %q, not %q", l.New, n.line(l.New-1), text)
				}
			}
			var joined strings.Builder
			for _, s := range l.Words {
				joined.WriteString(s.Text)
			}
			if l.Words != nil && joined.String() != l.Text {
				t.Errorf("the words of %q join to %q", l.Text, joined.String())
			}
		}
		if olds != h.OldLines || news != h.NewLines {
			t.Errorf("a hunk says %d and %d lines and has %d and %d", h.OldLines, h.NewLines, olds, news)
		}
	}
}

// TestWorstCases: a bound on time for what nobody writes by hand.
func TestWorstCases(t *testing.T) {
	const size = 1 << 20
	r := rand.New(rand.NewPCG(1, 1))
	random := func(alphabet int) []byte {
		b := make([]byte, 0, size)
		for len(b) < size {
			b = append(b, 'a'+byte(r.IntN(alphabet)), '\n')
		}
		return b
	}
	equal := bytes.Repeat([]byte("same\n"), size/5)
	for name, c := range map[string][2][]byte{
		"equal lines against other equal lines": {equal, bytes.Repeat([]byte("else\n"), size/5)},
		"equal lines against fewer":             {equal, equal[:size/10*5]},
		"equal lines against random ones":       {bytes.Repeat([]byte("a\n"), size/2), random(2)},
		"two letters at random":                 {random(2), random(2)},
		"twenty letters at random":              {random(20), random(20)},
		"numbers backwards":                     {numbers(size/8, false), numbers(size/8, true)},
		"one line each":                         {bytes.Repeat([]byte{'x'}, size), bytes.Repeat([]byte{'y'}, size)},
	} {
		began := time.Now()
		es := Edits(c[0], c[1])
		took := time.Since(began)
		if !bytes.Equal(apply(t, c[0], c[1], es), c[1]) {
			t.Errorf("%s: the edits do not give the new text", name)
		}
		t.Logf("%s: %d edits in %v", name, len(es), took)
		if took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func numbers(n int, backwards bool) []byte {
	var b []byte
	for i := range n {
		if backwards {
			i = n - 1 - i
		}
		b = append(strconv.AppendInt(b, int64(i), 10), '\n')
	}
	return b
}

// TestDiffer reads a history backwards, and jumps.
func TestDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	p := page(r, 40, 20)
	e := ends{"\n", true}
	texts := [][]byte{nil, e.text(p)}
	for range 200 {
		p = edited(r, p)
		texts = append(texts, randomEnds(r).text(p))
	}
	var d Differ
	for i := len(texts) - 1; i > 0; i-- {
		from := i - 1
		if i%7 == 0 {
			from = r.IntN(len(texts))
		}
		if got, want := d.Edits(texts[from], texts[i]), Edits(texts[from], texts[i]); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("from %d to %d: %v, afresh %v", from, i, got, want)
		}
	}
}
