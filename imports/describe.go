package imports

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"wikibot/markdown"
	"wikibot/wiki"
)

// describe reads what came in: how many pages, in which order its wikilinks
// are written, and which page is its home.
func (j *job) describe(ctx context.Context) error {
	entries, err := j.list(ctx)
	if err != nil {
		return err
	}
	var pages []entry
	known := map[string]bool{}
	for _, e := range entries {
		page, ok := wiki.PageOfFile(e.File)
		if !ok {
			j.report.Files++
			known[wiki.Fold(e.File)] = true
			continue
		}
		pages = append(pages, e)
		known[page.Fold()] = true
		known[wiki.Fold(page.Name())] = true
	}
	j.report.Pages = len(pages)
	if len(pages) == 0 {
		j.note("no page was found: pages are files that end in .md")
	}
	j.report.Home = home(pages)
	if j.report.Home == "" && len(pages) > 0 {
		j.note("no home page was found; name one with the setting home, or make the page Home")
	}
	j.report.Style, err = j.style(ctx, pages, func(target string) bool {
		return known[wiki.Fold(strings.TrimSuffix(strings.TrimPrefix(target, "/"), wiki.PageSuffix))]
	})
	return err
}

// homeNames are what home pages are called, best first.
func homeNames() []string {
	return []string{"home", "index", "readme", "start", "start here", "main page", "main", "welcome", "wiki", "overview", "00 index", "moc"}
}

// home is the page that a reader should see first: the one at the top with the
// most usual name. Where the top has no pages and one folder has them all, that
// folder counts as the top.
func home(pages []entry) wiki.PagePath {
	folder, one := "", true
	for i, e := range pages {
		first, _, below := strings.Cut(e.File, "/")
		one = one && below && (i == 0 || first == folder)
		folder = first
	}
	prefix := ""
	if one {
		prefix = folder + "/"
	}
	var best wiki.PagePath
	bestRank := -1
	for _, e := range pages {
		p, _ := wiki.PageOfFile(e.File)
		name, atTop := strings.CutPrefix(string(p), prefix)
		rank := slices.Index(homeNames(), wiki.Fold(name))
		if atTop && rank >= 0 && (bestRank < 0 || rank < bestRank) {
			best, bestRank = p, rank
		}
	}
	return best
}

// style reads all pages once through one git process and lets markdown decide.
func (j *job) style(ctx context.Context, pages []entry, exists func(string) bool) (markdown.Style, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := j.command(ctx, "cat-file", "--batch", "--buffer")
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting git cat-file: %w", err)
	}
	go func() {
		defer in.Close()
		for _, e := range pages {
			if _, err := io.WriteString(in, e.OID+"\n"); err != nil {
				return // git has ended; the reader sees why
			}
		}
	}()
	var readErr error
	style := markdown.DetectStyle(func(yield func(string, []byte) bool) {
		r := bufio.NewReaderSize(out, 1<<16)
		for i, e := range pages {
			text, err := readObject(r)
			if err != nil {
				readErr = err
				return
			}
			if i%256 == 0 || i+1 == len(pages) {
				j.progress(Progress{Stage: "reading links", Done: i + 1, Total: len(pages)})
			}
			if !yield(e.File, text) {
				return
			}
		}
	}, exists)
	cancel() // it may have been enough to decide; whatever is left is not read
	_ = cmd.Wait()
	if readErr != nil {
		return "", fmt.Errorf("reading pages: %w", readErr)
	}
	return style, nil
}

// readObject reads one answer of git cat-file --batch: "<oid> <type> <size>",
// the content, a line feed.
func readObject(r *bufio.Reader) ([]byte, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	var oid, kind string
	var size int64
	if _, err := fmt.Sscanf(head, "%s %s %d", &oid, &kind, &size); err != nil {
		return nil, fmt.Errorf("git cat-file answered %q", strings.TrimSpace(head))
	}
	if size > maxFile {
		_, err := r.Discard(int(size) + 1)
		return nil, err
	}
	text := make([]byte, size+1)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	return text[:size], nil
}
