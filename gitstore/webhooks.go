package gitstore

import (
	"context"
	"errors"
	"slices"

	"wikibot/acl"
	"wikibot/record"
	"wikibot/wiki"
)

// Webhooks of a wiki are part of its configuration, so those see and change them
// who manage it, by git as well, and the audit has every change. What they are for is
// the package webhooks'.

// Webhooks are a wiki's, in the order of its file. Only those who manage the wiki are
// told. The list is shared: do not change it. It costs no look at the disk.
func (s *Store) Webhooks(ctx context.Context, c wiki.Caller, slug wiki.Slug) ([]Webhook, error) {
	v, err := s.View(ctx, c, slug)
	if err != nil {
		return nil, err
	}
	if err := v.May(acl.Inspect); err != nil {
		return nil, err
	}
	return v.state.config.webhooks, nil
}

// AddWebhook adds a webhook under an id that is free; most is how many the wiki may
// have then. An id that is taken is an ErrExists, one too many an ErrForbidden.
func (s *Store) AddWebhook(ctx context.Context, c wiki.Caller, slug wiki.Slug, w Webhook, most int) error {
	return s.changeWebhooks(ctx, c, slug, "Webhook: add "+w.ID, func(text []byte, list []Webhook) ([]byte, error) {
		if slices.ContainsFunc(list, func(o Webhook) bool { return o.ID == w.ID }) {
			return nil, &wiki.Error{Kind: wiki.ErrExists, Field: "id", Text: "there is a webhook " + w.ID + " already"}
		}
		if most = min(most, maxWebhooks); len(list) >= most {
			return nil, wiki.Forbidden("a wiki has at most %d webhooks; remove one first", most)
		}
		return w.written(text)
	})
}

// SetWebhook changes a webhook. edit may run again, on newer values; what it does to
// the ID has no effect. ErrNotFound where there is none.
func (s *Store) SetWebhook(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string, edit func(*Webhook) error) error {
	return s.changeWebhooks(ctx, c, slug, "Webhook: change "+id, func(text []byte, list []Webhook) ([]byte, error) {
		at := slices.IndexFunc(list, func(o Webhook) bool { return o.ID == id })
		if at < 0 {
			return nil, noWebhook(id)
		}
		w := list[at]
		if err := edit(&w); err != nil {
			return nil, err
		}
		w.ID = id
		return w.written(text)
	})
}

// RemoveWebhook takes a webhook away. ErrNotFound where there is none.
func (s *Store) RemoveWebhook(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string) error {
	return s.changeWebhooks(ctx, c, slug, "Webhook: remove "+id, func(text []byte, list []Webhook) ([]byte, error) {
		if !slices.ContainsFunc(list, func(o Webhook) bool { return o.ID == id }) {
			return nil, noWebhook(id)
		}
		return record.DeleteTable(text, []string{"webhooks", id})
	})
}

func noWebhook(id string) error {
	return wiki.NotFound("the wiki has no webhook %q; list them to see their ids", id)
}

// written is the file with the webhook, if the webhook is good.
func (w Webhook) written(text []byte) ([]byte, error) {
	if bad := w.check(); len(bad) > 0 {
		return nil, bad[0]
	}
	return writeWebhook(text, w)
}

func (s *Store) changeWebhooks(ctx context.Context, c wiki.Caller, slug wiki.Slug, what string, edit func([]byte, []Webhook) ([]byte, error)) error {
	return s.configure(ctx, c, slug, fileWebhooks, what, func(text []byte) ([]byte, error) {
		var list []Webhook
		if len(text) > 0 {
			var faults wiki.Faults
			if list, faults = parseWebhooks(text); len(faults) > 0 {
				return nil, faults
			}
		}
		return edit(text, list)
	})
}

// configFile is the text of a file of the configuration; nothing where it may be
// missing and is.
func (r *repo) configFile(root *folder, file string) ([]byte, error) {
	text, err := r.blobAt(root, file)
	if file == fileWebhooks && errors.Is(err, wiki.ErrNotFound) {
		return nil, nil
	}
	return text, err
}

// readWebhooks reads the webhooks of a configuration's tree; none where it has no file.
func readWebhooks(src objectSource, root *folder) ([]Webhook, wiki.Faults, error) {
	if _, ok, err := root.file(fileWebhooks); err != nil || !ok {
		return nil, nil, err
	}
	text, faults, err := configText(src, root, fileWebhooks, maxRecord)
	if err != nil || faults != nil {
		return nil, faults, err
	}
	list, faults := parseWebhooks(text)
	return list, faults, nil
}

// checkWebhooks is readWebhooks, and refuses webhooks that are added on behalf of
// people whom nobody knows. One that was there already is left alone: it rests.
func (r *repo) checkWebhooks(src objectSource, was *configuration, root *folder) ([]Webhook, wiki.Faults, error) {
	list, faults, err := readWebhooks(src, root)
	if err != nil || len(faults) > 0 || len(list) == 0 {
		return nil, faults, err
	}
	st, err := r.store.admin.current()
	if err != nil {
		return nil, nil, err
	}
	text, _, err := configText(src, root, fileWebhooks, maxRecord)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range list {
		if st.site.users.has(w.Maker) || was != nil && slices.ContainsFunc(was.webhooks, func(o Webhook) bool { return o.ID == w.ID && o.Maker == w.Maker }) {
			continue
		}
		faults = append(faults, faultAt(fileWebhooks, text, []string{"webhooks", w.ID, "maker"}, "maker: there is no user %q here; name an owner of the wiki", w.Maker))
	}
	return list, faults, nil
}
