package gitstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/history"
	"wikibot/wiki"
)

// HistoryQuery asks which commits added or removed a text in pages.
type HistoryQuery struct {
	Text   string // one line of at most 500 bytes
	Regexp bool   // Text is a regular expression (RE2), matched within lines
	Case   bool   // upper and lower case differ

	Prefix       string        // only pages whose path begins so
	Author       string        // name or address of the author, or the actor, without regard to case
	Since, Until time.Time     // only commits of authors' dates from Since to before Until; zero: any
	After        string        // cursor: Next of an earlier answer; empty: begin with the newest commit
	Limit        int           // most hits; 0 or more than 200: 50
	Work         time.Duration // about how long to look; 0 or more than 2 s: 1.5 s
}

// HistoryResult is part of the answer to a HistoryQuery.
type HistoryResult struct {
	Found []HistoryHit // newest first
	Next  string       // cursor of the next part; it stays good while commits are added
	Ended bool         // there is no next part

	Done, Total int // commits looked at from the newest on, of all; 0 of 0 while the index of history is made
	Skipped     int // texts that this call left out: above 4 MB, or an expression took too long for them
}

// HistoryHit is one page of one commit in which the text stands more or less often
// than before.
type HistoryHit struct {
	Commit         wiki.Commit // without its changes
	Page           wiki.PagePath
	From           wiki.PagePath // what the page was called before the commit, where that renamed it
	Added, Removed int           // how often it stands there more, or less, than before; one of them is 0
	Gone           bool          // the commit deleted the page

	// The first line that was added, or else removed, with the text in it,
	// shortened to about 200 bytes: its number (in the new text, or else the old)
	// and where the text stands in Snippet, in bytes.
	Line    int
	Snippet string
	Marks   [][2]int
}

// Bounds of one call of SearchHistory.
const (
	historyBytes  = 256 << 20 // of texts that are read
	historyBlob   = 4 << 20   // of one text
	historyCounts = 1 << 16   // texts whose counts are remembered on the way
	scanCommits   = 1024      // commits that the index gives at once
	scanChanges   = 4096      // and changes
)

// SearchHistory looks for the commits of main that changed how often a text stands in
// a page, newest first. A merge counts where its page has more than each of its
// parents, or fewer; a page that is renamed counts as changed, not as added. Found is
// what the repository holds: what was purged is not.
//
// One call looks at commits for Work, at up to 256 MB of texts and for up to Limit
// hits; Next goes on from there. It costs about 20 µs for each text that it reads, two
// for a change and mostly one, since an edit begins where the one before it ended. As
// many calls read at once as searches do; another waits for up to two seconds.
// progress may be nil; it is called now and then with Done and Total.
//
// wiki.ErrInvalid for a text or an expression that cannot be looked for, a bad cursor,
// and a cursor of a history that was rewritten; wiki.ErrUnavailable where too many
// search; ctx's error as soon as that ends.
func (v *View) SearchHistory(ctx context.Context, q HistoryQuery, progress func(done, total int)) (HistoryResult, error) {
	match, err := newTextMatch(q.Text, q.Regexp, q.Case)
	if err != nil {
		return HistoryResult{}, err
	}
	from, err := parsePosition(q.After)
	if err != nil {
		return HistoryResult{}, err
	}
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	if q.Work <= 0 || q.Work > 2*time.Second {
		q.Work = 1500 * time.Millisecond
	}
	if err := v.repo.store.scanTurn(ctx); err != nil {
		return HistoryResult{}, err
	}
	defer func() { <-v.repo.store.scans }()
	for patience := time.Now().Add(q.Work); !v.repo.historySoon(ctx); {
		if ctx.Err() != nil {
			return HistoryResult{}, ctx.Err()
		}
		if time.Now().After(patience) {
			return HistoryResult{Next: q.After}, nil
		}
	}
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return HistoryResult{}, err
	}
	soon, cancel := context.WithTimeout(ctx, q.Work)
	defer cancel()
	s := historySearch{view: v, index: index, q: q, match: match, at: from, counts: map[plumbing.Hash]int{}}
	err = s.run(soon, progress)
	if ctx.Err() != nil {
		return HistoryResult{}, ctx.Err()
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return HistoryResult{}, err
	}
	s.out.Next = formatPosition(s.at, s.out.Ended)
	return s.out, nil
}

