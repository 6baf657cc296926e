package search

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/search/embed"
	"wikibot/search/internal/chunks"
	"wikibot/search/internal/index"
)

// How long the embedding of a wiki rests after the model has failed: twice as long
// after each failure.
const (
	restFirst = 2 * time.Second
	restMost  = 5 * time.Minute
)

// embed has the vectors made that an index lacks, in the background, where there is a
// model. Each text is embedded once, whatever page or commit it is in.
func (s *site) embed(x *index.Index) {
	if s.e.Embedder == nil {
		return
	}
	s.mu.Lock()
	busy := s.embedding
	s.embedding, s.embedMore = true, busy
	gone := s.gone
	s.mu.Unlock()
	if busy || gone {
		return
	}
	started := s.e.background(func() {
		for more := true; more; {
			err := giveWay(func() error { return s.embedAll(s.e.ctx, x) })
			s.mu.Lock()
			more = s.embedMore && s.index != nil && s.e.ctx.Err() == nil
			s.embedMore, s.embedErr, x = false, err, s.index
			s.embedding = more
			s.mu.Unlock()
			if err != nil && s.e.ctx.Err() == nil {
				s.e.Log.Error("embedding ended", "wiki", s.slug, "error", err)
			}
		}
	})
	if !started {
		s.mu.Lock()
		s.embedding = false
		s.mu.Unlock()
	}
}

// embedAll gives every chunk its vector. It ends when nothing is missing or the index
// is not the wiki's any more.
func (s *site) embedAll(ctx context.Context, x *index.Index) error {
	model := s.e.Embedder.ID()
	if err := s.openLog(model, x); err != nil {
		return err
	}
	rest, failures, anew := restFirst, 0, false
	refused := map[index.Hash]bool{} // texts that the model cannot take
	for from := uint32(0); ; {
		if !s.current(x) {
			return ctx.Err()
		}
		want, next := x.Missing(from, max(1, s.e.Embedder.MaxBatch()), func(h index.Hash) bool { return refused[h] })
		if len(want) > 0 {
			err := s.embedSome(ctx, x, model, want, refused)
			if errors.Is(err, errRefused) {
				continue // with the others
			}
			if errors.Is(err, errLength) && !anew {
				s.e.Log.Warn("the embedding model gives vectors of another length than before, so all are made anew", "wiki", s.slug, "model", model)
				if err := s.dropVectors(x, model); err != nil {
					return err
				}
				from, anew = 0, true
				continue
			}
			if failures++; err == nil {
				failures = 0
			} else if failures >= faultyAfter && s.embedEach(ctx, x, model, want, refused) {
				err, failures = nil, 0
			}
			s.mu.Lock()
			s.embedErr = err
			s.mu.Unlock()
			if err != nil {
				s.e.Log.Warn("the embedding model does not answer; words and related terms do meanwhile", "wiki", s.slug, "model", model, "again_in", rest, "error", err)
				select {
				case <-time.After(rest):
				case <-ctx.Done():
					return ctx.Err()
				}
				rest = min(2*rest, restMost)
				continue
			}
			rest = restFirst
		}
		if from = next; next == 0 {
			break
		}
	}
	x.FinishModel()
	s.dropOtherModels(model)
	if err := s.prune(x); err != nil {
		s.e.Log.Warn("the file of vectors still holds those of texts that are gone", "wiki", s.slug, "error", err)
	}
	s.e.trim(s)
	return nil
}

// current reports whether an index is still the wiki's.
func (s *site) current(x *index.Index) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index == x && !s.gone && s.e.ctx.Err() == nil
}

