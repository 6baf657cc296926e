package gitstore

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// refs/wikibot/purged has the tree .wikibot/purged/<time>.txt, one file for each purge:
// the names, one on a line and sorted, of the commits and tags that are no more, and of
// the contents that were taken out. A clone of the old history has them, and its next
// push would bring them back.

func formatPurged(old []plumbing.Hash) []byte {
	lines := make([]string, len(old))
	for i, oid := range old {
		lines[i] = oid.String() + "\n"
	}
	slices.Sort(lines)
	return []byte(strings.Join(slices.Compact(lines), ""))
}

func parsePurged(data []byte, into map[plumbing.Hash]bool) error {
	for line := range bytes.Lines(data) {
		oid, err := parseOid(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return fmt.Errorf("a list of what was purged: %w", err)
		}
		into[oid] = true
	}
	return nil
}

// purged is what was taken out of a wiki's history, as one commit of refPurged has it.
type purged struct {
	mu  sync.Mutex
	at  plumbing.Hash // guarded by mu, as set
	set map[plumbing.Hash]bool
}

// purgedObjects is what pushes must not bring back; nil where nothing was ever
// purged, which costs a look at a ref.
func (r *repo) purgedObjects() (map[plumbing.Hash]bool, error) {
	head, exists, err := r.refs.Read(refPurged)
	if err != nil || !exists {
		return nil, err
	}
	p := &r.purged
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == head {
		return p.set, nil
	}
	root, err := r.rootOf(head)
	if err != nil {
		return nil, err
	}
	set := map[plumbing.Hash]bool{}
	var failed error
	if _, err := root.walk("", func(path string, e *entry) bool {
		var data []byte
		if data, failed = r.blob(e.oid); failed == nil {
			failed = parsePurged(data, set)
		}
		return failed == nil
	}); err != nil || failed != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", refPurged, r.name, cmp.Or(err, failed))
	}
	p.at, p.set = head, set
	return set, nil
}

// purged refuses a push that brings back what was taken out of the history, whatever
// ref it is for. all are the objects that came.
func (c *pushCheck) purged(all []plumbing.Hash) error {
	gone, err := c.repo.purgedObjects()
	if err != nil || len(gone) == 0 {
		return err
	}
	for _, cmd := range c.push.Commands {
		if oid, err := parseOid(cmd.New); err == nil {
			all = append(all, oid)
		}
	}
	for _, oid := range all {
		if gone[oid] {
			c.fault("", "the history of this wiki was rewritten, and what you push would bring back what was taken out of it (%s). Nothing of yours is lost: git fetch, put your own commits on the new history (git rebase --onto origin/main OLD, where OLD is the last commit that is not yours), and push; or clone anew", oid.String()[:10])
			return nil
		}
	}
	return nil
}
