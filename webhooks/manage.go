package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/wiki"
)

// Standing is what a webhook does now.
type Standing string

// The standings.
const (
	Working Standing = "working" // its last news was taken, or it has had none
	Failing Standing = "failing" // the last try failed; it is sent again
	Resting Standing = "resting" // for a reason that may pass by itself
	Off     Standing = "off"     // until an owner turns it on
)

// Hook is a webhook as its owners see it.
type Hook struct {
	gitstore.Webhook
	Standing Standing
	Reason   string    // of Failing, Resting and Off
	Next     time.Time // of Failing: when it is tried again
	Last     *Answer   // nil: nothing was sent yet
}

// New is a webhook that is to be.
type New struct{ URL, Name, Prefix string }

// Change is what an owner changes; nil leaves a value as it is.
type Change struct {
	URL, Name, Prefix *string
	Active            *bool
}

// List are the webhooks of a wiki, with what they do now. Only those who manage the
// wiki are told, here and everywhere below: to others who read it that is ErrForbidden,
// to the rest there is no wiki.
func (e *Engine) List(ctx context.Context, c wiki.Caller, slug wiki.Slug) ([]Hook, error) {
	_, list, err := e.hooks(ctx, c, slug)
	return list, err
}

// Get is one webhook.
func (e *Engine) Get(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) (Hook, error) {
	_, h, err := e.find(ctx, c, slug, id)
	return h, err
}

func (e *Engine) find(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) (wikiID string, h Hook, err error) {
	wikiID, list, err := e.hooks(ctx, c, slug)
	if err != nil {
		return "", Hook{}, err
	}
	for _, h := range list {
		if h.ID == id {
			return wikiID, h, nil
		}
	}
	return "", Hook{}, wiki.NotFound("the wiki has no webhook %q; list them to see their ids", id)
}

func (e *Engine) hooks(ctx context.Context, c wiki.Caller, slug wiki.Slug) (wikiID string, out []Hook, err error) {
	list, err := e.Store.Webhooks(ctx, c, slug)
	if err != nil {
		return "", nil, err
	}
	v, err := e.Store.View(ctx, c, slug)
	if err != nil {
		return "", nil, err
	}
	wikiID = v.Policy().Wiki
	out = make([]Hook, len(list))
	for i, w := range list {
		k := key(slug, wikiID, w.ID)
		r, err := e.db.get(k)
		if err != nil {
			return "", nil, err
		}
		out[i] = e.hook(w, r, i, k)
	}
	return wikiID, out, nil
}

// hook says what a webhook does; i is its place in the wiki's list.
func (e *Engine) hook(w gitstore.Webhook, r row, i int, k string) Hook {
	h := Hook{Webhook: w, Standing: Working}
	if len(r.Answers) > 0 {
		h.Last = &r.Answers[0]
	}
	e.mu.Lock()
	served := e.workers[k] != nil || len(e.workers) < e.Site
	e.mu.Unlock()
	switch {
	case !w.Active:
		h.Standing, h.Reason = Off, "an owner has turned it off"
	case r.Off != "":
		h.Standing, h.Reason = Off, r.Off+"; an owner can turn it on again"
	case i >= e.PerWiki:
		h.Standing, h.Reason = Resting, "the wiki has more webhooks than are served here; remove others"
	case !served:
		h.Standing, h.Reason = Resting, "this site has more webhooks than it serves; turn to its administrators"
	case r.Rests != "":
		h.Standing, h.Reason = Resting, r.Rests
	case r.Tries > 0:
		h.Standing, h.Reason, h.Next = Failing, "the last try failed", r.Next
		if h.Last != nil && h.Last.Error != "" {
			h.Reason = h.Last.Error
		}
	}
	return h
}

// Create adds a webhook, whose maker is the caller, and gives the signing secret,
// whsec_…, which [Engine.Secret] shows again. It is told of each commit from now on.
func (e *Engine) Create(ctx context.Context, c wiki.Caller, slug wiki.Slug, n New) (Hook, string, error) {
	// What somebody may not do comes before what is wrong with it.
	if _, err := e.Store.Webhooks(ctx, c, slug); err != nil {
		return Hook{}, "", err
	}
	if err := makes(c); err != nil {
		return Hook{}, "", err
	}
	if err := e.checkURL(n.URL); err != nil {
		return Hook{}, "", err
	}
	id := make([]byte, 8)
	rand.Read(id)
	w := gitstore.Webhook{ID: hex.EncodeToString(id), URL: n.URL, Name: strings.TrimSpace(n.Name), Prefix: n.Prefix, Maker: c.User, Active: true, Generation: 1}
	if err := e.add(ctx, c, slug, w); err != nil {
		return Hook{}, "", err
	}
	e.look(slug)
	wikiID, h, err := e.find(ctx, c, slug, w.ID)
	if err != nil {
		return Hook{}, "", err
	}
	return h, e.showSecret(wikiID, w), nil
}

// add writes a new webhook, with a row that begins before it is there: nobody who
// sees it in the list misses a change.
func (e *Engine) add(ctx context.Context, c wiki.Caller, slug wiki.Slug, w gitstore.Webhook) error {
	e.editing.Lock()
	defer e.editing.Unlock()
	v, err := e.Store.View(ctx, c, slug)
	if err != nil {
		return err
	}
	k := key(slug, v.Policy().Wiki, w.ID)
	if err := e.db.change(k, func(r *row) { *r = row{Cursor: v.Head()} }); err != nil {
		return err
	}
	if err := e.Store.AddWebhook(ctx, c, slug, w, e.PerWiki); err != nil {
		e.warn(slug, e.db.forget(k))
		return err
	}
	return nil
}

