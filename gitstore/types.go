package gitstore

import (
	"time"

	"wikibot/markdown"
	"wikibot/merge"
	"wikibot/wiki"
)

// Settings are a wiki's own, from .wikibot/wiki.toml.
type Settings struct {
	Name         string         // shown to people; the slug where it is empty
	Purpose      string         // one sentence on what the wiki is for
	Home         wiki.PagePath  // page shown at the root, default "Home"
	LinkStyle    markdown.Style // order of [[…|…]], default target-first
	Redirects    bool           // a rename leaves a redirect, default true
	RemoteImages bool           // pages may show images from elsewhere, default false
	ForcePush    bool           // owners may rewrite or delete main by push, default false
}

// WikiInfo is a wiki as a list of wikis shows it.
type WikiInfo struct {
	Slug     wiki.Slug
	Name     string
	Purpose  string
	Created  time.Time
	Standing wiki.Standing
}

// NewWiki is what a new wiki begins with.
type NewWiki struct {
	Slug     wiki.Slug
	Name     string
	Purpose  string
	Owner    wiki.Username
	Tier     string            // empty: the site's default_tier
	Settings *Settings         // nil: the defaults; Name and Purpose above win where they are set
	Pages    map[string][]byte // file name in the tree → content of the first commit; empty: none
}

// User is a person's record in admin.git.
type User struct {
	Name      wiki.Username
	DID       wiki.DID
	Created   time.Time
	Admin     bool
	Suspended bool
	SSHKeys   []string
}

// Token is a static token's record; the secret itself is shown once and kept
// nowhere.
type Token struct {
	ID      string // "w-<slug>-<8 hex>" or "u-<16 hex>"
	Hash    [32]byte
	Name    string
	Role    wiki.Role     // the most it may do
	Wiki    wiki.Slug     // empty for a person's token
	WikiID  string        // the wiki's id; empty for a person's token
	User    wiki.Username // its maker, whose present standing bounds it; empty: made on the host, bounded by Role alone
	Parent  string        // id of the person's token by which it was made, and without which it is none; empty: none
	Created time.Time
	Expires time.Time // zero: never
	Last4   string
}

// NewToken asks for a token: of a wiki with a role, or of a person.
type NewToken struct {
	Wiki    wiki.Slug // empty: a person's token
	User    wiki.Username
	Role    wiki.Role // NoRole for a person's token: not narrowed
	Name    string
	Expires time.Time
}

// ListOptions choose part of a wiki's files.
type ListOptions struct {
	Prefix string // of the page's path or file's path, as people read them; exact case
	After  string // file name in the tree: the cursor that a listing returned
	Limit  int    // 0: all
	Files  bool   // attachments too
	Sizes  bool   // fill Entry.Size: one look at each object's header
}

// ChangesOptions choose part of the recent changes.
type ChangesOptions struct {
	After  string // cursor
	Limit  int    // 0: 50
	Author string // name or address of the author, or the actor, without regard to case
	Prefix string // of a changed page's path

	// Agent is the program that wrote on somebody's behalf, with or without its
	// version and without regard to case ("claude code" takes "Claude Code 2.1");
	// AnyAgent: any. Via is the face that the change came by. Since is the first
	// author's date. Each narrows the list where it is not empty.
	Agent string
	Via   wiki.Via
	Since time.Time
}

// PageLink is one link from or to a page.
type PageLink struct {
	Page    wiki.PagePath // the other end
	File    wiki.FilePath // the other end, where it is an attachment; Page is empty then
	Anchor  string        // the slug of the section that it leads to; empty for the whole page
	Exists  bool
	Line    int    // 1-based, in the page that holds the link
	Section string // title of the section that holds it
	Text    string // what the link shows
}

// File is an attachment with its content.
type File struct {
	wiki.Attachment
	Content []byte // shared, must not be modified
}

// Diff is what changed between two commits.
type Diff struct {
	From, To wiki.Commit
	Files    []FileDiff
	More     int // files left out because the diff was too large to show
}

// FileDiff is one file's part of a Diff.
type FileDiff struct {
	wiki.FileChange
	Binary         bool
	Hunks          []merge.Hunk
	Added, Removed int  // lines
	Truncated      bool // too large to compare line by line
}

// Meta goes with a write.
type Meta struct {
	Message string // commit message; a default that names the pages where it is empty
	Key     string // idempotency key: the same caller's second write with it answers with the first's result
	Request string // what is written, in short (a hash in hexadecimal); a Key that comes with another one is refused. Empty: not compared
	DryRun  bool   // do everything except writing
}

// PutOptions say what a Put expects to find.
type PutOptions struct {
	Expect    wiki.Revision // the revision that the new text is based on
	Create    bool          // the page must not exist
	Overwrite bool          // write whatever is there
	Merge     bool          // where the page has changed since Expect, merge line by line
}

// RenameOptions change what a rename carries along. The zero value moves the
// page with its attachments and sub-pages, rewrites links to it and leaves a
// redirect.
type RenameOptions struct {
	Expect     wiki.Revision
	KeepLinks  bool // leave links in other pages as they are
	NoRedirect bool // leave no redirect
	NoFolder   bool // leave attachments and sub-pages where they are
}

// DeleteOptions change what a deletion takes along.
type DeleteOptions struct {
	Expect wiki.Revision
	Folder bool // attachments and sub-pages too
}

// AttachOptions say what an upload expects to find.
type AttachOptions struct {
	Replace bool // a file of that name may be there
}

// Result is what a write did.
type Result struct {
	Revision  wiki.Revision // the commit that was made; the head where nothing changed
	Pages     []PageResult
	Updated   []wiki.PagePath // other pages whose links were rewritten
	Unchanged bool            // the tree is as it was: no commit was made
	Replayed  bool            // an earlier write with the same key is being answered again
}

// PageResult is what a write did to one page.
type PageResult struct {
	Path    wiki.PagePath // where it is now
	From    wiki.PagePath // where it was asked for, if elsewhere (rename followed or made)
	Created bool
	Deleted bool
	Merged  bool   // the text is a merge of the caller's and a newer one
	Content []byte // the text as saved; nil for Deleted

	Unchanged bool // the page is as it was before the change
}

// RefCommand is one line of a push: git's object names in hexadecimal, forty
// zeros for "does not exist".
type RefCommand struct {
	Old, New string
	Ref      string
}

// Push is one git push on its way in.
type Push struct {
	Caller     wiki.Caller
	Wiki       wiki.Slug // empty: admin.git
	Dir        string    // the repository's folder, as git was started in it
	Commands   []RefCommand
	Options    []string // push options (-o)
	Quarantine string   // folder of the received objects, while in pre-receive

	// fresh are the repositories of wikis that a push to admin.git makes.
	fresh map[wiki.Slug]*freshWiki

	// folders are the object folders that the push's objects will be moved
	// into; CheckPush fills it so that ApplyPush can sync them.
	folders []string

	// received is how many bytes came, where the tier limits them; CheckPush
	// fills it too.
	received int64
}

// RefResult is the answer to one RefCommand.
type RefResult struct {
	Ref      string // as pushed
	OK       bool
	Reason   string // why not, one line
	Landed   string // the ref it landed on, if another
	Old, New string // what the landed ref was and is; New may be a merge that the client does not have
	Merged   bool
}
