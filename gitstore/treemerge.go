package gitstore

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/merge"
	"wikibot/wiki"
)

// treeMerge is the three-way merge of whole trees: what theirs changed since
// base is done to ours. It follows renames, merges texts that both changed line
// by line, and lists the files where that is not possible.
type treeMerge struct {
	blob   func(plumbing.Hash) ([]byte, error)
	add    func([]byte) (plumbing.Hash, error)
	labels merge.Labels

	root      *folder // the result so far
	conflicts []wiki.Conflict
}

// run merges and leaves the result in root. The cost grows with what the two
// sides changed.
func (m *treeMerge) run(base, ours, theirs *folder) error {
	our, err := diff(base, ours)
	if err != nil {
		return err
	}
	their, err := diff(base, theirs)
	if err != nil {
		return err
	}
	m.root = ours
	mine := make(map[string]change, len(our))
	for _, c := range our {
		mine[c.path] = c
	}
	ourMoves, err := m.renames(our)
	if err != nil {
		return err
	}
	theirMoves, err := m.renames(their)
	if err != nil {
		return err
	}
	// Deletions first, so that a name is free before something is put there.
	sort.SliceStable(their, func(i, j int) bool { return their[i].new == nil && their[j].new != nil })
	for _, c := range their {
		if err := m.apply(c, mine, ourMoves, theirMoves); err != nil {
			return err
		}
	}
	return nil
}

func (m *treeMerge) apply(c change, mine map[string]change, ourMoves, theirMoves map[string]string) error {
	o, both := mine[c.path]
	switch {
	case !both && c.old == nil:
		return m.addTheirs(c, theirMoves, mine)
	case !both:
		return m.put(c.path, c.new)
	case sameEntry(o.new, c.new):
		return nil
	case o.new == nil && c.new != nil && c.old != nil:
		// We deleted or renamed what they changed.
		to, moved := ourMoves[c.path]
		if !moved {
			return m.conflict(c.path, c.old, nil, c.new, "%q was deleted here and changed there", c.path)
		}
		cur, ok, err := m.root.file(to)
		if err != nil || !ok {
			return err
		}
		return m.text(to, c.old, &cur, c.new)
	case c.new == nil && o.new != nil:
		if _, moved := theirMoves[c.path]; moved {
			// They renamed what we changed: our text goes along when the
			// new name is added.
			return m.put(c.path, nil)
		}
		return m.conflict(c.path, c.old, o.new, nil, "%q was changed here and deleted there", c.path)
	}
	return m.text(c.path, c.old, o.new, c.new)
}

// addTheirs adds a file that is new on their side. If it is a renamed one whose
// old name we changed, our change is merged into it.
func (m *treeMerge) addTheirs(c change, theirMoves map[string]string, mine map[string]change) error {
	for from, to := range theirMoves {
		if to != c.path {
			continue
		}
		if o, ok := mine[from]; ok && o.new != nil && o.old != nil {
			if err := m.put(c.path, o.new); err != nil {
				return err
			}
			return m.text(c.path, o.old, o.new, c.new)
		}
	}
	return m.put(c.path, c.new)
}

func (m *treeMerge) put(path string, e *entry) error {
	root, err := m.root.with(path, e)
	if err != nil {
		return m.conflict(path, nil, nil, e, "%q: %v", path, err)
	}
	m.root = root
	return nil
}