// makes refuses callers that cannot be a webhook's maker.
func makes(c wiki.Caller) error {
	if c.User == "" {
		return wiki.Forbidden("a webhook reads the wiki on behalf of a person; sign in as an owner and make it there")
	}
	return nil
}

func (e *Engine) checkURL(raw string) error {
	if _, err := e.Client.Check(raw); err != nil {
		return wiki.Invalid("url", "%v", err)
	}
	return nil
}

// Update changes a webhook. Who gives it another address or turns it on is its maker
// from then on. Turned on, it begins at the present if it was off, and what kept it is
// forgotten.
func (e *Engine) Update(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string, ch Change) (Hook, error) {
	wikiID, h, err := e.find(ctx, c, slug, id)
	if err != nil {
		return Hook{}, err
	}
	turnOn := ch.Active != nil && *ch.Active
	takesOver := turnOn || ch.URL != nil && *ch.URL != h.URL
	if ch.URL != nil {
		if err := e.checkURL(*ch.URL); err != nil {
			return Hook{}, err
		}
	}
	if takesOver {
		if err := makes(c); err != nil {
			return Hook{}, err
		}
	}
	err = e.Store.SetWebhook(ctx, c, slug, id, func(w *gitstore.Webhook) error {
		set(&w.URL, ch.URL)
		set(&w.Name, ch.Name)
		set(&w.Prefix, ch.Prefix)
		set(&w.Active, ch.Active)
		if takesOver {
			w.Maker = c.User
		}
		return nil
	})
	if err != nil {
		return Hook{}, err
	}
	if takesOver {
		if err := e.tryAgain(key(slug, wikiID, id)); err != nil {
			return Hook{}, err
		}
	}
	e.look(slug)
	return e.Get(ctx, c, slug, id)
}

// tryAgain forgets what keeps a webhook from being sent to.
func (e *Engine) tryAgain(k string) error {
	err := e.db.change(k, func(r *row) {
		if r.Off != "" {
			r.anew()
		}
		r.Rests, r.Tries, r.Failing, r.Next = "", min(r.Tries, 1), time.Time{}, time.Time{}
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.workers[k]; w != nil {
		w.wake()
	}
	return err
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// Delete takes a webhook away; what is under way to it is broken off.
func (e *Engine) Delete(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) error {
	if _, _, err := e.find(ctx, c, slug, id); err != nil {
		return err
	}
	if err := e.Store.RemoveWebhook(ctx, c, slug, id); err != nil {
		return err
	}
	e.look(slug)
	return nil
}

// Secret is the signing secret of a webhook.
func (e *Engine) Secret(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) (string, error) {
	wikiID, h, err := e.find(ctx, c, slug, id)
	if err != nil {
		return "", err
	}
	return e.showSecret(wikiID, h.Webhook), nil
}

// manages is Manage, where seeing the list is Inspect.
func (e *Engine) manages(ctx context.Context, c wiki.Caller, slug wiki.Slug) error {
	v, err := e.Store.View(ctx, c, slug)
	if err != nil {
		return err
	}
	return v.May(acl.Manage)
}

// Rotate gives a webhook another signing secret. For a day its messages are signed
// with the one before as well, so that the receiver can be changed without a loss.
func (e *Engine) Rotate(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) (string, error) {
	wikiID, h, err := e.find(ctx, c, slug, id)
	if err != nil {
		return "", err
	}
	if err := e.manages(ctx, c, slug); err != nil {
		return "", err
	}
	if err := e.db.change(key(slug, wikiID, id), func(r *row) { r.Rotated = e.Now() }); err != nil {
		return "", err
	}
	err = e.Store.SetWebhook(ctx, c, slug, id, func(w *gitstore.Webhook) error {
		w.Generation++
		h.Webhook = *w
		return nil
	})
	if err != nil {
		return "", err
	}
	e.look(slug)
	return e.showSecret(wikiID, h.Webhook), nil
}

// Ping sends a message of the type ping at once and gives the answer, which is also
// kept with the others. It turns nothing on or off and is not sent again.
func (e *Engine) Ping(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) (Answer, error) {
	wikiID, h, err := e.find(ctx, c, slug, id)
	if err != nil {
		return Answer{}, err
	}
	if err := e.manages(ctx, c, slug); err != nil {
		return Answer{}, err
	}
	k := key(slug, wikiID, id)
	r, err := e.db.get(k)
	if err != nil {
		return Answer{}, err
	}
	m := finish(k, body{Type: TypePing, Timestamp: e.Now().UTC(), Data: data{Wiki: slug, URL: e.Addresses.Absolute(slug)}})
	a, err := e.send(ctx, slug, h.Webhook, m, r)
	if err != nil {
		return Answer{}, err
	}
	return a, e.db.change(k, func(r *row) { r.answered(a) })
}

// Deliveries are the last answers of a webhook, at most 20, newest first.
func (e *Engine) Deliveries(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) ([]Answer, error) {
	wikiID, _, err := e.find(ctx, c, slug, id)
	if err != nil {
		return nil, err
	}
	r, err := e.db.get(key(slug, wikiID, id))
	return r.Answers, err
}
