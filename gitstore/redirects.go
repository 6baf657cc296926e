package gitstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikibot/wiki"
)

// redirects are the renames of pages that lead on, from .redirects.toml on
// main:
//
//	schema = 1
//	[redirects]
//	"Old/Name" = "New/Name"
//
// A redirect is in force only while no page has the old name. Looking one up
// folds names as every look-up does.
type redirects struct {
	byPath map[string]string // as written
	byFold map[string]wiki.PagePath
}

var noRedirects = &redirects{}

func parseRedirects(data []byte) (*redirects, wiki.Faults) {
	var rec redirectsRecord
	if faults := decode(fileRedirects, data, &rec, func(r *redirectsRecord) int { return r.Schema }); len(faults) > 0 {
		return nil, faults
	}
	out := &redirects{byPath: rec.Redirects, byFold: make(map[string]wiki.PagePath, len(rec.Redirects))}
	var faults wiki.Faults
	for from, to := range rec.Redirects {
		f, err := wiki.ParsePagePath(from)
		if err == nil {
			var t wiki.PagePath
			if t, err = wiki.ParsePagePath(to); err == nil {
				out.byFold[f.Fold()] = t
				continue
			}
		}
		faults = append(faults, wiki.Fault{File: fileRedirects, Text: err.Error()})
	}
	return out, faults
}

// lookup follows redirects from p, at most 20 in a row.
func (r *redirects) lookup(p wiki.PagePath) (wiki.PagePath, bool) {
	at, found := p, false
	for range 20 {
		to, ok := r.byFold[at.Fold()]
		if !ok || to.Fold() == at.Fold() {
			break
		}
		at, found = to, true
	}
	return at, found && at.Fold() != p.Fold()
}

func formatRedirects(m map[string]string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Renamed pages: the old name leads to the new one.\nschema = %d\n\n[redirects]\n", schema)
	for _, from := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s = %s\n", quote(from), quote(m[from]))
	}
	return []byte(b.String())
}

// redirectsOf are the redirects of a tree; a file that does not load redirects
// nothing.
func (r *repo) redirectsOf(root *folder, blob func(e entry) ([]byte, error)) (*redirects, error) {
	e, ok, err := root.file(fileRedirects)
	if err != nil || !ok {
		return noRedirects, err
	}
	if cached, ok := r.redirectCache.get(e.oid); ok {
		return cached, nil
	}
	data, err := blob(e)
	if err != nil {
		return nil, err
	}
	parsed, faults := parseRedirects(data)
	if parsed == nil {
		r.store.log.Warn("the redirects do not load; mend .redirects.toml", "wiki", r.name, "error", faults.Error())
		parsed = noRedirects
	}
	r.redirectCache.put(e.oid, parsed)
	return parsed, nil
}

func (tx *Tx) redirects() (*redirects, error) {
	return tx.repo.redirectsOf(tx.root, func(e entry) ([]byte, error) { return tx.blob(e.oid) })
}

// addRedirects records that pages have moved. Redirects to a moved page are
// turned to its new place, so chains do not grow; one whose old name is taken
// again goes.
func (tx *Tx) addRedirects(moved map[wiki.PagePath]wiki.PagePath, leave bool) error {
	old, err := tx.redirects()
	if err != nil {
		return err
	}
	next := maps.Clone(old.byPath)
	if next == nil {
		next = map[string]string{}
	}
	byFold := make(map[string]wiki.PagePath, len(moved))
	taken := make(map[string]bool, len(moved))
	for from, to := range moved {
		byFold[from.Fold()] = to
		taken[to.Fold()] = true
	}
	for from, to := range next {
		if n, ok := byFold[wiki.Fold(to)]; ok {
			next[from] = string(n)
		}
		if taken[wiki.Fold(from)] || wiki.Fold(from) == wiki.Fold(next[from]) {
			delete(next, from)
		}
	}
	if leave {
		for from, to := range moved {
			if from.Fold() != to.Fold() {
				next[string(from)] = string(to)
			}
		}
	}
	return tx.setRedirects(old, next)
}

// dropRedirect removes a redirect whose old name a page has again.
func (tx *Tx) dropRedirect(p wiki.PagePath) error {
	old, err := tx.redirects()
	if err != nil {
		return err
	}
	if _, ok := old.byFold[p.Fold()]; !ok {
		return nil
	}
	next := maps.Clone(old.byPath)
	maps.DeleteFunc(next, func(from, _ string) bool { return wiki.Fold(from) == p.Fold() })
	return tx.setRedirects(old, next)
}

func (tx *Tx) setRedirects(old *redirects, next map[string]string) error {
	if maps.Equal(old.byPath, next) {
		return nil
	}
	if len(next) == 0 {
		return tx.place(fileRedirects, nil)
	}
	return tx.set(fileRedirects, formatRedirects(next), modeFile)
}

// mergeRedirects joins two sides' redirects entry by entry: a line merge would
// make a conflict of every two renames that happen at once.
func mergeRedirects(base, ours, theirs []byte) ([]byte, bool) {
	var sides [3]map[string]string
	for i, data := range [][]byte{base, ours, theirs} {
		if len(data) == 0 {
			continue
		}
		r, faults := parseRedirects(data)
		if len(faults) > 0 {
			return nil, false
		}
		sides[i] = r.byPath
	}
	out := maps.Clone(sides[1])
	if out == nil {
		out = map[string]string{}
	}
	for from, to := range sides[2] {
		if sides[0][from] != to {
			out[from] = to
		}
	}
	for from, to := range sides[0] {
		if _, kept := sides[2][from]; !kept && out[from] == to {
			delete(out, from)
		}
	}
	return formatRedirects(out), true
}
