package gitstore

import (
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// growth is what changes add to a wiki.
type growth struct {
	pages  int  // more than before; may be negative
	files  bool // there are new pages or attachments, or attachments with another content
	edited int  // pages that have another text
}

// growthOf looks at changes that are to be made on top of head, which may differ
// from the tree that they start from.
func growthOf(changes []change, head *folder) (g growth, err error) {
	gone := map[string]bool{} // blobs that were taken away: a rename brings them back
	for _, c := range changes {
		if c.new == nil {
			gone[c.old.oid.String()] = true
		}
	}
	added := 0
	for _, c := range changes {
		_, page := wiki.PageOfFile(c.path)
		switch {
		case page && (c.old == nil || c.new == nil):
			_, there, err := head.file(c.path)
			if err != nil {
				return growth{}, err
			}
			if c.new == nil && there {
				g.pages--
			} else if c.old == nil && !there {
				g.pages++
			}
			if c.old == nil {
				added++
			} else {
				added--
			}
		case page:
			g.edited++
		case c.new == nil || c.path == fileRedirects:
		case c.old == nil:
			g.files = g.files || !gone[c.new.oid.String()]
		default:
			g.files = g.files || c.old.oid != c.new.oid
		}
	}
	g.files = g.files || added > 0
	return g, nil
}

// checkPages refuses pages beyond the limit. A change that adds none passes.
func (r *repo) checkPages(t Tier, g growth, head *folder) error {
	if t.Pages == NoLimit || g.pages <= 0 {
		return nil
	}
	have, _, err := r.count(head)
	if err != nil {
		return err
	}
	if have+g.pages > t.Pages {
		return tooManyPages(t, r.name, have+g.pages)
	}
	return nil
}

// pageCount is the number of pages and of files of a tree, moved by tree
// differences.
type pageCount struct {
	mu           sync.Mutex
	root         *folder // guarded by mu, as all below; nil: not counted yet
	pages, files int
}

// count counts the pages and the files, pages included, of a tree that differs
// little from the published one. The first time costs a walk of the tree, later ones
// what has changed since.
func (r *repo) count(root *folder) (pages, files int, err error) {
	now := r.state.Load().main().root
	c := &r.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root == nil {
		if c.pages, c.files, err = countPages(now); err != nil {
			return 0, 0, err
		}
		c.root = now
	}
	pages, files, err = morePages(c.root, now)
	if err != nil {
		return 0, 0, err
	}
	c.root, c.pages, c.files = now, c.pages+pages, c.files+files
	pages, files, err = morePages(now, root)
	return c.pages + pages, c.files + files, err
}

func (c *pageCount) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.root = nil
}

// countPages counts the pages and the files of a tree.
func countPages(root *folder) (pages, files int, err error) {
	_, err = root.walk("", func(path string, _ *entry) bool {
		files++
		if _, page := wiki.PageOfFile(path); page {
			pages++
		}
		return true
	})
	return pages, files, err
}

// morePages is how many pages and files to has more than from.
func morePages(from, to *folder) (pages, files int, err error) {
	changes, err := diff(from, to)
	for _, c := range changes {
		n := 0
		switch {
		case c.old == nil:
			n = 1
		case c.new == nil:
			n = -1
		}
		files += n
		if _, page := wiki.PageOfFile(c.path); page {
			pages += n
		}
	}
	return pages, files, err
}

// overBytes is how many bytes the wiki would take with more beside what is on the
// disk, if that is too many for the tier, else 0. History and what nobody needs any
// more count, until it is dropped; what is there twice for a while does not.
func (r *repo) overBytes(t Tier, more int64) (int64, error) {
	n, err := r.objects.Usage()
	if err != nil || n+more <= t.Bytes {
		return 0, err
	}
	copies, err := r.objects.Copies()
	if err != nil {
		return 0, err
	}
	if n, err = r.objects.Usage(); err != nil || n-copies+more <= t.Bytes { // some may be gone by now
		return 0, err
	}
	return n - copies + more, nil
}

// mayGrow is checkGrowth for a push that makes one tree of another.
func (b *batch) mayGrow(from, to *folder, p *Push) error {
	changes, err := diff(from, to)
	if err != nil {
		return err
	}
	return b.checkGrowth(changes, from, p)
}

// checkGrowth refuses a change that would take the wiki over a limit of its tier.
// p is the push that it came by, or nil.
func (b *batch) checkGrowth(changes []change, head *folder, p *Push) error {
	t, err := b.repo.tier()
	if err != nil || t.Pages == NoLimit && t.Bytes == NoLimit {
		return err
	}
	g, err := growthOf(changes, head)
	if err != nil {
		return err
	}
	if err := b.repo.checkPages(t, g, head); err != nil {
		return err
	}
	if g.files || p != nil && p.received > b.repo.allowance(g) {
		return b.checkBytes(t)
	}
	return nil
}

// checkBytes refuses what is in the batch where it would take the wiki over the
// limit of bytes. What a push brought is on the disk already.
func (b *batch) checkBytes(t Tier) error {
	if t.Bytes == NoLimit {
		return nil
	}
	if !b.measured {
		n, err := b.repo.objects.Usage()
		if err != nil {
			return err
		}
		b.usage, b.measured = n, true
	}
	if b.usage+b.objs.Bytes() <= t.Bytes {
		return nil
	}
	n, err := b.repo.overBytes(t, b.objs.Bytes())
	if err == nil && n > 0 {
		err = tooManyBytes(t, b.repo.name, n)
	}
	return err
}

// allowance is how many bytes a push that only edits pages may bring when the wiki
// is at its limit: a page for each, and one for commits and trees. More than that
// comes of something in its history.
func (r *repo) allowance(g growth) int64 { return r.store.cfg.MaxPage * int64(g.edited+1) }

// growth adds what one command of a push would make of the wiki to its faults, and
// remembers whether it takes room.
func (c *pushCheck) growth(old plumbing.Hash, from, to *folder) error {
	t, err := c.repo.tier()
	if err != nil || t.Pages == NoLimit && t.Bytes == NoLimit {
		return err
	}
	head := c.state.main().root
	if old.IsZero() { // main is made, or made anew
		from = head
	}
	changes, err := diff(from, to)
	if err != nil {
		return err
	}
	g, err := growthOf(changes, head)
	if err != nil {
		return err
	}
	c.files, c.edited = c.files || g.files, c.edited+g.edited
	return c.collect(c.repo.checkPages(t, g, head))
}

// room adds to the faults that what was received does not fit into the tier.
func (c *pushCheck) room(quarantine *objects.DB) error {
	t, err := c.repo.tier()
	if err != nil || t.Bytes == NoLimit {
		return err
	}
	if c.push.received, err = quarantine.Usage(); err != nil {
		return err
	}
	if !c.files && c.push.received <= c.repo.allowance(growth{edited: c.edited}) {
		return nil
	}
	n, err := c.repo.overBytes(t, c.push.received)
	if err == nil && n > 0 {
		err = c.collect(tooManyBytes(t, c.repo.name, n))
	}
	return err
}
