package gitstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// sizer tells an object's size without reading all of it, where the source can.
type sizer interface {
	Size(oid plumbing.Hash) (int64, error)
}

// checkContent names what is wrong with the files that to adds or changes
// relative to from. Faults elsewhere in the tree are older than this change and
// do not stop it.
func (r *repo) checkContent(src objectSource, from, to *folder) (wiki.Faults, error) {
	changes, err := diff(from, to)
	if errors.Is(err, errManyChanges) {
		return nil, &wiki.Error{Kind: wiki.ErrTooLarge, Text: fmt.Sprintf("more than %d files would change at once, or their paths are too long; push them in parts", 2*maxFiles)}
	}
	if err != nil {
		return nil, err
	}
	c := contentCheck{repo: r, src: src, to: to}
	for _, ch := range changes {
		if ch.new == nil {
			continue
		}
		if err := c.file(ch); err != nil {
			return nil, err
		}
		if ch.old == nil {
			c.added = append(c.added, ch.path)
		}
	}
	if text, err := r.tooManyFiles(to, len(c.added)); err != nil || text != "" {
		c.fault("", "%s", text)
		return c.faults, err
	}
	if err := c.folds(); err != nil {
		return nil, err
	}
	return c.faults, nil
}

var _, _ sizer = (*batch)(nil), (*objects.DB)(nil)

type contentCheck struct {
	repo   *repo
	src    objectSource
	to     *folder
	added  []string
	faults wiki.Faults
}

func (c *contentCheck) fault(file, format string, args ...any) {
	if len(c.faults) < 200 {
		c.faults = append(c.faults, wiki.Fault{File: file, Text: fmt.Sprintf(format, args...)})
	}
}

func (c *contentCheck) file(ch change) error {
	switch ch.new.mode {
	case modeSymlink:
		c.fault(ch.path, "is a symbolic link; put a copy of the file or a link on a page instead")
		return nil
	case modeGitlink:
		c.fault(ch.path, "is a submodule; a wiki holds its files itself, so add them instead (git rm --cached %s)", ch.path)
		return nil
	}
	if first, _, _ := strings.Cut(ch.path, "/"); first == ".wikibot" {
		c.fault(ch.path, "the configuration is not on main: git fetch origin %s, commit on top of FETCH_HEAD, and git push origin HEAD:%s", refConfig, refConfig)
		return nil
	}
	if err := wiki.CheckFile(ch.path); err != nil {
		c.fault(ch.path, "%v", err)
		return nil
	}
	return c.size(ch)
}

func (c *contentCheck) size(ch change) error {
	size, err := sizeOf(c.src, ch.new.oid)
	if err != nil {
		return fmt.Errorf("reading %s: %w", ch.path, err)
	}
	_, page := wiki.PageOfFile(ch.path)
	limit := c.repo.store.cfg.MaxFile
	if page {
		limit = c.repo.store.cfg.MaxPage
	}
	if size > limit {
		c.fault(ch.path, "has %d bytes; at most %d are allowed here", size, limit)
		return nil
	}
	if ch.path != fileRedirects {
		return nil
	}
	_, data, err := c.src.Get(ch.new.oid)
	if err != nil {
		return err
	}
	_, faults := parseRedirects(data)
	c.faults = append(c.faults, faults...)
	return nil
}

func sizeOf(src objectSource, oid plumbing.Hash) (int64, error) {
	if s, ok := src.(sizer); ok {
		return s.Size(oid)
	}
	_, data, err := src.Get(oid)
	return int64(len(data)), err
}

// fewAdded is up to how many new files the folders are searched for names that
// fold to the same; above it one walk of the tree is cheaper.
const fewAdded = 64

// folds refuses a second file under the same fold: look-up could not tell the
// two apart, nor could a checkout where case does not count.
func (c *contentCheck) folds() error {
	if len(c.added) <= fewAdded {
		for _, file := range c.added {
			if err := c.foldOf(file); err != nil {
				return err
			}
		}
		return nil
	}
	added := make(map[string]bool, len(c.added))
	for _, f := range c.added {
		added[f] = true
	}
	first := map[string]string{}
	_, err := c.to.walk("", func(path string, _ *entry) bool {
		k := foldKey(path)
		if other, ok := first[k]; ok && (added[path] || added[other]) {
			c.second(path, other)
		} else if !ok {
			first[k] = path
		}
		return true
	})
	return err
}

func foldKey(file string) string {
	if p, ok := wiki.PageOfFile(file); ok {
		return p.Fold() + wiki.PageSuffix
	}
	if f, ok := wiki.PathOfFile(file); ok {
		return wiki.Fold(string(f))
	}
	return file
}

func (c *contentCheck) foldOf(file string) error {
	see := func(path string, _ *entry) bool {
		if path != file {
			c.second(file, path)
			return false
		}
		return true
	}
	if p, ok := wiki.PageOfFile(file); ok {
		return foldedFiles(c.to, p.Fold(), "", true, see)
	}
	if f, ok := wiki.PathOfFile(file); ok {
		return foldedFiles(c.to, wiki.Fold(string(f)), "", false, see)
	}
	return nil
}

func (c *contentCheck) second(file, other string) {
	c.fault(file, "there is %q already, whose name differs only in case or in \"_\" for a space; rename one of the two", other)
}
