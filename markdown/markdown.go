// Package markdown turns a page's text into safe HTML and reads what a wiki
// needs to know of it: its links, headings, sections, frontmatter and title. It
// is pure: what exists in the wiki and how URLs are spelt come in as interfaces.
//
// # The language
//
// CommonMark and GitHub's extensions (tables, strikethrough, task lists, bare
// URLs), footnotes, definition lists, and:
//
//	[[Target]] [[Target|Text]] [[Target#Section]]   a wikilink; in text-first
//	                                                style [[Text|Target]]
//	![[Page]] ![[Page#Section]]                     a page within the page
//	![[image.png]] ![[image.png|300]] ![[…|300x200]]
//	==marked==
//	> [!NOTE]                                       an alert; also TIP, IMPORTANT,
//	                                                WARNING and CAUTION
//	$a^2$  $`a^2`$  $$a^2$$  ```math                TeX, typeset by the browser
//	```mermaid                                      a diagram, drawn by the browser
//	---\ntitle: …\n---                              frontmatter, in YAML
//
// In a table cell the bar of a wikilink is written "\|".
//
// # Links
//
// Resolve is the only place that knows what a link means. Links, Render,
// backlinks and renaming all use it.
//
// # Safety
//
// Raw HTML is cut down to a list of harmless elements, closed where it was left
// open and stripped of what it may not close; at last all HTML passes a
// bluemonday policy. No element's id is the author's own: headings have slugs,
// which never hold an upper-case ASCII letter or a colon; footnotes begin with
// "fn:" or "fnref:"; ids from raw HTML begin with "user:". A page around the
// text is safe from collisions if its own ids have an upper-case letter.
package markdown

import "wikibot/wiki"

// Style is the order of the two parts of a wikilink.
type Style string

// The styles.
const (
	TargetFirst Style = "target-first" // [[Target|Text]]: Obsidian, Foam, MediaWiki; the default
	TextFirst   Style = "text-first"   // [[Text|Target]]: Gollum, GitHub wikis, Otter Wiki
)

// Names is what exists in a wiki. Every look-up folds (wiki.Fold) and is cheap.
type Names interface {
	// Page finds a page by its path from the root and gives its true spelling.
	Page(path string) (wiki.PagePath, bool)
	// PagesNamed lists all pages whose last component folds to name, sorted.
	PagesNamed(name string) []wiki.PagePath
	// File finds an attachment by its path from the root.
	File(path string) (wiki.FilePath, bool)
	// FilesNamed lists all attachments whose last component folds to name, sorted.
	FilesNamed(name string) []wiki.FilePath
	// Text is a page's raw text, for ![[embeds]].
	Text(p wiki.PagePath) ([]byte, bool)
}

// URLs spells the addresses that a rendered page leads to. The results must be
// paths or http(s) URLs, already percent-encoded.
type URLs interface {
	Page(wiki.PagePath) string
	File(wiki.FilePath) string
	Create(wiki.PagePath) string // where a page that does not exist yet is begun
}

// Kind is the form of a link in the source.
type Kind uint8

// The kinds.
const (
	Wiki      Kind = iota // [[Target]]
	Inline                // [text](target), and <a href> in raw HTML
	Image                 // ![alt](target), ![alt][label], and <img src>
	Embed                 // ![[Target]]
	Reference             // [text][label], [label]
)

// Link is one link in a page's source. Links to other sites and to places
// within the page (an empty Target) are among them.
type Link struct {
	Kind Kind

	// Target is as it was written, without Markdown's escapes and without the
	// anchor; percent-escapes of an inline link are still in it.
	Target string
	Anchor string // after "#", as it was written; "" if there is none
	Text   string // the display text; empty where the link has none of its own

	// Start and End are the byte offsets of the whole construct in the source,
	// TargetStart and TargetEnd those of the target's path, without "#" and
	// what follows. For reference links the target lies in the definition, and
	// several links can share it.
	Start, End             int
	TargetStart, TargetEnd int

	Line    int    // 1-based
	Section string // title of the heading above; empty before the first

	raw bool // within raw HTML: the target is written as an attribute's value
}

// Target is what a link leads to. Exactly one of these holds: External with
// URL; Page or File, Exists or not; or none of them, where the link's target can
// never be (then it is shown as plain text).
type Target struct {
	Page     wiki.PagePath
	File     wiki.FilePath
	Anchor   string // the slug of the heading, without "#"
	URL      string // for External
	Exists   bool
	External bool
}

// Options says how to render one page.
type Options struct {
	Path  wiki.PagePath // the page's own path; relative links start from it
	Style Style         // empty means TargetFirst
	Names Names         // nil: nothing exists
	URLs  URLs          // nil: paths from "/"

	// AllowRemoteImages shows images from other sites; by default they become
	// links, since showing one tells its host who reads the page.
	AllowRemoteImages bool

	// Plain leaves out what belongs to a page on the site: links beside
	// headings and embedded pages (they become links). For feeds.
	Plain bool

	Texts *Texts // nil: English
}

// Texts are the words that Render puts on a page.
type Texts struct {
	Note, Tip, Important, Warning, Caution string // titles of alerts

	HeadingLink string // label of the link beside a heading
	Footnotes   string // label of the list of footnotes
	FootnoteTo  string // label of a link to a footnote's reference
	Create      string // tooltip of a link to a page that does not exist

	BadFrontmatter string // before the text of frontmatter that is no YAML
	EmbedCycle     string // in place of an embed that would contain itself
	EmbedTooDeep   string // in place of an embed beyond the bounds
	EmbedNoSection string // in place of an embed whose section does not exist
	TooLarge       string // above a page that is shown as plain text
}

// English is the Texts of Options that name none.
func English() *Texts {
	return &Texts{
		Note: "Note", Tip: "Tip", Important: "Important", Warning: "Warning", Caution: "Caution",
		HeadingLink: "Link to this section", Footnotes: "Footnotes", FootnoteTo: "Back to the text",
		Create:         "This page does not exist yet",
		BadFrontmatter: "The properties at the top of this page are not valid YAML",
		EmbedCycle:     "This page would contain itself here",
		EmbedTooDeep:   "Not shown here: too many pages within pages",
		EmbedNoSection: "The page has no such section",
		TooLarge:       "This page is too large to be formatted; this is its source",
	}
}

// Heading is an entry of the table of contents.
type Heading struct {
	Level int    // 1–6
	ID    string // the anchor, without "#"
	Text  string // without markup
}

// Property is one key of the frontmatter. A mapping or a nested list is one
// value in YAML's flow form.
type Property struct {
	Key    string
	Values []string
}

// Rendered is a page as HTML and what came out of it on the way. It may be
// shared and must not be modified.
type Rendered struct {
	HTML       []byte
	Title      string
	TOC        []Heading
	Properties []Property
	Math       bool // there is TeX to typeset
	Mermaid    bool // there are diagrams to draw

	deps deps
}
