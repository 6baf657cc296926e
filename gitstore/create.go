package gitstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// CreateWiki makes a wiki with its first pages. Whoever is an administrator may,
// and the operator on the machine. wiki.ErrExists where the slug is or was taken.
func (s *Store) CreateWiki(ctx context.Context, c wiki.Caller, n NewWiki) error {
	_, err := s.AdoptWiki(ctx, c, n, func(ctx context.Context, r *Incoming) error {
		if len(n.Pages) == 0 {
			return nil
		}
		return r.Seed(n.Pages, "Begin the wiki "+string(n.Slug))
	})
	return err
}

// AdoptWiki makes a wiki whose pages fill puts into a fresh repository. The
// repository is outside of what is served until it is whole and on the disk; then
// its record in admin.git makes it exist. If anything fails before, nothing is
// left. Only refs/heads and refs/tags are kept of what fill brought.
func (s *Store) AdoptWiki(ctx context.Context, c wiki.Caller, n NewWiki, fill func(context.Context, *Incoming) error) (wiki.Revision, error) {
	if err := s.checkNewWiki(c, n); err != nil {
		return "", err
	}
	head, err := s.adoptWiki(ctx, c, n, fill)
	if told := diskTrouble(err); told != nil && !errors.Is(err, wiki.ErrUnavailable) {
		s.log.Error("a wiki was not made", "wiki", n.Slug, "error", err)
		return "", told
	}
	return head, err
}

func (s *Store) adoptWiki(ctx context.Context, c wiki.Caller, n NewWiki, fill func(context.Context, *Incoming) error) (wiki.Revision, error) {
	tmp := filepath.Join(s.cfg.Dir, "wikis", tmpPrefix+string(n.Slug)+"-"+randomHex(6))
	defer os.RemoveAll(tmp)
	if err := s.initRepository(ctx, tmp); err != nil {
		return "", err
	}
	r, err := s.openRepo(n.Slug, tmp)
	if err != nil {
		return "", err
	}
	defer r.objects.Close()
	in := &Incoming{Dir: tmp, store: s, repo: r}
	if err := fill(ctx, in); err != nil {
		return "", err
	}
	head, err := s.settleIncoming(ctx, c, in, n)
	if err != nil {
		return "", err
	}
	if err := s.checkIncoming(in, n); err != nil {
		return "", err
	}
	if err := s.register(ctx, c, n, in, tmp); err != nil {
		return "", errors.Join(err, s.unregister(n.Slug, tmp))
	}
	if head != "" && !s.cfg.NoUpkeep {
		s.background(func(ctx context.Context) {
			if r, err := s.wiki(n.Slug); err == nil {
				r.maintain(ctx, chores{graph: true, tidy: r.bare()})
			}
		})
	}
	return head, nil
}

// unregister removes the folder of a wiki whose record could not be written, so
// that the next try finds its place free.
func (s *Store) unregister(slug wiki.Slug, tmp string) error {
	if _, err := os.Stat(tmp); err == nil {
		return nil // it was never moved into place
	}
	st, err := s.admin.refresh(true)
	if err != nil || st.site.wikis[slug] != nil {
		return err // the next start decides by the record
	}
	return os.RemoveAll(s.wikiDir(slug))
}

func (s *Store) checkNewWiki(c wiki.Caller, n NewWiki) error {
	if err := s.allowAdmin(c); err != nil {
		return wiki.Forbidden("only administrators of the site create wikis here; ask one of them")
	}
	if _, err := wiki.ParseSlug(string(n.Slug)); err != nil {
		return err
	}
	st, err := s.admin.refresh(false)
	if err != nil {
		return err
	}
	if err := st.site.free(n); err != nil {
		return err
	}
	_, err = st.site.newRecord(n)
	return err
}

// newRecord is the record of a new wiki but for its id: of the tier that was asked
// for or the site's usual one, owned by the one for whom it is made.
func (st *site) newRecord(n NewWiki) (*registered, error) {
	t, ok := st.tiers.find(n.Tier)
	switch {
	case !ok && n.Tier == "":
		return nil, wiki.Unavailable("site.toml in admin.git does not load, so nobody knows of which tier a new wiki is; the server's log says what to mend")
	case !ok:
		return nil, wiki.Invalid("tier", "%s", st.tiers.unknown(n.Tier))
	}
	rec := &registered{registryRecord{Schema: schema, Tier: t.Name, Owner: string(n.Owner)}}
	return rec, st.room(n.Slug, rec)
}

// free refuses a slug that is or was taken, and an owner whom nobody knows.
func (st *site) free(n NewWiki) error {
	if rec := st.wikis[n.Slug]; rec != nil {
		if rec.Deleted {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("the slug %q belonged to a wiki that was deleted and is never given out again; choose another", n.Slug)}
		}
		return &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("there is a wiki %q already; choose another slug", n.Slug)}
	}
	if !st.users.has(n.Owner) {
		return wiki.Invalid("owner", "there is no user %q to own the wiki; add the user first", n.Owner)
	}
	return nil
}

