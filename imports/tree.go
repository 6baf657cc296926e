package imports

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// mapTree looks at every file of main and, where names have to change, makes
// one commit on top that changes them.
func (j *job) mapTree(ctx context.Context) error {
	j.progress(Progress{Stage: "checking names"})
	entries, err := j.list(ctx)
	if err != nil {
		return err
	}
	names, mapped := plan(entries)
	j.report.Mapped = mapped
	if len(mapped) == 0 {
		return nil
	}
	return j.commitMapped(ctx, entries, names, mapped)
}

// list reads main's tree.
func (j *job) list(ctx context.Context) ([]entry, error) {
	out, err := j.git(ctx, nil, nil, "ls-tree", "-r", "-z", "--full-tree", mainRef)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for row := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		meta, file, ok := strings.Cut(row, "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 3 {
			continue // an empty tree
		}
		entries = append(entries, entry{File: file, Mode: fields[0], OID: fields[2]})
	}
	return entries, nil
}

// commitMapped writes the tree with the new names as a commit on main.
func (j *job) commitMapped(ctx context.Context, entries []entry, names map[string]string, mapped []Mapped) error {
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(j.dir, "import.index")}
	defer os.Remove(filepath.Join(j.dir, "import.index"))
	if _, err := j.git(ctx, nil, index, "read-tree", mainRef); err != nil {
		return err
	}
	var rows strings.Builder // git-update-index(1), --index-info; all removals first
	for _, e := range entries {
		if names[e.File] != e.File {
			fmt.Fprintf(&rows, "0 %s\t%s\x00", strings.Repeat("0", 40), e.File)
		}
	}
	for _, e := range entries {
		if to := names[e.File]; to != "" && to != e.File {
			fmt.Fprintf(&rows, "%s %s\t%s\x00", e.Mode, e.OID, to)
		}
	}
	if _, err := j.git(ctx, strings.NewReader(rows.String()), index, "update-index", "-z", "--index-info"); err != nil {
		return err
	}
	tree, err := j.git(ctx, nil, index, "write-tree")
	if err != nil {
		return err
	}
	message := j.message(fmt.Sprintf("map names: %d of %d files", len(mapped), len(entries)), mapped)
	commit, err := j.git(ctx, strings.NewReader(message), j.identity(), "commit-tree", strings.TrimSpace(string(tree)), "-p", mainRef, "-F", "-")
	if err != nil {
		return err
	}
	j.report.Commits++
	_, err = j.git(ctx, nil, nil, "update-ref", mainRef, strings.TrimSpace(string(commit)))
	return err
}

// maxListed bounds the list in a commit's message; the report has all of it.
const maxListed = 5000

// message is the message of a commit that the import makes, with the trailers
// of the server's own commits.
func (j *job) message(subject string, mapped []Mapped) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[import] %s\n\nImported from %s.\n", subject, oneLine(filepath.Base(j.req.Shown)))
	for i, m := range mapped {
		if i == 0 {
			b.WriteByte('\n')
		}
		if i == maxListed {
			fmt.Fprintf(&b, "- and %d more\n", len(mapped)-i)
			break
		}
		fmt.Fprintf(&b, "- %s\n", oneLine(m.String()))
	}
	fmt.Fprintf(&b, "\nWikibot-Actor: %s\nWikibot-Via: %s\n", j.actor, wiki.ViaCLI)
	return b.String()
}

// oneLine keeps text of the source's from adding lines, such as trailers, to a
// message.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// identity is whom the import's own commits name.
func (j *job) identity() []string {
	return []string{
		"GIT_AUTHOR_NAME=" + j.actor, "GIT_AUTHOR_EMAIL=" + j.author(),
		"GIT_COMMITTER_NAME=wikibot", "GIT_COMMITTER_EMAIL=" + gitstore.ServerEmail,
	}
}

// author is the address of the commit's author; the Store uses the same form.
func (j *job) author() string { return j.actor + "@users.noreply." + j.domain }
