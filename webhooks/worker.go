package webhooks

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/wiki"
)

// worker sends the news of one webhook, one after the other.
type worker struct {
	e    *Engine
	key  string
	slug wiki.Slug
	hook gitstore.Webhook // as the configuration had it when the worker began

	ctx  context.Context
	stop context.CancelFunc
	kick chan struct{} // holds one: look at the row again
	done chan struct{}

	passed  wiki.Revision // handed out and not for this webhook, not kept yet
	skipped int           // how many since the cursor was kept
}

var (
	errLater = errors.New("the news was not taken; the row says when it is sent again")
	errOff   = errors.New("the webhook is turned off")
)

// resting is why a webhook rests.
type resting struct{ text string }

func (r *resting) Error() string { return r.text }

func (e *Engine) start(k string, slug wiki.Slug, hook gitstore.Webhook) *worker {
	w := &worker{e: e, key: k, slug: slug, hook: hook, kick: make(chan struct{}, 1), done: make(chan struct{})}
	w.ctx, w.stop = context.WithCancel(e.ctx)
	go w.run()
	return w
}

func (w *worker) wake() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// run goes on until the worker is stopped: it follows the wiki from where the row
// says, waits where the row says so, and begins again.
func (w *worker) run() {
	defer close(w.done)
	defer w.keepPassed()
	for w.ctx.Err() == nil {
		r, err := w.e.db.get(w.key)
		if err == nil && r.Cursor == "" {
			r, err = w.begin()
		}
		if err == nil && w.pause(r) {
			continue
		}
		if err == nil {
			w.e.Log.Debug("webhooks: following", "wiki", w.slug, "webhook", w.hook.ID, "after", r.Cursor)
			err = w.e.Notes.Follow(w.ctx, notes.FollowRequest{Slug: w.slug, After: r.Cursor, Check: w.check, Every: w.e.Recheck}, w.hand)
		}
		w.settle(err)
	}
}

// begin has a webhook begin at the present.
func (w *worker) begin() (r row, err error) {
	v, err := w.e.Store.View(w.ctx, host(), w.slug)
	if err != nil {
		return row{}, err
	}
	err = w.e.db.change(w.key, func(to *row) {
		to.Cursor = v.Head()
		r = *to
	})
	return r, err
}

// pause waits where the row says so, and then true: look at it again.
func (w *worker) pause(r row) bool {
	wait := r.Next.Sub(w.e.Now())
	if r.Off == "" && wait <= 0 {
		return false
	}
	var timer <-chan time.Time
	if r.Off == "" {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-w.ctx.Done():
	case <-w.kick:
		return r.Off != "" || r.Rests == "" // what it rests for may be over, so that is tried at once
	}
	return true
}

// settle notes why following has ended.
func (w *worker) settle(err error) {
	var rests *resting
	switch {
	case w.ctx.Err() != nil || errors.Is(err, errLater) || errors.Is(err, errOff):
		return
	case errors.As(err, &rests):
	case errors.Is(err, wiki.ErrNotFound): // the wiki is going
		rests = &resting{"the wiki cannot be read now"}
	default:
		w.e.Log.Warn("a webhook cannot go on; it tries again", "wiki", w.slug, "webhook", w.hook.ID, "error", err)
		rests = &resting{"something failed in the server; it tries again, and the server's log has the cause"}
	}
	w.e.Log.Debug("a webhook rests", "wiki", w.slug, "webhook", w.hook.ID, "why", rests.text)
	w.change(func(r *row) { r.Rests, r.Next = rests.text, w.e.Now().Add(w.e.Recheck) })
}

// change rewrites the row; what cannot be kept is told to the log.
func (w *worker) change(edit func(*row)) {
	if err := w.e.db.change(w.key, edit); err != nil {
		w.e.Log.Warn("how far a webhook has come was not kept", "wiki", w.slug, "webhook", w.hook.ID, "error", err)
	}
}

