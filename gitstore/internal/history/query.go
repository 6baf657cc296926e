package history

import (
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// commit is the commit as history shows it, without its changes.
func (x *Index) commit(n int32) wiki.Commit {
	r := &x.commits[n]
	name, email := x.person(r.author)
	text := x.message(n)
	if r.flags&flagServer != 0 {
		text, _ = cutTrailers(text)
	}
	subject, body, _ := strings.Cut(text, "\n")
	c := wiki.Commit{
		Revision: revision(r.oid),
		Author:   name, AuthorEmail: email, Date: timeIn(r.authored, r.authorZone),
		Actor: wiki.Username(x.words.list[r.actor]), Via: wiki.Via(x.words.list[r.via]), Agent: x.words.list[r.agent],
		Subject: strings.TrimSpace(subject), Body: strings.Trim(body, "\n"),
	}
	for _, p := range x.parents(n) {
		c.Parents = append(c.Parents, revision(x.commits[p].oid))
	}
	return c
}

func revision(h plumbing.Hash) wiki.Revision { return wiki.Revision(h.String()) }

func hexOf(h plumbing.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

// at is the number of a commit that a caller names: zero is the head.
func (x *Index) at(oid plumbing.Hash) (int32, error) {
	if oid.IsZero() {
		return int32(len(x.commits)) - 1, nil
	}
	n, ok := x.number(oid)
	if !ok {
		return 0, wiki.NotFound("the revision %s is not in this wiki's history", revision(oid).Short())
	}
	return n, nil
}

// Resolve finds the commit that a revision names, in full or by its beginning
// (7 digits or more); Head is the head. None is an ErrNotFound, several are an
// ErrInvalid.
func (x *Index) Resolve(rev wiki.Revision) (plumbing.Hash, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, err := x.resolve(rev)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return x.commits[n].oid, nil
}

func (x *Index) resolve(rev wiki.Revision) (int32, error) {
	if rev == wiki.Head && len(x.commits) > 0 {
		return int32(len(x.commits)) - 1, nil
	}
	if _, err := wiki.ParseRevision(string(rev)); err != nil {
		return 0, err
	}
	var low plumbing.Hash
	digits := string(rev) + strings.Repeat("0", 2*len(low)-len(rev))
	if _, err := hex.Decode(low[:], []byte(digits)); err != nil {
		return 0, wiki.Invalid("revision", "%q is not a revision: give 7 to 40 hexadecimal digits of a commit's name", string(rev))
	}
	switch found := x.oids.prefixed(x.commits, low, len(rev)); len(found) {
	case 0:
		return 0, wiki.NotFound("the revision %s is not in this wiki's history", rev.Short())
	case 1:
		return found[0], nil
	}
	return 0, wiki.Invalid("revision", "the revision %s is the beginning of several commits' names; give more digits", string(rev))
}

// Commit is one commit with its changes, named as for Resolve.
func (x *Index) Commit(rev wiki.Revision) (wiki.Commit, error) {
	oid, err := x.Resolve(rev)
	if err != nil {
		return wiki.Commit{}, err
	}
	cs, err := x.materialize([]plumbing.Hash{oid})
	if err != nil {
		return wiki.Commit{}, err
	}
	return cs[0], nil
}

// materialize gives commits with their changes, renames found.
func (x *Index) materialize(oids []plumbing.Hash) ([]wiki.Commit, error) {
	out := make([]wiki.Commit, 0, len(oids))
	for _, oid := range oids {
		moved := x.renamesOf(oid)
		x.mu.RLock()
		n, ok := x.number(oid)
		if ok {
			c := x.commit(n)
			c.Changes = x.fileChanges(n, moved)
			out = append(out, c)
		}
		x.mu.RUnlock()
		if !ok {
			return nil, wiki.NotFound("the revision %s is no longer in this wiki's history", revision(oid).Short())
		}
	}
	return out, nil
}

// fileChanges are what a commit itself did: of a merge only the files that
// differ from all parents. A rename stands for its deletion and addition.
func (x *Index) fileChanges(n int32, moved renames) []wiki.FileChange {
	from, to := x.changesOf(n)
	var out []wiki.FileChange
	for i := from; i < to; i++ {
		c := &x.changes[i]
		if c.via == 0 && !(c.kind == wiki.Deleted && moved.gone[c.path]) {
			out = append(out, x.fileChange(c, moved))
		}
	}
	return out
}

func (x *Index) fileChange(c *changeRow, moved renames) wiki.FileChange {
	f := wiki.FileChange{Kind: c.kind, File: x.paths.list[c.path], Old: hexOf(c.old), New: hexOf(c.new)}
	f.Page, _ = wiki.PageOfFile(f.File)
	if from, ok := moved.from[c.path]; ok && c.kind == wiki.Added {
		f.Kind, f.From, f.Old = wiki.Renamed, x.paths.list[from.path], hexOf(from.blob)
	}
	return f
}

// Last is the commit that last changed a file, as of a commit (zero: the head),
// and whether it left the file there (false: deleted). Changes stays empty. A
// file that was never there is an ErrNotFound.
func (x *Index) Last(at plumbing.Hash, file string) (c wiki.Commit, exists bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, err := x.at(at)
	if err != nil {
		return wiki.Commit{}, false, err
	}
	i := int32(-1)
	if p, ok := x.paths.ids[file]; ok {
		i = x.lastAt(n, p)
	}
	if i < 0 {
		return wiki.Commit{}, false, wiki.NotFound("there is no file %q in this wiki's history", file)
	}
	return x.commit(x.changes[i].commit), !x.changes[i].new.IsZero(), nil
}

// Touched is a file of the head with the commit that last changed it.
type Touched struct {
	File     string
	Revision plumbing.Hash
	Date     time.Time // the author's
	Author   string
}

// LastAll is Last for every file of the head, in no particular order. Cost: the
// number of files that ever were.
func (x *Index) LastAll() []Touched {
	x.mu.RLock()
	defer x.mu.RUnlock()
	head := int32(len(x.commits)) - 1
	out := make([]Touched, 0, len(x.heads))
	for p := range x.heads {
		if i := x.lastAt(head, uint32(p)); i >= 0 && !x.changes[i].new.IsZero() {
			r := &x.commits[x.changes[i].commit]
			name, _ := x.person(r.author)
			out = append(out, Touched{x.paths.list[p], r.oid, timeIn(r.authored, r.authorZone), name})
		}
	}
	return out
}

// FindKey is the newest commit of the server's with that idempotency key,
// committed at or after since. Cost: one look-up.
func (x *Index) FindKey(key string, since time.Time) (wiki.Commit, bool) {
	if key == "" {
		return wiki.Commit{}, false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, ok := x.keys[maphash.String(x.seed, key)]
	if !ok || x.commits[n].flags&flagKeyed == 0 || x.commits[n].committed < since.Unix() || parseTrailers(x.message(n)).key != key {
		return wiki.Commit{}, false
	}
	return x.commit(n), true
}

// Filter narrows Changes.
type Filter struct {
	At     plumbing.Hash // as of this commit; zero: the head
	After  plumbing.Hash // go on behind this commit of an earlier answer; zero: from the newest
	Limit  int           // most commits; 0: 50
	Author string        // author's name or address, or actor, without regard to case; empty: all
	Agent  string        // what IsAgent takes; empty: all
	Via    wiki.Via      // the face it came by; empty: all
	Since  time.Time     // author dates from then on; zero: all
	Prefix string        // path in the tree: commits that changed a file that begins so; empty: all
}

// maxScan bounds the commits that one filtered Changes looks at.
const maxScan = 1 << 16

// Changes are recent commits with what they changed, newest first in the
// index's order. next is the After for more, zero at the end. Cost: the answer;
// with a filter also up to 65,536 commits looked at (some hundred
// microseconds), after which a page may be short, or empty, with a next.
func (x *Index) Changes(f Filter) (commits []wiki.Commit, next plumbing.Hash, err error) {
	oids, next, err := x.recent(f)
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	commits, err = x.materialize(oids)
	return commits, next, err
}

func (x *Index) recent(f Filter) (oids []plumbing.Hash, next plumbing.Hash, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	at, err := x.at(f.At)
	if err != nil {
		return nil, next, err
	}
	below := at + 1
	if !f.After.IsZero() {
		if below, err = x.at(f.After); err != nil {
			return nil, next, fmt.Errorf("continuing the list of changes: %w", err)
		}
	}
	match := x.matcher(f)
	scanned := 0
	for n := range x.backwards(at) {
		if n >= below {
			continue
		}
		if len(oids) == f.Limit || scanned == maxScan {
			return oids, next, nil
		}
		scanned++
		next = x.commits[n].oid
		if match(n) {
			oids = append(oids, next)
		}
	}
	return oids, plumbing.ZeroHash, nil
}

// backwards are the numbers of a commit and all its ancestors, newest first.
func (x *Index) backwards(at int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if at >= 0 && x.commits[at].chain == 0 { // the spine: all that is before it
			for n := at; n >= 0; n-- {
				if !yield(n) {
					return
				}
			}
			return
		}
		var q queue
		for q.push(at); ; {
			n, ok := q.pop()
			if !ok || !yield(n) {
				return
			}
			for _, p := range x.parents(n) {
				q.push(p)
			}
		}
	}
}

// matcher is the test of a filter, with strings resolved to numbers once.
func (x *Index) matcher(f Filter) func(n int32) bool {
	var people, actors map[uint32]bool
	if f.Author != "" {
		people, actors = map[uint32]bool{}, map[uint32]bool{}
		for id := range x.people.list {
			name, email := x.person(uint32(id))
			if strings.EqualFold(name, f.Author) || strings.EqualFold(email, f.Author) {
				people[uint32(id)] = true
			}
		}
		if id, ok := x.words.ids[strings.ToLower(f.Author)]; ok {
			actors[id] = true
		}
	}
	agents, vias := x.sources(f)
	var under []bool
	if f.Prefix != "" {
		under = make([]bool, len(x.paths.list))
		for id, p := range x.paths.list {
			under[id] = strings.HasPrefix(p, f.Prefix)
		}
	}
	return func(n int32) bool {
		r := &x.commits[n]
		if people != nil && !people[r.author] && !actors[r.actor] {
			return false
		}
		if agents != nil && !agents[r.agent] || vias != nil && !vias[r.via] || !f.Since.IsZero() && r.authored < f.Since.Unix() {
			return false
		}
		if under == nil {
			return true
		}
		from, to := x.changesOf(n)
		for i := from; i < to; i++ {
			if c := &x.changes[i]; c.via == 0 && under[c.path] {
				return true
			}
		}
		return false
	}
}
