package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"wikibot/search/internal/index"
	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// The arms that are measured, by the names that Floors has. Each asks an index as a
// wiki does.
const (
	Lexical = "lexical" // words alone
	Related = "related" // related terms alone; not under index.RelatedFrom chunks
	Fused   = "fused"   // both, as a wiki without a model ranks
)

// arm is one way of ranking: the numbers of at most k documents, best first.
type arm struct {
	name   string
	search func(ctx context.Context, text string, k int) ([]int, error)
}

// portion is how many documents are put into the index at once.
const portion = 1000

// build indexes the documents, each as a page, and gives the arms that can be asked.
func build(ctx context.Context, documents []document, o Options) ([]arm, error) {
	language := o.Language
	if language == "" {
		language = "en"
	}
	x := index.New(language)
	put := make([]*index.Prepared, 0, portion)
	for i, d := range documents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		put = append(put, x.Prepare(index.Source{Path: path(i), Content: d.page()}))
		if len(put) == portion || i == len(documents)-1 {
			x.Apply(nil, put)
			put = put[:0]
		}
	}
	ask := func(name string, words, related bool) arm {
		return arm{name, func(ctx context.Context, text string, k int) ([]int, error) {
			r, err := x.Pages(ctx, index.Question{Query: query.Words(text), Lexical: words, Related: related}, 0, k)
			if err != nil {
				return nil, err
			}
			out := make([]int, len(r.Pages))
			for i, p := range r.Pages {
				out[i] = number(p.Path)
			}
			return out, nil
		}}
	}
	arms := []arm{ask(Lexical, true, false)}
	if !x.NeedsRelated() {
		return arms, nil
	}
	sample := x.Sample()
	model, err := index.Fit(ctx, sample)
	if err != nil {
		return nil, fmt.Errorf("fitting related terms: %w", err)
	}
	x.Adopt(sample, model)
	return append(arms, ask(Related, false, true), ask(Fused, true, true)), nil
}

// page is a document as a page of a wiki.
func (d document) page() []byte {
	if d.title == "" {
		return []byte(d.text)
	}
	title, err := json.Marshal(d.title) // which YAML reads as well
	if err != nil {
		return []byte(d.text)
	}
	return fmt.Appendf(nil, "---\ntitle: %s\n---\n\n%s\n", title, d.text)
}

// path is the name of the page of a document: letters, so that it is no word of a
// query. number is its twin.
func path(n int) wiki.PagePath {
	var b strings.Builder
	b.WriteString("Q")
	for _, digit := range fmt.Sprint(n) {
		b.WriteByte("bcdfghjklm"[digit-'0'])
	}
	return wiki.PagePath(b.String())
}

func number(p wiki.PagePath) (n int) {
	for _, letter := range string(p[1:]) {
		n = 10*n + strings.IndexRune("bcdfghjklm", letter)
	}
	return n
}
