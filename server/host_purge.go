package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore"
)

func purgeOperations() []Operation {
	return []Operation{
		{Name: "purge", Args: []Argument{argWiki}, Flags: []string{"path", "text", "author", "dry-run"}, run: (*Host).purge,
			Help: "takes something out of all of a wiki's history: --path FILE (again for more; FOLDER/ for all in it), " +
				"--text FILE a text, which is read from a file or from - and stands nowhere then, --author FILE of people's new names (gitmailmap)",
			Confirm: "The wiki's history will be another one: every clone has to be made anew, and what is taken out is gone from the disk."},
	}
}

func (h *Host) purge(ctx context.Context, cmd Command) (string, error) {
	report, err := h.Store.Purge(ctx, h.caller(), cmd.Wiki, gitstore.PurgeRequest{Paths: cmd.Paths, Text: cmd.Text, People: cmd.People, DryRun: cmd.DryRun})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	writePurge(&b, cmd, report)
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// writePurge tells what a purge has done, who may have what is gone, and where else it
// may be. It never says what was taken out.
func writePurge(b *strings.Builder, cmd Command, r *gitstore.PurgeReport) {
	verb := "purged"
	if cmd.DryRun {
		verb = "nothing was changed; this would be purged in"
	}
	fmt.Fprintf(b, "%s %s: %d commits and %d tags have new names, %d contents, %d messages, %d names of files and %d authors or committers changed",
		verb, cmd.Wiki, r.Commits, r.Tags, r.Blobs, r.Messages, r.Names, r.People)
	if r.Signed > 0 {
		fmt.Fprintf(b, "; %d signatures went with that", r.Signed)
	}
	b.WriteString("\n")
	const shown = 50
	for i, path := range slices.Sorted(maps.Keys(r.Files)) {
		if i == shown {
			fmt.Fprintf(b, "  … and %d more files\n", len(r.Files)-shown)
			break
		}
		fmt.Fprintf(b, "  %s: %s\n", path, versions(r.Files[path]))
	}
	for i, path := range r.Copies {
		if i == shown {
			fmt.Fprintf(b, "  … and %d more\n", len(r.Copies)-shown)
			break
		}
		fmt.Fprintf(b, "  the same content stays at %s: name that file too\n", path)
	}
	fmt.Fprintf(b, "refs that lead elsewhere: %s\n", strings.Join(r.Refs, ", "))
	writeFetches(b, r.Fetches)
	writeLeft(b, cmd, r)
}

func versions(n int) string {
	if n == 1 {
		return "1 version"
	}
	return fmt.Sprintf("%d versions", n)
}

// writeFetches says who has cloned or fetched, and what that does not tell.
func writeFetches(b *strings.Builder, list []gitstore.Fetch) {
	if len(list) == 0 {
		b.WriteString("nobody is known to have cloned or fetched it\n")
	} else {
		b.WriteString("who has cloned or fetched it, and may have the old history still:\n")
	}
	for _, f := range list {
		who := string(f.User)
		if who == "" {
			who = "somebody"
		}
		with := ""
		if f.Credential != "" {
			with = " with " + f.Credential
		}
		fmt.Fprintf(b, "  %s%s over %s, last at %s\n", who, with, f.Via, f.When.Format(time.RFC3339))
	}
	b.WriteString("(known since cache/ was last deleted; who has read pages in a browser or with a program is not recorded)\n")
}

// writeLeft says what is left to do.
func writeLeft(b *strings.Builder, cmd Command, r *gitstore.PurgeReport) {
	for _, holder := range r.Holders {
		fmt.Fprintf(b, "still to do: %s\n", holder)
	}
	if r.Site {
		b.WriteString("still to do: it is in admin.git too, which this command does not rewrite; change it there, and mind that its history keeps it\n")
	}
	if cmd.Text != "" {
		b.WriteString("not looked into: files that pack their content (zip, docx, pdf, pictures), and other spellings of the text\n")
	}
	if !cmd.DryRun {
		b.WriteString("it may also be in backups and snapshots of the disk, in what browsers and proxies keep, and in everybody's clones; a secret that was public has to be replaced\n")
	}
}
