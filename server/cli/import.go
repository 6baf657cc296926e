package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"wikibot/imports"
	"wikibot/server"
	"wikibot/wiki"
)

const importSynopsis = `Usage: wikibot import [--data DIR] SOURCE SLUG

Makes the wiki SLUG of SOURCE, which is one of

  a git repository   a path, or an address (https, http, ssh); branches and tags
                     come in with their history
  a git bundle       a file made by git bundle
  a folder or a zip  of Markdown files, with images and whatever else is in it

The wiki appears whole or not at all, also while a server runs on the data.`

func importWiki(ctx context.Context, c *call) error {
	var req imports.Request
	own := flag.NewFlagSet("import", flag.ContinueOnError)
	own.StringVar(&req.Name, "name", "", "the wiki's name, for people")
	own.StringVar(&req.Purpose, "purpose", "", "what the wiki is for, in one sentence")
	own.StringVar(&req.Branch, "branch", "", "the branch that holds the pages, where it is not the default one")
	owner := own.String("owner", "", "the account that owns the wiki (operator)")
	cfg, args, done, err := c.load(importSynopsis, own)
	switch {
	case done || err != nil:
		return err
	case len(args) != 2:
		return usage("import needs a source and a slug\n\n%s", importSynopsis)
	}
	if req.Slug, err = wiki.ParseSlug(args[1]); err != nil {
		return err
	}
	req.Owner, req.Shown = wiki.Username(*owner), args[0]
	bar := newBar(c.stderr)
	tmp, err := os.MkdirTemp("", "wikibot-import-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	git, err := exec.LookPath(cfg.Git)
	if err != nil {
		return wiki.Unavailable("git was not found (%s): install git 2.38 or newer, or name it with --git", cfg.Git)
	}
	if req.Source, err = imports.Fetch(ctx, git, args[0], tmp, bar.show); err != nil {
		return err
	}
	answer, err := c.do(ctx, cfg, server.Command{Do: "import", Import: &req}, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	report(c.stderr, answer.Report)
	fmt.Fprintln(c.stdout, answer.Line)
	return nil
}

// report tells what an import did.
func report(w io.Writer, r *imports.Report) {
	fmt.Fprintf(w, "imported %s: %s, %s, %s", r.Slug, count(r.Pages, "page"), count(r.Files, "other file"), count(r.Commits, "commit"))
	if n := len(r.Branches); n > 0 {
		fmt.Fprintf(w, ", %s", count(n, "other branch"))
	}
	if r.Tags > 0 {
		fmt.Fprintf(w, ", %s", count(r.Tags, "tag"))
	}
	fmt.Fprintf(w, "\nlinks read as %s", r.Style)
	if r.Home != "" {
		fmt.Fprintf(w, ", home page %s", r.Home)
	}
	fmt.Fprintln(w)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	const shown = 20
	for i, m := range r.Mapped {
		if i == shown {
			fmt.Fprintf(w, "… and %s; the newest commit lists them all\n", count(len(r.Mapped)-shown, "more name"))
			break
		}
		fmt.Fprintln(w, m)
	}
}

func count(n int, what string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(what, "branch"); ok {
			what = stem + "branche"
		}
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// bar shows progress: a line that is written over on a terminal, else one line
// for each stage.
type bar struct {
	w        io.Writer
	terminal bool
	stage    string
	last     time.Time
	open     bool // a line on the terminal has no end yet
}

func newBar(w io.Writer) *bar { return &bar{w: w, terminal: terminal(w)} }

func (b *bar) show(p imports.Progress) {
	fresh := p.Stage != b.stage
	b.stage = p.Stage
	if !b.terminal {
		if fresh {
			fmt.Fprintln(b.w, p.Stage)
		}
		return
	}
	if !fresh && p.Done != p.Total && time.Since(b.last) < 50*time.Millisecond {
		return
	}
	if fresh && b.open {
		fmt.Fprintln(b.w)
	}
	b.last, b.open = time.Now(), true
	if p.Total == 0 {
		fmt.Fprintf(b.w, "\r%-22s", p.Stage)
		return
	}
	const width = 30
	full := min(width, width*p.Done/p.Total)
	fmt.Fprintf(b.w, "\r%-22s [%s%s] %d/%d", p.Stage, strings.Repeat("#", full), strings.Repeat(" ", width-full), p.Done, p.Total)
}

// end closes the last line.
func (b *bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
		b.open = false
	}
}
