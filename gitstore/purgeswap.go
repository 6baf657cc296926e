package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// purgedPrefix begins the name of a repository that is whole and about to take the
// place of another one. Where the other one is still there at a start, the purge did
// not happen; where its place is empty, the next step is made up for.
const purgedPrefix = ".purged-"

func (s *Store) purgedDir(slug wiki.Slug) string {
	return filepath.Join(s.cfg.Dir, "wikis", purgedPrefix+string(slug)+".git")
}

// replace holds back everybody who writes, takes over what came since the rewriting
// began, and puts the fresh repository in the old one's place. Before that moment it
// can fail, and the wiki is as it was.
func (p *purge) replace(ctx context.Context, have map[string]plumbing.Hash) (list []refs.Ref, to map[string]plumbing.Hash, err error) {
	p.s.burying.Lock() // nobody deletes it meanwhile
	defer p.s.burying.Unlock()
	if _, err := p.s.wikiAnyway(p.r.name); err != nil {
		return nil, nil, err
	}
	release, err := p.r.standStill(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { release(p.swapt) }()
	p.r.saveFetches()
	if list, err = p.r.refs.List(""); err != nil {
		return nil, nil, err
	}
	if err := p.src.Refresh(); err != nil {
		return nil, nil, err
	}
	if to, err = p.rewrite(ctx, list); err != nil {
		return nil, nil, err
	}
	if err := p.fill(ctx, have, to); err != nil {
		return nil, nil, err
	}
	if err := p.verifyRecords(); err != nil {
		return nil, nil, err
	}
	out, err := p.w.Outcome()
	if err != nil {
		return nil, nil, err
	}
	if err := p.note(out.Old); err != nil {
		return nil, nil, err
	}
	return list, to, p.swap()
}

// standStill stops a repository's writer, waits for pushes to end and keeps new ones
// away. release lets go again; where the repository was replaced, those who still hold
// it are told to come again.
func (r *repo) standStill(ctx context.Context) (release func(replaced bool), err error) {
	if !r.quiet(ctx) {
		return nil, errors.Join(ctx.Err(), wiki.Unavailable("pushes to %q are under way all the time; nothing was changed, try again", r.name))
	}
	if err := r.closeWriter(ctx, wiki.Unavailable("the history of the wiki %q is being rewritten at this moment; nothing of yours was saved, try again", r.name)); err != nil {
		r.goOn()
		r.packing.Unlock()
		return nil, err
	}
	return func(replaced bool) {
		if !replaced {
			r.goOn()
		}
		r.packing.Unlock()
	}, nil
}

// goOn ends a standstill.
func (r *repo) goOn() {
	w := &r.writer
	w.mu.Lock()
	w.closed, w.why = false, nil
	w.mu.Unlock()
}

// swap exchanges the two repositories, on the disk and in memory, and removes the old
// one with all that was made of it.
func (p *purge) swap() error {
	s, slug := p.s, p.r.name
	ready, dir := s.purgedDir(slug), s.wikiDir(slug)
	wikis := filepath.Dir(dir)
	p.fresh.objects.Forget() // its place in the cache is nobody's from now on
	if err := errors.Join(p.fresh.objects.Close(), s.fs.Rename(p.fresh.dir, ready), s.fs.SyncDir(wikis)); err != nil {
		return errors.Join(err, os.RemoveAll(ready))
	}
	p.fresh.dir = ready
	old, err := s.exchange(ready, dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(ready))
	}
	p.swapt = true
	if err := s.fs.SyncDir(wikis); err != nil {
		s.log.Error("a purge is done, and not certain to be on the disk yet", "wiki", slug, "error", err)
	}
	p.adopt()
	// From here on the purge has happened, whatever else fails.
	if err := errors.Join(os.RemoveAll(old), s.forgetCaches(slug)); err != nil {
		s.log.Error("the old repository of a purged wiki is still on the disk; remove it", "wiki", slug, "folder", old, "error", err)
		return wiki.Unavailable("the history of %q is rewritten and in force, but the old one could not be removed from the disk: remove %s (%v)", slug, old, err)
	}
	return nil
}

