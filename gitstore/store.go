package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"syscall"
	"time"

	"wikibot/gitstore/internal/disk"
	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// Config says where a Store keeps its data and within which limits.
type Config struct {
	Dir      string           // the data folder; made where it does not exist
	Git      string           // the git binary; "" looks in PATH
	HooksDir string           // folder of git's hooks, named in each repository's configuration; "" is <Dir>/hooks
	Domain   string           // ends the noreply addresses of authors; "" is localhost
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default()
	Cache    int64            // bytes of contents kept in memory; 0 is 64 MB
	MaxPage  int64            // bytes of a page; 0 is 1 MB
	MaxFile  int64            // bytes of an attachment; 0 is 10 MB
	MaxPush  int64            // bytes of one push's pack; 0 is 2 GB

	// Seed gives the first pages of a wiki that is made by a push to admin.git, by
	// their file names in the tree; nil: none.
	Seed func(n NewWiki) (map[string][]byte, error)

	// Upkeep of the repositories in the background; false turns it off, for
	// tests that look at packs.
	NoUpkeep bool

	// disk replaces the file system, to record or fail its operations.
	disk disk.FS
}

// Store is the door to all wikis of one data folder. Its methods may be called
// from any number of goroutines.
type Store struct {
	cfg      Config
	fs       disk.FS
	log      *slog.Logger
	now      func() time.Time
	cache    *objects.Cache
	lock     *os.File // flock: one server for each data folder
	children *os.File // shared flock that git children inherit
	started  time.Time
	ctx      context.Context // ends when the Store closes
	stop     context.CancelFunc

	admin *repo

	mu        sync.Mutex
	wikis     map[wiki.Slug]*repo  // open repositories; guarded by mu
	closed    map[wiki.Slug]string // why a repository does not open, as the log was told; guarded by mu
	buried    map[wiki.Slug]bool   // deleted since the start; guarded by mu
	onRewrite []func(wiki.Slug)    // guarded by mu

	events events

	mostRelooked int            // see maxRelooked; tests set it lower
	scans        chan struct{}  // one place for each search that may read all pages now
	heavy        chan struct{}  // one place for joining packs
	burying      sync.Mutex     // held while a deleted wiki is put away
	work         sync.WaitGroup // background work
}

// Open opens the data folder, makes what is missing in it, takes away what a
// crash left, and locks it against a second server. Errors are wiki.ErrUnavailable
// with a text that says the next step.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := newStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.openData(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func newStore(ctx context.Context, cfg Config) (*Store, error) {
	git, err := checkGit(ctx, cfg.Git)
	if err != nil {
		return nil, err
	}
	cfg.Git = git
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	setDefault(&cfg.HooksDir, filepath.Join(cfg.Dir, "hooks"))
	setDefault(&cfg.Domain, "localhost")
	setDefault(&cfg.Cache, 64<<20)
	setDefault(&cfg.MaxPage, 1<<20)
	setDefault(&cfg.MaxFile, 10<<20)
	setDefault(&cfg.MaxPush, 2<<30)
	s := &Store{cfg: cfg, fs: cfg.disk, log: cfg.Log, now: cfg.Now, wikis: map[wiki.Slug]*repo{}, closed: map[wiki.Slug]string{}, buried: map[wiki.Slug]bool{}, started: time.Now()}
	if s.fs == nil {
		s.fs = disk.OS{}
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.cache = objects.NewCache(cfg.Cache)
	s.scans = make(chan struct{}, max(1, runtime.NumCPU()/2))
	s.heavy = make(chan struct{}, 1)
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// ticks is a clock that only goes forward, in nanoseconds.
func (s *Store) ticks() int64 { return int64(time.Since(s.started)) }

func (s *Store) openData(ctx context.Context) error {
	for _, d := range []struct {
		path string
		mode fs.FileMode
	}{{s.cfg.Dir, 0o750}, {filepath.Join(s.cfg.Dir, "wikis"), 0o750}, {s.SecretsDir(), 0o700}, {s.CacheDir(), 0o700}} {
		if err := disk.MakeDirs(s.fs, d.path, d.mode); err != nil {
			return folderError(d.path, err)
		}
	}
	if err := os.Chmod(s.SecretsDir(), 0o700); err != nil {
		return folderError(s.SecretsDir(), err)
	}
	if err := s.takeLocks(ctx); err != nil {
		return err
	}
	s.clean()
	if err := s.openAdmin(ctx); err != nil {
		return err
	}
	if err := s.reconcile(ctx); err != nil {
		return err
	}
	s.background(s.sweep)
	return nil
}

// folderError says what to do about a data folder that cannot be used.
func folderError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return wiki.Unavailable("the data folder is not writable (%v): give this user the right to write there, or choose another with --data", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return wiki.Unavailable("the disk of %s is full: make room and start again", path)
	case errors.Is(err, syscall.ENOTDIR):
		return wiki.Unavailable("%s is a file, not a folder: choose another data folder with --data", path)
	}
	return fmt.Errorf("making %s: %w", path, err)
}

