// Package imports makes a wiki of what somebody has already: a git repository
// with its history, a folder of Markdown, or a zip of one.
//
// What comes in:
//
//   - From a repository refs/heads/* and refs/tags/*, nothing else. The default
//     branch becomes main. Its commits stay as they are, byte for byte; their
//     authors are shown as claimed.
//   - From a folder or a zip every regular file, as one commit.
//
// Names that the wiki's grammar does not have are mapped, never dropped in
// silence: files are renamed to their canonical name, the second of two pages
// that would be found under one name gets a number, and what cannot be part of
// a wiki (symbolic links, submodules, hidden files, .wikibot/) is left out. In
// a repository this is one commit on top of the history, which lists all of it;
// the history below still has everything.
//
// The wiki appears whole or not at all: everything is made in a repository that
// the Store keeps outside of the wikis until it has been checked.
package imports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// Request says what to import. It travels as JSON to a running server.
type Request struct {
	Source  string        `json:"source"` // an absolute path, as Fetch returns it
	Shown   string        `json:"shown"`  // the source as the person named it, for messages and the commit
	Slug    wiki.Slug     `json:"slug"`
	Name    string        `json:"name,omitempty"`    // empty: the slug
	Purpose string        `json:"purpose,omitempty"` // one sentence
	Branch  string        `json:"branch,omitempty"`  // empty: the default branch
	Owner   wiki.Username `json:"owner"`
}

// Progress tells how far one stage has come. Total is 0 where it is not known.
type Progress struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty"`
}

// Report is what an import did.
type Report struct {
	Slug     wiki.Slug      `json:"slug"`
	Pages    int            `json:"pages"`
	Files    int            `json:"files"` // that are not pages
	Commits  int            `json:"commits"`
	Branches []string       `json:"branches,omitempty"` // besides main
	Tags     int            `json:"tags,omitempty"`
	Home     wiki.PagePath  `json:"home,omitempty"` // empty: none was found
	Style    markdown.Style `json:"link_style"`
	Mapped   []Mapped       `json:"mapped,omitempty"`
	Notes    []string       `json:"notes,omitempty"` // what the person should know besides
}

// Config is where wikis are made.
type Config struct {
	Store  *gitstore.Store
	Domain string // ends the addresses of the import's own commits
}

// Run makes the wiki. The caller c must be allowed to make wikis. progress is
// called by one goroutine at a time and may be nil. On an error nothing is left
// behind.
func Run(ctx context.Context, cfg Config, c wiki.Caller, req Request, progress func(Progress)) (*Report, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	kind, err := detect(req.Source)
	if err != nil {
		return nil, err
	}
	if req.Shown == "" {
		req.Shown = req.Source
	}
	job := &job{actor: c.Name(), domain: cfg.Domain, req: req, progress: progress, report: &Report{Slug: req.Slug}}
	fresh := gitstore.NewWiki{Slug: req.Slug, Name: req.Name, Purpose: req.Purpose, Owner: req.Owner}
	_, err = cfg.Store.AdoptWiki(ctx, c, fresh, func(ctx context.Context, in *gitstore.Incoming) error {
		job.dir, job.command = in.Dir, in.Command
		if err := job.fill(ctx, kind); err != nil {
			return err
		}
		settings := gitstore.Settings{Name: req.Name, Purpose: req.Purpose, Home: "Home", LinkStyle: job.report.Style, Redirects: true}
		if settings.Name == "" {
			settings.Name = string(req.Slug)
		}
		if job.report.Home != "" {
			settings.Home = job.report.Home
		}
		in.Settings(settings)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return job.report, nil
}

// job is one import on its way. All fields are used by one goroutine.
type job struct {
	command  func(ctx context.Context, args ...string) *exec.Cmd // git on dir
	actor    string                                              // whom the import's own commits name
	domain   string
	req      Request
	progress func(Progress)
	report   *Report
	dir      string // the fresh bare repository
}

// fill brings everything into the fresh repository.
func (j *job) fill(ctx context.Context, kind Kind) error {
	var err error
	switch kind {
	case Repository, Bundle:
		err = j.repository(ctx, kind)
	case Folder:
		err = j.folder(ctx)
	case Zip:
		err = j.zip(ctx)
	}
	if err != nil {
		return err
	}
	return j.describe(ctx)
}

// Kind is what a source is.
type Kind string

// The kinds of source.
const (
	Repository Kind = "repository"
	Bundle     Kind = "bundle"
	Folder     Kind = "folder"
	Zip        Kind = "zip"
)

// detect looks at a local source.
func detect(source string) (Kind, error) {
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", wiki.NotFound("%s does not exist; give a git repository, a .bundle, a folder or a .zip", source)
	case errors.Is(err, os.ErrPermission):
		return "", wiki.Forbidden("%s may not be read by the user that runs wikibot; copy it to a folder that it can read", source)
	case err != nil:
		return "", fmt.Errorf("looking at the source: %w", err)
	case info.IsDir():
		if isRepository(source) || isRepository(filepath.Join(source, ".git")) {
			return Repository, nil
		}
		if info, err := os.Lstat(filepath.Join(source, ".git")); err == nil && info.Mode().IsRegular() {
			return Repository, nil // a linked work tree
		}
		return Folder, nil
	case !info.Mode().IsRegular():
		return "", wiki.Invalid("source", "%s is neither a file nor a folder", source)
	}
	return detectFile(source)
}

func detectFile(source string) (Kind, error) {
	f, err := os.Open(source)
	if err != nil {
		return "", wiki.Forbidden("%s cannot be read: %v", source, err)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, _ := f.Read(head)
	switch text := string(head[:n]); {
	case len(text) >= 8 && text[:2] == "# " && text[2] == 'v' && text[4:8] == " git":
		return Bundle, nil // gitformat-bundle(5): "# v2 git bundle"
	case len(text) >= 4 && (text[:4] == "PK\x03\x04" || text[:4] == "PK\x05\x06"):
		return Zip, nil // APPNOTE 4.3.7, 4.3.16
	}
	return "", wiki.Invalid("source", "%s is neither a git bundle nor a zip; give a git repository, a .bundle, a folder or a .zip of Markdown", source)
}

// isRepository reports whether a folder is git's own.
func isRepository(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
