package history

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/merge"
	"wikibot/wiki"
)

// Blame says for each line of a page, as of a commit (zero: the head), which
// commit wrote it, across renames and merges, as `git blame` does: a line that
// is the same at a parent is that parent's, the first parent that has it is
// asked. A merge made by git alone thus gets no line.
//
// Cost: one line diff for each change of the page until every line is settled;
// remembered by the change that made the text, and then only the answer. ctx
// ends a long one.
func (x *Index) Blame(ctx context.Context, at plumbing.Hash, file string) ([]wiki.BlameLine, error) {
	for range maxRestarts {
		b := blame{x: x, ctx: ctx}
		lines, err := b.run(at, file)
		if err != errChanged {
			return lines, err
		}
	}
	return nil, wiki.Unavailable("the history of %q is being rewritten; try again", file)
}

// errChanged: the index was rebuilt behind a force-move meanwhile.
var errChanged = fmt.Errorf("the history index has changed")

const maxRestarts = 5

type blameKey struct {
	commit plumbing.Hash
	path   uint32
}

// blameRun is lines in a row that one commit wrote, in one file.
type blameRun struct {
	lines  int
	commit plumbing.Hash
	path   uint32
}

type blame struct {
	x       *Index
	ctx     context.Context
	changed uint64 // the index's counter when the blame began
	pending map[int32]*suspect
	order   queue
	differ  merge.Differ
	owners  []int32 // by final line: the change that wrote it
}

// suspect is a change with the lines that it or one before it wrote.
type suspect struct {
	blob   plumbing.Hash
	text   []byte // nil until read
	blocks []block
}

// block is n lines from `line` on in a suspect's text, which are the final
// lines from `final` on.
type block struct{ line, final, n int }

func (b *blame) run(at plumbing.Hash, file string) ([]wiki.BlameLine, error) {
	start, key, blob, err := b.start(at, file)
	if err != nil {
		return nil, err
	}
	text, err := get(b.x.source, blob, plumbing.BlobObject)
	if err != nil {
		return nil, err
	}
	runs, ok := b.x.blames.get(key)
	if !ok {
		lines := countLines(text)
		b.owners = make([]int32, lines)
		b.pending = map[int32]*suspect{start: {blob: blob, text: text, blocks: []block{{0, 0, lines}}}}
		b.order.push(start)
		if err := b.settle(); err != nil {
			return nil, err
		}
		if runs, err = b.runs(); err != nil {
			return nil, err
		}
		b.x.blames.put(key, runs, 4+len(runs))
	}
	return b.x.blameLines(text, runs)
}

// start finds the change that made the page what it is.
func (b *blame) start(at plumbing.Hash, file string) (i int32, key blameKey, blob plumbing.Hash, err error) {
	x := b.x
	x.mu.RLock()
	defer x.mu.RUnlock()
	b.changed = x.changed
	n, err := x.at(at)
	if err != nil {
		return 0, key, blob, err
	}
	i = -1
	p, ok := x.paths.ids[file]
	if ok {
		i = x.lastAt(n, p)
	}
	if i < 0 || x.changes[i].new.IsZero() {
		return 0, key, blob, wiki.NotFound("there is no file %q at that revision", file)
	}
	c := &x.changes[i]
	return i, blameKey{x.commits[c.commit].oid, p}, c.new, nil
}

// settle goes back through the changes, newest first, so that a change is met
// after everything that could hand lines to it.
func (b *blame) settle() error {
	for {
		i, ok := b.order.pop()
		if !ok {
			return nil
		}
		if err := b.ctx.Err(); err != nil {
			return err
		}
		s := b.pending[i]
		delete(b.pending, i)
		if err := b.hand(i, s); err != nil {
			return err
		}
		for _, k := range s.blocks {
			for j := range k.n {
				b.owners[k.final+j] = i
			}
		}
	}
}

// origin is a change before another, with the text it left.
type origin struct {
	change int32
	blob   plumbing.Hash
}

