package query

import (
	"strconv"
	"strings"
	"time"
)

// fieldName reads the known field, with its colon, that s begins with; "case" is
// len(fieldNames).
func fieldName(s string) (f, size int, ok bool) {
	name, _, found := strings.Cut(s[:min(len(s), len("category:"))], ":")
	if !found {
		return 0, 0, false
	}
	switch lower := strings.ToLower(name); lower {
	case "case":
		return len(fieldNames), len(name) + 1, true
	case "tags":
		return int(Tag), len(name) + 1, true
	default:
		for i, n := range fieldNames {
			if n == lower {
				return i, len(name) + 1, true
			}
		}
	}
	return 0, 0, false
}

// filter reads the value that begins at a place.
func (p *parser) filter(f, from, at int, not bool) error {
	var value string
	if closing(p.q.Raw[at:]) != "" {
		value = p.quoted(at)
	} else {
		p.at = wordEnd(p.q.Raw, at)
		value = p.q.Raw[at:p.at]
	}
	if value == "" {
		return nil
	}
	if f == len(fieldNames) {
		return p.letterCase(value, from, at, not)
	}
	filter := Filter{Field: Field(f), Not: not, From: from, To: p.at}
	var ok bool
	switch filter.Field {
	case Path:
		filter.Value = trimPath(value)
	case Tag:
		filter.Value = strings.TrimLeft(value, "# ")
	case Updated:
		if filter, ok = updated(filter, value); !ok {
			return p.invalid(at, "%q is no time; write updated:2026-01-31, updated:2026-01, updated:>2026 (also < >= <=), updated:2026-01..2026-03, or updated:7d (h, d, w, m, y: so long ago)", value)
		}
	default:
		filter.Value = value
	}
	if filter.Value == "" {
		return nil
	}
	if err := p.single(from); err != nil {
		return err
	}
	if len(p.q.Filters) == MaxFilters {
		return p.invalid(from, "there are more than %d filters; leave some out", MaxFilters)
	}
	p.q.Filters = append(p.q.Filters, filter)
	return nil
}

func (p *parser) letterCase(value string, from, at int, not bool) error {
	if err := p.single(from); err != nil {
		return err
	}
	switch strings.ToLower(value) {
	case "yes", "true":
		p.q.Case = !not
	case "no", "false":
		p.q.Case = not
	default:
		return p.invalid(at, "case: takes yes or no, not %q", value)
	}
	return nil
}

// trimPath drops what a path may be written with: slashes at its ends and ".md".
func trimPath(s string) string {
	for {
		t := strings.TrimSuffix(strings.Trim(s, "/ "), ".md")
		if t == s {
			return t
		}
		s = t
	}
}

// updated reads a time with its comparison.
func updated(f Filter, value string) (Filter, bool) {
	for _, op := range [...]Op{LessEqual, GreaterEqual, Less, Greater} { // the longer first
		if v, ok := strings.CutPrefix(value, opNames[op]); ok {
			f.Op, value = op, v
			break
		}
	}
	if f.Op == Is {
		value = strings.TrimPrefix(value, "=")
	}
	f.Value = strings.Trim(value, " ")
	first, second, isRange := strings.Cut(f.Value, "..")
	if isRange {
		if f.Op != Is || first == "" && second == "" {
			return f, false
		}
		f.Op = Range
	}
	var ok bool
	if first != "" || !isRange {
		var m moment
		if m, ok = parseMoment(first); !ok {
			return f, false
		}
		f.Time = m.begin
	}
	if second != "" {
		_, ok = parseMoment(second)
		return f, ok
	}
	return f, true
}

// moment is a stretch of time: a day, a month, a year, or the instant that lies
// so long before now.
type moment struct {
	begin, end time.Time // [begin, end); zero for one that is relative
	n          int
	unit       byte // h, d, w, m, y
}

var layouts = [...]struct {
	layout              string
	years, months, days int
	rest                time.Duration
}{
	{"2006-01-02", 0, 0, 1, 0}, {"2006-01", 0, 1, 0, 0}, {"2006", 1, 0, 0, 0},
	{"2006-01-02T15:04", 0, 0, 0, time.Minute}, {"2006-01-02T15:04:05", 0, 0, 0, time.Second}, {time.RFC3339, 0, 0, 0, time.Second},
}

func parseMoment(s string) (moment, bool) {
	for _, l := range layouts {
		t, err := time.Parse(l.layout, s)
		if err != nil {
			continue
		}
		t = t.UTC()
		return moment{begin: t, end: t.AddDate(l.years, l.months, l.days).Add(l.rest)}, t.Year() > 0
	}
	if len(s) < 2 || len(s) > 5 || strings.IndexByte("hdwmy", s[len(s)-1]) < 0 {
		return moment{}, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	return moment{n: int(n), unit: s[len(s)-1]}, err == nil
}

// at is the moment as a stretch, seen from now.
func (m moment) at(now time.Time) (begin, end time.Time) {
	if m.unit == 0 {
		return m.begin, m.end
	}
	t := now.UTC()
	switch m.unit {
	case 'h':
		t = t.Add(-time.Duration(m.n) * time.Hour)
	case 'd':
		t = t.AddDate(0, 0, -m.n)
	case 'w':
		t = t.AddDate(0, 0, -7*m.n)
	case 'm':
		t = t.AddDate(0, -m.n, 0)
	case 'y':
		t = t.AddDate(-m.n, 0, 0)
	}
	return t, t
}

// Interval is the times that an Updated filter means, from included, until not;
// a zero time is no bound. "7d" is the instant seven days before now: "updated:7d"
// and "updated:>7d" are the time since, "updated:<7d" is the time before. Dates
// are in UTC.
func (f Filter) Interval(now time.Time) (from, until time.Time) {
	first, second, isRange := strings.Cut(f.Value, "..")
	m, _ := parseMoment(first)
	begin, end := m.at(now)
	switch f.Op {
	case Less:
		return time.Time{}, begin
	case LessEqual:
		return time.Time{}, end
	case Greater:
		return end, time.Time{}
	case GreaterEqual:
		return begin, time.Time{}
	}
	if !isRange {
		if m.unit != 0 {
			return begin, time.Time{}
		}
		return begin, end
	}
	if first != "" {
		from = begin
	}
	if second != "" {
		m, _ = parseMoment(second)
		_, until = m.at(now)
	}
	return from, until
}

func itoa(n int) string { return strconv.Itoa(n) }