// text merges one file that both sides changed.
func (m *treeMerge) text(path string, base, ours, theirs *entry) error {
	b, err := m.read(base)
	if err != nil {
		return err
	}
	o, err := m.read(ours)
	if err != nil {
		return err
	}
	t, err := m.read(theirs)
	if err != nil {
		return err
	}
	if path == fileRedirects {
		if joined, ok := mergeRedirects(b, o, t); ok {
			return m.save(path, ours.mode, joined)
		}
	}
	if binary(b) || binary(o) || binary(t) || !regular(ours) || !regular(theirs) {
		if base != nil && ours.oid == base.oid {
			return m.put(path, theirs)
		}
		if base != nil && theirs.oid == base.oid || ours.oid == theirs.oid {
			return nil
		}
		return m.conflict(path, base, ours, theirs, "%q was changed on both sides and is no text", path)
	}
	res := merge.Diff3(b, o, t, m.labels)
	if res.Conflicts > 0 {
		if err := m.conflict(path, base, ours, theirs, "%q was changed on both sides in the same lines", path); err != nil {
			return err
		}
		m.conflicts[len(m.conflicts)-1].Merged = res.Text
		return nil
	}
	return m.save(path, ours.mode, res.Text)
}

func (m *treeMerge) save(path string, mode uint32, data []byte) error {
	oid, err := m.add(data)
	if err != nil {
		return err
	}
	return m.put(path, &entry{mode: mode, oid: oid})
}

func (m *treeMerge) read(e *entry) ([]byte, error) {
	if e == nil || !regular(e) {
		return nil, nil
	}
	return m.blob(e.oid)
}

func (m *treeMerge) conflict(path string, base, ours, theirs *entry, format string, args ...any) error {
	c := wiki.Conflict{Text: fmt.Sprintf(format, args...)}
	if p, ok := wiki.PageOfFile(path); ok {
		c.Path = p
	} else {
		c.Path = wiki.PagePath(path)
	}
	var err error
	if c.Base, err = m.read(base); err != nil {
		return err
	}
	if c.Ours, err = m.read(ours); err != nil {
		return err
	}
	if c.Theirs, err = m.read(theirs); err != nil {
		return err
	}
	m.conflicts = append(m.conflicts, c)
	return nil
}

// maxRenames bounds the pairs whose texts are compared to find a rename with
// changes; renames without changes are found by object name whatever their
// number.
const maxRenames = 2500

// renames pairs what a side deleted with what it added: the same content, or
// pages that are at least half alike.
func (m *treeMerge) renames(changes []change) (map[string]string, error) {
	var gone, came []change
	for _, c := range changes {
		switch {
		case c.new == nil:
			gone = append(gone, c)
		case c.old == nil:
			came = append(came, c)
		}
	}
	out := map[string]string{}
	if len(gone) == 0 || len(came) == 0 {
		return out, nil
	}
	taken := map[string]bool{}
	byOid := map[plumbing.Hash][]change{}
	for _, c := range came {
		byOid[c.new.oid] = append(byOid[c.new.oid], c)
	}
	var rest []change
	for _, g := range gone {
		if hits := byOid[g.old.oid]; len(hits) > 0 {
			out[g.path], byOid[g.old.oid] = hits[0].path, hits[1:]
			taken[hits[0].path] = true
		} else {
			rest = append(rest, g)
		}
	}
	if len(rest)*len(came) > maxRenames {
		return out, nil
	}
	for _, g := range rest {
		if err := m.alike(g, came, taken, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (m *treeMerge) alike(g change, came []change, taken map[string]bool, out map[string]string) error {
	if !strings.HasSuffix(g.path, wiki.PageSuffix) {
		return nil
	}
	old, err := m.read(g.old)
	if err != nil {
		return err
	}
	best, score := "", 49
	for _, c := range came {
		if taken[c.path] || !strings.HasSuffix(c.path, wiki.PageSuffix) {
			continue
		}
		text, err := m.read(c.new)
		if err != nil {
			return err
		}
		if s := merge.Similarity(old, text); s > score {
			best, score = c.path, s
		}
	}
	if best != "" {
		out[g.path], taken[best] = best, true
	}
	return nil
}

func sameEntry(a, b *entry) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.oid == b.oid && a.mode == b.mode
}

func regular(e *entry) bool { return e == nil || e.mode == modeFile || e.mode == modeExec }

// binary is git's own test: a NUL in the first 8000 bytes.
func binary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 }
