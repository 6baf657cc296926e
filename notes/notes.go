// Package notes is what programs do with a wiki, whichever face they came by: the
// facts and rules of REST and MCP, once. A face parses its input into the words
// of this package, calls one method, and formats the answer.
//
// # Reading
//
// Every read takes a *gitstore.View: who asks has shown with it that they may
// read the wiki, and an older state is the same view at a revision (View.At).
//
// # Writing
//
// Apply makes one commit of a list of operations, all or nothing. Three kinds of
// operation meet a page that has changed meanwhile:
//
//	Write, EditText    are based on a revision. Where the page has changed since,
//	                   they fail with *wiki.Conflict, which has both texts, or
//	                   merge line by line where Merge is set
//	Append, Prepend,   say where they belong by themselves and are applied to the
//	sections           newest text; a Revision is checked only if one is given
//	                   and Merge is not set
//	the others         check a Revision only if one is given
//
// A write with an idempotency key is done once, however often it is sent within a
// day, also when two copies race and when the server has started again between.
//
// # Following
//
// Follow hands out the commits of a wiki, oldest first, and looks at the
// follower's credential and at the policy before each of them.
package notes

import (
	"log/slog"
	"time"

	"wikibot/gitstore"
	"wikibot/search"
)

// Config says what a Service works with.
type Config struct {
	Store *gitstore.Store
	Find  *search.Engine   // nil: Search and Semantic are unavailable, and misses name no near pages by title
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default()

	// MaxPage is the most bytes that one operation may bring as text; 0: the
	// Store's own limit on pages alone.
	MaxPage int64

	// Memory is how many bytes the metadata of pages may take for all wikis
	// together; 0: 64 MB. What was not used for the longest time is forgotten
	// and read again when it is asked for.
	Memory int64
}

// Service answers for all wikis of a Store. It is safe for concurrent use and has
// nothing to close.
type Service struct {
	Config
	tables tables
	hub    hub
}

// New is a Service over a Store.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Memory <= 0 {
		c.Memory = 64 << 20
	}
	s := &Service{Config: c}
	s.tables.most = c.Memory
	c.Store.OnRewrite(s.tables.forget)
	return s
}
