package gitstore

import (
	"fmt"
	"slices"
	"strings"

	"wikibot/outbound"
	"wikibot/record"
	"wikibot/wiki"
)

// fileWebhooks is the one file of a wiki's configuration that may be missing.
const fileWebhooks = ".wikibot/webhooks.toml"

// Bounds of a webhooks.toml. How many of its webhooks are served the site decides;
// these keep a push from filling the server's memory.
const (
	maxWebhooks    = 100
	maxWebhookName = 100  // bytes
	maxPathPrefix  = 1024 // bytes, as a path's
)

// Webhook is an address that wants to know of a wiki's changes.
type Webhook struct {
	ID         string        // 1 to 40 characters a-z, 0-9 and "-"
	URL        string        // where the news are sent, see outbound.ParseURL
	Name       string        // for people; may be empty
	Prefix     string        // only changes of pages and files whose path begins so; empty: all
	Maker      wiki.Username // on whose behalf it reads: it rests when they do not manage the wiki
	Active     bool          // an owner has not turned it off
	Generation int           // of its signing secret; one more makes a new secret
}

type webhooksRecord struct {
	Schema   int                      `toml:"schema"`
	Webhooks map[string]webhookRecord `toml:"webhooks"`
}

type webhookRecord struct {
	URL        string `toml:"url"`
	Name       string `toml:"name"`
	Prefix     string `toml:"prefix"`
	Maker      string `toml:"maker"`
	Active     *bool  `toml:"active"`
	Generation *int   `toml:"generation"`
}

// parseWebhooks reads a webhooks.toml, in the file's order. The error names all that
// is wrong with it.
func parseWebhooks(data []byte) ([]Webhook, wiki.Faults) {
	var r webhooksRecord
	if faults := decode(fileWebhooks, data, &r, func(r *webhooksRecord) int { return r.Schema }); len(faults) > 0 {
		return nil, faults
	}
	doc, faults := record.Scan(fileWebhooks, data)
	if faults != nil {
		return nil, faults
	}
	all, ok := doc.Lookup("webhooks")
	if !ok {
		return nil, nil
	}
	var list []Webhook
	for e := range all.Children() {
		if len(list) == maxWebhooks {
			return nil, append(faults, e.Fault("a wiki has at most %d webhooks", maxWebhooks))
		}
		w := r.Webhooks[e.Name()].webhook(e.Name())
		list = append(list, w)
		if len(faults) < maxFaults {
			faults = append(faults, webhookFaults(e, w)...)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return list, nil
}

func (r webhookRecord) webhook(id string) Webhook {
	w := Webhook{ID: id, URL: r.URL, Name: r.Name, Prefix: r.Prefix, Maker: wiki.Username(r.Maker), Active: r.Active == nil || *r.Active, Generation: 1}
	if r.Generation != nil {
		w.Generation = *r.Generation
	}
	return w
}

// webhookFaults are what is wrong with one webhook, told at the values.
func webhookFaults(e record.Entry, w Webhook) (faults wiki.Faults) {
	for _, bad := range w.check() {
		at := e.Fault
		for c := range e.Children() {
			if c.Name() == bad.Field {
				at = c.FaultAtValue
			}
		}
		faults = append(faults, at("%s", bad.Text))
	}
	return faults
}

// check names what is wrong with a webhook, by its fields.
func (w Webhook) check() (bad []*wiki.Error) {
	add := func(field, format string, args ...any) {
		bad = append(bad, &wiki.Error{Kind: wiki.ErrInvalid, Field: field, Text: fmt.Sprintf(format, args...)})
	}
	if w.ID == "" || len(w.ID) > 40 || strings.Trim(w.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		add("id", "%q is no id of a webhook: use 1 to 40 characters a-z, 0-9 and \"-\"", w.ID)
	}
	if w.URL == "" {
		add("url", "url is missing: write where the news are to be sent, such as url = \"https://example.org/hook\"")
	} else if _, err := outbound.ParseURL(w.URL); err != nil {
		add("url", "url: %v", err)
	}
	for _, f := range []struct {
		key, text string
		most      int
	}{{"name", w.Name, maxWebhookName}, {"prefix", w.Prefix, maxPathPrefix}} {
		if len(f.text) > f.most || strings.ContainsFunc(f.text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			add(f.key, "%s must be one line of at most %d bytes", f.key, f.most)
		}
	}
	if w.Maker == "" {
		add("maker", "maker is missing: name the owner on whose behalf the webhook reads the wiki, such as maker = \"alice\"")
	} else if _, err := wiki.ParseUsername(string(w.Maker)); err != nil {
		add("maker", "maker: %v", err)
	}
	if w.Generation < 1 || w.Generation > 1_000_000_000 {
		add("generation", "generation = %d must be from 1 to 1000000000", w.Generation)
	}
	return bad
}

// writeWebhook puts a webhook into a webhooks.toml in place: what people wrote
// beside the values stays, and values that are as they were are not written again.
func writeWebhook(data []byte, w Webhook) ([]byte, error) {
	if len(data) == 0 {
		data = fmt.Appendf(nil, "schema = %d\n", schema)
	}
	list, faults := parseWebhooks(data)
	if len(faults) > 0 {
		return nil, faults
	}
	old := Webhook{ID: w.ID, Active: true, Generation: 1}
	at := slices.IndexFunc(list, func(o Webhook) bool { return o.ID == w.ID })
	if at >= 0 {
		old = list[at]
	}
	for _, kv := range []struct {
		key      string
		old, new any
		always   bool
	}{
		{"url", old.URL, w.URL, true}, {"name", old.Name, w.Name, false}, {"prefix", old.Prefix, w.Prefix, false},
		{"maker", string(old.Maker), string(w.Maker), true}, {"active", old.Active, w.Active, true}, {"generation", old.Generation, w.Generation, false},
	} {
		if kv.old == kv.new && (at >= 0 || !kv.always) {
			continue
		}
		var err error
		if data, err = record.Set(data, []string{"webhooks", w.ID, kv.key}, kv.new); err != nil {
			return nil, err
		}
	}
	return data, nil
}
