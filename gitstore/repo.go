package gitstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// repo is one open repository.
type repo struct {
	store   *Store
	name    wiki.Slug
	dir     string
	objects *objects.DB
	source  objectSource // where blobs are read: objects, or a push's quarantine
	refs    refStore

	state  atomic.Pointer[state]
	looked atomic.Int64 // when the refs were last looked at, in ticks
	load   sync.Mutex   // held while a state is made
	stamp  refs.Stamp   // of the refs at the last look; guarded by load
	stale  bool         // the stamp is not to be believed; guarded by load

	inflight map[string]plumbing.Hash // where the writer is moving refs just now; guarded by load
	said     map[string]bool          // what trouble the log was told of, since all was well; guarded by load

	writer writer
	doubt  bool                       // a write has failed, perhaps in the middle; only the writer looks
	pushed atomic.Bool                // a push has landed since the start
	ended  atomic.Pointer[wiki.Error] // what those are told who still hold it: it was deleted, or its history rewritten
	used   atomic.Int64               // when somebody last asked for it, in ticks

	// packing is held for reading while a push is under way, and for writing
	// while packs are replaced. It is only ever tried for writing: a waiting
	// writer would hold up new pushes behind those that are under way.
	packing sync.RWMutex

	counted       pageCount
	names         names
	links         links
	history       historyIndex
	roots         recent[plumbing.Hash, *folder]
	redirectCache recent[plumbing.Hash, *redirects]
	anchors       recent[plumbing.Hash, *anchors] // of the texts that links to sections lead to
	tokens        recent[tokenKey, Token]         // parsed; a zero Token for a record that does not load
	tokenIndex    tokenIndex
	upkeep        upkeep
	purged        purged
	fetches       fetches
}

// refStore is the refs of a repository with the convenience that a missing ref
// is the zero object name.
type refStore struct{ *refs.DB }

// Read is the commit that a ref names; exists is false where there is no such
// ref.
func (d refStore) Read(name string) (oid plumbing.Hash, exists bool, err error) {
	oid, err = d.DB.Read(name)
	if errors.Is(err, refs.ErrNotFound) {
		return plumbing.ZeroHash, false, nil
	}
	return oid, err == nil, err
}

func (s *Store) openRepo(name wiki.Slug, dir string) (*repo, error) {
	db, err := objects.Open(s.fs, dir, s.cache)
	if err != nil {
		return nil, err
	}
	r := &repo{store: s, name: name, dir: dir, objects: db, source: db, refs: refStore{refs.Open(s.fs, dir)}}
	r.writer.wake = make(chan struct{}, 1)
	r.roots.limit, r.redirectCache.limit, r.tokens.limit, r.anchors.limit = 128, 8, 1<<16, 4*maxAnchorPages
	return r, nil
}

// end has everybody who still holds the repository told why they cannot go on with
// it.
func (r *repo) end(why error) {
	var told *wiki.Error
	if errors.As(why, &told) {
		r.ended.Store(told)
	}
}

// target is the wiki as acl knows it, with its plan as it is now; identify has
// made sure that whoever has a name has an account in force. Where the site cannot
// be read the plan is the zero one, with which nobody changes anything.
func (r *repo) target() acl.Target {
	t := acl.Target{Slug: r.name, Account: acl.Active}
	if st, err := r.store.admin.current(); err == nil {
		t.Plan = st.site.plan(r.name)
	}
	return t
}

func (r *repo) commit(oid plumbing.Hash) (objects.Commit, error) {
	c, err := readCommit(r.source, oid)
	if err != nil {
		return objects.Commit{}, fmt.Errorf("reading commit %s in %s: %w", oid, r.name, err)
	}
	return c, nil
}

// resolve turns a full revision or a prefix into a commit of the repository.
func (r *repo) resolve(rev wiki.Revision) (plumbing.Hash, error) {
	unknown := wiki.NotFound("there is no revision %s in this wiki", rev.Short())
	var oid plumbing.Hash
	if len(rev) == 40 {
		oid = plumbing.NewHash(string(rev))
		if _, ok := r.roots.get(oid); ok {
			return oid, nil
		}
	} else {
		found, err := r.objects.Resolve(string(rev))
		if errors.Is(err, objects.ErrAmbiguous) {
			return plumbing.ZeroHash, wiki.Invalid("revision", "%s is the beginning of several objects' names; give more of its digits", rev)
		}
		if err != nil {
			return plumbing.ZeroHash, unknown
		}
		oid = found
	}
	typ, _, err := r.objects.Header(oid)
	if errors.Is(err, plumbing.ErrObjectNotFound) || err == nil && typ != plumbing.CommitObject {
		return plumbing.ZeroHash, unknown
	}
	return oid, err
}

// onMain resolves a revision and makes sure that it is in main's history.
func (r *repo) onMain(ctx context.Context, st *state, rev wiki.Revision) (plumbing.Hash, error) {
	if head := st.main().commit; len(rev) == 40 && head.String() == string(rev) {
		return head, nil
	}
	oid, err := r.resolve(rev)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	index, err := r.historyAt(ctx, st)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if !index.Contains(oid) {
		return plumbing.ZeroHash, wiki.NotFound("there is no revision %s in this wiki", rev.Short())
	}
	return oid, nil
}

// allowPush asks whether a caller may do a to this repository by push.
func (r *repo) allowPush(st *state, c wiki.Caller, a acl.Action) error {
	who, err := r.store.identify(c)
	if err != nil {
		return err
	}
	if r.name == admin {
		if !c.Host && !st.site.administers(who) {
			return wiki.NotFound("there is no such repository, or you may not see it")
		}
		return nil
	}
	if st.config == nil {
		return wiki.NotFound("there is no wiki %q", r.name)
	}
	return st.config.policy.Allow(who, a, r.target())
}

func (r *repo) mayForce(st *state, c wiki.Caller) bool {
	return st.config != nil && st.config.settings.ForcePush && r.allowPush(st, c, acl.Manage) == nil
}

// allowAdmin is nil for administrators of the site. To others admin.git does
// not exist. A narrowed credential never administers.
func (s *Store) allowAdmin(c wiki.Caller) error {
	if c.Host {
		return nil
	}
	st, err := s.admin.current()
	if err != nil {
		return err
	}
	if st.site.administers(c) {
		return nil
	}
	return wiki.NotFound("there is no such repository, or you may not see it")
}
