package webhooks

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// refConfig is where a wiki's configuration is, as events name it.
const refConfig = "refs/wikibot/config"

// run keeps the workers what the configurations say, until the engine closes.
func (e *Engine) run(events <-chan wiki.Event) {
	defer close(e.done)
	defer e.stopAll()
	t := time.NewTicker(round)
	defer t.Stop()
	e.reviewAll()
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				return // the Store is closing
			}
			for _, slug := range concerned(ev) {
				e.review(slug)
			}
		case slug := <-e.again:
			e.review(slug)
		case <-t.C:
			e.reviewAll()
		case <-e.ctx.Done():
			return
		}
	}
}

// concerned are the wikis whose webhooks an event may change: by their own
// configuration, or because a wiki's or a person's record has changed.
func concerned(ev wiki.Event) (list []wiki.Slug) {
	if ev.Wiki != gitstore.Site {
		if ev.Ref == refConfig {
			return []wiki.Slug{ev.Wiki}
		}
		return nil
	}
	for _, f := range ev.Files {
		if name, ok := strings.CutSuffix(f.File, ".toml"); ok && strings.HasPrefix(name, "wikis/") {
			list = append(list, wiki.Slug(path.Base(name)))
		}
	}
	return list
}

// reviewAll looks at every wiki, and at those that are gone. It costs one look at
// each wiki's refs.
func (e *Engine) reviewAll() {
	list, err := e.Store.Wikis(e.ctx, host())
	if err != nil {
		e.Log.Warn("webhooks: the list of wikis cannot be read; the next round tries again", "error", err)
		return
	}
	there := map[wiki.Slug]bool{}
	for _, w := range list {
		if e.ctx.Err() != nil {
			return
		}
		there[w.Slug] = true
		e.review(w.Slug)
	}
	for _, slug := range e.known() {
		if !there[slug] {
			e.review(slug)
		}
	}
}

// known are the wikis that have workers.
func (e *Engine) known() (list []wiki.Slug) {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := map[wiki.Slug]bool{}
	for _, w := range e.workers {
		if !seen[w.slug] {
			seen[w.slug] = true
			list = append(list, w.slug)
		}
	}
	return list
}

// review makes the workers of one wiki what its configuration says now, and forgets
// the webhooks that are gone.
func (e *Engine) review(slug wiki.Slug) {
	e.editing.Lock()
	defer e.editing.Unlock()
	e.past.Lock()
	rewrote := e.rewrote[slug]
	delete(e.rewrote, slug)
	e.past.Unlock()
	id, list, err := e.configured(e.ctx, slug)
	if errors.Is(err, wiki.ErrNotFound) {
		e.settle(slug, nil)
		if !e.Store.Exists(slug) {
			e.warn(slug, e.db.forgetWiki(slug))
		}
		return
	}
	if err != nil {
		e.warn(slug, err) // as it is; the next round looks again
		return
	}
	want, keep, off := map[string]gitstore.Webhook{}, map[string]bool{}, []string(nil)
	for i, w := range list {
		k := key(slug, id, w.ID)
		keep[k] = true
		switch {
		case !w.Active:
			off = append(off, k)
		case i < e.PerWiki:
			want[k] = w
		}
	}
	e.settle(slug, want)
	for _, k := range off {
		e.warn(slug, e.db.beginAnew(k)) // turned on again it begins at the present
	}
	e.warn(slug, e.db.keepOnly(slug, keep))
	if rewrote {
		e.warn(slug, e.db.forgetPast(slug))
	}
}

// configured are a wiki's random id and its webhooks.
func (e *Engine) configured(ctx context.Context, slug wiki.Slug) (string, []gitstore.Webhook, error) {
	v, err := e.Store.View(ctx, host(), slug)
	if err != nil {
		return "", nil, err
	}
	list, err := e.Store.Webhooks(ctx, host(), slug)
	return v.Policy().Wiki, list, err
}

// settle stops the workers of a wiki that are wanted no more, or otherwise than they
// are, and starts what is missing. It waits for the end of those it stops, which is
// near: what they are sending is broken off.
func (e *Engine) settle(slug wiki.Slug, want map[string]gitstore.Webhook) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, w := range e.workers {
		if w.slug != slug {
			continue
		}
		if hook, ok := want[k]; ok && hook == w.hook {
			w.wake() // the maker's standing may be another
			continue
		}
		w.stop()
		<-w.done
		delete(e.workers, k)
	}
	for k, hook := range want {
		if e.workers[k] == nil && len(e.workers) < e.Site && e.ctx.Err() == nil {
			e.workers[k] = e.start(k, slug, hook)
		}
	}
}

func (e *Engine) stopAll() {
	e.mu.Lock()
	all := e.workers
	e.workers = map[string]*worker{}
	e.mu.Unlock()
	for _, w := range all {
		w.stop()
	}
	for _, w := range all {
		<-w.done
	}
}

func (e *Engine) warn(slug wiki.Slug, err error) {
	if err != nil && e.ctx.Err() == nil {
		e.Log.Warn("webhooks: a wiki's webhooks cannot be looked at", "wiki", slug, "error", err)
	}
}