// openAdmin opens admin.git, and makes it on the first start.
func (s *Store) openAdmin(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.adminDir(), "HEAD")); errors.Is(err, fs.ErrNotExist) {
		make := s.makeAdmin
		if _, err := os.Stat(s.adminDir()); err == nil {
			s.log.Error("admin.git has lost its file HEAD, which is written again", "folder", s.adminDir())
			make = func(ctx context.Context) error { return s.initRepository(ctx, s.adminDir()) }
		}
		if err := make(ctx); err != nil {
			return err
		}
	}
	r, err := s.openRepo(admin, s.adminDir())
	if err != nil {
		return err
	}
	s.admin = r
	if err := s.ensureConfig(ctx, r.dir); err != nil {
		return err
	}
	st, err := r.current()
	if err != nil {
		return err
	}
	if t := st.trouble; t != nil && t.newer {
		return wiki.Unavailable("the data in %s is in a newer format than this program reads: %v", s.cfg.Dir, t.err)
	}
	// The writer may be at work already: what happened behind the server's back settles
	// itself where a read has noticed it.
	r.load.Lock()
	moved := r.movedBehind(nil, st)
	r.load.Unlock()
	// Whatever is wrong here must not keep the site from being served.
	if err := errors.Join(r.voidUnfinished(), r.settle(st, moved)); err != nil {
		s.log.Error("the end of admin.git's audit cannot be checked", "error", err)
	}
	return nil
}

// wiki opens a wiki's repository. wiki.ErrNotFound where the site has no such
// wiki; it costs a look-up once the repository is open.
func (s *Store) wiki(slug wiki.Slug) (*repo, error) {
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	rec := st.site.wikis[slug]
	if rec == nil || rec.Deleted || rec.Suspended {
		return nil, wiki.NotFound("there is no wiki %q, or you may not see it: check the address, or sign in", slug)
	}
	return s.openWiki(slug)
}

// openWiki opens the repository of a wiki that there is.
func (s *Store) openWiki(slug wiki.Slug) (*repo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.wikis[slug]; r != nil {
		r.used.Store(s.ticks())
		return r, nil
	}
	if s.ctx.Err() != nil {
		return nil, wiki.Unavailable("the server is shutting down")
	}
	if s.buried[slug] {
		return nil, wiki.NotFound("there is no wiki %q any more: it was deleted", slug)
	}
	r, err := s.openRepo(slug, s.wikiDir(slug))
	if err != nil {
		if s.closed[slug] != err.Error() { // it is asked for again and again
			s.log.Error("a wiki's repository does not open; put it back from a backup", "wiki", slug, "folder", s.wikiDir(slug), "error", err)
			s.closed[slug] = err.Error()
		}
		return nil, wiki.Unavailable("the wiki %q cannot be read, because its repository is damaged. Other wikis are not concerned. Whoever runs this site finds the cause in the server's log", slug)
	}
	r.used.Store(s.ticks())
	s.wikis[slug] = r
	return r, nil
}

// Wikis lists the wikis that the caller may read through their face, by slug. It opens each wiki
// once; the cost grows with the number of wikis on the site.
func (s *Store) Wikis(ctx context.Context, c wiki.Caller) ([]WikiInfo, error) {
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	var out []WikiInfo
	for slug, rec := range st.site.wikis {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v, err := s.View(ctx, c, slug)
		if errors.Is(err, wiki.ErrNotFound) || errors.Is(err, wiki.ErrPayment) {
			continue
		}
		if errors.Is(err, wiki.ErrUnavailable) {
			continue // the log has it already
		}
		if err != nil {
			s.log.Error("a wiki does not open and is left out of the list", "wiki", slug, "error", err)
			continue
		}
		set := v.Settings()
		out = append(out, WikiInfo{Slug: slug, Name: set.Name, Purpose: set.Purpose, Created: rec.CreatedAt, Standing: v.Standing()})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Slug < out[j].Slug })
	return out, nil
}

// SiteName is the site's name for people.
func (s *Store) SiteName() string {
	st, err := s.admin.current()
	if err != nil || st.site.name == "" {
		return "wikibot"
	}
	return st.site.name
}

// Close refuses new writes, writes the queue, ends the background work and
// unlocks the data folder.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, r := range s.opened() {
		errs = append(errs, r.closeWriter(ctx, nil))
	}
	s.stop()
	s.work.Wait()
	for _, r := range s.opened() {
		r.saveHistory()
		r.saveFetches()
		errs = append(errs, r.objects.Close())
	}
	s.events.close()
	if s.children != nil {
		errs = append(errs, s.children.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// opened are the repositories that are open now.
func (s *Store) opened() []*repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*repo, 0, len(s.wikis)+1)
	for _, r := range s.wikis {
		out = append(out, r)
	}
	if s.admin != nil {
		out = append(out, s.admin)
	}
	return out
}

// background runs work that ends with the Store.
func (s *Store) background(fn func(ctx context.Context)) {
	if s.ctx.Err() != nil {
		return
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer func() { // what one wiki holds must not take the server from the others
			if v := recover(); v != nil {
				s.log.Error("work in the background panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
		}()
		fn(s.ctx)
	}()
}
