package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikibot/acl"
	"wikibot/gitstore/internal/disk"
	"wikibot/record"
	"wikibot/wiki"
)

// A wiki is deleted when its record in admin.git says deleted = true; from that
// moment it does not exist to anybody, and its slug stays taken. What is left to do
// follows from the record and can be done again after a crash at any point: all of
// its refs go into a bundle in <data>/deleted, which is read back and synced, and
// only then is the repository removed.

// DeletedDir is the folder of the bundles of deleted wikis.
func (s *Store) DeletedDir() string { return filepath.Join(s.cfg.Dir, "deleted") }

// DeleteWiki deletes a wiki and returns the file of the bundle that keeps all of its
// history. confirm is the slug once more. Owners of the wiki may, administrators of
// the site, and the host. Where the record was written and the rest fails, the error
// says so; the next start goes on.
func (s *Store) DeleteWiki(ctx context.Context, c wiki.Caller, slug, confirm wiki.Slug) (bundle string, err error) {
	if err := s.mayDelete(ctx, c, slug); err != nil {
		return "", err
	}
	if confirm != slug {
		return "", wiki.Invalid("confirm", "nothing was deleted: to delete the wiki with all of its pages, give its slug %q once more", slug)
	}
	err = s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if err := s.mayDelete(ctx, c, slug); err != nil {
			return err
		}
		head, err := b.head(refMain)
		if err != nil {
			return err
		}
		text, err := fileText(b, head.root, wikiFile(slug))
		if err != nil {
			return err
		}
		next, err := record.Set(text, []string{"deleted"}, true)
		if err != nil {
			return err
		}
		return b.writeRecord(c, wikiFile(slug), next, "Delete wiki "+string(slug))
	}})
	if err != nil {
		return "", err
	}
	if bundle, err = s.bury(ctx, slug); err != nil {
		s.log.Error("a deleted wiki is not in its bundle yet; the next start tries again", "wiki", slug, "folder", s.wikiDir(slug), "error", err)
		return "", wiki.Unavailable("the wiki %q is deleted and nobody reaches it any more, but its bundle was not made (the server's log says why): its repository stays on the disk, and the next start tries again", slug)
	}
	return bundle, nil
}

// mayDelete asks the wiki's policy, and lets administrators delete what they may not
// read.
func (s *Store) mayDelete(ctx context.Context, c wiki.Caller, slug wiki.Slug) error {
	st, err := s.admin.current()
	if err != nil {
		return err
	}
	rec := st.site.wikis[slug]
	if rec != nil && !rec.Deleted && s.allowAdminPush(c) == nil {
		return nil
	}
	v, err := s.View(ctx, c, slug)
	if err != nil {
		return err
	}
	return v.Policy().Allow(v.caller, acl.DeleteWiki, v.repo.target())
}

// buryDeleted begins, in the background, what is left to do for wikis whose record
// has come to say that they are deleted: by a command, a push, or behind the server's
// back. It also says so where a record came behind its back without a repository.
func (s *Store) buryDeleted(old, now *site) {
	if old == nil || now == nil || old == now {
		return // the start looks at all of them
	}
	for slug, rec := range now.wikis {
		was := old.wikis[slug]
		switch {
		case rec.Deleted && (was == nil || !was.Deleted):
			s.buryLater(slug)
		case was == nil && !rec.Deleted:
			if _, err := os.Stat(s.wikiDir(slug)); err != nil {
				s.log.Error("a record of a wiki came without its repository, which only a push through the server makes; take it back, and push it", "wiki", slug, "folder", s.wikiDir(slug))
			}
		}
	}
}

func (s *Store) buryLater(slug wiki.Slug) {
	s.background(func(ctx context.Context) {
		if _, err := s.bury(ctx, slug); err != nil && ctx.Err() == nil {
			s.log.Error("a deleted wiki is not in its bundle yet; the next start tries again", "wiki", slug, "folder", s.wikiDir(slug), "error", err)
		}
	})
}

// bury puts a deleted wiki's repository into a bundle and removes it. Where that was
// done already it returns the bundle's file.
func (s *Store) bury(ctx context.Context, slug wiki.Slug) (bundle string, err error) {
	s.burying.Lock()
	defer s.burying.Unlock()
	st, err := s.admin.refresh(false)
	if err != nil {
		return "", err
	}
	if rec := st.site.wikis[slug]; rec == nil || !rec.Deleted {
		return "", fmt.Errorf("the wiki %s is not deleted", slug)
	}
	dir := s.wikiDir(slug)
	r, err := s.lastRites(ctx, slug, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s.bundleOf(slug), nil
	}
	if err != nil {
		return "", err
	}
	defer r.objects.Close()
	if bundle, err = s.bundle(ctx, r); err != nil {
		return "", err
	}
	// Out of the way in one step; the next start sweeps what is left of it.
	away := filepath.Join(filepath.Dir(dir), tmpPrefix+string(slug)+"-"+randomHex(6))
	if err := s.fs.Rename(dir, away); err != nil {
		return "", err
	}
	if err := s.fs.SyncDir(filepath.Dir(dir)); err != nil {
		return "", err
	}
	s.log.Info("a deleted wiki was put into a bundle and removed", "wiki", slug, "bundle", bundle)
	for _, fn := range s.rewritten() { // before the caches go: what still holds them must not save them again
		fn(slug)
	}
	return bundle, errors.Join(os.RemoveAll(away), s.forgetCaches(slug), os.RemoveAll(r.fetchesFile()))
}

