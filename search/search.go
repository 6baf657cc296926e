// Package search finds things in wikis: by words, by related terms, by meaning.
//
// A wiki's index is a pure function of a commit. It is built from the commit's
// tree when it is first asked for, moved along by the differences of trees, and
// saved as one file in cache/ that bears the commit's name; deleting it costs time
// and nothing else. Events of the Store are hints: each index has a cursor, the
// commit that it has seen, and what lies between the cursor and the head is the work
// that is left. There is no queue to lose.
//
// # Arms
//
// An arm is one way of ranking chunks, the pieces into which pages are cut:
//
//	lexical   BM25 over words, with phrases, prefixes and filters
//	related   related terms: PPMI-SVD fitted from the wiki's own text
//	vectors   embeddings by a model that the operator chose
//
// An answer names the arms that gave it. Scores of different arms are not
// comparable.
//
// # Who may ask
//
// Every question is asked with a View, which the Store made for one caller: what
// they may not read has no View, so it has no index, suggestion or count either.
package search

import (
	"time"

	"wikibot/wiki"
)

// Mode chooses the arms of an answer.
type Mode string

// The modes.
const (
	Lexical  Mode = "lexical"  // words alone
	Semantic Mode = "semantic" // vectors; related terms where there is no model
	Hybrid   Mode = "hybrid"   // both, fused; the default
)

// ParseMode accepts lexical, semantic and hybrid; an empty text is def.
func ParseMode(s string, def Mode) (Mode, error) {
	switch m := Mode(s); m {
	case "":
		return def, nil
	case Lexical, Semantic, Hybrid:
		return m, nil
	}
	return "", wiki.Invalid("mode", "%q is not a mode: use lexical, semantic or hybrid", s)
}

// Arm is one way of ranking.
type Arm string

// The arms.
const (
	ArmLexical Arm = "lexical"
	ArmRelated Arm = "related"
	ArmVectors Arm = "vectors"
)

// Request is a search for pages, as a person types it.
type Request struct {
	Text   string // the query, see docs/search.md
	Mode   Mode   // empty: Lexical
	Case   bool   // words and regular expressions tell upper from lower case
	Offset int    // results to leave out
	Limit  int    // results at most; 0: 20, the most is 100
}

// Answer is what was found.
type Answer struct {
	Query      string
	Mode       Mode
	Arms       []Arm // which of them answered
	Results    []Result
	Total      int      // pages found
	All        int      // of them, pages that hold every part of the query; of a short query they come first
	DidYouMean string   // the query with words that have hits, where a word has none; else empty
	Related    []string // words that occur in the same company as those of the query
	Partial    string   // why not everything was looked at, as a text for people; empty: it was
	Lag        Lag
	Took       time.Duration
}

// Result is one page.
type Result struct {
	Page     wiki.PagePath
	Title    []Span // what the page is called, matches marked
	Score    float64
	Section  []string // titles down to the best section, the page's first
	Anchor   string   // the section's id on the page; empty: its top
	Line     int      // of the page's source, where the best section begins; 1-based
	Snippet  []Span
	Category string
	Tags     []string
	Updated  time.Time // of the page's last change; zero where history is not at hand yet
	Author   string    // of that change
	Words    int       // of the page
	Every    bool      // the page holds every part of the query
	Arms     []Arm     // which of them found it
}

// Name is the page's title without marks.
func (r Result) Name() string { return plain(r.Title) }

// Text is the snippet without marks.
func (r Result) Text() string { return plain(r.Snippet) }

// Span is a piece of text; Match marks what was looked for.
type Span struct {
	Text  string
	Match bool
}

func plain(spans []Span) (s string) {
	for _, x := range spans {
		s += x.Text
	}
	return s
}

// SemanticRequest asks for the chunks that are nearest to a text.
type SemanticRequest struct {
	Text       string
	N          int  // chunks at most, 1 to 50; 0: 5
	MaxPerPage int  // chunks of one page at most, 1 to 10; 0: 2
	Mode       Mode // empty: Hybrid
}

// SemanticAnswer is the chunks in the order of their distance.
type SemanticAnswer struct {
	Query string
	Mode  Mode
	Arms  []Arm
	Model string // id of the model behind the arm vectors; empty where it did not answer
	Hits  []ChunkHit
	Lag   Lag
}

// ChunkHit is one chunk. Distance is 1 − cosine where the arm vectors alone
// answered, else 1 − the arms' normalised score: it orders one answer and means
// nothing beside another arm's.
type ChunkHit struct {
	Page      wiki.PagePath
	Title     string
	Text      string // the whole chunk, "[Title > Section] …"
	Snippet   string // at most 150 characters
	Distance  float64
	Section   string // title of the section
	Sections  []string
	Anchor    string
	Chunk     int // 0-based
	Chunks    int // of the page
	PageWords int
	Arms      []Arm
}

// Suggestion is a page whose name or title begins with, or holds, what was typed.
type Suggestion struct {
	Page  wiki.PagePath
	Title []Span
	Path  []Span
}

// Lag is how far an index is behind the wiki.
type Lag struct {
	Commits int // main's commits that it has not seen; -1: not counted
	Since   time.Duration
}

// State is what an index is doing.
type State string

// The states.
const (
	Idle     State = "idle"        // nobody asked yet
	Building State = "in_progress" // being built or moved; Done of Total pages
	Complete State = "complete"
	Failed   State = "error"
)

// Status is an index's progress, for people who wait for it.
type Status struct {
	State  State
	Done   int // pages
	Total  int
	Pages  int // in the index
	Chunks int
	Bytes  int64 // of memory
	Commit wiki.Revision
	Lag    Lag
	Error  string

	Model    string // id of the embedding model; empty: none is configured
	Embedded int    // chunks that have a vector of it
	Serving  string // id of the model whose vectors answer now, empty: none
	Related  bool   // the arm of related terms is fitted
}
