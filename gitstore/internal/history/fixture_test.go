package history

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/gitstore/internal/objects"
	"wikibot/merge"
)

const serverEmail = "server@wiki.example.org"

// repo is a fixture repository.
type repo struct {
	tb   testing.TB
	dir  string
	db   *objects.DB
	head plumbing.Hash
	all  []plumbing.Hash // every commit, in the order in which they were made
}

func open(tb testing.TB, dir string) *repo {
	tb.Helper()
	db, err := objects.Open(disk.OS{}, dir, objects.NewCache(64<<20))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return &repo{tb: tb, dir: dir, db: db, head: plumbing.NewHash(gitstoretest.Git(tb, dir, "rev-parse", "main"))}
}

func (r *repo) options() Options { return Options{Source: r.db, ServerEmail: serverEmail} }

func (r *repo) git(args ...string) *exec.Cmd {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = r.dir, gitstoretest.Env()
	return cmd
}

func (r *repo) out(args ...string) string { return gitstoretest.Git(r.tb, r.dir, args...) }

func (r *repo) build(head plumbing.Hash) *Index {
	r.tb.Helper()
	x, err := Build(head, r.git, r.options())
	if err != nil {
		r.tb.Fatal(err)
	}
	return x
}

// stream writes commits for git fast-import.
type stream struct {
	b     strings.Builder
	marks int
}

type files map[string]string

// commit writes one commit with its whole tree and gives its mark. The first
// parent is on the branch, or named.
func (s *stream) commit(branch string, tree files, message string, parents ...int) int {
	s.marks++
	who := [...]string{"Alice <alice@example.org>", "Bob Bobson <bob@example.org>", "Çelik <celik@example.org>"}[s.marks%3]
	fmt.Fprintf(&s.b, "commit refs/heads/%s\nmark :%d\nauthor %s %d +0130\ncommitter %s %d -0500\ndata %d\n%s\n",
		branch, s.marks, who, 1700000000+s.marks*60, who, 1700000000+s.marks*60+5, len(message), message)
	for i, p := range parents {
		fmt.Fprintf(&s.b, "%s :%d\n", [...]string{"from", "merge", "merge"}[i], p)
	}
	s.b.WriteString("deleteall\n")
	for _, f := range slices.Sorted(maps.Keys(tree)) {
		fmt.Fprintf(&s.b, "M 100644 inline %s\ndata %d\n%s\n", f, len(tree[f]), tree[f])
	}
	return s.marks
}

func (s *stream) repo(tb testing.TB) *repo {
	tb.Helper()
	dir := gitstoretest.Bare(tb)
	gitstoretest.GitIn(tb, dir, s.b.String(), "fast-import", "--quiet", "--force", "--export-marks=marks")
	r := open(tb, dir)
	data, err := disk.OS{}.ReadFile(dir + "/marks")
	if err != nil {
		tb.Fatal(err)
	}
	r.all = make([]plumbing.Hash, s.marks)
	for line := range strings.Lines(string(data)) {
		var mark int
		var oid string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &oid); err != nil {
			tb.Fatal(err)
		}
		r.all[mark-1] = plumbing.NewHash(oid)
	}
	return r
}

// writer makes a random history: pages that are edited, added, deleted, moved;
// with branches also side lines that are merged both ways, by rules or by whim.
type writer struct {
	stream
	r     *rand.Rand
	lines []line
	pages int
}

type line struct {
	name string
	tip  int
	tree files
	base files // what it had in common with main at their last merge
}

func randomHistory(tb testing.TB, seed uint64, commits int, branches bool) *repo {
	w := &writer{r: rand.New(rand.NewPCG(seed, 9))}
	tree := files{}
	for range 6 {
		tree[w.newName()] = w.text(8 + w.r.IntN(20))
	}
	w.lines = []line{{name: "main", tree: tree}}
	w.lines[0].tip = w.commit("main", tree, "Begin")
	for w.marks < commits {
		i := w.r.IntN(len(w.lines))
		switch n := w.r.IntN(12); {
		case !branches || n < 8:
			w.edit(i)
		case n < 9 && len(w.lines) < 5:
			l := w.lines[i]
			w.lines = append(w.lines, line{fmt.Sprintf("side-%d", w.marks), l.tip, maps.Clone(l.tree), maps.Clone(l.tree)})
		case i > 0:
			w.merge(0, i)
			if w.r.IntN(3) == 0 {
				w.lines = slices.Delete(w.lines, i, i+1)
			}
		case len(w.lines) > 1:
			w.merge(1+w.r.IntN(len(w.lines)-1), 0)
		}
	}
	for len(w.lines) > 1 {
		w.merge(0, 1)
		w.lines = slices.Delete(w.lines, 1, 2)
	}
	return w.repo(tb)
}