// forgetCaches removes what cache/ has of a wiki.
func (s *Store) forgetCaches(slug wiki.Slug) error {
	return errors.Join(
		os.RemoveAll(filepath.Join(s.CacheDir(), "history", string(slug))),
		os.RemoveAll(filepath.Join(s.CacheDir(), "upkeep", string(slug))),
		os.RemoveAll(filepath.Join(s.CacheDir(), "search", string(slug))))
}

// lastRites takes a repository out of what is served: nobody finds it any more, what
// is queued is written or refused, and pushes that are under way are waited for; they
// are refused when they come to their end, and one that takes longer finds its folder
// gone.
func (s *Store) lastRites(ctx context.Context, slug wiki.Slug, dir string) (*repo, error) {
	s.mu.Lock()
	r := s.wikis[slug]
	delete(s.wikis, slug)
	s.buried[slug] = true // for those who have looked at the record before
	s.mu.Unlock()
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	if r == nil {
		return s.openRepo(slug, dir)
	}
	told := wiki.NotFound("there is no wiki %q any more: it was deleted", slug)
	r.end(told)
	if err := r.closeWriter(ctx, told); err != nil {
		return nil, err
	}
	if r.quiet(ctx) {
		r.packing.Unlock()
	}
	return r, ctx.Err()
}

// bundleForm is the name of a bundle: the slug and when it was made.
var bundleForm = regexp.MustCompile(`^(.+)-\d{8}T\d{6}Z\.bundle$`)

// bundleOf is the newest bundle of a deleted wiki; "" where there is none.
func (s *Store) bundleOf(slug wiki.Slug) string {
	entries, err := os.ReadDir(s.DeletedDir())
	if err != nil {
		return ""
	}
	newest := ""
	for _, e := range entries {
		if m := bundleForm.FindStringSubmatch(e.Name()); m != nil && m[1] == string(slug) && e.Name() > newest {
			newest = e.Name()
		}
	}
	if newest == "" {
		return ""
	}
	return filepath.Join(s.DeletedDir(), newest)
}

// bundle writes all refs of a repository, with everything that they reach, into a
// file that git clones from, and reads it back. One that a crash has left whole is
// taken.
func (s *Store) bundle(ctx context.Context, r *repo) (string, error) {
	if err := disk.MakeDirs(s.fs, s.DeletedDir(), 0o700); err != nil {
		return "", folderError(s.DeletedDir(), err)
	}
	if old := s.bundleOf(r.name); old != "" && s.checkBundle(ctx, r, old) == nil {
		return old, nil
	}
	name := filepath.Join(s.DeletedDir(), fmt.Sprintf("%s-%s.bundle", r.name, s.now().UTC().Format("20060102T150405Z")))
	tmp := filepath.Join(s.DeletedDir(), tmpPrefix+string(r.name)+"-"+randomHex(6))
	defer os.RemoveAll(tmp)
	if _, err := s.git(ctx, r.dir, "bundle", "create", "-q", tmp, "--all"); err != nil {
		return "", err
	}
	if err := s.checkBundle(ctx, r, tmp); err != nil {
		return "", err
	}
	f, err := s.fs.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if err := s.fs.Rename(tmp, name); err != nil {
		return "", err
	}
	return name, s.fs.SyncDir(s.DeletedDir())
}

// checkBundle unpacks a bundle, which looks at every object of it, and compares its
// refs with the repository's.
func (s *Store) checkBundle(ctx context.Context, r *repo, file string) error {
	scratch := filepath.Join(s.DeletedDir(), tmpPrefix+"check-"+randomHex(6))
	defer os.RemoveAll(scratch)
	if err := s.initRepository(ctx, scratch); err != nil {
		return err
	}
	out, err := s.git(ctx, scratch, "bundle", "unbundle", file)
	if err != nil {
		return err
	}
	var got, want []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, " HEAD") {
			got = append(got, line)
		}
	}
	list, err := r.refs.List("")
	if err != nil {
		return err
	}
	for _, ref := range list {
		want = append(want, ref.Hash.String()+" "+ref.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the bundle %s has %d refs and the repository %d, or they differ", file, len(got), len(want))
	}
	return nil
}