// exchange puts the folder ready in the place of dir, in one step where the system
// has one; old is where the former dir is then. Readers of its files may meet nothing
// for a moment where there is no such step.
func (s *Store) exchange(ready, dir string) (old string, err error) {
	if swapFolders(ready, dir) == nil {
		return ready, nil
	}
	old = filepath.Join(filepath.Dir(dir), tmpPrefix+"purged-"+randomHex(6))
	if err := s.fs.Rename(dir, old); err != nil {
		return "", err
	}
	if err := errors.Join(s.fs.SyncDir(filepath.Dir(dir)), s.fs.Rename(ready, dir)); err != nil {
		return "", errors.Join(err, s.fs.Rename(old, dir))
	}
	return old, nil
}

// adopt makes everybody see the new repository.
func (p *purge) adopt() {
	s, r := p.s, p.r
	r.end(wiki.Unavailable("the history of the wiki %q was rewritten a moment ago; load the page again", r.name))
	s.mu.Lock()
	delete(s.wikis, r.name)
	s.mu.Unlock()
	r.objects.Forget()
	if err := r.objects.Close(); err != nil {
		s.log.Warn("the packs of a purged wiki were not let go", "wiki", r.name, "error", err)
	}
	next, err := s.openWiki(r.name)
	if err != nil {
		s.log.Error("a wiki that was purged does not open", "wiki", r.name, "error", err)
	} else {
		next.names.mu.Lock()
		next.names.moves += 1 << 32 // no key of the old names is one of the new
		next.names.mu.Unlock()
	}
	for _, fn := range s.rewritten() {
		fn(r.name)
	}
	s.events.send(wiki.Event{Wiki: r.name, Ref: refMain, New: revision(p.head), Actor: p.caller.User, Via: p.caller.Via, Rewritten: true})
}

// OnRewrite has fn called whenever the history of a wiki was rewritten or the wiki
// deleted, so that caches drop what they hold of it. fn must be quick.
func (s *Store) OnRewrite(fn func(wiki.Slug)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRewrite = append(s.onRewrite, fn)
}

func (s *Store) rewritten() []func(wiki.Slug) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onRewrite
}

// finishPurges makes up for the last step of purges that a crash has interrupted, or
// takes back what was not done.
func (s *Store) finishPurges() {
	wikis := filepath.Join(s.cfg.Dir, "wikis")
	entries, err := os.ReadDir(wikis)
	if err != nil {
		return // clean says so
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), purgedPrefix)
		if !ok {
			continue
		}
		ready, dir := filepath.Join(wikis, e.Name()), filepath.Join(wikis, name)
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			s.remove(ready)
			continue
		}
		s.log.Warn("finishing a purge that was interrupted", "folder", dir)
		if err := errors.Join(s.fs.Rename(ready, dir), s.fs.SyncDir(wikis)); err != nil {
			s.log.Error("a purge cannot be finished; rename the folder", "from", ready, "to", dir, "error", err)
		}
		if err := s.forgetCaches(wiki.Slug(strings.TrimSuffix(name, ".git"))); err != nil {
			s.log.Error("what was purged is still in the cache; remove the folder while no server runs", "folder", s.CacheDir(), "error", err)
		}
	}
}

// stopUpkeep waits for the upkeep of a repository to end and keeps it from beginning
// again.
func (r *repo) stopUpkeep(ctx context.Context) bool {
	u := &r.upkeep
	for ctx.Err() == nil {
		u.mu.Lock()
		free := !u.running
		u.running = true
		u.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

func (r *repo) allowUpkeep() {
	r.upkeep.mu.Lock()
	defer r.upkeep.mu.Unlock()
	r.upkeep.running = false
}

// purgedFile is where the list of one purge is in the tree of refs/wikibot/purged.
func purgedFile(at time.Time) string {
	return fmt.Sprintf(".wikibot/purged/%s.txt", at.Format("20060102T150405.000Z"))
}
