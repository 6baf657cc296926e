package notes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Diff is what changed between two commits, for one page or (with an empty path)
// for all files: as data, and as unified text in git's format. from may be empty for
// the parent of to, to for the newest commit. Bounds are those of View.Diff: 300
// files, 1 MB of each, 20,000 lines; what is over them is named and not shown.
func (s *Service) Diff(ctx context.Context, v *gitstore.View, from, to wiki.Revision, p wiki.PagePath) (string, gitstore.Diff, error) {
	if to == wiki.Head {
		to = v.Head()
	}
	d, err := v.Diff(ctx, from, to, p)
	if err != nil {
		return "", d, err
	}
	if p != "" && len(d.Files) == 0 { // unchanged, or called otherwise, or never there
		at, err := v.At(ctx, d.To.Revision)
		if err != nil {
			return "", d, err
		}
		n, err := s.find(ctx, at, p)
		switch {
		case errors.Is(err, wiki.ErrNotFound):
			if _, _, e := v.History(ctx, p, "", 1); e != nil {
				return "", d, err
			}
		case err != nil:
			return "", d, err
		case n.Path != p:
			return s.Diff(ctx, v, d.From.Revision, d.To.Revision, n.Path)
		}
	}
	return Unified(d), d, nil
}

// Unified is a diff as git prints it (git-diff(1), "Generating patch text"), so
// that `git apply` takes it where nothing was too large to show. File modes are
// those of plain files.
func Unified(d gitstore.Diff) string {
	var b strings.Builder
	for i := range d.Files {
		unifiedFile(&b, &d.Files[i])
	}
	if d.More > 0 {
		fmt.Fprintf(&b, "# %d more files are not shown\n", d.More)
	}
	return b.String()
}

const (
	noBlob   = "0000000000000000000000000000000000000000"
	fileMode = "100644"
)

func unifiedFile(b *strings.Builder, f *gitstore.FileDiff) {
	old, new := f.File, f.File
	if f.From != "" {
		old = f.From
	}
	fmt.Fprintf(b, "diff --git %s %s\n", quoted("a/"+old), quoted("b/"+new))
	mode := ""
	switch f.Kind {
	case wiki.Added:
		fmt.Fprintf(b, "new file mode %s\n", fileMode)
	case wiki.Deleted:
		fmt.Fprintf(b, "deleted file mode %s\n", fileMode)
	case wiki.Renamed:
		fmt.Fprintf(b, "rename from %s\nrename to %s\n", quoted(old), quoted(new))
	}
	if f.Kind == wiki.Modified || f.Kind == wiki.Renamed {
		mode = " " + fileMode
	}
	if f.Old != f.New {
		fmt.Fprintf(b, "index %s..%s%s\n", blobName(f.Old), blobName(f.New), mode)
	}
	from, to := quoted("a/"+old), quoted("b/"+new)
	if f.Kind == wiki.Added {
		from = "/dev/null"
	}
	if f.Kind == wiki.Deleted {
		to = "/dev/null"
	}
	switch {
	case f.Binary:
		fmt.Fprintf(b, "Binary files %s and %s differ\n", from, to)
		return
	case f.Truncated:
		fmt.Fprintf(b, "# %s is too large to be compared here\n", quoted(new))
		return
	case len(f.Hunks) == 0:
		return
	}
	fmt.Fprintf(b, "--- %s\n+++ %s\n", spaced(from), spaced(to))
	unifiedHunks(b, f)
}

func unifiedHunks(b *strings.Builder, f *gitstore.FileDiff) {
	for _, h := range f.Hunks {
		fmt.Fprintf(b, "@@ -%s +%s @@", span(h.OldStart, h.OldLines), span(h.NewStart, h.NewLines))
		if h.Heading != "" {
			b.WriteString(" " + h.Heading)
		}
		b.WriteByte('\n')
		for _, l := range h.Lines {
			b.WriteByte(l.Kind)
			b.WriteString(l.Text)
			b.WriteByte('\n')
			if l.NoEOL {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
	}
}

func span(start, lines int) string {
	if lines == 1 {
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, lines)
}

// spaced ends a name that has a space in it with a tab, as git does for GNU patch.
func spaced(name string) string {
	if strings.Contains(name, " ") && !strings.HasPrefix(name, "\"") {
		return name + "\t"
	}
	return name
}

func blobName(oid string) string {
	if oid == "" {
		return noBlob
	}
	return oid
}

// quoted is a path as git prints it with core.quotePath off: quoted where a
// character of it would be taken for something else.
func quoted(path string) string {
	if !strings.ContainsAny(path, "\"\\\t\n\r\v\f\a\b") && !strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return path
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