// scanTurn waits for a place among those who may read all pages now: half of the
// processors at most, so that pages are served beside them. It is given back by
// receiving from scans.
func (s *Store) scanTurn(ctx context.Context) error {
	select {
	case s.scans <- struct{}{}:
		return nil
	case <-time.After(2 * time.Second):
		return wiki.Unavailable("too many searches are running; try again in a moment")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// parsePosition reads a cursor: a commit, and the number of its changes that were
// looked at where that is not all of them.
func parsePosition(s string) (p history.Position, err error) {
	if s == "" {
		return p, nil
	}
	name, seen, partly := strings.Cut(s, "-")
	p.Seen = -1
	if partly {
		p.Seen, err = strconv.Atoi(seen)
	}
	if err != nil || !plumbing.IsHash(name) || partly && (p.Seen < 0 || seen != strconv.Itoa(p.Seen)) {
		return p, wiki.Invalid("after", "%q is not a cursor; use the one that the part before this one gave", s)
	}
	p.Commit = plumbing.NewHash(name)
	return p, nil
}

func formatPosition(p history.Position, ended bool) string {
	switch {
	case ended || p.Commit.IsZero():
		return ""
	case p.Seen >= 0:
		return p.Commit.String() + "-" + strconv.Itoa(p.Seen)
	}
	return p.Commit.String()
}

// historySearch is one call of SearchHistory.
type historySearch struct {
	view   *View
	index  *history.Index
	q      HistoryQuery
	match  *textMatch
	at     history.Position        // behind what was looked at
	counts map[plumbing.Hash]int   // of texts that were read
	large  map[plumbing.Hash]bool  // texts above historyBlob
	moves  map[string]history.Move // of the present commit, by either path; nil: not asked for
	bytes  int64
	looked int // changes
	out    HistoryResult
}

// run goes on until the history, the time or one of the bounds ends.
func (s *historySearch) run(ctx context.Context, progress func(done, total int)) error {
	f := history.ScanFilter{At: s.view.at(s.index), Author: s.q.Author, Suffix: wiki.PageSuffix, Since: s.q.Since, Until: s.q.Until}
	if s.q.Prefix != "" {
		f.Prefix = wiki.FilePath(s.q.Prefix).FileName()
	}
	for !s.out.Ended {
		found, next, done, total, ended, err := s.index.Scan(f, s.at, scanCommits, scanChanges)
		if err != nil {
			return err
		}
		s.out.Total = total
		for _, c := range found {
			if err := s.commit(ctx, c); err != nil {
				return err
			}
			if s.out.Done = c.Done; s.full() {
				return nil
			}
		}
		s.at, s.out.Done = next, done
		if s.out.Ended = ended; progress != nil {
			progress(done, total)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s *historySearch) full() bool {
	return len(s.out.Found) >= s.q.Limit || s.bytes >= historyBytes
}

// commit looks at the changes of one commit. Where it stops before the last, the
// position says so; it looks at one at least in each call.
func (s *historySearch) commit(ctx context.Context, c history.Scanned) error {
	s.moves = nil
	for i, change := range c.Changes {
		err := s.change(ctx, &c, change)
		if err != nil && (s.looked > 0 || !errors.Is(err, context.DeadlineExceeded)) {
			return err
		}
		if err != nil {
			s.out.Skipped++ // a whole call is not enough for it
		}
		s.looked++
		if s.at = (history.Position{Commit: c.OID, Seen: c.First + i + 1}); i == len(c.Changes)-1 {
			s.at.Seen = -1
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.full() {
			return nil
		}
	}
	return nil
}

// change looks at one file of one commit. A rename is told where the text stands now,
// or else with the file that is gone.
func (s *historySearch) change(ctx context.Context, c *history.Scanned, one history.ScannedChange) error {
	now, err := s.count(ctx, one.New)
	if err != nil {
		return err
	}
	was := make([]int, len(one.Was))
	most := 0
	for i, oid := range one.Was {
		if was[i], err = s.count(ctx, oid); err != nil {
			return err
		}
		most = max(most, was[i])
	}
	move, moved := history.Move{}, false
	if isNew := absent(one.Was); isNew && now > 0 || one.New.IsZero() && most > 0 {
		move, moved = s.move(c, one.File)
	}
	if !moved {
		return s.compare(ctx, c.OID, one.File, "", one.Was, was, one.New, now)
	}
	there, err := s.count(ctx, move.New)
	if err != nil || one.File == move.From && there > 0 {
		return err
	}
	before, err := s.count(ctx, move.Old)
	if err != nil {
		return err
	}
	return s.compare(ctx, c.OID, move.To, move.From, []plumbing.Hash{move.Old}, []int{before}, move.New, there)
}

// move is the rename of that commit from or to a file.
func (s *historySearch) move(c *history.Scanned, file string) (history.Move, bool) {
	if s.moves == nil {
		s.moves = map[string]history.Move{}
		if c.Moves {
			for _, m := range s.index.Moves(c.OID) {
				s.moves[m.From], s.moves[m.To] = m, m
			}
		}
	}
	m, ok := s.moves[file]
	return m, ok
}

func absent(all []plumbing.Hash) bool {
	return !slices.ContainsFunc(all, func(oid plumbing.Hash) bool { return !oid.IsZero() })
}

// compare makes a hit of a file in which the text stands more often than in any of
// its earlier versions, or less often than in all of them.
func (s *historySearch) compare(ctx context.Context, commit plumbing.Hash, file, from string, olds []plumbing.Hash, was []int, new plumbing.Hash, now int) error {
	low, high := slices.Min(was), slices.Max(was)
	if now >= low && now <= high {
		return nil
	}
	page, ok := wiki.PageOfFile(file)
	if !ok {
		return nil
	}
	h := HistoryHit{Page: page, Gone: new.IsZero()}
	h.From, _ = wiki.PageOfFile(from)
	if h.Added = max(0, now-high); h.Added == 0 {
		h.Removed = low - now
	}
	after, before, err := s.sides(new, olds)
	if err != nil {
		return err
	}
	text, also, others := after, [][]byte(nil), before
	if h.Removed > 0 {
		text, also, others = before[0], before[1:], [][]byte{after}
	}
	n, piece, line, err := s.match.freshLines(ctx, text, also, others)
	if err != nil && s.looked > 0 {
		return err // again in the next call, which begins with it
	}
	if len(olds) > 1 { // both sides of a merge may have added it, each where we come to it
		if n == 0 {
			return nil
		}
		h.Added, h.Removed = min(h.Added, n), min(h.Removed, n)
	}
	h.Line = line
	h.Snippet, h.Marks = s.match.excerpt(piece)
	if h.Commit, err = s.index.Described(commit); err != nil {
		return err
	}
	s.out.Found = append(s.out.Found, h)
	return nil
}

func (s *historySearch) sides(new plumbing.Hash, olds []plumbing.Hash) (after []byte, before [][]byte, err error) {
	after, err = s.text(new)
	for _, oid := range olds {
		if err != nil {
			break
		}
		var b []byte
		b, err = s.text(oid)
		before = append(before, b)
	}
	return after, before, err
}

// count is how often the text stands in a blob; none where there is no blob, or
// where it is no text or too large.
func (s *historySearch) count(ctx context.Context, oid plumbing.Hash) (int, error) {
	if n, ok := s.counts[oid]; ok || oid.IsZero() {
		return n, nil
	}
	text, err := s.text(oid)
	if err != nil {
		return 0, err
	}
	n, err := s.match.count(ctx, text)
	if err != nil {
		return 0, err
	}
	if len(s.counts) == historyCounts {
		clear(s.counts)
	}
	s.counts[oid] = n
	return n, nil
}

// text is a blob's; nil where there is none to be searched.
func (s *historySearch) text(oid plumbing.Hash) ([]byte, error) {
	if oid.IsZero() || s.large[oid] {
		return nil, nil
	}
	size, err := s.view.repo.objects.Size(oid)
	if err != nil {
		return nil, err
	}
	if size > historyBlob {
		if s.large == nil {
			s.large = map[plumbing.Hash]bool{}
		}
		s.large[oid] = true
		s.out.Skipped++
		return nil, nil
	}
	s.bytes += size
	return s.view.repo.blob(oid)
}
