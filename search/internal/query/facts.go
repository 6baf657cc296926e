package query

import (
	"strings"
	"time"

	"wikibot/wiki"
)

// Facts is what filters look at, for one page. All texts are folded by wiki.Fold.
type Facts struct {
	Path     string
	Title    string
	Category string
	Tags     []string
	Authors  []string // names and user names of whoever changed it last
	Updated  time.Time
}

// Filter makes the filters of a query ready to be asked about many pages; nil
// where there are none. The function is safe for concurrent use.
//
//	path      the page itself or a folder above it
//	tag       the tag itself or a tag above it ("git" holds of "git/hooks")
//	category  the category itself
//	title     a part of the title
//	author    a part of the name
//	updated   a time within Interval
//
// Case does not matter, "_" is a space, and with "*" in the value it must match
// the whole text: path:*/Auth.
func (q Query) Filter(now time.Time) func(*Facts) bool {
	if len(q.Filters) == 0 {
		return nil
	}
	tests := make([]func(*Facts) bool, len(q.Filters))
	for i, f := range q.Filters {
		tests[i] = f.test(now)
	}
	return func(facts *Facts) bool {
		for i := range tests {
			if tests[i](facts) == q.Filters[i].Not {
				return false
			}
		}
		return true
	}
}

func (f Filter) test(now time.Time) func(*Facts) bool {
	v := wiki.Fold(f.Value)
	switch f.Field {
	case Path:
		is := matcher(v, under)
		return func(x *Facts) bool { return is(x.Path) }
	case Tag:
		return anyOf(matcher(v, under), func(x *Facts) []string { return x.Tags })
	case Category:
		is := matcher(v, func(s, v string) bool { return s == v })
		return func(x *Facts) bool { return is(x.Category) }
	case Title:
		is := matcher(v, strings.Contains)
		return func(x *Facts) bool { return is(x.Title) }
	case Author:
		return anyOf(matcher(v, strings.Contains), func(x *Facts) []string { return x.Authors })
	}
	from, until := f.Interval(now)
	return func(x *Facts) bool {
		return !x.Updated.Before(from) && (until.IsZero() || x.Updated.Before(until)) && !x.Updated.IsZero()
	}
}

func anyOf(is func(string) bool, list func(*Facts) []string) func(*Facts) bool {
	return func(x *Facts) bool {
		for _, s := range list(x) {
			if is(s) {
				return true
			}
		}
		return false
	}
}

// under reports whether a path is v or below v.
func under(s, v string) bool {
	return strings.HasPrefix(s, v) && (len(s) == len(v) || s[len(v)] == '/')
}

func matcher(v string, compare func(s, v string) bool) func(string) bool {
	if strings.Contains(v, "*") {
		parts := strings.Split(v, "*")
		return func(s string) bool { return glob(parts, s) }
	}
	return func(s string) bool { return compare(s, v) }
}

// glob reports whether s is the parts with anything between them. It never goes
// back: a part is best taken where it comes first.
func glob(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
