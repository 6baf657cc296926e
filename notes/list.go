package notes

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Item is one page of a list.
type Item struct {
	Path    wiki.PagePath
	Meta              // Tags are shared, do not change them
	Updated time.Time // the date of the last commit that touched it; zero while history is not at hand
	Author  string    // of that commit
	Size    int64     // bytes
}

// ListRequest chooses part of a wiki's pages; what is set narrows the list.
type ListRequest struct {
	Prefix   string    // of the path, exact case
	Category string    // without regard to case
	Tag      string    // without regard to case
	Since    time.Time // changed then or later
	After    string    // List.Next of the part before
	Limit    int       // most items; 0: all
}

// List is a part of a wiki's pages in the order of their file names.
type List struct {
	Items []Item
	Total int    // pages that match, here and in the other parts
	Next  string // ListRequest.After of the next part; empty at the end
}

// fewDates is up to how many pages the last change is looked up one by one; above
// it those of all pages are asked for at once.
const fewDates = 200

// List lists pages. Without a filter on metadata it looks only at the texts of the
// pages that it lists; the first filter of a wiki reads all of them (some 20 µs
// each), later ones what has changed. Cost beside that: a look at each page's name
// or metadata, and the answer.
func (s *Service) List(ctx context.Context, v *gitstore.View, r ListRequest) (*List, error) {
	t, err := s.table(ctx, v)
	if err != nil {
		return nil, err
	}
	if r.Category != "" || r.Tag != "" {
		if err := s.fill(ctx, v, t); err != nil {
			return nil, err
		}
	}
	var dates map[wiki.PagePath]gitstore.Touched
	if !r.Since.IsZero() {
		if dates, err = s.dates(ctx, v, t); err != nil {
			return nil, err
		}
	}
	l := &List{}
	var chosen []*row
	for _, row := range t.rows {
		if !strings.HasPrefix(string(row.page), r.Prefix) || !row.matches(r) {
			continue
		}
		if dates != nil && dates[row.page].Date.Before(r.Since) {
			continue
		}
		l.Total++
		switch {
		case row.file <= r.After:
		case r.Limit <= 0 || len(chosen) < r.Limit:
			chosen = append(chosen, row)
		default:
			l.Next = chosen[len(chosen)-1].file
		}
	}
	l.Items, err = s.items(ctx, v, t, chosen, dates)
	return l, err
}

// matches is the filter on metadata, which was filled before.
func (r *row) matches(want ListRequest) bool {
	if want.Category == "" && want.Tag == "" {
		return true
	}
	f := r.read.Load()
	if f == nil {
		return false
	}
	if want.Category != "" && !strings.EqualFold(f.Category, want.Category) {
		return false
	}
	return want.Tag == "" || slices.ContainsFunc(f.Tags, func(tag string) bool { return strings.EqualFold(tag, want.Tag) })
}

// items fills in what a list shows of its pages.
func (s *Service) items(ctx context.Context, v *gitstore.View, t *table, rows []*row, dates map[wiki.PagePath]gitstore.Touched) ([]Item, error) {
	var err error
	dated := dates != nil || v.HistoryAtHand(ctx)
	if dated && dates == nil && len(rows) > fewDates {
		if dates, err = s.dates(ctx, v, t); err != nil {
			return nil, err
		}
	}
	out := make([]Item, 0, len(rows))
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := t.facts(v, row)
		if err != nil {
			return nil, err
		}
		item := Item{Path: row.page, Meta: f.Meta, Size: f.size}
		if d, ok := dates[row.page]; ok {
			item.Updated, item.Author = d.Date, d.Author
		} else if dated {
			c, err := v.Last(ctx, row.page)
			if err != nil {
				return nil, err
			}
			item.Updated, item.Author = c.Date, c.Author
		}
		out = append(out, item)
	}
	return out, nil
}

// fill reads all pages' metadata, and makes room for it.
func (s *Service) fill(ctx context.Context, v *gitstore.View, t *table) error {
	if t.full.Load() {
		return nil
	}
	err := t.fill(ctx, v)
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	s.tables.trim()
	return err
}

// dates are the last changes of all pages, as of the view; kept with the table.
func (s *Service) dates(ctx context.Context, v *gitstore.View, t *table) (map[wiki.PagePath]gitstore.Touched, error) {
	if d := t.dates.Load(); d != nil {
		return *d, nil
	}
	if v.Older() { // LastAll is of the newest state
		out := make(map[wiki.PagePath]gitstore.Touched, len(t.rows))
		for _, r := range t.rows {
			c, err := v.Last(ctx, r.page)
			if err != nil {
				return nil, err
			}
			out[r.page] = gitstore.Touched{Revision: c.Revision, Date: c.Date, Author: c.Author}
		}
		return out, nil
	}
	all, err := v.LastAll(ctx)
	if err != nil {
		return nil, err
	}
	if t.dates.CompareAndSwap(nil, &all) {
		t.size.Add(int64(len(all)) * dateBytes)
	}
	return all, nil
}

// Count is a tag or a category with the number of pages that have it.
type Count struct {
	Name  string // as the first page by name spells it
	Pages int
}

// Tags are the tags of a wiki's pages, the most used first, then by name; upper and
// lower case are one. The cost is that of a List with a filter.
func (s *Service) Tags(ctx context.Context, v *gitstore.View) ([]Count, error) {
	t, err := s.filled(ctx, v)
	if err != nil {
		return nil, err
	}
	return counted(t, &t.tags, func(m *Meta) []string { return m.Tags }), nil
}

// Categories are the categories, likewise.
func (s *Service) Categories(ctx context.Context, v *gitstore.View) ([]Count, error) {
	t, err := s.filled(ctx, v)
	if err != nil {
		return nil, err
	}
	return counted(t, &t.categories, func(m *Meta) []string {
		if m.Category == "" {
			return nil
		}
		return []string{m.Category}
	}), nil
}

func (s *Service) filled(ctx context.Context, v *gitstore.View) (*table, error) {
	t, err := s.table(ctx, v)
	if err != nil {
		return nil, err
	}
	return t, s.fill(ctx, v, t)
}

// counter is where a table keeps counts.
type counter interface {
	Load() *[]Count
	Store(*[]Count)
}

func counted(t *table, kept counter, of func(*Meta) []string) []Count {
	if c := kept.Load(); c != nil {
		return *c
	}
	at := map[string]int{}
	list := []Count{}
	for _, r := range t.rows {
		f := r.read.Load()
		if f == nil {
			continue
		}
		for _, name := range of(&f.Meta) {
			key := strings.ToLower(name)
			i, ok := at[key]
			if !ok {
				i = len(list)
				at[key] = i
				list = append(list, Count{Name: name})
			}
			list[i].Pages++
		}
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Pages, a.Pages), cmp.Compare(a.Name, b.Name))
	})
	kept.Store(&list)
	return list
}
