package history

import (
	"container/heap"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// queue gives numbers once each, the greatest first.
type queue struct {
	items numbers
	seen  map[int32]bool
}

type numbers []int32

func (q numbers) Len() int           { return len(q) }
func (q numbers) Less(i, j int) bool { return q[i] > q[j] }
func (q numbers) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *numbers) Push(v any)        { *q = append(*q, v.(int32)) }
func (q *numbers) Pop() any {
	v := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return v
}

// push takes a number; negative ones mean nothing and are passed over.
func (q *queue) push(n int32) {
	if n < 0 || q.seen[n] {
		return
	}
	if q.seen == nil {
		q.seen = map[int32]bool{}
	}
	q.seen[n] = true
	heap.Push(&q.items, n)
}

func (q *queue) pop() (int32, bool) {
	if len(q.items) == 0 {
		return 0, false
	}
	return heap.Pop(&q.items).(int32), true
}

// defaultLog is the page size of Log.
const defaultLog = 50

// Log is the history of a file as of a commit (zero: the head), newest first,
// across renames: the changes that `git log --follow` shows, except that the
// name is followed on each line of history by itself, and that a copy (whose
// original stayed) begins a history of its own. Each item's Changes holds
// its one change. limit 0 means 50; after is the revision of an earlier
// answer's last item, and next the one for more, zero at the end.
//
// Cost: the items up to the end of the answer; where a page was added beside
// others that were deleted, once also the comparison of their texts.
func (x *Index) Log(at plumbing.Hash, file string, after plumbing.Hash, limit int) (log []wiki.Change, next plumbing.Hash, err error) {
	return x.LogOf(file, Filter{At: at, After: after, Limit: limit})
}

// LogOf is Log with a filter, of which Prefix means nothing here. An item that
// the filter leaves out costs as much as one that it lets through; after 65,536
// of them the answer may be short, or empty, with a next.
func (x *Index) LogOf(file string, f Filter) (log []wiki.Change, next plumbing.Hash, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLog
	}
	f.Prefix = ""
	w := &walk{x: x, moved: map[plumbing.Hash]renames{}}
	for {
		missing, err := w.log(file, f)
		if err != nil {
			return nil, plumbing.ZeroHash, err
		}
		if missing.IsZero() {
			return w.out, w.next, nil
		}
		w.moved[missing] = x.renamesOf(missing)
	}
}

// walk goes along a file's history. Renames are found while no lock is held:
// log stops where it needs some, and is run again.
type walk struct {
	x     *Index
	moved map[plumbing.Hash]renames
	out   []wiki.Change
	next  plumbing.Hash
}

func (w *walk) log(file string, f Filter) (missing plumbing.Hash, err error) {
	x := w.x
	x.mu.RLock()
	defer x.mu.RUnlock()
	w.out, w.next = nil, plumbing.ZeroHash
	n, err := x.at(f.At)
	if err != nil {
		return missing, err
	}
	below := n + 1
	if !f.After.IsZero() {
		if below, err = x.at(f.After); err != nil {
			return missing, err
		}
	}
	match, scanned, last := x.matcher(f), 0, int32(-1)
	path, known := x.paths.ids[file]
	if !known {
		return missing, wiki.NotFound("there is no file %q in this wiki's history", file)
	}
	var q queue
	q.push(x.lastAt(n, path))
	if len(q.items) == 0 {
		return missing, wiki.NotFound("there is no file %q in this wiki's history", file)
	}
	for {
		i, ok := q.pop()
		if !ok {
			return missing, nil
		}
		c := &x.changes[i]
		var moved renames
		if c.kind == wiki.Added {
			oid := x.commits[c.commit].oid
			if moved, ok = w.moved[oid]; !ok && x.mayRename(c.commit) {
				return oid, nil
			}
		}
		if c.commit < below {
			if len(w.out) == f.Limit || scanned == maxScan {
				w.next = x.commits[last].oid
				return missing, nil
			}
			if scanned, last = scanned+1, c.commit; match(c.commit) {
				w.out = append(w.out, x.change(c, moved))
			}
		}
		for _, j := range x.origins(i, moved) {
			q.push(j)
		}
	}
}

// change is one item of a log.
func (x *Index) change(c *changeRow, moved renames) wiki.Change {
	f := x.fileChange(c, moved)
	out := wiki.Change{Commit: x.commit(c.commit), Kind: f.Kind, Path: f.Page, Blob: f.New}
	out.From, _ = wiki.PageOfFile(f.From)
	out.Changes = []wiki.FileChange{f}
	return out
}

// origins are the changes from which a change of a file went on, -1 among them
// for none: one for each parent, under the old name where it was renamed.
func (x *Index) origins(i int32, moved renames) []int32 {
	path := x.changes[i].path
	if from, ok := moved.from[path]; ok && x.changes[i].kind == wiki.Added {
		path = from.path
	}
	return x.before(i, path)
}
