// Package rewrite makes a history over again without something that must not be in
// it: files by their path, a text wherever it stands, the names and addresses of
// people. It reads objects from one place and hands the new ones to another, and
// knows nothing of refs, policies or disks.
//
// What does not change keeps its name: an object is made anew only where its own
// bytes change or something that it leads to does. Merges, dates, time zones,
// encodings and every header are kept, but for signatures, which would be wrong. No
// commit is left out, so that the history keeps its shape.
package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Mark stands where a text was removed.
const Mark = "***removed***"

// maxDepth bounds folders in folders, and tags of tags.
const maxDepth = 4096

// Rules say what is to go.
type Rules struct {
	// Drop are paths of files, and of folders with a final slash, that are taken
	// out of every tree of Content.
	Drop []string
	// Text is taken out of contents, names of files, messages and people; empty:
	// nothing is.
	Text string
	// People get other names and addresses.
	People []Person
}

// Source reads objects, as *objects.DB does. What it returns is not changed.
type Source interface {
	Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error)
}

// Sink takes a new object and names it, as git does.
type Sink func(t plumbing.ObjectType, data []byte) (plumbing.Hash, error)

// Kind is what a ref holds.
type Kind int

const (
	Content Kind = iota // pages: files are dropped by their path
	Records             // the server's own trees: nothing is dropped from them
	Audit               // messages are passed through Rewriter.Entry
)

// Rewriter rewrites what refs lead to. It remembers what it has seen, so that a
// second call costs what is new; it belongs to one goroutine.
type Rewriter struct {
	// Entry, where it is not nil, has the last word on the message of an Audit
	// commit, in which the names of objects are the new ones already.
	Entry func(message string) string

	src   Source
	sink  Sink
	rules Rules
	text  *replacer
	drop  *node

	memo    map[key]plumbing.Hash
	made    map[plumbing.Hash]bool     // commits and tags with a new name: the new ones
	changed map[string][]plumbing.Hash // commits and tags with a new name, by their first seven digits
	dropped map[plumbing.Hash]bool     // contents of dropped files
	folders map[plumbing.Hash]bool     // dropped folders that were looked into
	kept    map[plumbing.Hash]string   // contents that stay in some tree, and where; only where files are dropped
	files   map[string]map[plumbing.Hash]bool
	out     Outcome
}

// key is an object under a rule of paths: the same tree may be at several places.
type key struct {
	oid  plumbing.Hash
	rule *node
	kind Kind
}

// node is a folder of the paths that are dropped.
type node struct {
	all   bool // everything here goes
	file  bool // the file of this name goes
	below map[string]*node
}

// Outcome counts what a Rewriter has done.
type Outcome struct {
	Commits  int            // with a new name
	Messages int            // from which something was taken
	People   int            // commits and tags whose people changed
	Tags     int            // tag objects with a new name
	Blobs    int            // contents from which the text was taken
	Files    map[string]int // path → contents of it that went or changed
	Copies   []string       // where dropped contents are under another name still, sorted
	Names    int            // names of files that held the text
	Signed   int            // signatures that went, because they would be wrong
	// Old are the objects that are not to come back: commits and tags under their
	// former names, and the contents that were taken out or changed.
	Old []plumbing.Hash
}

// New makes a Rewriter.
func New(src Source, sink Sink, rules Rules) *Rewriter {
	w := &Rewriter{
		src: src, sink: sink, rules: rules, text: newReplacer(rules.Text),
		memo: map[key]plumbing.Hash{}, made: map[plumbing.Hash]bool{}, changed: map[string][]plumbing.Hash{}, dropped: map[plumbing.Hash]bool{},
		folders: map[plumbing.Hash]bool{}, kept: map[plumbing.Hash]string{}, files: map[string]map[plumbing.Hash]bool{},
	}
	for _, p := range rules.Drop {
		if w.drop == nil {
			w.drop = &node{}
		}
		w.drop.add(p)
	}
	return w
}

func (n *node) add(path string) {
	folder := strings.HasSuffix(path, "/")
	for part := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
		if n.below == nil {
			n.below = map[string]*node{}
		}
		if n.below[part] == nil {
			n.below[part] = &node{}
		}
		n = n.below[part]
	}
	n.all, n.file = n.all || folder, n.file || !folder
}

// under is the rule for an entry of a folder; nil where there is none.
func (n *node) under(name string) *node {
	if n == nil {
		return nil
	}
	return n.below[name]
}

// touched notes that a content of a file went or changed.
func (w *Rewriter) touched(path string, oid plumbing.Hash) {
	if path == "" {
		return
	}
	if w.files[path] == nil {
		w.files[path] = map[plumbing.Hash]bool{}
	}
	w.files[path][oid] = true
}

// telling is the least size in bytes of a content that says something: below it, two
// files are the same by chance.
const telling = 16