// check gives the caller for whom the wiki is read: the maker, while they manage it.
func (w *worker) check(ctx context.Context) (wiki.Caller, error) {
	c := wiki.Caller{User: w.hook.Maker, Via: wiki.ViaAPI, Credential: "webhook " + w.hook.ID}
	v, err := w.e.Store.View(ctx, c, w.slug)
	if err == nil {
		err = v.May(acl.Inspect)
	}
	switch {
	case err == nil && v.Caller().User == w.hook.Maker:
	case err == nil || errors.Is(err, wiki.ErrNotFound) || errors.Is(err, wiki.ErrForbidden) || errors.Is(err, wiki.ErrUnauthenticated) || errors.Is(err, wiki.ErrPayment):
		return wiki.Caller{}, &resting{"its maker " + string(w.hook.Maker) + " does not manage the wiki any more; an owner who turns it on becomes its maker"}
	default:
		return wiki.Caller{}, err
	}
	if r, err := w.e.db.get(w.key); err == nil && r.Rests != "" {
		w.change(func(r *row) { r.Rests, r.Next = "", time.Time{} })
	}
	return c, nil
}

// keepEvery is how many commits that are not for a webhook go by before its cursor is
// kept.
const keepEvery = 256

// hand is given each commit in turn.
func (w *worker) hand(ev notes.Event) error {
	rev := ev.Commit.Revision
	r, err := w.e.db.get(w.key)
	if err != nil {
		return err
	}
	m, ok := w.message(ev)
	if !ok || !ev.Reset && slices.Contains(r.Recent, short(rev)) {
		w.passed = rev
		if w.skipped++; w.skipped >= keepEvery {
			w.keepPassed()
		}
		return nil
	}
	a, err := w.e.send(w.ctx, w.slug, w.hook, m, r)
	if err != nil {
		return err
	}
	w.passed, w.skipped = "", 0
	return w.note(a, ev, r)
}

// keepPassed keeps the cursor behind commits that were not for this webhook.
func (w *worker) keepPassed() {
	if w.passed == "" {
		return
	}
	rev := w.passed
	w.passed, w.skipped = "", 0
	w.change(func(r *row) {
		if r.Cursor != "" { // else it was told to begin anew
			r.Cursor = rev
		}
	})
}

// note keeps what an answer means.
func (w *worker) note(a Answer, ev notes.Event, was row) error {
	now, result := w.e.Now(), error(nil)
	err := w.e.db.change(w.key, func(r *row) {
		result = nil // it may run again
		a.Try = r.Tries + 1
		r.answered(a)
		switch {
		case a.OK():
			if r.Cursor != "" {
				r.Cursor = ev.Commit.Revision
			}
			if ev.Reset {
				r.Recent = nil
			}
			r.sent(ev.Commit.Revision)
			r.Tries, r.Failing, r.Next = 0, time.Time{}, time.Time{}
			return
		case r.Tries == 0 || r.Failing.IsZero():
			r.Failing = a.At
		}
		r.Tries++
		result = errLater
		switch {
		case a.Status == 410:
			r.Off, result = "the receiver answered 410 Gone", errOff
		case now.Sub(r.Failing) >= w.e.GiveUp:
			r.Off, result = "nothing was taken for "+days(w.e.GiveUp), errOff
		default:
			r.Next = now.Add(max(backoff(w.e.First, r.Tries), a.RetryAfter))
		}
	})
	if err != nil {
		return err
	}
	return result
}

func days(d time.Duration) string {
	if d == 72*time.Hour {
		return "three days"
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "0m0s")
}

// maxBackoff is the longest wait that a webhook comes to by itself.
const maxBackoff = 6 * time.Hour

// backoff is the wait after so many failed tries: four times as long each time, more
// or less a fifth, so that many do not come back at once.
func backoff(first time.Duration, tries int) time.Duration {
	d := first
	for i := 1; i < tries && d < maxBackoff; i++ {
		d *= 4
	}
	d = min(d, maxBackoff)
	return d*4/5 + rand.N(max(d*2/5, 1))
}