// settleIncoming gives the filled repository its configuration and drops the
// refs that it must not bring.
func (s *Store) settleIncoming(ctx context.Context, c wiki.Caller, in *Incoming, n NewWiki) (wiki.Revision, error) {
	r := in.repo
	list, err := r.refs.List("")
	if err != nil {
		return "", err
	}
	var drop []refs.Update
	for _, ref := range list {
		if !strings.HasPrefix(ref.Name, "refs/heads/") && !strings.HasPrefix(ref.Name, "refs/tags/") {
			drop = append(drop, refs.Update{Name: ref.Name, Old: ref.Hash})
		}
	}
	if err := r.refs.Set(ctx, drop...); err != nil {
		return "", err
	}
	set := defaultSettings(n.Slug)
	if n.Settings != nil {
		set = *n.Settings
	}
	if in.set != nil {
		set = *in.set
	}
	if n.Name != "" {
		set.Name = n.Name
	}
	if n.Purpose != "" {
		set.Purpose = n.Purpose
	}
	if in.id == "" {
		in.id = randomHex(16)
	}
	policy := acl.Policy{Schema: acl.Schema, Wiki: in.id, Grants: map[string]wiki.Role{string(n.Owner): wiki.Owner}}
	if err := r.seed(refConfig, map[string][]byte{fileWiki: formatSettings(set), fileACL: acl.Format(policy)}, "Configure "+string(n.Slug)); err != nil {
		return "", err
	}
	if err := in.claim(c); err != nil {
		return "", err
	}
	if err := s.syncTree(in.Dir); err != nil {
		return "", err
	}
	head, _, err := r.refs.Read(refMain)
	return revision(head), err
}

// claim writes into the audit that a history was brought in, so that nothing in it
// passes for something the server has seen happen.
func (in *Incoming) claim(c wiki.Caller) error {
	if err := in.note(); err != nil || in.imported.IsZero() {
		return err
	}
	b := in.repo.newBatch(&state{heads: map[string]tip{}})
	if err := b.audit(c, "import", refMain, plumbing.ZeroHash, in.imported); err != nil {
		return err
	}
	return in.repo.Commit(Commit{Refs: b.updates(), Objects: b.objs})
}

// register moves the repository into place and writes its record. The record is
// what makes it a wiki: without it the next start sets the repository aside.
func (s *Store) register(ctx context.Context, c wiki.Caller, n NewWiki, in *Incoming, tmp string) error {
	moved := false
	err := s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		head, err := b.head(refMain)
		if err != nil {
			return err
		}
		if _, taken, err := head.root.file(wikiFile(n.Slug)); err != nil || taken {
			return errors.Join(err, &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("there is a wiki %q already; choose another slug", n.Slug)})
		}
		rec, err := b.site().newRecord(n)
		if err != nil {
			return err
		}
		if _, err := os.Stat(tmp); err == nil { // not yet moved by an earlier run of this function
			if err := s.fs.Rename(tmp, s.wikiDir(n.Slug)); err != nil {
				return folderError(s.wikiDir(n.Slug), err)
			}
			moved = true
			if err := s.fs.SyncDir(filepath.Dir(tmp)); err != nil {
				return err
			}
		}
		rec.ID, rec.CreatedAt = in.id, s.now().UTC().Truncate(1e9)
		return b.writeRecord(c, wikiFile(n.Slug), formatRecord(rec.registryRecord), "Create wiki "+string(n.Slug))
	}})
	if err != nil && moved { // it never became a wiki; out of the way for the next try
		err = errors.Join(err, s.fs.Rename(s.wikiDir(n.Slug), tmp))
	}
	return err
}

// writeRecord commits one file of admin.git's main, with an audit entry. It is
// validated as a push of it would be.
func (b *batch) writeRecord(c wiki.Caller, path string, data []byte, what string) error {
	if err := b.mayBuild(); err != nil {
		return err
	}
	head, err := b.head(refMain)
	if err != nil {
		return err
	}
	oid, err := b.addBlob(data)
	if err != nil {
		return err
	}
	root, err := head.root.with(path, &entry{mode: modeFile, oid: oid})
	if err != nil {
		return err
	}
	if err := b.followSite(root); err != nil {
		return err
	}
	info := commitInfo{author: signature{c.Name(), b.repo.store.noreply(c)}, message: message("["+string(viaOf(c))+"] "+what, c, ""), when: b.repo.store.now()}
	commit, err := b.commit(refMain, root, info)
	if err != nil {
		return err
	}
	b.loaded.commit = commit
	return b.audit(c, "config", refMain, head.commit, commit)
}

// syncTree makes everything below a folder durable: files that git wrote are
// synced by git, folders are not.
func (s *Store) syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return s.fs.SyncDir(path)
	})
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}