// Outcome is what was done so far.
func (w *Rewriter) Outcome() (Outcome, error) {
	out := w.out
	out.Old = slices.Clone(out.Old)
	out.Files = map[string]int{}
	for path, contents := range w.files {
		out.Files[path] = len(contents)
	}
	for oid := range w.dropped {
		_, data, err := w.src.Get(oid)
		if err != nil {
			return out, err
		}
		if len(data) < telling {
			continue
		}
		if at, ok := w.kept[oid]; ok {
			out.Copies = append(out.Copies, at)
		} else {
			out.Old = append(out.Old, oid)
		}
	}
	slices.Sort(out.Copies)
	return out, nil
}

// Ref rewrites what a ref leads to, a commit, a tag or anything else, and returns
// its new name; the same where nothing changed.
func (w *Rewriter) Ref(oid plumbing.Hash, kind Kind) (plumbing.Hash, error) {
	rule := w.drop
	if kind != Content {
		rule = nil
	}
	return w.object(key{oid, rule, kind}, 0)
}

// Name is a ref's name, or a file's, without the text.
func (w *Rewriter) Name(name string) string { return w.text.name(name) }

// Seen reports whether an object was rewritten or passed as it is.
func (w *Rewriter) Seen(oid plumbing.Hash) bool {
	for _, k := range w.keys(oid) {
		if _, ok := w.memo[k]; ok {
			return true
		}
	}
	return false
}

// keys are all under which an object may be remembered that a ref leads to.
func (w *Rewriter) keys(oid plumbing.Hash) []key {
	return []key{{oid, w.drop, Content}, {oid, nil, Content}, {oid, nil, Records}, {oid, nil, Audit}}
}

// Made reports whether an object is the new form of another one.
func (w *Rewriter) Made(oid plumbing.Hash) bool { return w.made[oid] }

func (w *Rewriter) object(k key, depth int) (plumbing.Hash, error) {
	if depth > maxDepth {
		return plumbing.ZeroHash, fmt.Errorf("more than %d objects that lead to each other", maxDepth)
	}
	if to, ok := w.memo[k]; ok {
		return to, nil
	}
	typ, data, err := w.src.Get(k.oid)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	switch typ {
	case plumbing.CommitObject:
		return w.history(k)
	case plumbing.TagObject:
		return w.tag(k, data, depth)
	case plumbing.TreeObject:
		return w.tree(k, "", depth)
	case plumbing.BlobObject:
		return w.blob(k, "")
	}
	return plumbing.ZeroHash, fmt.Errorf("object %s is a %s", k.oid, typ)
}

// history rewrites a commit and all that are before it, the oldest first, without
// recursion: histories are long.
func (w *Rewriter) history(k key) (plumbing.Hash, error) {
	stack := []plumbing.Hash{k.oid}
	for len(stack) > 0 {
		at := key{stack[len(stack)-1], k.rule, k.kind}
		if _, done := w.memo[at]; done {
			stack = stack[:len(stack)-1]
			continue
		}
		typ, data, err := w.src.Get(at.oid)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if typ != plumbing.CommitObject {
			return plumbing.ZeroHash, fmt.Errorf("object %s is a %s, not a commit", at.oid, typ)
		}
		parents, err := parentsOf(data)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("commit %s: %w", at.oid, err)
		}
		waiting := len(stack)
		for _, p := range parents {
			if _, done := w.memo[key{p, k.rule, k.kind}]; !done {
				stack = append(stack, p)
			}
		}
		if len(stack) > waiting {
			continue
		}
		if err := w.commit(at, data); err != nil {
			return plumbing.ZeroHash, fmt.Errorf("commit %s: %w", at.oid, err)
		}
		stack = stack[:len(stack)-1]
	}
	return w.memo[k], nil
}

// write hands a new object on and remembers it.
func (w *Rewriter) write(k key, t plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	to, err := w.sink(t, data)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	w.memo[k] = to
	if t == plumbing.CommitObject || t == plumbing.TagObject {
		w.made[to] = true
	}
	return to, nil
}

// blob rewrites a content. path names it for the report, where it is known.
func (w *Rewriter) blob(k key, path string) (plumbing.Hash, error) {
	k.rule, k.kind = nil, Content // a content is the same everywhere
	if to, ok := w.memo[k]; ok {
		if to != k.oid {
			w.touched(path, k.oid)
		}
		return to, nil
	}
	if w.text == nil {
		w.memo[k] = k.oid
		return k.oid, nil
	}
	typ, data, err := w.src.Get(k.oid)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if typ != plumbing.BlobObject {
		return plumbing.ZeroHash, fmt.Errorf("object %s is a %s, not a blob", k.oid, typ)
	}
	next, changed := w.text.content(data)
	if !changed {
		w.memo[k] = k.oid
		return k.oid, nil
	}
	w.out.Blobs++
	w.out.Old = append(w.out.Old, k.oid)
	w.touched(path, k.oid)
	return w.write(k, plumbing.BlobObject, next)
}
