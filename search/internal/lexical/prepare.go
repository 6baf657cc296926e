package lexical

import (
	"strings"
	"sync"

	"wikibot/search/internal/words"
)

// Text is what is indexed of one document.
type Text struct {
	Language string // BCP 47; "" is the index's own
	Head     string // title, section, tags, path: counts more
	Body     string
}

// Prepared is an analysed Text. It belongs to no index until it is applied to one,
// and may be applied any number of times.
type Prepared struct {
	owner      *Index
	tongue     *tongue
	body, head []*token
}

// Entry is a Prepared under a document's number.
type Entry struct {
	ID       uint32
	Prepared Prepared
}

// Prepare analyses a text. This is where the time goes, about 10 µs for 60 words;
// it takes no lock that readers of the index wait for, and any number of
// goroutines may do it at once.
func (x *Index) Prepare(t Text) Prepared {
	tongue := x.tongue(t.Language)
	return Prepared{owner: x, tongue: tongue, body: tongue.tokens(t.Body), head: tongue.tokens(t.Head)}
}

// token is one word as it stands in a text, remembered so that each spelling is
// analysed once.
type token struct {
	word, term string
	next       *token // the following token of the same segment
	id         uint32 // 1 + the lexeme's number in owner; guarded by the writer
	start, end int32  // bytes in the segment
	parts      uint8
}

// tongue analyses texts of one language. It remembers segments in two generations:
// when the younger is full, it becomes the older, and the older is forgotten.
type tongue struct {
	number   uint8
	analyzer *words.Analyzer

	mu         sync.RWMutex
	young, old map[string]*token // guarded by mu
}

const (
	generation     = 1 << 15 // segments
	longestKept    = 32      // bytes of a segment that is remembered
	generationSize = 160     // bytes that a remembered segment takes, about
)

// size is about how much memory is remembered.
func (t *tongue) size() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int64(len(t.young)+len(t.old)) * generationSize
}

// tokens are the first tokens of a text's segments, each with its others behind it.
func (t *tongue) tokens(text string) []*token {
	out := make([]*token, 0, len(text)/6+4)
	var missing []span
	t.mu.RLock()
	words.Segments(text, func(start, end int) {
		s := text[start:end]
		known := t.young[s]
		if known == nil {
			known = t.old[s]
		}
		if known == nil {
			missing = append(missing, span{len(out), start, end})
		}
		out = append(out, known)
	})
	t.mu.RUnlock()
	if missing == nil {
		return out
	}
	for _, m := range missing {
		out[m.at] = t.analyze(strings.Clone(text[m.start:m.end]))
	}
	t.remember(text, missing, out)
	return out
}

// span is a segment that was not known, and where its token belongs.
type span struct{ at, start, end int }

// analyze gives the first token of a segment; nil where it holds no word.
func (t *tongue) analyze(segment string) *token {
	var first *token
	end := &first
	for _, w := range t.analyzer.Analyze(segment, nil) {
		*end = &token{word: w.Word, term: w.Term, start: int32(w.Start), end: int32(w.End), parts: uint8(w.Parts)}
		end = &(*end).next
	}
	return first
}

func (t *tongue) remember(text string, missing []span, out []*token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range missing {
		first := out[m.at]
		if first == nil || m.end-m.start > longestKept {
			continue
		}
		if len(t.young) >= generation {
			t.old, t.young = t.young, nil
		}
		if t.young == nil {
			t.young = map[string]*token{}
		}
		t.young[strings.Clone(text[m.start:m.end])] = first
	}
}

// segment adds the tokens of one segment to out.
func (t *tongue) segment(s string, out []words.Token) []words.Token {
	t.mu.RLock()
	known := t.young[s]
	if known == nil {
		known = t.old[s]
	}
	t.mu.RUnlock()
	if known == nil {
		return t.analyzer.Analyze(s, out)
	}
	for ; known != nil; known = known.next {
		out = append(out, words.Token{Word: known.word, Term: known.term, Start: int(known.start), End: int(known.end), Parts: int(known.parts)})
	}
	return out
}
