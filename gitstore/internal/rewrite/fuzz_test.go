package rewrite

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// FuzzSplit: a commit or a tag that was taken apart and put together is the same.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("tree abc\nparent def\nauthor A <a> 1 +0000\ngpgsig x\n y\n \n z\n\nmessage\n"))
	f.Add([]byte("tree abc\n"))
	f.Add([]byte("tree abc\n\n"))
	f.Add([]byte("object a\ntype commit\ntag v\n\nm"))
	f.Fuzz(func(t *testing.T, data []byte) {
		headers, message, err := split(data)
		if err != nil && err != errNoMessage {
			return
		}
		if got := join(headers, message, err == errNoMessage); !bytes.Equal(got, data) {
			t.Errorf("%q became %q", data, got)
		}
	})
}

// FuzzTree: likewise a tree, whose order is git's.
func FuzzTree(f *testing.F) {
	f.Add(encodeTree([]entry{{"100644", "a", plumbing.ZeroHash}, {"40000", "b", plumbing.ZeroHash}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseTree(data)
		if err != nil {
			return
		}
		if got := encodeTree(list); !bytes.Equal(got, data) {
			t.Errorf("%q became %q", data, got)
		}
		names := map[string]bool{}
		for _, e := range inOrder(list) {
			if names[e.name] {
				t.Errorf("%q is twice in the tree", e.name)
			}
			names[e.name] = true
		}
	})
}

// FuzzText: the text is gone, in every form, unless it runs into the mark.
func FuzzText(f *testing.F) {
	f.Add("hunter2", "my hunter2 is hunter2\r\n")
	f.Add("a\nb", "a\r\nb a\nb")
	f.Fuzz(func(t *testing.T, text, data string) {
		if len(text) < 4 || strings.ContainsAny(text, "*") || overlaps(text) {
			return
		}
		r := newReplacer(text)
		next, changed := r.content([]byte(data))
		if changed != (string(next) != data) {
			t.Errorf("changed = %t of %q → %q", changed, data, next)
		}
		if again, changed := r.content(next); changed {
			t.Errorf("%q in %q became %q and then %q", text, data, next, again)
		}
		if got := r.message(data, ""); strings.Contains(got, text) {
			t.Errorf("%q in the message %q became %q", text, data, got)
		}
	})
}

// overlaps: what stands before or after the mark could make the text again. The Rewriter's
// user looks once more and refuses that.
func overlaps(text string) bool {
	for i := 1; i <= len(text); i++ {
		if strings.HasPrefix(Mark, text[len(text)-min(i, len(text)):]) || strings.HasSuffix(Mark, text[:i]) {
			return true
		}
	}
	return strings.ContainsAny(text, "\x00\r\n")
}

// FuzzPeople: no line makes somebody whom git would refuse.
func FuzzPeople(f *testing.F) {
	f.Add("A <a@b> C <c@d>\n# x\n<e@f> <g@h>\nN <n@o>")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParsePeople(text)
		if err != nil {
			return
		}
		for _, p := range list {
			if strings.ContainsAny(p.ToName+p.ToEmail, "<>\n") || p.Email == "" || p.ToName == "" && p.ToEmail == "" {
				t.Errorf("%q is %+v", text, p)
			}
		}
	})
}

func TestPeople(t *testing.T) {
	got, err := ParsePeople("# all forms\nProper <old@x>\n<new@x> <old@x>\nProper <new@x> <old@x>\nProper Name <new@x> Old Name <old@x> # why\n")
	want := []Person{
		{Email: "old@x", ToName: "Proper"}, {Email: "old@x", ToEmail: "new@x"},
		{Email: "old@x", ToName: "Proper", ToEmail: "new@x"}, {Name: "Old Name", Email: "old@x", ToName: "Proper Name", ToEmail: "new@x"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"alice", "<a@b>", "A <a@b", "A <a@b> B", "A <> <x@y>", "A <a> B <b> C <c>"} {
		if got, err := ParsePeople("Fine <a@b>\n" + bad); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q is %+v, %v", bad, got, err)
		}
	}
}