// openLog opens the file of the model's vectors and puts what it holds into the index.
// Where that is not all, and there are vectors of another model that can still be
// asked, those answer meanwhile. One that is open, of an index with vectors, stays.
func (s *site) openLog(model string, x *index.Index) error {
	dir := s.e.dir(s.slug)
	s.mu.Lock()
	open := s.vectors.file != nil && s.vectors.model == model
	s.mu.Unlock()
	if serving, _ := x.Serving(); open && serving != "" {
		if _, err := os.Stat(vectorFile(dir, model)); err == nil { // the folder may be deleted at any time
			x.UseModel(model)
			return nil
		}
	}
	l, err := openVectors(dir, model, 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if serving, _ := x.Serving(); serving == "" && !l.covers(x) {
		s.serveEarlier(dir, model, x)
	}
	x.UseModel(model)
	s.mu.Lock()
	s.vectors.close()
	s.vectors = l
	s.mu.Unlock()
	return nil
}

// covers reports whether the file has a vector for every chunk.
func (l *vectorLog) covers(x *index.Index) bool {
	if l.file == nil {
		return false
	}
	for h := range x.Hashes() {
		if !l.has(h) {
			return false
		}
	}
	return true
}

// serveEarlier fills the index with the vectors of a model that was used before.
func (s *site) serveEarlier(dir, model string, x *index.Index) {
	for _, file := range s.files(vectorSuffix) {
		id, ok := modelOf(file)
		if !ok || id == model {
			continue
		}
		if _, ok := s.e.Embedder.Earlier(id); !ok {
			continue
		}
		l, err := openVectors(dir, id, 0)
		if err != nil {
			continue // it is only a cache
		}
		made := map[index.Hash][]float32{}
		for h := range x.Hashes() {
			if l.has(h) {
				if v, err := l.get(h); err == nil {
					made[h] = v
				}
			}
		}
		l.close()
		if len(made) > 0 {
			x.UseModel(id)
			if err := x.PutVectors(id, made); err == nil {
				return
			}
		}
	}
}

// modelOf is the model's id in the head of a file of vectors.
func modelOf(file string) (string, bool) {
	f, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := f.Read(head)
	line, _, ok := strings.Cut(string(head[:n]), "\n")
	rest, named := strings.CutPrefix(line, "wikibot vectors ")
	_, id, cut := strings.Cut(rest, " ")
	return id, ok && named && cut
}

// faultyAfter is after how many failures of the same texts each is tried by itself: one
// for which the model gives nothing that can be used must not keep all others waiting.
const faultyAfter = 3

// embedEach tries texts one by one. Where some of them work, the service does, and the
// others are given up; it reports whether that is so.
func (s *site) embedEach(ctx context.Context, x *index.Index, model string, want []index.Want, refused map[index.Hash]bool) bool {
	var bad []index.Hash
	for _, w := range want {
		if err := s.embedSome(ctx, x, model, []index.Want{w}, refused); err != nil && !errors.Is(err, errRefused) {
			bad = append(bad, w.Hash)
		}
	}
	if len(bad) == len(want) || ctx.Err() != nil {
		return false
	}
	for _, h := range bad {
		refused[h] = true
	}
	if len(bad) > 0 {
		s.e.Log.Warn("some texts cannot be embedded; words find them", "wiki", s.slug, "model", model, "texts", len(bad))
	}
	return true
}

// errRefused: the model cannot take one of the texts.
var errRefused = errors.New("a text was refused")

// embedSome gives some chunks their vectors, from the file where they are in it, else
// from the model.
func (s *site) embedSome(ctx context.Context, x *index.Index, model string, want []index.Want, refused map[index.Hash]bool) error {
	made := map[index.Hash][]float32{}
	s.mu.Lock()
	for _, w := range want {
		if s.vectors.has(w.Hash) {
			if v, err := s.vectors.get(w.Hash); err == nil {
				made[w.Hash] = v
			}
		}
	}
	s.mu.Unlock()
	texts, hashes, err := s.textsOf(ctx, want, made, refused)
	if err != nil {
		return err
	}
	if len(texts) > 0 {
		got, err := s.e.Embedder.Embed(ctx, embed.Document, texts)
		var fault *embed.TextError
		if errors.As(err, &fault) && fault.Index >= 0 && fault.Index < len(hashes) {
			s.e.Log.Warn("a text cannot be embedded; words find it", "wiki", s.slug, "error", err)
			refused[hashes[fault.Index]] = true
			return errRefused
		}
		if err != nil {
			return err
		}
		if !s.fits(got) {
			return errLength
		}
		fresh := map[index.Hash][]float32{}
		for i, v := range got {
			fresh[hashes[i]], made[hashes[i]] = v, v
		}
		if err := s.remember(model, fresh); err != nil {
			s.e.Log.Warn("vectors were not saved; they will be made again after the next start", "wiki", s.slug, "error", err)
		}
	}
	return x.PutVectors(model, made)
}

// errLength: the model makes vectors of another length than those that are kept.
var errLength = errors.New("the model's vectors have another length than before")

// fits reports whether vectors are as long as those in the file.
func (s *site) fits(made [][]float32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range made {
		if s.vectors.file != nil && len(v) != s.vectors.dim {
			return false
		}
	}
	return true
}

// dropVectors forgets all of a model that has changed under its name.
func (s *site) dropVectors(x *index.Index, model string) error {
	x.DropVectors(model)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vectors.close()
	if err := os.Remove(vectorFile(s.e.dir(s.slug), model)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// remember writes vectors to the model's file, which begins with the first of them.
func (s *site) remember(model string, made map[index.Hash][]float32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil
	}
	if s.vectors.file == nil {
		for _, v := range made {
			l, err := openVectors(s.e.dir(s.slug), model, len(v))
			if err != nil {
				return err
			}
			s.vectors = l
			break
		}
	}
	return s.vectors.add(made)
}

// textsOf are the texts of the chunks that have no vector yet. A page that has changed
// meanwhile is left out: the round that follows it asks again.
func (s *site) textsOf(ctx context.Context, want []index.Want, made map[index.Hash][]float32, refused map[index.Hash]bool) (texts []string, hashes []index.Hash, err error) {
	v, err := s.e.Store.Follow(ctx, s.slug)
	if err != nil {
		return nil, nil, err
	}
	asked := map[index.Hash]bool{}
	var page chunks.Page
	var of index.Want // whose page it is
	for _, w := range want {
		if made[w.Hash] != nil || asked[w.Hash] {
			continue
		}
		if of.Path != w.Path || of.Blob != w.Blob {
			page, of = splitAgain(v, w), w
		}
		if w.Chunk >= len(page.Chunks) || chunks.Hash(page.Chunks[w.Chunk].Text) != w.Hash {
			refused[w.Hash] = true // not this time: its page is another one now
			continue
		}
		asked[w.Hash] = true
		texts, hashes = append(texts, page.Chunks[w.Chunk].Text), append(hashes, w.Hash)
	}
	return texts, hashes, nil
}

func splitAgain(v *gitstore.View, w index.Want) chunks.Page {
	p, err := v.ReadPage(w.Path)
	if err != nil || p.Blob != w.Blob {
		return chunks.Page{}
	}
	return chunks.Split(indexed(p.Content), p.Path)
}

// indexed is the part of a page that is indexed.
func indexed(content []byte) []byte { return content[:min(len(content), maxIndexed)] }

// dropOtherModels removes the files of models that are not used any more.
func (s *site) dropOtherModels(model string) {
	for _, f := range s.files(vectorSuffix) {
		if f != vectorFile(s.e.dir(s.slug), model) {
			if err := os.Remove(f); err != nil {
				s.e.Log.Warn("the vectors of an earlier model are still on the disk", "file", f, "error", err)
			}
		}
	}
}
