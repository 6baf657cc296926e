package search

import (
	"strings"

	"wikibot/search/internal/query"
)

// Filter is a condition in a query: "tag:git", "-category:draft".
type Filter struct {
	Field    string // as it is typed: path, tag, category, title, author, updated
	Value    string // with its comparison: ">2026-01-01"
	Not      bool
	From, To int // the bytes of the query that say it
}

// Filters are the conditions in a query, in the order in which they stand; none
// where the query is wrong.
func Filters(text string) []Filter {
	q, err := query.Parse(text)
	if err != nil {
		return nil
	}
	list := make([]Filter, len(q.Filters))
	for i, f := range q.Filters {
		name, value, _ := strings.Cut(query.Filter{Field: f.Field, Op: f.Op, Value: f.Value}.String(), ":")
		list[i] = Filter{Field: name, Value: strings.Trim(value, `"`), Not: f.Not, From: f.From, To: f.To}
	}
	return list
}

// Narrow is a query with one condition more; one of the same field makes way for
// it, except for tags, of which a page has several. False where no query says
// that: a wrong query, a value that cannot be written, or one that is too long.
func Narrow(text, field, value string) (string, bool) {
	return narrow(strings.ToValidUTF8(text, "\ufffd"), field, value, false)
}

func narrow(text, field, value string, again bool) (string, bool) {
	q, err := query.Parse(text)
	if err != nil {
		return "", false
	}
	kept := text
	for i := len(q.Filters) - 1; i >= 0 && field != query.Tag.String(); i-- {
		if f := q.Filters[i]; f.Field.String() == field && !f.Not {
			kept = cut(kept, f.From, f.To)
		}
	}
	quoted := field + ":" + value
	if strings.ContainsAny(value, " \t\u00a0") || strings.HasPrefix(value, "“") {
		quoted = field + `:"` + value + `"`
	}
	next := strings.TrimSpace(kept + " " + quoted)
	got := Filters(next)
	if n := len(got); n > 0 && got[n-1].Field == field && !got[n-1].Not && got[n-1].To == len(next) && same(got[n-1].Value, value) {
		return next, true
	}
	if again { // what is typed half, as an open quote, is closed and tried once more
		return "", false
	}
	return narrow(q.String(), field, value, true)
}

// same compares values as the parser may have trimmed them.
func same(got, want string) bool {
	return got == want || got == strings.Trim(want, "#/ ")
}

// Without is a query without the bytes that say a condition.
func Without(text string, f Filter) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if f.From < 0 || f.To > len(text) || f.From > f.To {
		return text
	}
	return cut(text, f.From, f.To)
}

// cut takes the bytes [from, to) out of a text, and the spaces around them.
func cut(text string, from, to int) string {
	return strings.TrimSpace(strings.TrimSpace(text[:from]) + " " + strings.TrimSpace(text[to:]))
}
