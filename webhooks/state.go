package webhooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"wikibot/wiki"
)

// How far each webhook has come is kept in one bbolt file:
//
//	hooks  <slug> NUL <the wiki's id> NUL <the webhook's id>  →  row as JSON
//
// The wiki's id is in the key, so a wiki that is made anew under an old name begins
// with nothing.

const (
	maxAnswers = 20  // that are kept of each webhook
	maxRecent  = 128 // revisions that are remembered as sent
)

// row is what is known of one webhook.
type row struct {
	Cursor wiki.Revision `json:"cursor"` // up to which all was sent; empty: it has not begun
	// Recent are the last revisions that were sent (16 digits each): a history that
	// grew beside the cursor gives some of them again.
	Recent []string `json:"recent,omitempty"`

	Tries   int       `json:"tries,omitempty"`   // that failed, of the next news
	Failing time.Time `json:"failing,omitzero"`  // since when nothing was taken
	Next    time.Time `json:"next,omitzero"`     // no try before
	Off     string    `json:"off,omitempty"`     // why it is turned off; empty: it is not
	Rests   string    `json:"rests,omitempty"`   // why it rests; looked at again
	Rotated time.Time `json:"rotated,omitzero"`  // when the secret before the present one ended
	Answers []Answer  `json:"answers,omitempty"` // newest first
}

func (r *row) answered(a Answer) {
	r.Answers = slices.Insert(r.Answers, 0, a)
	r.Answers = r.Answers[:min(len(r.Answers), maxAnswers)]
}

// proven reports whether the receiver took what it was sent last.
func (r *row) proven() bool { return len(r.Answers) > 0 && r.Answers[0].OK() }

func (r *row) sent(rev wiki.Revision) {
	r.Recent = append(r.Recent, short(rev))
	r.Recent = r.Recent[max(len(r.Recent)-maxRecent, 0):]
}

func short(rev wiki.Revision) string { return string(rev[:min(len(rev), 16)]) }

// key is a webhook's.
func key(slug wiki.Slug, wikiID, id string) string {
	return string(slug) + "\x00" + wikiID + "\x00" + id
}

type state struct{ db *bbolt.DB }

func bucket() []byte { return []byte("hooks") }

// openState opens the file. A damaged one is moved aside: it is a cache.
func openState(dir string) (*state, error) {
	name := filepath.Join(dir, "webhooks.db")
	open := func() (*bbolt.DB, error) {
		db, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: 2 * time.Second})
		if err != nil {
			return nil, err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucketIfNotExists(bucket())
			return err
		})
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return db, nil
	}
	db, err := open()
	if err != nil && !errors.Is(err, os.ErrPermission) && !errors.Is(err, bbolterrors.ErrTimeout) && os.Rename(name, name+".damaged") == nil {
		db, err = open()
	}
	if err != nil {
		return nil, fmt.Errorf("opening the webhooks' file %s: %w", name, err)
	}
	return &state{db}, nil
}

func (s *state) close() error { return s.db.Close() }

// get is a webhook's row, the zero row where there is none or it cannot be read.
func (s *state) get(k string) (r row, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		r = parseRow(tx.Bucket(bucket()).Get([]byte(k)))
		return nil
	})
	return r, err
}

// parseRow reads a row; what is damaged begins anew.
func parseRow(text []byte) (r row) {
	if json.Unmarshal(text, &r) != nil {
		return row{}
	}
	if _, err := wiki.ParseRevision(string(r.Cursor)); err != nil {
		return row{}
	}
	return r
}

// change rewrites a row. It is on the disk when it returns; those who come together
// share one writing.
func (s *state) change(k string, edit func(*row)) error {
	err := s.db.Batch(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket())
		r := parseRow(b.Get([]byte(k)))
		edit(&r)
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return b.Put([]byte(k), text)
	})
	if err != nil {
		return fmt.Errorf("keeping how far a webhook has come: %w", err)
	}
	return nil
}

func (s *state) forget(k string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket()).Delete([]byte(k)) })
}

// anew makes a webhook begin at the present; its last answers stay.
func (r *row) anew() {
	*r = row{Rotated: r.Rotated, Answers: r.Answers}
}

// beginAnew is anew of a row that has begun.
func (s *state) beginAnew(k string) error {
	if r, err := s.get(k); err != nil || r.Cursor == "" {
		return err
	}
	return s.change(k, (*row).anew)
}

func (s *state) forgetWiki(slug wiki.Slug) error { return s.keepOnly(slug, nil) }

// keepOnly forgets the webhooks of a wiki but some.
func (s *state) keepOnly(slug wiki.Slug, keep map[string]bool) error {
	var gone [][]byte
	err := s.each(slug, func(k, _ []byte) {
		if !keep[string(k)] {
			gone = append(gone, bytes.Clone(k))
		}
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, k := range gone {
			if err := tx.Bucket(bucket()).Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetPast forgets what names revisions of a wiki's past, but not the cursors: a
// follower is told by them that its history is another one.
func (s *state) forgetPast(slug wiki.Slug) error {
	var keys []string
	if err := s.each(slug, func(k, _ []byte) { keys = append(keys, string(k)) }); err != nil {
		return err
	}
	for _, k := range keys {
		if err := s.change(k, func(r *row) { r.Answers, r.Recent = nil, nil }); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) each(slug wiki.Slug, fn func(k, v []byte)) error {
	prefix := append([]byte(slug), 0)
	return s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket()).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			fn(k, v)
		}
		return nil
	})
}
