package web

import (
	"cmp"
	"slices"
	"strings"

	"wikibot/search"
)

// chips are the conditions that a query has, each with the way back.
func (d *searchView) chips(filters []search.Filter) []choice {
	list := make([]choice, len(filters))
	for i, f := range filters {
		list[i] = choice{Name: f.Field + ": " + f.Value, Not: f.Not, URL: d.at(func(to *asked) { to.Text, to.Page = search.Without(d.Text, f), 1 })}
	}
	return list
}

// facets are conditions that would narrow the search, taken from the results on
// the page. What all results share, where there are no more, narrows nothing.
func (d *searchView) facets(q *request, filters []search.Filter) []facet {
	if len(d.Answer.Results) == 0 || d.Answer.Total == 1 {
		return nil
	}
	whole := 0 // a value that occurs so often says nothing
	if d.Answer.Total == len(d.Answer.Results) {
		whole = d.Answer.Total
	}
	under := demanded(filters, "path")
	var list []facet
	add := func(name, field string, most int, of func(search.Result) []string) {
		f := facet{Field: name}
		for _, v := range frequent(d.Answer.Results, of, whole, most) {
			if next, ok := search.Narrow(d.Text, field, v); ok && next != d.Text && !hasFilter(filters, field, v) {
				f.Values = append(f.Values, choice{Name: v, URL: d.at(func(to *asked) { to.Text, to.Page = next, 1 })})
			}
		}
		if len(f.Values) > 0 {
			list = append(list, f)
		}
	}
	add(q.texts.get("search.f_category"), "category", 6, func(r search.Result) []string { return nonEmpty(r.Category) })
	add(q.texts.get("search.f_tag"), "tag", 10, func(r search.Result) []string { return r.Tags })
	add(q.texts.get("search.f_path"), "path", 8, func(r search.Result) []string { return nonEmpty(folderBelow(string(r.Page), under)) })
	add(q.texts.get("search.f_author"), "author", 6, func(r search.Result) []string { return nonEmpty(r.Author) })
	if times := d.times(q, filters); len(times.Values) > 0 {
		list = append(list, times)
	}
	return list
}

// times are the usual spans of time.
func (d *searchView) times(q *request, filters []search.Filter) facet {
	f := facet{Field: q.texts.get("search.f_updated")}
	if demanded(filters, "updated") != "" {
		return f
	}
	for _, span := range []struct{ value, name string }{
		{"7d", q.texts.get("search.days_7")}, {"1m", q.texts.get("search.month")}, {"1y", q.texts.get("search.year")},
	} {
		if next, ok := search.Narrow(d.Text, "updated", span.value); ok {
			f.Values = append(f.Values, choice{Name: span.name, URL: d.at(func(to *asked) { to.Text, to.Page = next, 1 })})
		}
	}
	return f
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// demanded is what a query demands of a field, or empty.
func demanded(filters []search.Filter, field string) string {
	for _, f := range filters {
		if f.Field == field && !f.Not {
			return f.Value
		}
	}
	return ""
}

// hasFilter reports whether a query demands or refuses a value.
func hasFilter(filters []search.Filter, field, value string) bool {
	return slices.ContainsFunc(filters, func(f search.Filter) bool {
		return f.Field == field && strings.EqualFold(f.Value, value)
	})
}

// folderBelow is the folder of a page that lies directly in another one, or at
// the top; empty where the page has none there.
func folderBelow(page, under string) string {
	prefix := ""
	if under != "" && len(page) > len(under) && page[len(under)] == '/' && strings.EqualFold(page[:len(under)], under) {
		prefix = page[:len(under)+1]
	}
	name, _, deeper := strings.Cut(page[len(prefix):], "/")
	if !deeper {
		return ""
	}
	return prefix + name
}

// frequent is the values of a field that occur most often, at most n of them;
// not those that occur whole times.
func frequent(results []search.Result, of func(search.Result) []string, whole, n int) []string {
	count := map[string]int{}
	var order []string
	for _, r := range results {
		for _, v := range of(r) {
			if count[v]++; count[v] == 1 {
				order = append(order, v)
			}
		}
	}
	order = slices.DeleteFunc(order, func(v string) bool { return count[v] == whole })
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	return order[:min(n, len(order))]
}
