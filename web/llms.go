package web

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// mostListed is how many pages /llms.txt names.
const mostListed = 100

// llms is /llms.txt (llmstxt.org): what the wiki is, how a program reaches it, and
// the pages to begin with. A page or a file of that name goes before it. It is of
// the caller's wiki as the caller may read it, like every page. Cost: the list of
// pages, once for each state of the wiki.
func (q *request) llms() error {
	return q.cached(func() (*document, error) {
		entries, _, err := q.view.List(gitstore.ListOptions{})
		if err != nil {
			return nil, err
		}
		set := q.view.Settings()
		var b strings.Builder
		fmt.Fprintf(&b, "# %s\n\n", oneLine(set.Name))
		if purpose := oneLine(set.Purpose); purpose != "" {
			fmt.Fprintf(&b, "> %s\n\n", purpose)
		}
		b.WriteString(q.texts.get("llms.intro", itoa(len(entries))) + "\n\n")
		for _, way := range [...]struct{ key, url string }{
			{"llms.mcp", q.Addresses.MCP(q.slug)}, {"llms.api", q.Addresses.API(q.slug)}, {"llms.git", q.Addresses.Git(q.slug)},
			{"llms.pages", q.absolute(q.links().Root() + "sitemap.xml")}, {"llms.connect", q.absolute(q.links().To("connect"))},
		} {
			if way.key == "llms.mcp" && !q.HasMCP || way.key == "llms.api" && !q.HasAPI {
				continue
			}
			fmt.Fprintf(&b, "- %s: %s\n", q.texts.get(way.key), way.url)
		}
		b.WriteString("\n## " + q.texts.get("llms.begin") + "\n\n")
		q.listPages(&b, set.Home, entries)
		return &document{html: []byte(b.String()), mime: "text/markdown; charset=utf-8", policy: filePolicy}, nil
	})
}

// listPages names the pages to begin with: the home page, those that say how to
// work here, and those at the top.
func (q *request) listPages(b *strings.Builder, home wiki.PagePath, entries []wiki.Entry) {
	listed := map[wiki.PagePath]bool{}
	name := func(p wiki.PagePath) {
		if _, ok := q.view.Page(string(p)); !ok || listed[p] || len(listed) == mostListed {
			return
		}
		listed[p] = true
		fmt.Fprintf(b, "- [%s](%s)\n", inLink(string(p)), q.absolute(q.links().Page(p))+wiki.PageSuffix)
	}
	for _, p := range []wiki.PagePath{home, "Meta/Agent Guide", "Meta/Wiki Usage Guide"} {
		name(p)
	}
	for _, e := range entries {
		if !special(e.Page) && e.Page.Parent() == "" {
			name(e.Page)
		}
	}
}

// siteLLMs is /llms.txt of the apex: the wikis that the caller may read, each with
// its own. Cost: that of the list of wikis.
func (q *request) siteLLMs() error {
	infos, err := q.Store.Wikis(q.r.Context(), q.caller)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", oneLine(q.SiteName), q.texts.get("llms.site"))
	if q.HasMCP {
		fmt.Fprintf(&b, "\n- %s: %s\n", q.texts.get("llms.mcp"), q.Addresses.Site("/mcp"))
	}
	b.WriteString("\n## " + q.texts.get("site.wikis") + "\n\n")
	for _, w := range infos {
		fmt.Fprintf(&b, "- [%s](%s/llms.txt)", inLink(cmp.Or(oneLine(w.Name), string(w.Slug))), q.Addresses.Absolute(w.Slug))
		if purpose := oneLine(w.Purpose); purpose != "" {
			b.WriteString(": " + purpose)
		}
		b.WriteString("\n")
	}
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(http.StatusOK, &document{html: []byte(b.String()), mime: "text/markdown; charset=utf-8", policy: filePolicy})
	return nil
}

// inLink is a text as the words of a Markdown link.
func inLink(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
