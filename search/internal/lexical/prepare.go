package lexical

import (
	"strings"

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
	segment    string // of the first token of one
	next       *token // the following token of the same segment
	id         uint32 // 1 + the lexeme's number in owner; guarded by the writer
	start, end int32  // bytes in the segment
	parts      uint8
}

// tokens are the first tokens of a text's segments, each with its others behind it.
func (t *tongue) tokens(text string) []*token {
	out := make([]*token, 0, len(text)/6+4)
	var few [16]span
	missing := few[:0]
	t.mu.RLock()
	words.Segments(text, func(start, end int) {
		s := text[start:end]
		hash := t.hash(s)
		known := t.known(hash, s)
		if known == nil {
			missing = append(missing, span{len(out), start, end, hash})
		}
		out = append(out, known)
	})
	t.mu.RUnlock()
	if len(missing) == 0 {
		return out
	}
	room := make([]token, 0, min(len(missing), together))
	var fresh memory // so that a word that is new and everywhere is analysed once
	for _, m := range missing {
		if out[m.at] = fresh.find(m.hash, text[m.start:m.end]); out[m.at] != nil {
			continue
		}
		room = t.analyze(strings.Clone(text[m.start:m.end]), room, &out[m.at])
		if len(missing) > 16 && out[m.at] != nil {
			fresh.put(kept{m.hash, out[m.at]})
		}
	}
	t.remember(missing, out)
	return out
}

// span is a segment that was not known, and where its token belongs.
type span struct {
	at, start, end int
	hash           uint32
}

// together is how many tokens are made at once. One that is remembered keeps its
// neighbours in memory, so they are few.
const together = 8

// analyze sets first to the first token of a segment, nil where it holds no word.
// Tokens are made in room, and in more where that is full.
func (t *tongue) analyze(segment string, room []token, first **token) []token {
	var buffer [8]words.Token
	at := first
	for _, w := range t.analyzer.Analyze(segment, buffer[:0]) {
		if strings.HasPrefix(w.Word, w.Term) { // as most stems are: one text in memory
			w.Term = w.Word[:len(w.Term)]
		}
		if len(room) == cap(room) {
			room = make([]token, 0, together)
		}
		room = append(room, token{word: w.Word, term: w.Term, start: int32(w.Start), end: int32(w.End), parts: uint8(w.Parts)})
		*at = &room[len(room)-1]
		at = &(*at).next
	}
	if *first != nil {
		(*first).segment = segment
	}
	return room
}

// segment adds the tokens of one segment to out.
func (t *tongue) segment(s string, out []words.Token) []words.Token {
	t.mu.RLock()
	known := t.known(t.hash(s), s)
	t.mu.RUnlock()
	if known == nil {
		return t.analyzer.Analyze(s, out)
	}
	for ; known != nil; known = known.next {
		out = append(out, words.Token{Word: known.word, Term: known.term, Start: int(known.start), End: int(known.end), Parts: int(known.parts)})
	}
	return out
}
