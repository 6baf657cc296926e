package search

import (
	"context"
	"errors"
	"strings"

	"wikibot/gitstore"
	"wikibot/search/internal/chunks"
	"wikibot/search/internal/index"
	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// Bounds of answers.
const (
	usualLimit   = 20
	mostLimit    = 100
	mostOffset   = 10_000
	snippetChars = 200
	relatedWords = 6
)

// Search finds pages. Whoever asks has shown with v that they may read the wiki. Its
// errors are wiki.ErrInvalid about the query, with the place and the next step, and
// *NotReady. A search by words costs about 1 ms at 10,000 chunks, and some 0.1 ms for
// each result; one by a regular expression reads pages, see Partial.
func (e *Engine) Search(ctx context.Context, v *gitstore.View, r Request) (*Answer, error) {
	began := e.Now()
	q, err := query.Parse(r.Text)
	if err != nil {
		return nil, err
	}
	if q.Empty() {
		return nil, wiki.Invalid("q", "the query is empty; give one or more words")
	}
	q.Case = q.Case || r.Case
	if r.Offset < 0 || r.Offset > mostOffset {
		return nil, wiki.Invalid("offset", "the offset must be between 0 and %d; narrow the query instead", mostOffset)
	}
	if r.Limit <= 0 {
		r.Limit = usualLimit
	}
	r.Limit = min(r.Limit, mostLimit)
	if r.Mode == "" {
		r.Mode = Lexical
	}
	s := e.site(v.Slug())
	x, lag, err := s.ready(ctx, v)
	if err != nil {
		return nil, err
	}
	keep, err := s.keep(ctx, v, q)
	if err != nil {
		return nil, err
	}
	a := &Answer{Query: r.Text, Mode: r.Mode, Lag: lag}
	ask := index.Question{Query: q, Keep: keep}
	e.arms(ctx, x, r.Mode, q.Text(), &ask, a)
	if len(q.Regexps) > 0 || q.Case && len(q.Groups) > 0 {
		err = e.verified(ctx, v, x, ask, r, a)
	} else {
		err = e.ranked(ctx, v, x, ask, r, a)
	}
	if err != nil {
		return nil, err
	}
	if r.Mode != Semantic && r.Offset == 0 {
		a.Related = x.Near(q.Text(), relatedWords)
	}
	a.Took = e.Now().Sub(began)
	return a, nil
}

// arms chooses who ranks.
func (e *Engine) arms(ctx context.Context, x *index.Index, mode Mode, text string, ask *index.Question, a *Answer) (model string) {
	ask.Lexical = mode != Semantic
	if mode == Lexical || text == "" {
		return ""
	}
	vector, model, err := e.question(ctx, x, text)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, errResting) {
			e.Log.Warn("the embedding model does not answer a search", "error", err)
		}
		a.Partial = "The model of meanings does not answer now."
	}
	ask.Vector, ask.Model = vector, model
	ask.Related = vector == nil
	if vector == nil && !x.HasRelated() {
		ask.Lexical = true // somebody has to answer
	}
	return model
}

// ranked answers from the index alone.
func (e *Engine) ranked(ctx context.Context, v *gitstore.View, x *index.Index, ask index.Question, r Request, a *Answer) error {
	found, err := x.Pages(ctx, ask, r.Offset, r.Limit)
	if err != nil {
		return err
	}
	a.Total, a.All, a.Arms = found.Total, found.Every, armNames(found.Arms)
	a.notice(found)
	if ask.Lexical {
		a.DidYouMean = corrected(x, ask.Query, found.Unknown)
	}
	dated := v.HistoryAtHand(ctx)
	for _, p := range found.Pages {
		if err := ctx.Err(); err != nil { // whoever asked has left
			return err
		}
		res, ok, err := e.result(v, x, ask.Query, p)
		if err != nil {
			return err
		}
		if !ok { // deleted since the index saw it
			if a.Total--; p.Every {
				a.All--
			}
			continue
		}
		if dated {
			date(ctx, v, &res)
		}
		a.Results = append(a.Results, res)
	}
	return nil
}

// notice tells where the index bounded its work.
func (a *Answer) notice(found *index.Ranking) {
	if found.Partial && a.Partial == "" {
		a.Partial = "Too much holds parts of this query to look at all of it; narrow it with another word or a filter."
	}
}

// armNames spells a set of arms.
func armNames(set index.Arms) []Arm {
	out := []Arm{} // a list in JSON too
	for _, a := range []struct {
		bit  index.Arms
		name Arm
	}{{index.Words, ArmLexical}, {index.Terms, ArmRelated}, {index.Vectors, ArmVectors}} {
		if set&a.bit != 0 {
			out = append(out, a.name)
		}
	}
	return out
}

