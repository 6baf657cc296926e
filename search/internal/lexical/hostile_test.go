package lexical

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"wikibot/search/internal/query"
	"wikibot/search/internal/words"
	"wikibot/wiki"
)

// spent runs a query and gives how many postings it visited and tokens it read.
func spent(t *testing.T, x *Index, q string) (m Matches, postings, read int) {
	t.Helper()
	x.pool = sync.Pool{New: func() any { return nil }}
	m = match(t, x, q)
	s, ok := x.pool.Get().(*scratch)
	for !ok { // with the race detector, a pool forgets at random
		match(t, x, q)
		s, ok = x.pool.Get().(*scratch)
	}
	return m, x.bounds.postings - s.visits, x.bounds.read - s.reads
}

// A phrase of words that are everywhere reads documents up to a bound, and says so.
func TestFrequentPhrase(t *testing.T) {
	x := New(Options{})
	var add []Entry
	for id := range uint32(2000) {
		add = append(add, Entry{id, x.Prepare(Text{Body: strings.Repeat("of the a ", 20) + "the of"})})
	}
	x.Apply(nil, add)
	m, _, read := spent(t, x, `"the of the"`)
	if m.Truncated || len(m.IDs) != 0 || read > 2000*200 {
		t.Errorf("%d found, %d read, truncated %v", len(m.IDs), read, m.Truncated)
	}
	x.bounds.read = 50_000
	m, _, read = spent(t, x, `"the of"`)
	if !m.Truncated || read > x.bounds.read || len(m.IDs) == 0 || len(m.IDs) > 1000 {
		t.Errorf("with a bound: %d found, %d read, truncated %v", len(m.IDs), read, m.Truncated)
	}
	x.bounds.postings = 700
	m, postings, _ := spent(t, x, "the of")
	if !m.Truncated || postings > 700 || len(m.IDs) != 700 {
		t.Errorf("with a bound of 700 postings: %d visited, %d found, truncated %v", postings, len(m.IDs), m.Truncated)
	}
}

// Compounds within compounds do not make a phrase take more than each token's steps.
func TestPhraseOfCompounds(t *testing.T) {
	x := index(t, Options{}, strings.Repeat("a-a ", 20_000))
	for _, q := range []string{`"a-a a-a a-a a-a a-a a-a a-a a-a a-a"`, `"aa aa aa aa aa aa aa aa aa aa"`, `"aa a a aa a a aa a a aa b"`} {
		if _, _, read := spent(t, x, q); read > 60_000*30 {
			t.Errorf("%s: %d tokens read", q, read)
		}
	}
}

// A prefix of everything stands for the most frequent words and says that there are
// more; one that cuts through stems reads within the bound.
func TestHugePrefix(t *testing.T) {
	x := New(Options{})
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "x%05d ", i)
	}
	x.Apply(nil, []Entry{{0, x.Prepare(Text{Body: b.String()})}, {1, x.Prepare(Text{Body: "x00007 x00007 xenon xenons"})}})
	m, postings, _ := spent(t, x, "x*")
	if !m.Truncated || len(m.IDs) != 2 || postings > 2*x.bounds.expansion {
		t.Errorf("%v, %d postings, truncated %v", m.IDs, postings, m.Truncated)
	}
	m, _, read := spent(t, x, "xenons*")
	if m.Truncated || fmt.Sprint(m.IDs) != "[1]" || read > 10 {
		t.Errorf("%v, %d read", m.IDs, read)
	}
	x.bounds.read = 3
	if m, _, read = spent(t, x, "xenons*"); !m.Truncated || read > 3 {
		t.Errorf("with a bound of 3: %v, %d read, truncated %v", m.IDs, read, m.Truncated)
	}
}

// A word of a megabyte is one word, known by its beginning.
func TestOneLongWord(t *testing.T) {
	long := strings.Repeat("Supercalifragilistic", 1<<20/20)
	x := index(t, Options{}, strings.ToLower(long), long, "short")
	if n := x.Terms(); n > 200_000 || x.Bytes() > 64<<20 {
		t.Errorf("%d terms, %d bytes", n, x.Bytes())
	}
	if got := match(t, x, strings.ToLower(long)[:400]); len(got.IDs) != 1 || got.IDs[0] != 0 {
		t.Errorf("%v", got.IDs)
	}
	if w := x.Words("supercali", 2); len(w) != 1 && len(w) != 2 || len(w[0]) > words.MaxWord {
		t.Errorf("%.60q", w)
	}
	for _, s := range x.Spellings(strings.ToLower(long), 5) {
		t.Errorf("a suggestion for a blob: %.60q", s)
	}
}

// A million different words take memory in proportion, and searching among them is
// bounded; when they are gone, Compact gives the memory back.
func TestMillionWords(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%x ", uint32(i)*2654435761)
	}
	x := New(Options{})
	x.Apply(nil, []Entry{{0, x.Prepare(Text{Body: b.String()})}, {1, x.Prepare(Text{Body: "lonely"})}})
	if got := x.Bytes(); got > int64(n)*300+16<<20 {
		t.Errorf("%d bytes for %d words", got, n)
	}
	if got := x.Spellings("9e3779b", 5); len(got) > 5 {
		t.Errorf("%v", got)
	}
	if got := x.Words("a", 5); len(got) != 5 {
		t.Errorf("%v", got)
	}
	if m := match(t, x, "a* b* c* d* e* f* lonley"); !m.Truncated || len(m.IDs) != 1 || len(m.Unknown) != 1 {
		t.Errorf("%v, truncated %v, unknown %v", m.IDs, m.Truncated, m.Unknown)
	}
	x.Apply([]uint32{0}, nil)
	if x.Dead() != n {
		t.Errorf("%d dead words", x.Dead())
	}
	y, err := x.Compact()
	if err != nil || y.Dead() != 0 || y.Len() != 1 || y.Bytes() > 1<<20 {
		t.Errorf("%d documents, %d bytes, %v", y.Len(), y.Bytes(), err)
	}
}

// The spellings that are remembered do not grow without end.
func TestMemoryOfSpellings(t *testing.T) {
	x := New(Options{})
	for i := range 8 {
		var b strings.Builder
		for j := range generation / 2 {
			fmt.Fprintf(&b, "w%dx%d ", i, j)
		}
		x.Prepare(Text{Body: b.String()})
	}
	if n := x.home.young.taken + x.home.old.taken; n > 2*generation+generation/2 {
		t.Errorf("%d segments remembered", n)
	}
}

func TestTooManyGroups(t *testing.T) {
	var q query.Query
	for range query.MaxGroups + 1 {
		q.Groups = append(q.Groups, query.Group{Terms: []query.Term{{Text: "a"}}})
	}
	if _, err := New(Options{}).Match(context.Background(), q); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

// Of a long query the rarest words score; the others still say what a document holds.
func TestRarestScore(t *testing.T) {
	x := index(t, Options{}, "the rare", "the", "the", "the bird")
	x.bounds.scored = 1
	got := match(t, x, "the rare")
	if fmt.Sprint(got.IDs, got.Masks) != "[0 1 2 3] [3 1 1 1]" || got.Scores[1] != 0 || got.Scores[0] == 0 {
		t.Errorf("%v %v %v", got.IDs, got.Masks, got.Scores)
	}
}

// A context that has ended ends a Match, and leaves nothing behind for the next.
func TestMatchEnds(t *testing.T) {
	x := index(t, Options{}, "one two", "two three")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q, err := query.Parse("two three")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Match(ctx, q); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := match(t, x, "three"); fmt.Sprint(got.IDs) != "[1]" {
		t.Errorf("afterwards: %v", got.IDs)
	}
}
