package gitstore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// refNameFault says why no branch or tag may be made under a name that git itself
// takes; "" where one may. The name goes into the audit, into lists that people
// read and into their clones.
func refNameFault(ref string) string {
	switch _, name, _ := strings.Cut(strings.TrimPrefix(ref, "refs/"), "/"); {
	case !utf8.ValidString(ref):
		return "its name is not UTF-8; rename it with `git branch -m`"
	case strings.ContainsFunc(ref, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "its name has characters that cannot be seen; rename it with `git branch -m`"
	case strings.HasPrefix(ref, refMain+"/"):
		return "a name below main cannot be beside main; rename the branch"
	case ref == "refs/heads/HEAD":
		return "every clone has a HEAD of its own, which a branch of that name would hide; rename the branch"
	case strings.HasPrefix(name, "-"):
		return "git takes a name that begins with \"-\" for an option; rename it"
	}
	return ""
}

// nameFree refuses a new branch or tag that cannot be beside another one, as
// refs/heads/a and refs/heads/a/b cannot. The disk would refuse it as well, and
// everything that others have in the batch with it.
func (b *batch) nameFree(ref string) error {
	other, err := b.repo.refs.Beside(ref)
	if err != nil {
		return err
	}
	for i := len("refs/heads"); other == "" && i < len(ref); i++ {
		if ref[i] == '/' && b.there(ref[:i]) {
			other = ref[:i]
		}
	}
	if other == "" && b.there(b.below[ref]) {
		other = b.below[ref]
	}
	if other != "" {
		return wiki.Invalid("ref", "%s cannot be beside %s, since one would be a folder of the other: rename it, or delete the other with a push of its own", ref, other)
	}
	return nil
}

// there reports whether the batch knows a ref and leaves it in place.
func (b *batch) there(ref string) bool { return !b.heads[ref].commit.IsZero() }

// noteName remembers the folders that a new ref lies in.
func (b *batch) noteName(ref string) {
	if b.below == nil {
		b.below = map[string]string{}
	}
	for i := len("refs/heads"); i < len(ref); i++ {
		if ref[i] == '/' && !b.there(b.below[ref[:i]]) {
			b.below[ref[:i]] = ref
		}
	}
}

// moveName is move for a branch or tag that may be new.
func (b *batch) moveName(ref string, old, new plumbing.Hash) error {
	if old.IsZero() && !new.IsZero() {
		if fault := refNameFault(ref); fault != "" {
			return wiki.Invalid("ref", "%s", fault)
		}
		if err := b.nameFree(ref); err != nil {
			return err
		}
		b.noteName(ref)
	}
	if err := b.move(ref, tip{commit: new, root: emptyFolder()}); err != nil {
		return fmt.Errorf("moving %s: %w", ref, err)
	}
	return nil
}
