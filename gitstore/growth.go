package gitstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

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
	have, err := r.pages(head)
	if err != nil {
		return err
	}
	if have+g.pages > t.Pages {
		return tooManyPages(t, r.name, have+g.pages)
	}
	return nil
}

// pageCount is the number of pages of a tree, moved by tree differences.
type pageCount struct {
	mu   sync.Mutex
	root *folder // guarded by mu, as n; nil: not counted yet
	n    int
}

// pages counts the pages of a tree that differs little from the published one. The
// first time costs a walk of the tree, later ones what has changed since.
func (r *repo) pages(root *folder) (int, error) {
	now := r.state.Load().main().root
	c := &r.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root == nil {
		n, err := countPages(now)
		if err != nil {
			return 0, err
		}
		c.root, c.n = now, n
	}
	moved, err := morePages(c.root, now)
	if err != nil {
		return 0, err
	}
	c.root, c.n = now, c.n+moved
	more, err := morePages(now, root)
	return c.n + more, err
}

func (c *pageCount) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.root = nil
}

func countPages(root *folder) (n int, err error) {
	_, err = root.walk("", func(path string, _ *entry) bool {
		if _, page := wiki.PageOfFile(path); page {
			n++
		}
		return true
	})
	return n, err
}

// morePages is how many pages to has more than from.
func morePages(from, to *folder) (n int, err error) {
	changes, err := diff(from, to)
	for _, c := range changes {
		if _, page := wiki.PageOfFile(c.path); page && c.old == nil {
			n++
		} else if page && c.new == nil {
			n--
		}
	}
	return n, err
}

// usage is how many bytes the repository's objects take on the disk: its packs,
// with their indexes, and its loose objects. It costs a look at each of these
// files, some 2 ms for a thousand, so it is asked only where a tier limits it.
// While packs are being replaced both the old and the new are there; then the last
// figure counts.
func (r *repo) usage() (int64, error) {
	if !r.packing.TryRLock() {
		if n := r.measured.Load(); n > 0 {
			return n, nil
		}
		return objectsSize(filepath.Join(r.dir, "objects"))
	}
	defer r.packing.RUnlock()
	n, err := objectsSize(filepath.Join(r.dir, "objects"))
	if err == nil {
		r.measured.Store(n)
	}
	return n, err
}

// objectsSize is what the objects in a folder "objects", or in a quarantine, take.
// What others are about to bring is not among it.
func objectsSize(dir string) (int64, error) {
	folders, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", dir, err)
	}
	var total int64
	for _, f := range folders {
		if !f.IsDir() || len(f.Name()) != 2 && f.Name() != "pack" {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, f.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("measuring %s: %w", dir, err)
		}
		for _, e := range files {
			if strings.HasPrefix(e.Name(), "tmp_") || strings.HasPrefix(e.Name(), ".tmp") {
				continue
			}
			if info, err := e.Info(); err == nil { // else it is gone already
				total += info.Size()
			}
		}
	}
	return total, nil
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
		n, err := b.repo.usage()
		if err != nil {
			return err
		}
		b.usage, b.measured = n, true
	}
	if n := b.usage + b.objs.Bytes(); n > t.Bytes {
		return tooManyBytes(t, b.repo.name, n)
	}
	return nil
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
func (c *pushCheck) room() error {
	t, err := c.repo.tier()
	if err != nil || t.Bytes == NoLimit || c.push.Quarantine == "" || c.repo.name == admin {
		return err
	}
	if c.push.received, err = objectsSize(c.push.Quarantine); err != nil {
		return err
	}
	if !c.files && c.push.received <= c.repo.allowance(growth{edited: c.edited}) {
		return nil
	}
	have, err := c.repo.usage()
	if err != nil {
		return err
	}
	if n := have + c.push.received; n > t.Bytes {
		return c.collect(tooManyBytes(t, c.repo.name, n))
	}
	return nil
}