func (w *writer) newName() string {
	w.pages++
	return fmt.Sprintf("%sPage %d.md", [...]string{"", "Design/", "Design/Deep/", "Ünï/"}[w.r.IntN(4)], w.pages)
}

func (w *writer) text(n int) string {
	var b strings.Builder
	for range n {
		if w.r.IntN(6) == 0 {
			b.WriteString("\n")
		} else {
			fmt.Fprintf(&b, "Sentence %d of many.\n", w.r.IntN(1000))
		}
	}
	return b.String()
}

func (w *writer) edit(i int) {
	l := &w.lines[i]
	tree := maps.Clone(l.tree)
	names := slices.Sorted(maps.Keys(tree))
	for range 1 + w.r.IntN(2) {
		name := names[w.r.IntN(len(names))]
		text, there := tree[name]
		switch n := w.r.IntN(20); {
		case n == 0 || len(tree) < 4:
			tree[w.newName()] = w.text(8 + w.r.IntN(20))
		case n == 1 && len(tree) > 3:
			delete(tree, name)
		case n == 2 && there:
			delete(tree, name)
			tree[w.newName()] = text
		case n == 3 && there && strings.Count(text, "\n") > 6:
			delete(tree, name)
			tree[w.newName()] = w.change(text)
		case there:
			tree[name] = w.change(text)
		}
	}
	l.tree = tree
	l.tip = w.commit(l.name, tree, fmt.Sprintf("Edit %d\n\nOn %s.", w.marks, l.name), l.tip)
}

// change edits one place of a text.
func (w *writer) change(text string) string {
	lines := strings.SplitAfter(text, "\n")
	lines = lines[:len(lines)-1]
	i := w.r.IntN(len(lines) + 1)
	j := min(i+w.r.IntN(3), len(lines))
	return strings.Join(lines[:i], "") + w.text(w.r.IntN(4)) + strings.Join(lines[j:], "")
}

// merge merges line j into line i.
func (w *writer) merge(i, j int) {
	into, from := &w.lines[i], &w.lines[j]
	base := from.base
	if i != 0 {
		base = into.base
	}
	names := maps.Clone(into.tree)
	maps.Copy(names, from.tree)
	tree := files{}
	for name := range names {
		b, o, t := base[name], into.tree[name], from.tree[name]
		text := o
		switch {
		case o == t, t == b:
		case o == b:
			text = t
		default:
			m := merge.Diff3([]byte(b), []byte(o), []byte(t), merge.Labels{})
			if text = string(m.Text); m.Conflicts > 0 {
				text = [...]string{o, t, o + t}[len(o)%3]
			}
		}
		if text != "" {
			tree[name] = text
		}
	}
	if w.r.IntN(4) == 0 { // an evil merge
		name := slices.Sorted(maps.Keys(tree))[0]
		tree[name] = w.change(tree[name])
	}
	tip := w.commit(into.name, tree, fmt.Sprintf("Merge %s into %s", from.name, into.name), into.tip, from.tip)
	into.tip, into.tree = tip, tree
	from.base, into.base = maps.Clone(tree), maps.Clone(tree)
	if i == 0 && w.r.IntN(2) == 0 { // the side goes on from the merge
		from.tip, from.tree = tip, maps.Clone(tree)
	} else {
		from.base = maps.Clone(from.tree)
	}
}

// dump is everything that an index knows, for comparing.
func dump(x *Index) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var b bytes.Buffer
	for n := range x.commits {
		e := x.export(int32(n))
		r := &x.commits[n]
		fmt.Fprintf(&b, "%d %s %v %v %v %q flags %d chain %d actor %q via %q agent %q\n", n, e.OID, e.Parents, e.Author, e.Committer, e.Message,
			r.flags, r.chain, x.words.list[r.actor], x.words.list[r.via], x.words.list[r.agent])
		from, to := x.changesOf(int32(n))
		for i := from; i < to; i++ {
			c := &x.changes[i]
			prev := int32(-1)
			if c.prev >= 0 {
				prev = x.changes[c.prev].commit
			}
			fmt.Fprintf(&b, "\t%c %s %s %s via %d after %d\n", c.kind, x.paths.list[c.path], c.old, c.new, c.via, prev)
		}
	}
	for i, c := range x.chains {
		fmt.Fprintf(&b, "chain %d %v\n", i, c)
	}
	for i := range x.commits {
		if n, ok := x.number(x.commits[i].oid); !ok || int(n) != i {
			fmt.Fprintf(&b, "commit %d is not found\n", i)
		}
	}
	return b.String()
}