// corrected is the query with near words in the place of those that have no hits;
// empty where there is none.
func corrected(x *index.Index, q query.Query, unknown []query.Term) string {
	out, end, changed := "", 0, false
	for _, t := range unknown {
		if t.Kind != query.Word || t.From < end || t.To > len(q.Raw) {
			continue
		}
		if w := x.Spelling(t.Text); w != "" {
			out, end, changed = out+q.Raw[end:t.From]+w, t.To, true
		}
	}
	if !changed {
		return ""
	}
	return out + q.Raw[end:]
}

// result turns a page of the index into one that can be shown, with the text as the
// view has it. ok is false where the page is gone.
func (e *Engine) result(v *gitstore.View, x *index.Index, q query.Query, p index.Ranked) (res Result, ok bool, err error) {
	src, c, ok, err := shown(v, p)
	if !ok || err != nil {
		return Result{}, false, err
	}
	marks := func(text string) [][2]int { return x.Highlight(q, text, p.Language) }
	res = Result{
		Page: p.Path, Title: spans(chunks.Mark(p.Title, marks(p.Title))), Score: p.Score,
		Section: c.Section, Anchor: c.Anchor, Line: c.Line, Snippet: spans(chunks.Snippet(src, c, marks, snippetChars)),
		Category: p.Category, Tags: p.Tags, Words: p.Words, Every: p.Every, Arms: armNames(p.Arms),
	}
	return res, true, nil
}

// date fills in who changed a page last and when.
func date(ctx context.Context, v *gitstore.View, res *Result) {
	if c, err := v.Last(ctx, res.Page); err == nil {
		res.Updated, res.Author = c.Date, c.Author
		if c.Actor != "" && !c.Claimed() {
			res.Author = string(c.Actor)
		}
	}
}

// shown is a page's text as the view has it, and the chunk that was found in it; not ok
// where the page is gone.
func shown(v *gitstore.View, p index.Ranked) (src []byte, c chunks.Chunk, ok bool, err error) {
	page, err := v.ReadPage(p.Path)
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, c, false, nil
	}
	if err != nil {
		return nil, c, false, err
	}
	src = indexed(page.Content)
	c, ok = chunkOf(src, page.Blob, p)
	return src, c, ok, nil
}

// chunkOf is the chunk that was found, in the text as it is now: the index may be of a
// commit earlier or later.
func chunkOf(src []byte, blob string, p index.Ranked) (chunks.Chunk, bool) {
	if blob == p.Blob && p.End <= len(src) {
		return chunks.Chunk{Section: p.Sections, Anchor: p.Anchor, Start: p.Start, End: p.End, Line: p.Line}, true
	}
	all := chunks.Split(src, p.Path).Chunks
	if len(all) == 0 {
		return chunks.Chunk{}, false
	}
	return all[min(p.Chunk, len(all)-1)], true
}

func spans(in []chunks.Span) []Span {
	out := make([]Span, len(in))
	for i, s := range in {
		out[i] = Span{s.Text, s.Match}
	}
	return out
}

// Suggest is up to n pages whose name or title fits what is being typed.
func (e *Engine) Suggest(ctx context.Context, v *gitstore.View, typed string, n int) ([]Suggestion, error) {
	if len(typed) > 200 {
		return nil, wiki.Invalid("q", "that is longer than any page's name")
	}
	x, _, err := e.site(v.Slug()).ready(ctx, v)
	if err != nil {
		return nil, err
	}
	typed = strings.Join(strings.Fields(typed), " ")
	out := []Suggestion{}
	for _, p := range x.Suggest(typed, min(max(n, 1), 50)) {
		if at, ok := v.Page(string(p.Path)); !ok || at != p.Path {
			continue // deleted since the index saw it
		}
		out = append(out, Suggestion{Page: p.Path, Title: typedIn(p.Title, typed), Path: typedIn(string(p.Path), typed)})
	}
	return out, nil
}

// typedIn marks what was typed in a name.
func typedIn(name, typed string) []Span {
	low := strings.ToLower(name)
	i := strings.Index(low, strings.ToLower(typed))
	if i < 0 || typed == "" || len(low) != len(name) {
		return []Span{{Text: name}}
	}
	out := make([]Span, 0, 3)
	for _, s := range []Span{{Text: name[:i]}, {name[i : i+len(typed)], true}, {Text: name[i+len(typed):]}} {
		if s.Text != "" {
			out = append(out, s)
		}
	}
	return out
}
