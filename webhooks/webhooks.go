// Package webhooks tells other programs of a wiki's changes: for each commit of main
// it sends one signed request to each address that the wiki's owners named, in order,
// again and again until it is taken.
//
// Which addresses those are is configuration (.wikibot/webhooks.toml, see
// docs/format.md): gitstore reads, checks and writes it. How far each has come is a
// cache, cache/webhooks.db; without it they begin at the present.
//
// # What is sent
//
// Requests are those of Standard Webhooks (github.com/standard-webhooks):
//
//	POST /hook HTTP/1.1
//	Content-Type: application/json
//	Webhook-Id: msg_1f0c…        the same each time that this news is sent
//	Webhook-Timestamp: 1795359027
//	Webhook-Signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
//
//	{"type": "wiki.change", "timestamp": "2026-11-22T14:50:27Z", "data": {"wiki": "notes", …}}
//
// The signature is HMAC-SHA256 of id, timestamp and body with dots between, under the
// bytes behind the secret's prefix whsec_ in base64. For a day after a rotation there
// are two, separated by a space. Types are wiki.change, wiki.reset (the history is
// another one: read the wiki anew) and ping.
//
// An answer 2xx takes the news. 410 turns the webhook off. After anything else it is
// sent again, after 5 s, 20 s, 80 s and so on, at most 6 h, or later where Retry-After
// says so; three days without success turn the webhook off. Turned on again it begins
// at the present.
//
// A webhook reads on behalf of its maker and rests while they do not manage the wiki.
//
// # Bounds
//
// Config.PerWiki webhooks for a wiki and Config.Site for the site are served, the
// others rest. A served one costs a goroutine and, while a commit is on its way, at
// most 64 commits and a body of 256 KiB. At most Config.Parallel requests are under way
// and two to one host; webhooks whose last request was not taken, and new ones, share
// half as many places of their own, so that dead receivers delay none that answer.
package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/outbound"
	"wikibot/wiki"
)

// Config is what an Engine works with.
type Config struct {
	Store     *gitstore.Store
	Notes     *notes.Service
	Client    *outbound.Client
	Addresses wiki.Addresses
	Dir       string           // of webhooks.db; empty: the Store's cache folder
	Log       *slog.Logger     // nil: slog.Default()
	Now       func() time.Time // nil: time.Now

	PerWiki  int // webhooks of one wiki; 0: 10
	Site     int // webhooks of all wikis that are served; 0: 2000
	Parallel int // requests that are under way at once; 0: 16

	First   time.Duration // before the second try; 0: 5 s
	GiveUp  time.Duration // of failures, then the webhook is turned off; 0: 72 h
	Recheck time.Duration // how often one that rests is looked at; 0: 1 min
}

// Engine sends the news of all wikis. It is safe for concurrent use.
type Engine struct {
	Config
	db    *state
	key   []byte
	lanes *lanes

	ctx    context.Context
	stop   context.CancelFunc
	cancel func() // ends the subscription
	done   chan struct{}
	again  chan wiki.Slug // a wiki to be looked at; a lost one is found by the next round

	editing sync.Mutex // held while a wiki's webhooks are reviewed, or one is added

	mu      sync.Mutex
	workers map[string]*worker // by key; guarded by mu

	past    sync.Mutex         // a lock of its own: the Store waits for it, and workers for the Store
	rewrote map[wiki.Slug]bool // whose history was rewritten, not yet dealt with; guarded by past
}

// round is how often all wikis are looked at, for events that were lost.
const round = 10 * time.Minute

// Open starts sending. Close must be called before the Store's.
func Open(c Config) (*Engine, error) {
	if c.Store == nil || c.Notes == nil || c.Client == nil {
		return nil, errors.New("webhooks need a store, notes and a client")
	}
	c.defaults()
	key, err := openKey(c.Store.SecretsDir())
	if err != nil {
		return nil, err
	}
	db, err := openState(c.Dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{Config: c, db: db, key: key, lanes: newLanes(c.Parallel), done: make(chan struct{}),
		again: make(chan wiki.Slug, 64), workers: map[string]*worker{}, rewrote: map[wiki.Slug]bool{}}
	e.ctx, e.stop = context.WithCancel(context.Background())
	events, cancel := c.Store.Subscribe(1024)
	e.cancel = cancel
	c.Store.OnRewrite(e.rewritten)
	go e.run(events)
	return e, nil
}

func (c *Config) defaults() {
	if c.Dir == "" {
		c.Dir = c.Store.CacheDir()
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&c.PerWiki, 10}, {&c.Site, 2000}, {&c.Parallel, 16}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.First, 5 * time.Second}, {&c.GiveUp, 72 * time.Hour}, {&c.Recheck, time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// Close ends what is under way, without counting it as failed, and keeps how far it
// has come. It may be called more than once.
func (e *Engine) Close() error {
	e.stop()
	e.cancel()
	<-e.done
	return e.db.close()
}

// host is who reads the configurations: the server itself.
func host() wiki.Caller { return wiki.Caller{Via: wiki.ViaCLI, Credential: "webhooks", Host: true} }

// rewritten notes that what is known of a wiki's past must go; it is called by the Store.
func (e *Engine) rewritten(slug wiki.Slug) {
	e.past.Lock()
	e.rewrote[slug] = true
	e.past.Unlock()
	e.look(slug)
}

// look has a wiki's webhooks looked at soon.
func (e *Engine) look(slug wiki.Slug) {
	select {
	case e.again <- slug:
	default:
	}
}
