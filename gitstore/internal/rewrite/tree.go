package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// entry is one line of a tree object.
type entry struct {
	mode string
	name string
	oid  plumbing.Hash
}

const (
	modeTree   = "40000"
	modeModule = "160000"
)

// isTree knows the spelling of old tools too.
func (e *entry) isTree() bool { return e.mode == modeTree || e.mode == "040000" }

var errTree = errors.New("a damaged tree")

func parseTree(data []byte) ([]entry, error) {
	var list []entry
	for len(data) > 0 {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, ok2 := bytes.Cut(head, []byte{' '})
		if !ok || !ok2 || len(rest) < 20 || len(name) == 0 {
			return nil, errTree
		}
		list = append(list, entry{string(mode), string(name), plumbing.Hash(rest[:20])})
		data = rest[20:]
	}
	return list, nil
}

func encodeTree(list []entry) []byte {
	var b bytes.Buffer
	for _, e := range list {
		b.WriteString(e.mode)
		b.WriteByte(' ')
		b.WriteString(e.name)
		b.WriteByte(0)
		b.Write(e.oid[:])
	}
	return b.Bytes()
}

// tree rewrites a folder that is at path in the tree of its commit.
func (w *Rewriter) tree(k key, path string, depth int) (plumbing.Hash, error) {
	k.kind = Content // the rule alone tells trees apart
	if to, ok := w.memo[k]; ok {
		return to, nil
	}
	list, err := w.entries(k.oid, depth)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	next := make([]entry, 0, len(list))
	changed := false
	for _, e := range list {
		to, gone, err := w.entry(e, k.rule, path, depth)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if changed = changed || gone || to != e; !gone {
			next = append(next, to)
		}
	}
	if !changed {
		w.memo[k] = k.oid
		return k.oid, nil
	}
	return w.write(k, plumbing.TreeObject, encodeTree(inOrder(next)))
}

func (w *Rewriter) entries(oid plumbing.Hash, depth int) ([]entry, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("tree %s: more than %d folders in each other", oid, maxDepth)
	}
	typ, data, err := w.src.Get(oid)
	if err != nil {
		return nil, err
	}
	if typ != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", oid, typ)
	}
	list, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", oid, err)
	}
	return list, nil
}

// emptyTree is git's name for a folder without entries.
var emptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

// entry rewrites one line; gone says that it is to be left out.
func (w *Rewriter) entry(e entry, rule *node, path string, depth int) (to entry, gone bool, err error) {
	full := path + e.name
	rule = rule.under(e.name)
	to = e
	switch {
	case rule != nil && (rule.all && e.isTree() || rule.file && !e.isTree()):
		return to, true, w.lose(e, full, depth)
	case e.isTree():
		if to.oid, err = w.tree(key{oid: e.oid, rule: rule}, full+"/", depth+1); err != nil {
			return to, false, err
		}
		if to.oid == emptyTree && e.oid != emptyTree {
			return to, true, nil // git keeps no empty folders
		}
	case e.mode != modeModule:
		if to.oid, err = w.blob(key{oid: e.oid}, full); err != nil {
			return to, false, err
		}
		if _, known := w.kept[e.oid]; w.drop != nil && !known {
			w.kept[e.oid] = full
		}
	}
	if name := w.text.name(e.name); name != e.name {
		w.out.Names++
		w.touched(full, e.oid)
		to.name = name
	}
	return to, false, nil
}

// lose notes the contents of a dropped entry, and of what is below it.
func (w *Rewriter) lose(e entry, path string, depth int) error {
	switch {
	case e.mode == modeModule:
		return nil
	case !e.isTree():
		w.dropped[e.oid] = true
		w.touched(path, e.oid)
		return nil
	case w.folders[e.oid]:
		return nil
	}
	list, err := w.entries(e.oid, depth)
	if err != nil {
		return err
	}
	w.folders[e.oid] = true
	for _, x := range list {
		if err := w.lose(x, path+"/"+x.name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// inOrder sorts a tree as git does (a folder's name counts with its slash), and
// keeps two names apart that have become the same.
func inOrder(list []entry) []entry {
	taken := map[string]bool{}
	for _, e := range list {
		taken[e.name] = true
	}
	seen := map[string]bool{}
	for i := range list {
		name := list[i].name
		ending := filepath.Ext(name)
		for n := 2; seen[name] || name != list[i].name && taken[name]; n++ {
			name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(list[i].name, ending), n, ending)
		}
		seen[name] = true
		list[i].name = name
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].order() < list[j].order() })
	return list
}

func (e *entry) order() string {
	if e.isTree() {
		return e.name + "/"
	}
	return e.name
}
