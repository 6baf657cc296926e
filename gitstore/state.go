package gitstore

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// freshFor is how long a look at the refs is believed: a change that somebody
// makes with git behind the server's back shows after at most this time.
const freshFor = 10 * time.Millisecond

// state is one state of a repository: where its refs are and what the trees
// hold. It is immutable; a new one is swapped in when a ref moves.
type state struct {
	heads map[string]tip // by ref; only the refs that the Store itself reads
	key   string         // changes whenever main or the configuration does
	names uint64         // changes whenever a file of main comes or goes; set by publish
	// config is what refs/wikibot/config says; nil for admin.git.
	config *configuration
	site   *site // of admin.git; nil for a wiki
	loaded tip   // of admin.git: whose records site holds
	// trouble says why admin.git's newest main, or a wiki's newest
	// configuration, is not the one in force; nil where it is.
	trouble *trouble
}

// tip is a ref's commit and its tree.
type tip struct {
	commit plumbing.Hash // zero: the ref does not exist
	root   *folder       // never nil
	err    error         // the ref or its commit cannot be read; root fails then
}

// sameDamage reports that a ref cannot be read for the reason known already.
func (t tip) sameDamage(o tip) bool {
	return t.err != nil && o.err != nil && t.commit == o.commit && t.err.Error() == o.err.Error()
}

func (st *state) main() tip { return st.heads[refMain] }

// configuration is a wiki's policy and settings as one commit has them.
type configuration struct {
	policy   *acl.Policy
	settings Settings
	webhooks []Webhook
	at       plumbing.Hash // the commit; zero where none could be loaded
}

// watched are the refs that make up a state.
var watched = []string{refMain, refConfig, refTokens}

// current is the state, at most freshFor old as to what others did, and never
// behind the Store's own writes. It costs a clock reading while the last look
// is fresh and a few stat calls otherwise.
func (r *repo) current() (*state, error) {
	now := r.store.ticks()
	if st := r.state.Load(); st != nil && now-r.looked.Load() < int64(freshFor) {
		return st, nil
	}
	return r.refresh(false)
}

// refresh looks at the refs and loads what has moved. With force it reads them
// even where their files look unchanged.
func (r *repo) refresh(force bool) (*state, error) {
	r.load.Lock()
	defer r.load.Unlock()
	if told := r.ended.Load(); told != nil {
		return nil, told
	}
	now := r.store.ticks()
	old := r.state.Load()
	if old != nil && !force && now-r.looked.Load() < int64(freshFor) {
		return old, nil // somebody else looked while we waited
	}
	stamp, err := r.refs.Stamp(watched...)
	if errors.Is(err, refs.ErrDamaged) {
		stamp, err = refs.Stamp{}, nil // build says which ref it is
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the refs of %s: %w", r.name, err)
	}
	if old != nil && !force && !r.stale && stamp == r.stamp {
		r.looked.Store(now)
		return old, nil
	}
	st, err := r.build(old)
	if err != nil {
		return nil, r.damaged(err)
	}
	r.stamp, r.stale = stamp, st.damaged()
	if st.trouble == nil && !r.stale {
		r.said = nil
	}
	moved := r.movedBehind(old, st)
	r.publish(st)
	r.looked.Store(now)
	if old != nil && st != old {
		r.announce(old, st, wiki.Caller{})
	}
	r.settleLater(st, moved)
	return st, nil
}

// build makes the state that the refs say now, taking over from old whatever
// has not moved.
func (r *repo) build(old *state) (*state, error) {
	st := &state{heads: make(map[string]tip, len(watched))}
	moved := old == nil
	for _, ref := range watched {
		oid, _, err := r.refs.Read(ref)
		if err != nil && !errors.Is(err, refs.ErrDamaged) {
			return nil, fmt.Errorf("reading %s of %s: %w", ref, r.name, err)
		}
		if err != nil && r.once(err.Error()) {
			r.store.log.Error("a ref cannot be read", "repository", r.name, "folder", r.dir, "error", err)
		}
		if old != nil && err == nil && old.heads[ref].err == nil && old.heads[ref].commit == oid {
			st.heads[ref] = old.heads[ref]
			continue
		}
		st.heads[ref] = r.tipAt(oid, err)
		if old != nil && st.heads[ref].sameDamage(old.heads[ref]) {
			st.heads[ref] = old.heads[ref]
			continue
		}
		moved = true
	}
	if !moved {
		return old, nil
	}
	return st, r.complete(old, st)
}

// complete derives from the heads what a state also carries.
func (r *repo) complete(old, st *state) error {
	st.setKey()
	if r.name == admin {
		r.completeSite(old, st)
		return nil
	}
	if err := st.main().err; err != nil {
		return err // pages cannot be read
	}
	return r.completeConfig(old, st)
}

func (st *state) setKey() {
	st.key = st.heads[refMain].commit.String() + "-" + st.heads[refConfig].commit.String()
}

// blobAt is the content of the file at a path of a tree.
func (r *repo) blobAt(root *folder, path string) ([]byte, error) {
	e, ok, err := root.file(path)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wiki.NotFound("there is no file %s", path)
	}
	return r.blob(e.oid)
}

func (r *repo) blob(oid plumbing.Hash) ([]byte, error) {
	typ, data, err := r.source.Get(oid)
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w", oid, r.name, err)
	}
	if typ != plumbing.BlobObject {
		return nil, fmt.Errorf("object %s in %s is a %s, not a blob", oid, r.name, typ)
	}
	return data, nil
}

// rootOf is the tree of a commit; recent ones are kept, since callers mostly
// name a recent revision.
func (r *repo) rootOf(commit plumbing.Hash) (*folder, error) {
	if commit.IsZero() {
		return emptyFolder(), nil
	}
	if f, ok := r.roots.get(commit); ok {
		return f, nil
	}
	c, err := r.commit(commit)
	if err != nil {
		return nil, err
	}
	f := gitFolder(r.source, c.Tree)
	r.roots.put(commit, f)
	return f, nil
}

// publish makes st the state that readers get. The index of names moves with
// it, so that it is never behind a state that somebody can see.
func (r *repo) publish(st *state) {
	r.names.mu.Lock()
	defer r.names.mu.Unlock()
	old := r.state.Load()
	if old == st {
		return
	}
	if old != nil {
		r.names.move(old.main().root, st.main().root)
	}
	st.names = r.names.moves
	r.state.Store(st)
	if old != nil && r.name == admin {
		r.store.buryDeleted(old.site, st.site)
	}
}

// recent is a small map that forgets its oldest half when it is full.
type recent[K comparable, V any] struct {
	mu       sync.Mutex
	now, old map[K]V // guarded by mu
	limit    int
}

func (c *recent[K, V]) get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.now[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.set(k, v)
	}
	return v, ok
}

func (c *recent[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.old = nil, nil
}

func (c *recent[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(k, v)
}

func (c *recent[K, V]) set(k K, v V) {
	if c.now == nil || len(c.now) >= c.limit/2+1 {
		c.old, c.now = c.now, make(map[K]V)
	}
	c.now[k] = v
}
