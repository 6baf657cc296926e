package history

import (
	"hash/maphash"
	"math"
	"time"
	"unsafe"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

type commitRow struct {
	oid        plumbing.Hash
	parent     int32 // number of the first parent, -1 for none
	chain      int32
	change     uint32 // its first change; the next commit's first one ends them
	text       uint64 // where its message begins
	author     uint32
	committer  uint32
	authored   int64 // Unix seconds
	committed  int64
	authorZone int16 // minutes east of UTC
	commitZone int16
	actor      uint32
	via        uint32
	agent      uint32
	flags      uint8
}

const (
	flagServer  uint8 = 1 << iota // the server's own commit
	flagKeyed                     // has a trailer Wikibot-Key
	flagPushed                    // attributed by SetPushed
	flagClaimed                   // imported: nothing it says of itself is known, see SetClaimed
)

type changeRow struct {
	old, new plumbing.Hash
	path     uint32
	prev     int32 // the change of the same file before this one, -1 for none
	commit   int32
	kind     wiki.ChangeKind
	via      uint8 // k > 0: a merge that took the file as it was in its parent k, from 0
}

const (
	commitRowSize = int64(unsafe.Sizeof(commitRow{}))
	changeRowSize = int64(unsafe.Sizeof(changeRow{}))
	mostCommits   = math.MaxInt32
)

// chain is a line of commits, each the first parent of the next. The spine is
// chain 0 and has no base.
type chain struct {
	first, last int32
	base        int32 // first parent of first, on another chain; -1 for none
}

func (x *Index) number(oid plumbing.Hash) (int32, bool) { return x.oids.find(x.commits, oid) }

// changesOf is the range of a commit's changes.
func (x *Index) changesOf(n int32) (from, to int32) {
	to = int32(len(x.changes))
	if int(n)+1 < len(x.commits) {
		to = int32(x.commits[n+1].change)
	}
	return int32(x.commits[n].change), to
}

func (x *Index) message(n int32) string {
	end := uint64(len(x.texts))
	if int(n)+1 < len(x.commits) {
		end = x.commits[n+1].text
	}
	return string(x.texts[x.commits[n].text:end])
}

// entry is a commit on its way into the tables or out of them.
type entry struct {
	Commit
	actor, via string
	pushed     bool
	claimed    bool
	spine      bool
}

// append adds a commit whose parents are all there.
func (x *Index) append(e *entry) {
	n := int32(len(x.commits))
	r := commitRow{
		oid: e.OID, parent: -1, change: uint32(len(x.changes)), text: uint64(len(x.texts)),
		author: x.people.id(e.Author.Name + "\x00" + e.Author.Email), committer: x.people.id(e.Committer.Name + "\x00" + e.Committer.Email),
		authored: e.Author.When.Unix(), committed: e.Committer.When.Unix(),
		authorZone: zoneOf(e.Author.When), commitZone: zoneOf(e.Committer.When),
	}
	x.texts = append(x.texts, cleanMessage(e.Message)...)
	for i, p := range e.Parents {
		m, ok := x.number(p)
		switch {
		case !ok: // cut off, as in a shallow repository
		case i == 0:
			r.parent = m
		default:
			x.others[n] = append(x.others[n], m)
		}
	}
	x.attribute(&r, n, e)
	r.chain = x.chainFor(n, r.parent, e.spine)
	x.commits = append(x.commits, r)
	x.oids.add(x.commits, n)
	for i := range e.Changes {
		x.appendChange(n, &e.Changes[i])
	}
}

func (x *Index) attribute(r *commitRow, n int32, e *entry) {
	if e.claimed {
		r.flags |= flagClaimed
		return
	}
	if x.server != "" && e.Committer.Email == x.server {
		t := parseTrailers(e.Message)
		r.flags |= flagServer
		r.actor, r.via, r.agent = x.words.id(t.actor), x.words.id(t.via), x.words.id(t.agent)
		if t.key != "" {
			r.flags |= flagKeyed
			x.keys[maphash.String(x.seed, t.key)] = n
		}
	}
	if e.pushed {
		r.flags |= flagPushed
		r.actor, r.via = x.words.id(e.actor), x.words.id(e.via)
	}
}

func (x *Index) chainFor(n, parent int32, spine bool) int32 {
	if spine {
		if len(x.chains) == 0 {
			x.chains = append(x.chains, chain{first: n, base: -1})
		}
		x.chains[0].last = n
		return 0
	}
	if parent >= 0 {
		if c := x.commits[parent].chain; c != 0 && x.chains[c].last == parent {
			x.chains[c].last = n
			return c
		}
	}
	x.chains = append(x.chains, chain{first: n, last: n, base: parent})
	return int32(len(x.chains) - 1)
}

func (x *Index) appendChange(n int32, c *Change) {
	p := x.paths.id(c.File)
	for int(p) >= len(x.heads) {
		x.heads = append(x.heads, -1)
	}
	r := changeRow{old: c.Old, new: c.New, path: p, commit: n, kind: c.Kind, prev: x.heads[p]}
	for k, q := range x.others[n] {
		if k < math.MaxUint8 && x.blobAt(q, p) == c.New {
			r.via = uint8(k + 1)
			break
		}
	}
	x.heads[p] = int32(len(x.changes))
	x.changes = append(x.changes, r)
}

// truncate removes the commits from number n on and gives them, in order.
func (x *Index) truncate(n int32) []entry {
	if int(n) >= len(x.commits) {
		return nil
	}
	x.changed++
	out := make([]entry, int32(len(x.commits))-n)
	for i := int32(len(x.commits)) - 1; i >= n; i-- {
		out[i-n] = x.export(i)
	}
	for i := int32(len(x.commits)) - 1; i >= n; i-- {
		x.pop(i)
	}
	return out
}

func (x *Index) pop(n int32) {
	r := x.commits[n]
	from, to := x.changesOf(n)
	for i := to - 1; i >= from; i-- {
		x.heads[x.changes[i].path] = x.changes[i].prev
	}
	x.changes = x.changes[:from]
	x.forgetKey(n)
	x.texts = x.texts[:r.text]
	x.oids.remove(x.commits, n)
	delete(x.others, n)
	x.commits = x.commits[:n]
	switch c := &x.chains[r.chain]; {
	case c.first == n:
		x.chains = x.chains[:r.chain]
	default:
		c.last = r.parent
	}
}

func (x *Index) forgetKey(n int32) {
	if x.commits[n].flags&flagKeyed == 0 {
		return
	}
	if h := maphash.String(x.seed, parseTrailers(x.message(n)).key); x.keys[h] == n {
		delete(x.keys, h)
	}
}

func (x *Index) export(n int32) entry {
	r := &x.commits[n]
	c := x.commit(n)
	e := entry{pushed: r.flags&flagPushed != 0, claimed: r.flags&flagClaimed != 0, actor: string(c.Actor), via: string(c.Via), Commit: Commit{
		OID: r.oid, Message: x.message(n), Parents: x.parentOIDs(n),
		Author:    x.signature(r.author, r.authored, r.authorZone),
		Committer: x.signature(r.committer, r.committed, r.commitZone),
	}}
	from, to := x.changesOf(n)
	for _, ch := range x.changes[from:to] {
		e.Changes = append(e.Changes, Change{ch.kind, x.paths.list[ch.path], ch.old, ch.new})
	}
	return e
}

func (x *Index) parents(n int32) []int32 {
	if x.commits[n].parent < 0 {
		return nil
	}
	return append([]int32{x.commits[n].parent}, x.others[n]...)
}

func (x *Index) parentOIDs(n int32) []plumbing.Hash {
	var out []plumbing.Hash
	for _, p := range x.parents(n) {
		out = append(out, x.commits[p].oid)
	}
	return out
}

func (x *Index) signature(person uint32, sec int64, zone int16) Signature {
	name, email := x.person(person)
	return Signature{name, email, timeIn(sec, zone)}
}

// stateAt is the change that made the file what it was at a commit, -1 where
// the file was never there. Cost: the file's changes that are newer than the
// answer, one for most questions.
func (x *Index) stateAt(at int32, path uint32) int32 {
	if at < 0 || int(path) >= len(x.heads) {
		return -1
	}
	c := x.commits[at].chain
	for i := x.heads[path]; i >= 0; i = x.changes[i].prev {
		n := x.changes[i].commit
		for n <= at && n < x.chains[c].first {
			if at = x.chains[c].base; at < 0 {
				return -1
			}
			c = x.commits[at].chain
		}
		if n <= at && x.commits[n].chain == c {
			return i
		}
	}
	return -1
}

func (x *Index) blobAt(at int32, path uint32) plumbing.Hash {
	if i := x.stateAt(at, path); i >= 0 {
		return x.changes[i].new
	}
	return plumbing.ZeroHash
}

// lastAt is stateAt, past the merges that only took one side: the change that
// `git log -1` names.
func (x *Index) lastAt(at int32, path uint32) int32 {
	i := x.stateAt(at, path)
	for i >= 0 && x.changes[i].via > 0 {
		c := &x.changes[i]
		i = x.stateAt(x.others[c.commit][c.via-1], path)
	}
	return i
}

// before are the changes that made what change i started from: one for each
// parent of its commit, -1 where the file (under that path) was not there.
func (x *Index) before(i int32, path uint32) []int32 {
	n := x.changes[i].commit
	out := []int32{x.lastAt(x.commits[n].parent, path)}
	for _, p := range x.others[n] {
		out = append(out, x.lastAt(p, path))
	}
	return out
}

func zoneOf(t time.Time) int16 {
	_, sec := t.Zone()
	return int16(sec / 60)
}
