package search

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/search/internal/index"
	"wikibot/wiki"
)

// The saved index is <dir>/<slug>/<commit>.index:
//
//	wikibot index <commit> <language>\n
//	the index, see package search/internal/index
//
// It is written beside its place and renamed, so after a crash either the old file is
// there or the new one; one that is damaged does not match its checksum and is made
// anew.
const (
	indexSuffix = ".index"
	fileHeader  = "wikibot index %s %s\n"
)

// load reads the saved index, if there is one of this wiki's that can be used. The
// cost is about 20 ms for 1,000 chunks.
func (s *site) load(v *gitstore.View) (*index.Index, wiki.Revision) {
	for _, file := range s.files(indexSuffix) {
		commit := wiki.Revision(strings.TrimSuffix(filepath.Base(file), indexSuffix))
		x, err := s.loadFile(file, commit)
		if err == nil {
			if _, err = v.Changed(commit); err == nil {
				s.mu.Lock()
				s.saved = commit
				s.mu.Unlock()
				return x, commit
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			s.e.Log.Warn("a saved search index is not used; it is made anew", "wiki", s.slug, "file", file, "error", err)
			os.Remove(file) // best effort: it is replaced by the next save
		}
	}
	return nil, ""
}

// files are those in the wiki's folder whose names end so.
func (s *site) files(suffix string) (all []string) {
	dir := s.e.dir(s.slug)
	entries, _ := os.ReadDir(dir) // without the folder nothing is saved
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

func (s *site) loadFile(file string, commit wiki.Revision) (*index.Index, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(fileHeader, commit, s.e.Language)
	if !bytes.HasPrefix(b, []byte(head)) {
		return nil, errors.New("it belongs to another commit or language")
	}
	x, err := index.Read(b[len(head):])
	if err != nil {
		return nil, err
	}
	if x.Language() != s.e.Language {
		return nil, errors.New("it is of another language")
	}
	return x, nil
}

// save writes the index, if it differs from the file. A failure costs time at the next
// start and nothing else.
func (s *site) save() {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	x, commit, asked, moves := s.index, s.cursor, s.asked, s.moves
	need := x != nil && !s.dirty.IsZero() && !s.running && !s.gone && !s.partial && commit != ""
	s.mu.Unlock()
	if !need {
		return
	}
	b := x.Append(fmt.Appendf(nil, fileHeader, commit, s.e.Language))
	s.mu.Lock()
	still := s.asked == asked && !s.gone // no round has begun meanwhile: what was written down is one commit's
	s.mu.Unlock()
	if !still {
		return
	}
	if err := s.writeFile(commit, b); err != nil {
		s.e.Log.Warn("the search index was not saved; it will be made again after the next start", "wiki", s.slug, "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved = commit; s.asked == asked && s.moves == moves {
		s.dirty = time.Time{}
	}
}

// writeFile puts the file in the place of its predecessors.
func (s *site) writeFile(commit wiki.Revision, b []byte) error {
	dir := s.e.dir(s.slug)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	name := string(commit) + indexSuffix
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != name && (strings.HasSuffix(e.Name(), indexSuffix) || strings.HasPrefix(e.Name(), "new-")) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
