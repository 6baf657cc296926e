package search

import (
	"errors"
	"os"
	"path/filepath"

	"wikibot/search/internal/index"
)

// spareVectors is how many vectors of texts that are gone a file may hold beside as many
// as there are chunks: a text may come back.
const spareVectors = 1000

// prune writes the file of vectors anew without those of texts that are gone, once they
// are most of it. The cost is that of the vectors that stay.
func (s *site) prune(x *index.Index) error {
	s.saving.Lock() // a save removes the unfinished files of others
	defer s.saving.Unlock()
	s.mu.Lock()
	old := s.vectors // only this goroutine adds to it; others may close it
	s.mu.Unlock()
	if _, chunks := x.Counts(); len(old.at) <= 2*chunks+spareVectors {
		return nil
	}
	fresh, err := old.only(s.e.dir(s.slug), x.Hashes())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.vectors.file != old.file {
		return fresh.discard()
	}
	if err := os.Rename(fresh.file.Name(), filepath.Join(s.e.dir(s.slug), filepath.Base(old.file.Name()))); err != nil {
		return errors.Join(err, fresh.discard())
	}
	s.vectors.close()
	s.vectors = fresh
	return nil
}

// only is a new file with the vectors of some texts.
func (l *vectorLog) only(dir string, keep map[index.Hash]bool) (vectorLog, error) {
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return vectorLog{}, err
	}
	out := vectorLog{file: f, model: l.model, dim: l.dim, at: map[index.Hash]int64{}}
	err = out.begin()
	some := map[index.Hash][]float32{}
	for h := range keep {
		if err != nil {
			break
		}
		if !l.has(h) {
			continue
		}
		if some[h], err = l.get(h); err == nil && len(some) == 256 {
			err = out.add(some)
			clear(some)
		}
	}
	if err == nil {
		err = out.add(some)
	}
	if err != nil {
		return vectorLog{}, errors.Join(err, out.discard())
	}
	return out, nil
}

// discard closes and removes a file that was not finished.
func (l *vectorLog) discard() error {
	name := l.file.Name()
	l.close()
	return os.Remove(name)
}
