package server

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"text/template"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// bootstrapFiles are the pages of a new wiki, see bootstrapWiki.
//
//go:embed bootstrap/*.md
var bootstrapFiles embed.FS

// firstWiki is the wiki that the first start makes.
const firstWiki = wiki.Slug("notes")

// bootstrap makes what a site begins with: the operator's account and the wiki
// notes. fresh is true where it made the account. It may run again after a crash
// in the middle; a wiki that was deleted since does not come back.
func (h *Host) bootstrap(ctx context.Context) (fresh bool, err error) {
	if h.Store.Trouble(ctx, h.caller()) != nil {
		return false, nil // nothing is built on a site that does not load; it is no new one
	}
	_, err = h.Store.User(ctx, Operator)
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		err := h.Store.AddUser(ctx, h.caller(), gitstore.NewUser{Name: Operator, Admin: true})
		switch {
		case errors.Is(err, wiki.ErrExists):
			return false, nil // the site is older than the end of that account
		case err != nil:
			return false, fmt.Errorf("making the account %s: %w", Operator, err)
		}
		fresh = true
	case err != nil:
		return false, fmt.Errorf("reading the account %s: %w", Operator, err)
	}
	if began, err := h.Store.Began(); err != nil || began {
		return fresh, err
	}
	first, err := bootstrapWiki(firstWiki, "Notes", "Notes of the people and agents on this site.", Operator)
	if err != nil {
		return false, err
	}
	if err := h.Store.CreateWiki(ctx, h.caller(), first); err != nil && !errors.Is(err, wiki.ErrExists) {
		return false, fmt.Errorf("making the wiki %s: %w", firstWiki, err)
	}
	return fresh, nil
}

// bootstrapWiki is a new wiki with the pages that it starts with, filled with its
// name and purpose.
func bootstrapWiki(slug wiki.Slug, name, purpose string, owner wiki.Username) (gitstore.NewWiki, error) {
	fill := map[string]string{
		"Slug":    string(slug),
		"Name":    cmp.Or(name, string(slug)),
		"Purpose": cmp.Or(purpose, "What this wiki is for, in one sentence."),
		"Date":    time.Now().UTC().Format(time.DateOnly),
	}
	fresh := gitstore.NewWiki{Slug: slug, Name: name, Purpose: purpose, Owner: owner, Pages: map[string][]byte{}}
	for page, file := range map[wiki.PagePath]string{
		"Home":                  "home.md",
		"Meta/Wiki Usage Guide": "usage-guide.md",
		"Meta/Page Template":    "page-template.md",
	} {
		t, err := template.ParseFS(bootstrapFiles, "bootstrap/"+file)
		if err != nil {
			return fresh, fmt.Errorf("reading the page %s of new wikis: %w", page, err)
		}
		var text bytes.Buffer
		if err := t.Execute(&text, fill); err != nil {
			return fresh, fmt.Errorf("filling the page %s of new wikis: %w", page, err)
		}
		fresh.Pages[page.FileName()] = text.Bytes()
	}
	return fresh, nil
}
