package gitstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/refs"
)

// packRefsAbove is how many loose refs a repository may have besides the busy
// ones; each is a file that stock git reads for every fetch and push.
const packRefsAbove = 16

// busyRef is true of the refs that move all the time. They stay loose: the next
// write would make them loose again, and the age of some of the files tells.
func busyRef(name string) bool {
	switch name {
	case refMain, refConfig, refTokens, refAudit, refGood, refProfiles:
		return true
	}
	return false
}

// packRefs moves tags and branches that rest into packed-refs, where there are many
// loose ones. Pushes wait while the file is replaced, and no longer.
func (r *repo) packRefs(ctx context.Context) error {
	if !r.quiet(ctx) {
		return nil // pushes all the time; the next upkeep tries again
	}
	release := sync.OnceFunc(r.packing.Unlock)
	defer release()
	n, err := r.refs.Pack(ctx, refs.PackOptions{Leave: busyRef, Above: packRefsAbove, Peel: r.peel, Packed: release})
	if errors.Is(err, refs.ErrTooSoon) {
		return nil // as above
	}
	if err == nil && n > 0 {
		r.store.log.Debug("refs were packed", "wiki", r.name, "refs", n)
	}
	return err
}

// maxTags bounds a chain of tags of tags.
const maxTags = 64

// peel is what a tag object leads to, through tags of tags; zero for any other
// object.
func (r *repo) peel(oid plumbing.Hash) (plumbing.Hash, error) {
	typ, _, err := r.objects.Header(oid)
	if err != nil || typ != plumbing.TagObject {
		return plumbing.ZeroHash, err
	}
	for range maxTags {
		_, data, err := r.objects.Get(oid)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		line, _, _ := strings.Cut(string(data), "\n") // "object <name>", as git's own check demands
		if oid, err = parseOid(strings.TrimPrefix(line, "object ")); err != nil {
			return plumbing.ZeroHash, fmt.Errorf("reading a tag: %w", err)
		}
		if typ, _, err = r.objects.Header(oid); err != nil || typ != plumbing.TagObject {
			return oid, err
		}
	}
	return plumbing.ZeroHash, fmt.Errorf("a chain of more than %d tags", maxTags)
}
