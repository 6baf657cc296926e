package merge

import (
	"bytes"
	"testing"
)

func TestDiff3LikeGitMergeFile(t *testing.T) {
	dir := t.TempDir()
	conflicts := 0
	for seed := range uint64(1000) {
		in := randomTriple(seed)
		want, n := gitMergeFile(t, dir, in)
		got := Diff3(in.base, in.ours, in.theirs, Labels{Ours: "ours", Theirs: "theirs"})
		if n > 0 {
			conflicts++
		}
		if got.Conflicts != n || !bytes.Equal(got.Text, want) {
			t.Errorf("seed %d: %d conflicts, git has %d\nbase:\n%s\nours:\n%s\ntheirs:\n%s\ngot:\n%s\nwant:\n%s",
				seed, got.Conflicts, n, in.base, in.ours, in.theirs, got.Text, want)
		}
	}
	if conflicts < 200 || conflicts > 800 {
		t.Errorf("%d of 1000 triples conflict: they should be a mixture", conflicts)
	}
}

func TestDiff3(t *testing.T) {
	for name, c := range map[string]struct{ base, ours, theirs, want string }{
		"both sides append the same": {"a\n", "a\nb\n", "a\nb\n", "a\nb\n"},
		"apart":                      {"a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"},
		"adjacent lines conflict":    {"a\nb\n", "A\nb\n", "a\nB\n", "<<<<<<< o\nA\nb\n=======\na\nB\n>>>>>>> t\n"},
		"both append":                {"a\n", "a\nb\n", "a\nc\n", "a\n<<<<<<< o\nb\n=======\nc\n>>>>>>> t\n"},
		"common head trimmed":        {"a\n", "a\nx\nb\n", "a\nx\nc\n", "a\nx\n<<<<<<< o\nb\n=======\nc\n>>>>>>> t\n"},
		"deleted here, changed there": {"a\nb\nc\n", "a\nc\n", "a\nB\nc\n",
			"a\n<<<<<<< o\n=======\nB\n>>>>>>> t\nc\n"},
		"no newline at the end": {"a\nb", "a\nB", "A\nb", "<<<<<<< o\na\nB\n=======\nA\nb\n>>>>>>> t\n"},
		"CRLF stays":            {"a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n"},
		"CRLF markers": {"a\r\nb\r\n", "a\r\nx\r\n", "a\r\ny\r\n",
			"a\r\n<<<<<<< o\r\nx\r\n=======\r\ny\r\n>>>>>>> t\r\n"},
		"created by both": {"", "x\n", "y\n", "<<<<<<< o\nx\n=======\ny\n>>>>>>> t\n"},
	} {
		got := Diff3([]byte(c.base), []byte(c.ours), []byte(c.theirs), Labels{Ours: "o", Theirs: "t"})
		if string(got.Text) != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got.Text, c.want)
		}
		if (got.Conflicts > 0) != bytes.Contains(got.Text, []byte("=======")) {
			t.Errorf("%s: %d conflicts in\n%s", name, got.Conflicts, got.Text)
		}
	}
}

func FuzzDiff3(f *testing.F) {
	for seed := range uint64(20) {
		t := randomTriple(seed)
		f.Add(t.base, t.ours, t.theirs)
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		if got := Diff3(base, ours, ours, Labels{}); got.Conflicts != 0 || !bytes.Equal(got.Text, ours) {
			t.Errorf("both sides %q: %q", ours, got.Text)
		}
		if got := Diff3(base, base, ours, Labels{}); got.Conflicts != 0 || !bytes.Equal(got.Text, ours) {
			t.Errorf("only theirs changed, to %q: %q", ours, got.Text)
		}
		if got := Diff3(base, ours, base, Labels{}); got.Conflicts != 0 || !bytes.Equal(got.Text, ours) {
			t.Errorf("only ours changed, to %q: %q", ours, got.Text)
		}
		a, b := Diff3(base, ours, theirs, Labels{}), Diff3(base, theirs, ours, Labels{})
		if a.Conflicts == 0 && b.Conflicts == 0 && !bytes.Equal(a.Text, b.Text) {
			t.Errorf("the merge depends on who is ours: %q, %q", a.Text, b.Text)
		}
	})
}
