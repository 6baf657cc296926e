package wiki

import "time"

// Page is a page's text as it was at one revision.
type Page struct {
	Path    PagePath // as it is spelt in the tree, which may differ from what was asked by case or "_"
	Content []byte   // raw, with its frontmatter; shared, must not be modified
	Blob    string   // object name of the content (hex), good as an ETag
	At      Revision // the commit it was read from, in full
}

// Entry is one file of a wiki's tree as a listing shows it: a page, or an
// attachment (then Page is empty).
type Entry struct {
	Page PagePath // the page's path; empty for an attachment
	File string   // path in the tree, as git has it
	Blob string   // object name (hex)
	Size int64    // bytes; -1 where the listing did not ask for sizes
}

// Commit is one commit as history shows it.
type Commit struct {
	Revision Revision
	Parents  []Revision

	// Author is who made it as the commit says; for a commit that arrived by
	// push or import this is a claim.
	Author      string
	AuthorEmail string
	Date        time.Time // author date

	// Actor is whom the server knows to have brought it in: the signed-in
	// person of a server commit, the pusher of a pushed one, empty for
	// imported history ("as claimed").
	Actor Username
	Via   Via
	Agent string // the program that wrote on the person's behalf

	Subject string // first line of the message
	Body    string // the rest, without the trailers that the server wrote
	Changes []FileChange
}

// Claimed reports whether Author is only what the commit says of itself.
func (c Commit) Claimed() bool { return c.Actor == "" || (c.Via == ViaHTTPS || c.Via == ViaSSH) }

// ChangeKind says what a commit did to a file.
type ChangeKind byte

// The kinds, spelt as in git's raw diff.
const (
	Added    ChangeKind = 'A'
	Modified ChangeKind = 'M'
	Deleted  ChangeKind = 'D'
	Renamed  ChangeKind = 'R'
)

// FileChange is one file's part in a commit.
type FileChange struct {
	Kind ChangeKind
	Page PagePath // empty for an attachment
	File string   // path in the tree (of the new side, except for Deleted)
	From string   // the old path, for Renamed
	Old  string   // blob before (hex), empty for Added
	New  string   // blob after (hex), empty for Deleted
}

// Change is one step in a page's history, newest first in listings.
type Change struct {
	Commit
	Kind ChangeKind
	Path PagePath // the name that the page had then
	From PagePath // the name before, for Renamed
	Blob string   // the page's blob after the change; empty for Deleted
}

// BlameLine is one line of a page with the commit that wrote it.
type BlameLine struct {
	Line   int // 1-based
	Text   string
	Commit *Commit // shared by the lines of one commit
	Path   PagePath
}

// Attachment is a file that is not a page.
type Attachment struct {
	File     string // path in the tree, decoded (as people read it)
	Name     string // its last segment
	Size     int64
	Blob     string
	MIME     string // by name, never by sniffing
	Modified time.Time
	Revision Revision // the last commit that touched it
}

// Event tells that a wiki's refs have moved. It is a hint: a follower keeps the
// last Revision it has seen and works off the difference.
type Event struct {
	Wiki  Slug
	Ref   string
	Old   Revision // empty: the ref was created
	New   Revision // empty: the ref was deleted
	Actor Username
	Via   Via
	Files []FileChange // what changed on main; nil for other refs or where it was too much to list

	// Rewritten: the wiki's history is another one. No revision of before is there
	// any more, so a follower's cursor leads nowhere, and it begins anew.
	Rewritten bool
}

// Standing is what the store knows of a caller in one wiki at this moment.
type Standing struct {
	Role                Role // by grant, after narrowing
	Read, Write, Manage bool
	Propose             bool

	// What owners may do also where nothing can be changed: see the
	// configuration and the tokens, end tokens, delete the wiki.
	Inspect, Revoke, Delete bool

	// Frozen says why nothing can be changed although the caller's role would
	// let them, as a sentence that follows "This wiki is read-only: "; empty
	// where it is not so. Everybody is told that a wiki is in the archive.
	Frozen string
}
