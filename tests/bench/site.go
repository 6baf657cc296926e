package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// The people of the site that is measured: bob edits and carol reads the wiki.
const slug = wiki.Slug("notes")

func host() wiki.Caller  { return wiki.Caller{User: "root", Via: wiki.ViaCLI, Host: true} }
func bob() wiki.Caller   { return wiki.Caller{User: "bob", Via: wiki.ViaWeb} }
func carol() wiki.Caller { return wiki.Caller{User: "carol", Via: wiki.ViaWeb} }

// size is how large the usual fixture is: pages, commits.
func (b *bench) size() (pages, commits int) {
	if b.short {
		return 2_000, 2_000
	}
	return 10_000, 10_000
}

func (b *bench) fixture(pages, commits int) string {
	return gitstoretest.Repo(fixtures{dir: b.work}, pages, commits)
}

// site is an open store with the wiki that is measured.
type site struct {
	*gitstore.Store
	dir   string // the data folder
	repo  string // the wiki's repository
	pages []wiki.Entry
	stop  func() // of the subscription
}

// prepared is a data folder with one wiki made of a repository, made once; it
// must be copied before it is used.
func (b *bench) prepared(repo string) (string, error) {
	if dir := b.sites[repo]; dir != "" {
		return dir, nil
	}
	dir := b.folder("prepared")
	s, err := open(b.ctx, dir, 0)
	if err != nil {
		return "", err
	}
	for _, who := range []wiki.Username{"alice", "bob", "carol"} {
		if err := s.AddUser(b.ctx, host(), gitstore.NewUser{Name: who}); err != nil {
			return "", err
		}
	}
	if err := adopt(b.ctx, s, slug, repo); err != nil {
		return "", err
	}
	b.sites[repo] = dir
	return dir, s.Close()
}

// adopt makes a wiki of a copy of a repository, packs as they are.
func adopt(ctx context.Context, s *gitstore.Store, slug wiki.Slug, repo string) error {
	head, err := gitstoretest.TryGit(repo, "", "rev-parse", "main")
	if err != nil {
		return fmt.Errorf("%s: %w", head, err)
	}
	_, err = s.AdoptWiki(ctx, host(), gitstore.NewWiki{Slug: slug, Owner: "alice"}, func(ctx context.Context, in *gitstore.Incoming) error {
		if err := copyTree(filepath.Join(repo, "objects"), filepath.Join(in.Dir, "objects")); err != nil {
			return err
		}
		_, err := in.Git(ctx, "update-ref", "refs/heads/main", head)
		return err
	})
	if err != nil {
		return err
	}
	for who, role := range map[string]wiki.Role{"bob": wiki.Editor, "carol": wiki.Viewer} {
		if err := s.SetGrant(ctx, host(), slug, who, role); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a folder into another that may exist.
func copyTree(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	out, err := exec.Command("cp", "-a", from+"/.", to+"/").CombinedOutput()
	if err != nil {
		return fmt.Errorf("copying %s: %w: %s", from, err, out)
	}
	return nil
}

// open opens a store as the server does; cache is the bytes of contents in
// memory, 0 for the default.
func open(ctx context.Context, dir string, cache int64) (*gitstore.Store, error) {
	return gitstore.Open(ctx, gitstore.Config{Dir: dir, Cache: cache, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
}

// newSite opens a copy of the prepared site of a repository, with somebody who
// listens to its events.
func (b *bench) newSite(repo string, cache int64) (*site, error) {
	from, err := b.prepared(repo)
	if err != nil {
		return nil, err
	}
	dir := b.folder("site")
	if err := copyTree(from, dir); err != nil {
		return nil, err
	}
	return openSite(b.ctx, dir, cache)
}

func openSite(ctx context.Context, dir string, cache int64) (*site, error) {
	store, err := open(ctx, dir, cache)
	if err != nil {
		return nil, err
	}
	s := &site{Store: store, dir: dir, repo: filepath.Join(dir, "wikis", string(slug)+".git")}
	var news <-chan wiki.Event
	news, s.stop = store.Subscribe(64)
	go func() {
		for range news {
		}
	}()
	v, err := s.View(ctx, carol(), slug)
	if err == nil {
		s.pages, _, err = v.List(gitstore.ListOptions{})
	}
	if err != nil {
		s.close()
		return nil, err
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(s.pages), func(i, j int) { s.pages[i], s.pages[j] = s.pages[j], s.pages[i] })
	return s, nil
}

func (s *site) close() error {
	s.stop()
	return s.Store.Close()
}

// remove closes the site and takes its folder away.
func (s *site) remove() error {
	if err := s.close(); err != nil {
		return err
	}
	return os.RemoveAll(s.dir)
}

// page is the i-th page in an order that jumps between the folders.
func (s *site) page(i int) wiki.Entry { return s.pages[i%len(s.pages)] }

// readPage is one read by carol: the policy, the freshness, the text.
func (s *site) readPage(ctx context.Context, i int) error {
	_, err := s.Page(ctx, carol(), slug, s.page(i).Page)
	return err
}

// put overwrites a page as bob, durably.
func (s *site) put(ctx context.Context, p wiki.PagePath, text string) error {
	_, err := s.Update(ctx, bob(), slug, gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put(p, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	return err
}

// git runs stock git in a repository and throws away what it prints.
func git(ctx context.Context, dir string, args ...string) error {
	return gitWith(ctx, dir, nil, args...)
}

// environment is that of git clients.
func environment() []string { return gitstoretest.Env("GIT_TERMINAL_PROMPT=0") }

// catFile is a running `git cat-file --batch-command`.
type catFile struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startCatFile(ctx context.Context, repo string) (*catFile, error) {
	c := &catFile{cmd: exec.CommandContext(ctx, "git", "cat-file", "--batch-command")}
	c.cmd.Dir, c.cmd.Env = repo, gitstoretest.Env()
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReaderSize(out, 64<<10)
	return c, c.cmd.Start()
}

// read reads an object to its end, and text keeps what it says.
func (c *catFile) read(name string) error { return c.copy(io.Discard, name) }

func (c *catFile) text(name string) (string, error) {
	var b strings.Builder
	err := c.copy(&b, name)
	return b.String()[:max(0, b.Len()-1)], err
}

func (c *catFile) copy(to io.Writer, object string) error {
	if _, err := io.WriteString(c.in, "contents "+object+"\n"); err != nil {
		return err
	}
	head, err := c.out.ReadString('\n')
	if err != nil {
		return err
	}
	var name, kind string
	var size int64
	if _, err := fmt.Sscan(head, &name, &kind, &size); err != nil {
		return fmt.Errorf("git cat-file: %q: %w", head, err)
	}
	_, err = io.CopyN(to, c.out, size+1)
	return err
}

func (c *catFile) close() error {
	c.in.Close()
	return c.cmd.Wait()
}
