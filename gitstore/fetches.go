package gitstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"wikibot/wiki"
)

// Who has cloned or fetched a wiki last, for the day on which something leaks that was
// in it. It is in cache/ and never in git, has no network addresses, and is bounded;
// what is asked for by a browser or the API is not in it.

// Fetch is the last time that somebody fetched with one credential.
type Fetch struct {
	User       wiki.Username `json:"user,omitempty"`       // empty: anonymous, or a wiki's token
	Credential string        `json:"credential,omitempty"` // the id of a token or key
	Via        wiki.Via      `json:"via"`
	When       time.Time     `json:"when"` // to the minute
}

// maxFetches bounds what is remembered of one wiki.
const maxFetches = 1000

// fetches are those of one wiki.
type fetches struct {
	mu      sync.Mutex
	loaded  bool // guarded by mu, as all below
	changed bool
	list    map[Fetch]time.Time // without the time → the time
}

// NoteFetch remembers that somebody cloned or fetched a wiki. It costs a map; the
// disk is written in the background.
func (s *Store) NoteFetch(c wiki.Caller, slug wiki.Slug) {
	if slug == "" || slug == admin {
		return
	}
	r, err := s.wiki(slug)
	if err != nil {
		return
	}
	f := &r.fetches
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load(r)
	key, now := Fetch{User: c.User, Credential: c.Credential, Via: c.Via}, s.now().UTC().Truncate(time.Minute)
	if f.list[key].Equal(now) {
		return
	}
	f.list[key], f.changed = now, true
	if len(f.list) > maxFetches {
		oldest := key
		for k, t := range f.list {
			if t.Before(f.list[oldest]) {
				oldest = k
			}
		}
		delete(f.list, oldest)
	}
}

// Fetches are who has fetched a wiki, the latest first, as far as it is known: since
// cache/ was last deleted, and with no more than 1,000 credentials.
func (s *Store) Fetches(slug wiki.Slug) ([]Fetch, error) {
	r, err := s.wikiAnyway(slug)
	if err != nil {
		return nil, err
	}
	f := &r.fetches
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load(r)
	out := make([]Fetch, 0, len(f.list))
	for k, t := range f.list {
		k.When = t
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Fetch) int {
		return cmp.Or(b.When.Compare(a.When), cmp.Compare(a.User, b.User), cmp.Compare(a.Credential, b.Credential), cmp.Compare(a.Via, b.Via))
	})
	return out, nil
}

func (r *repo) fetchesFile() string {
	return filepath.Join(r.store.CacheDir(), "fetches", string(r.name)+".json")
}

// load reads the file once; the lock is held.
func (f *fetches) load(r *repo) {
	if f.loaded {
		return
	}
	f.loaded, f.list = true, map[Fetch]time.Time{}
	data, err := os.ReadFile(r.fetchesFile())
	var list []Fetch
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.store.log.Warn("who has fetched cannot be read; it begins anew", "wiki", r.name, "error", err)
	}
	for _, x := range list[:min(len(list), maxFetches)] {
		when := x.When
		x.When = time.Time{}
		f.list[x] = when
	}
}

// saveFetches writes the file where something is new.
func (r *repo) saveFetches() {
	f := &r.fetches
	f.mu.Lock()
	changed := f.changed
	f.changed = false
	f.mu.Unlock()
	if !changed {
		return
	}
	list, err := r.store.Fetches(r.name)
	if err != nil {
		return // the wiki was deleted
	}
	data, err := json.Marshal(list)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(r.fetchesFile()), 0o700)
	}
	if err == nil {
		err = r.store.replaceFile(r.fetchesFile(), data, 0o600)
	}
	if err != nil {
		r.store.log.Warn("who has fetched was not written down", "wiki", r.name, "error", err)
	}
}