// hand gives the lines of a suspect that are older than it to those before it
// and leaves the rest in it.
func (b *blame) hand(i int32, s *suspect) error {
	origins, err := b.origins(i)
	if err != nil {
		return err
	}
	for _, o := range origins {
		if o.blob == s.blob { // a mode change, a rename: all of it
			b.pass(o, s.blocks)
			s.blocks = nil
			return nil
		}
	}
	for _, o := range origins {
		if len(s.blocks) == 0 {
			return nil
		}
		if s.text == nil {
			if s.text, err = get(b.x.source, s.blob, plumbing.BlobObject); err != nil {
				return err
			}
		}
		old, err := get(b.x.source, o.blob, plumbing.BlobObject)
		if err != nil {
			return err
		}
		var same []block
		same, s.blocks = divide(s.blocks, b.differ.Edits(old, s.text))
		b.pass(o, same)
		if p := b.pending[o.change]; p != nil {
			p.text = old
		}
	}
	return nil
}

func (b *blame) pass(o origin, blocks []block) {
	if len(blocks) == 0 {
		return
	}
	p := b.pending[o.change]
	if p == nil {
		p = &suspect{blob: o.blob}
		b.pending[o.change] = p
		b.order.push(o.change)
	}
	p.blocks = append(p.blocks, blocks...)
}

// divide splits blocks by an edit script: what is unchanged, in the lines of
// the old text, and what the script added.
func divide(blocks []block, es []merge.Edit) (same, added []block) {
	for _, k := range blocks {
		// The first edit that ends behind the block's first line.
		lo, hi := 0, len(es)
		for lo < hi {
			if mid := (lo + hi) / 2; es[mid].NewEnd <= k.line {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		shift := 0
		if lo > 0 {
			shift = es[lo-1].OldEnd - es[lo-1].NewEnd
		}
		for ; k.n > 0; lo++ {
			next, end := k.line+k.n, k.line+k.n
			if lo < len(es) {
				next, end = min(es[lo].NewStart, next), min(es[lo].NewEnd, end)
			}
			if n := next - k.line; n > 0 {
				same = append(same, block{k.line + shift, k.final, n})
				k = block{k.line + n, k.final + n, k.n - n}
			}
			if n := end - k.line; n > 0 {
				added = append(added, block{k.line, k.final, n})
				k = block{k.line + n, k.final + n, k.n - n}
			}
			if lo < len(es) {
				shift = es[lo].OldEnd - es[lo].NewEnd
			}
		}
	}
	return same, added
}

// origins are those of a change where the file was there.
func (b *blame) origins(i int32) ([]origin, error) {
	x := b.x
	x.mu.RLock()
	if x.changed != b.changed {
		x.mu.RUnlock()
		return nil, errChanged
	}
	c := x.changes[i]
	oid := x.commits[c.commit].oid
	may := c.kind == wiki.Added && x.mayRename(c.commit)
	x.mu.RUnlock()

	var moved renames
	if may {
		moved = x.renamesOf(oid)
	}

	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.changed != b.changed {
		return nil, errChanged
	}
	var out []origin
	for _, j := range x.origins(i, moved) {
		if j >= 0 && !x.changes[j].new.IsZero() {
			out = append(out, origin{j, x.changes[j].new})
		}
	}
	return out, nil
}

// runs are the owners, in the form that is kept.
func (b *blame) runs() ([]blameRun, error) {
	x := b.x
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.changed != b.changed {
		return nil, errChanged
	}
	var out []blameRun
	for i, o := range b.owners {
		if i == 0 || o != b.owners[i-1] {
			c := &x.changes[o]
			out = append(out, blameRun{0, x.commits[c.commit].oid, c.path})
		}
		out[len(out)-1].lines++
	}
	return out, nil
}

func (x *Index) blameLines(text []byte, runs []blameRun) ([]wiki.BlameLine, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	commits := map[plumbing.Hash]*wiki.Commit{}
	var out []wiki.BlameLine
	for _, r := range runs {
		c := commits[r.commit]
		if c == nil {
			n, ok := x.number(r.commit)
			if !ok {
				return nil, errChanged
			}
			made := x.commit(n)
			c = &made
			commits[r.commit] = c
		}
		page, _ := wiki.PageOfFile(x.paths.list[r.path])
		for range r.lines {
			line, rest, _ := bytes.Cut(text, []byte{'\n'})
			text = rest
			out = append(out, wiki.BlameLine{Line: len(out) + 1, Text: string(line), Commit: c, Path: page})
		}
	}
	return out, nil
}

func countLines(text []byte) int {
	n := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}
