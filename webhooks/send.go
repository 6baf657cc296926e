package webhooks

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/outbound"
	"wikibot/wiki"
)

// Answer is how one try ended. It has nothing of what the receiver said.
type Answer struct {
	ID       string        `json:"id"` // the message's
	Type     string        `json:"type"`
	Revision wiki.Revision `json:"revision,omitempty"`
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`             // nanoseconds
	Status   int           `json:"status,omitempty"` // 0: there was none
	Error    string        `json:"error,omitempty"`
	Try      int           `json:"try"` // 1: the first

	RetryAfter time.Duration `json:"-"`
}

// OK reports whether the news was taken.
func (a Answer) OK() bool { return a.Status/100 == 2 && a.Error == "" }

// keepOld is how long a rotated secret still signs beside the new one.
const keepOld = 24 * time.Hour

// send makes one request. The error is that of ctx; how the receiver failed is in
// the Answer.
func (e *Engine) send(ctx context.Context, slug wiki.Slug, hook gitstore.Webhook, m message, r row) (Answer, error) {
	a := Answer{ID: m.id, Type: m.kind, Revision: m.revision, Try: 1}
	u, err := url.Parse(hook.URL)
	if err != nil {
		return a, err // it was checked when it was read
	}
	leave, err := e.lanes.enter(ctx, strings.ToLower(u.Host), r.proven())
	if err != nil {
		return a, err
	}
	defer leave()
	v, err := e.Store.View(ctx, host(), slug)
	if err != nil {
		return a, err
	}
	a.At = e.Now().UTC()
	began := time.Now()
	answer, err := e.Client.Do(ctx, outbound.Request{Method: http.MethodPost, URL: hook.URL, Header: e.headers(v.Policy().Wiki, hook, m, r, a.At), Body: m.body, MaxBody: -1})
	a.Took = time.Since(began)
	var failed *outbound.Error
	switch {
	case err == nil:
		a.Status = answer.Status
		if a.Status/100 != 2 {
			a.Error = strings.TrimSpace("the receiver answered " + strconv.Itoa(a.Status) + " " + http.StatusText(a.Status))
		}
		a.RetryAfter = retryAfter(answer.Header.Get("Retry-After"), a.At)
	case errors.As(err, &failed):
		a.Status, a.Error = failed.Status, failed.Text
		e.Log.Debug("a webhook was not taken", "wiki", slug, "webhook", hook.ID, "status", failed.Status, "kind", failed.Kind, "cause", failed.Cause)
	case ctx.Err() != nil:
		return a, ctx.Err()
	default:
		a.Error = "the request could not be made"
	}
	return a, nil
}

func (e *Engine) headers(wikiID string, hook gitstore.Webhook, m message, r row, at time.Time) http.Header {
	sign := Sign(e.secret(wikiID, hook.ID, hook.Generation), m.id, at.Unix(), m.body)
	if hook.Generation > 1 && !r.Rotated.IsZero() && at.Sub(r.Rotated) < keepOld {
		sign += " " + Sign(e.secret(wikiID, hook.ID, hook.Generation-1), m.id, at.Unix(), m.body)
	}
	return http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {m.id},
		"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Signature": {sign},
	}
}

// maxRetryAfter is the longest that a receiver can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds or a date; 0 where
// it says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
