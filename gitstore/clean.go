package gitstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wikibot/wiki"
)

// clean takes away what a server that died left in the repositories: locks of
// refs, half-written packs, the quarantines of pushes. It runs before anything
// else uses them, when no git child is left, so nothing it removes is in use. It
// looks at the folders where such files can be and never at the objects.
func (s *Store) clean() {
	s.finishPurges()
	dirs := []string{s.adminDir()}
	entries, err := os.ReadDir(filepath.Join(s.cfg.Dir, "wikis"))
	if err != nil {
		s.log.Warn("the wikis' folder cannot be read", "error", err)
	}
	for _, e := range entries {
		path := filepath.Join(s.cfg.Dir, "wikis", e.Name())
		switch {
		case strings.HasPrefix(e.Name(), tmpPrefix):
			s.remove(path) // a wiki that was being made and never existed
		case e.IsDir():
			dirs = append(dirs, path)
		}
	}
	for _, dir := range dirs {
		s.cleanRepository(dir)
	}
	s.cleanMatching(s.DeletedDir(), tmpPrefix)
}

// tmpPrefix begins the name of a repository that is being made.
const tmpPrefix = ".tmp-"

func (s *Store) cleanRepository(dir string) {
	for _, name := range []string{"HEAD.lock", "HEAD.new", "config.lock", "config.new", "packed-refs.lock", "packed-refs.new", "shallow.lock", "gc.pid", "objects/maintenance.lock", "objects/info/commit-graphs/commit-graph-chain.lock"} {
		s.removeIfThere(filepath.Join(dir, name))
	}
	s.cleanLocks(filepath.Join(dir, "refs"))
	s.cleanMatching(filepath.Join(dir, "objects"), "tmp_", "incoming-", "tmp_objdir-")
	s.cleanMatching(filepath.Join(dir, "objects", "pack"), "tmp_", ".tmp-")
	s.cleanMatching(filepath.Join(dir, "objects", "info"), "tmp_")
	s.cleanMatching(filepath.Join(dir, "objects", "info", "commit-graphs"), "tmp_")
}

// cleanLocks removes every lock below refs/.
func (s *Store) cleanLocks(dir string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".lock") {
			s.remove(path)
		}
		return nil
	})
	if err != nil {
		s.log.Warn("locks cannot be looked for", "folder", dir, "error", err)
	}
}

func (s *Store) cleanMatching(dir string, prefixes ...string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("a folder cannot be cleaned", "folder", dir, "error", err)
		}
		return
	}
	for _, e := range entries {
		for _, p := range prefixes {
			if strings.HasPrefix(e.Name(), p) {
				s.remove(filepath.Join(dir, e.Name()))
				break
			}
		}
	}
	if filepath.Base(dir) == "objects" {
		for _, e := range entries {
			if e.IsDir() && len(e.Name()) == 2 {
				s.cleanMatching(filepath.Join(dir, e.Name()), "tmp_obj_")
			}
		}
	}
}

func (s *Store) removeIfThere(path string) {
	if _, err := os.Lstat(path); err == nil {
		s.remove(path)
	}
}

func (s *Store) remove(path string) {
	s.log.Info("removing what a former server left", "path", path)
	if err := os.RemoveAll(path); err != nil {
		s.log.Warn("it could not be removed", "path", path, "error", err)
	}
}

// reconcile makes the wikis' folder agree with admin.git, whose records are the
// truth: a repository without a record was being made when the machine stopped
// and is set aside, never erased; one whose record says deleted goes into a bundle;
// a record without a repository is said loudly.
func (s *Store) reconcile(ctx context.Context) error {
	st, err := s.admin.current()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.cfg.Dir, "wikis")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return folderError(dir, err)
	}
	there := map[wiki.Slug]bool{}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		slug := wiki.Slug(name)
		there[slug] = true
		rec := st.site.wikis[slug]
		if rec != nil && rec.Deleted {
			s.buryLater(slug)
			continue
		}
		if rec == nil && st.trouble != nil {
			s.log.Warn("a repository has no record in the admin.git that is in force; it stays where it is until the newest one loads", "wiki", slug)
			continue
		}
		if rec == nil {
			aside := filepath.Join(dir, ".aside-"+s.now().UTC().Format("20060102T150405")+"-"+e.Name())
			s.log.Warn("a repository has no record in admin.git and is set aside", "wiki", slug, "to", aside)
			if err := os.Rename(filepath.Join(dir, e.Name()), aside); err != nil {
				return folderError(dir, err)
			}
			delete(there, slug)
		}
	}
	for slug, rec := range st.site.wikis {
		if rec.Deleted {
			continue
		}
		if !there[slug] {
			s.log.Error("a wiki's repository is missing; put it back from a backup", "wiki", slug, "folder", s.wikiDir(slug))
			continue
		}
		s.checkUnfinished(ctx, slug)
	}
	return nil
}

// checkUnfinished marks audit entries void whose ref never moved. Only a wiki
// that was written to shortly before the server stopped can have one; the audit
// ref's file tells, so that a start does not open thousands of wikis.
func (s *Store) checkUnfinished(_ context.Context, slug wiki.Slug) {
	info, err := os.Stat(filepath.Join(s.wikiDir(slug), refAudit))
	if err != nil || time.Since(info.ModTime()) > 24*time.Hour {
		return
	}
	r, err := s.wiki(slug)
	if err == nil {
		err = r.voidUnfinished()
	}
	if err != nil {
		s.log.Error("the end of a wiki's audit cannot be checked", "wiki", slug, "error", err)
	}
}
