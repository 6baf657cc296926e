package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/history"
	"wikibot/gitstore/internal/refs"
	"wikibot/merge"
	"wikibot/wiki"
)

// historyIndex is a repository's index of main's history: loaded from cache/ or
// built from one streamed `git log` when it is first needed, and moved commit by
// commit from then on.
type historyIndex struct {
	mu      sync.Mutex
	index   *history.Index // guarded by mu, as all below; the index itself locks its readers
	saved   plumbing.Hash  // the head at which it was last saved
	audited plumbing.Hash  // the last audit entry that was taken over
	ready   atomic.Bool    // index is there
	making  atomic.Bool    // somebody is making it in the background
	failed  error          // the last building's
	retry   time.Time      // when a failed building may be tried again
}

// historyAt is the index, brought to the head of a state or further. It waits
// for the first building; see historyNow for callers that cannot.
func (r *repo) historyAt(ctx context.Context, st *state) (*history.Index, error) {
	h := &r.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The newest that readers see, which may be behind the index: a backup that was
	// put back.
	head := st.main().commit
	if now := r.state.Load(); now != nil {
		head = now.main().commit
	}
	if h.index == nil {
		if err := r.buildHistory(head); err != nil {
			return nil, err
		}
	}
	if h.index.Head() != head {
		if err := h.index.Advance(head); err != nil {
			return nil, fmt.Errorf("following the history of %s: %w", r.name, err)
		}
	}
	if err := r.takeAudit(); err != nil {
		return nil, err
	}
	return h.index, nil
}

// buildHistory loads or builds the index; the caller holds the lock.
func (r *repo) buildHistory(head plumbing.Hash) error {
	h := &r.history
	if h.failed != nil && time.Now().Before(h.retry) {
		return h.failed
	}
	o := history.Options{Source: r.objects, ServerEmail: ServerEmail}
	index, err := history.Load(r.historyDir(), o)
	if err == nil && !r.objects.Has(index.Head()) && !index.Head().IsZero() {
		err = errors.New("it is of another history")
	}
	built := err != nil
	if built {
		index, err = history.Build(head, func(args ...string) *exec.Cmd { return r.store.GitCommand(r.store.ctx, r.dir, args...) }, o)
	}
	if err != nil {
		h.failed, h.retry = fmt.Errorf("building the history of %s: %w", r.name, err), time.Now().Add(5*time.Second)
		return h.failed
	}
	h.index, h.failed, h.audited = index, nil, plumbing.ZeroHash
	h.ready.Store(true)
	if built {
		r.store.background(func(context.Context) { r.saveHistory() })
	}
	return nil
}

// historyDir is where the index is saved. It may be deleted at any time.
func (r *repo) historyDir() string {
	return filepath.Join(r.store.CacheDir(), "history", string(r.name))
}

// tellHistory hands the commits of a batch to the index, with the changes that are
// known, so that the next reader need not compare trees. Nothing waits for it:
// what the index does not take now it reads from git when it is asked.
func (r *repo) tellHistory(b *batch) {
	h := &r.history
	if len(b.edits) == 0 || !h.ready.Load() || !h.mu.TryLock() {
		return
	}
	defer h.mu.Unlock()
	for _, e := range b.edits {
		_, object, err := b.Get(e.commit)
		if err != nil || h.index == nil {
			return
		}
		c, err := history.Describe(e.commit, object, historyChanges(e.changes))
		if err != nil || !h.index.TryAppend(c) {
			return
		}
	}
}

func historyChanges(changes []change) []history.Change {
	out := make([]history.Change, len(changes))
	for i, c := range changes {
		out[i] = history.Change{Kind: wiki.Modified, File: c.path}
		if c.old != nil {
			out[i].Old = c.old.oid
		} else {
			out[i].Kind = wiki.Added
		}
		if c.new != nil {
			out[i].New = c.new.oid
		} else {
			out[i].Kind = wiki.Deleted
		}
	}
	return out
}

// takeAudit tells the index who pushed what since it last looked; the caller
// holds the lock. Whoever pushed a commit is taken from the audit, since what a
// pushed commit says of itself is only a claim.
func (r *repo) takeAudit() error {
	h := &r.history
	head, err := r.refs.Current(refAudit)
	if errors.Is(err, refs.ErrNotFound) {
		return nil
	}
	if err != nil || head == h.audited {
		return err
	}
	chain, err := r.auditChain(h.audited)
	if err != nil {
		return err
	}
	void := map[string]bool{}
	for _, a := range chain {
		if a.Action == "void" {
			void[a.Void] = true
		}
	}
	for _, a := range chain {
		if a.Ref != refMain || void[a.commit.String()] {
			continue
		}
		if a.Action == "import" {
			h.index.SetClaimed(plumbing.NewHash(a.New))
		}
		if a.Action != "push" {
			continue
		}
		h.index.SetPushed(plumbing.NewHash(a.Old), plumbing.NewHash(a.New), wiki.Username(a.Actor), wiki.Via(a.Via))
	}
	h.audited = head
	return nil
}

// saveHistory writes the index to cache/, if it has moved by enough to be worth
// it. A failure only costs time at the next start.
func (r *repo) saveHistory() {
	h := &r.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index == nil || h.index.Head() == h.saved || r.name == admin || r.ended.Load() != nil {
		return
	}
	err := os.MkdirAll(r.historyDir(), 0o700)
	if err == nil {
		_, err = h.index.Save(r.historyDir())
	}
	if err != nil {
		r.store.log.Warn("the index of history was not saved; it will be built again at the next start", "wiki", r.name, "error", err)
		return
	}
	h.saved = h.index.Head()
}

// lastOf is the last commit that touched a file, as of this view.
func (v *View) lastOf(ctx context.Context, file string) (wiki.Commit, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return wiki.Commit{}, err
	}
	c, _, err := index.Last(v.at(index), file)
	return c, err
}

// lastRevision is the revision of a page for the text of a conflict; empty
// where the index is not at hand at once, because the writer does not wait.
func (r *repo) lastRevision(_ wiki.Caller, p wiki.PagePath) wiki.Revision {
	h := &r.history
	if !h.mu.TryLock() {
		return ""
	}
	defer h.mu.Unlock()
	head := r.state.Load().main().commit
	if h.index == nil || h.index.Head() != head && h.index.Advance(head) != nil {
		return ""
	}
	c, exists, err := h.index.Last(plumbing.ZeroHash, p.FileName())
	if err != nil || !exists {
		return ""
	}
	return c.Revision
}

// at is the commit that history is asked for. The index may be ahead of the view by
// what was saved since the view was made: answered with a later revision of a page
// than the one that the view has, a reader would write over what they never saw. Zero,
// the head, where the history was rewritten in between.
func (v *View) at(index *history.Index) plumbing.Hash {
	if v.old || index.Contains(v.commit) {
		return v.commit
	}
	return plumbing.ZeroHash
}

// Last is the commit that last touched a page, as of this view: a look-up in the
// index of history, for which the first call after a start may wait.
func (v *View) Last(ctx context.Context, p wiki.PagePath) (wiki.Commit, error) {
	at, _, ok, err := findPage(v.root, p)
	if err != nil {
		return wiki.Commit{}, err
	}
	if !ok {
		return wiki.Commit{}, wiki.NotFound("there is no page %q", p)
	}
	return v.lastOf(ctx, at.FileName())
}

// LastSoon is Last for those who do not want to wait for the index. While it is
// being made, after the first start with a large wiki, stock git is asked, which
// takes milliseconds; full is then false, because git does not know who pushed
// the commit.
func (v *View) LastSoon(ctx context.Context, p wiki.PagePath) (c wiki.Commit, full bool, err error) {
	if v.repo.historySoon(ctx) {
		c, err = v.Last(ctx, p)
		return c, true, err
	}
	at, _, ok, err := findPage(v.root, p)
	if err != nil {
		return wiki.Commit{}, false, err
	}
	if !ok {
		return wiki.Commit{}, false, wiki.NotFound("there is no page %q", p)
	}
	c, err = v.repo.askGitForLast(ctx, v.commit, at.FileName())
	return c, false, err
}

// LastAll is when and by whom each page of the wiki, as it is now, was last
// changed. The cost grows with the number of pages.
func (v *View) LastAll(ctx context.Context) (map[wiki.PagePath]Touched, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, err
	}
	all := index.LastAll()
	out := make(map[wiki.PagePath]Touched, len(all))
	for _, t := range all {
		if p, ok := wiki.PageOfFile(t.File); ok {
			out[p] = Touched{revision(t.Revision), t.Date, t.Author}
		}
	}
	return out, nil
}

// Touched is a page's last change in short.
type Touched struct {
	Revision wiki.Revision
	Date     time.Time
	Author   string
}

// History lists a page's changes, newest first, across renames. It also tells
// of pages that are gone. The cost grows with the answer.
func (v *View) History(ctx context.Context, p wiki.PagePath, after string, limit int) ([]wiki.Change, string, error) {
	return v.HistoryOf(ctx, p, ChangesOptions{After: after, Limit: limit})
}

// HistoryOf is History with a filter, of which Prefix means nothing here. What the
// filter leaves out costs as much as what it lets through; after 65,536 changes of
// the page the answer may be short, or empty, with a cursor for more.
func (v *View) HistoryOf(ctx context.Context, p wiki.PagePath, o ChangesOptions) ([]wiki.Change, string, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, "", err
	}
	cursor, err := parseCursor(o.After)
	if err != nil {
		return nil, "", err
	}
	at, _, ok, err := findPage(v.root, p)
	if err != nil {
		return nil, "", err
	}
	if !ok {
		at = p
	}
	log, next, err := index.LogOf(at.FileName(), o.filter(v.at(index), cursor))
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, "", wiki.NotFound("there is no page %q, and never was", p)
	}
	return log, formatCursor(next), err
}

// Changes are the wiki's recent changes, newest first, each with the files that
// it changed. Cost: the answer; with a filter also up to 65,536 rows of the index
// looked at (below a millisecond, no object is read), after which the answer may be
// short, or empty, with a cursor for more.
func (v *View) Changes(ctx context.Context, o ChangesOptions) ([]wiki.Commit, string, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, "", err
	}
	cursor, err := parseCursor(o.After)
	if err != nil {
		return nil, "", err
	}
	list, next, err := index.Changes(o.filter(v.at(index), cursor))
	return list, formatCursor(next), err
}

// Commit is one commit of main's history with what it changed.
func (v *View) Commit(ctx context.Context, rev wiki.Revision) (wiki.Commit, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return wiki.Commit{}, err
	}
	if rev == wiki.Head {
		rev = v.Head()
	}
	c, err := index.Commit(rev)
	if errors.Is(err, wiki.ErrNotFound) {
		return wiki.Commit{}, wiki.NotFound("there is no revision %s in this wiki", rev.Short())
	}
	return c, err
}

// Blame says of each line of a page which commit wrote it.
func (v *View) Blame(ctx context.Context, p wiki.PagePath) ([]wiki.BlameLine, error) {
	at, _, ok, err := findPage(v.root, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wiki.NotFound("there is no page %q", p)
	}
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, err
	}
	return index.Blame(ctx, v.at(index), at.FileName())
}

func parseCursor(s string) (plumbing.Hash, error) {
	if s == "" {
		return plumbing.ZeroHash, nil
	}
	if !plumbing.IsHash(s) {
		return plumbing.ZeroHash, wiki.Invalid("cursor", "%q is not a cursor; use the one that the list before this one gave", s)
	}
	return plumbing.NewHash(s), nil
}

func formatCursor(h plumbing.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

// Bounds of what a diff shows.
const (
	diffFiles = 300
	diffBytes = 1 << 20 // of one file's two sides together
	diffWhole = 8 << 20 // of all files' sides together
	diffLines = 20_000  // of all files together; each takes ten times its bytes on the way to a browser
)

// Diff compares two commits of main's history, all files or one page. from may
// be empty for the parent of to; to may be empty for the head. Files beyond 300
// are counted and not shown, and those whose lines are too many are named only: a
// push of a few bytes can name the same large text many times.
func (v *View) Diff(ctx context.Context, from, to wiki.Revision, p wiki.PagePath) (Diff, error) {
	newer, err := v.Commit(ctx, to)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{To: newer}
	a := emptyFolder()
	if from == "" && len(newer.Parents) > 0 {
		from = newer.Parents[0]
	}
	if from != "" {
		if d.From, err = v.Commit(ctx, from); err != nil {
			return Diff{}, err
		}
		if a, err = v.repo.rootOf(plumbing.NewHash(string(d.From.Revision))); err != nil {
			return Diff{}, err
		}
	}
	b, err := v.repo.rootOf(plumbing.NewHash(string(newer.Revision)))
	if err != nil {
		return Diff{}, err
	}
	changes, err := diff(a, b)
	if err != nil {
		return Diff{}, err
	}
	bytes, lines := diffWhole, diffLines
	for _, c := range v.paired(changes) {
		if p != "" && c.FileChange.Page != p && c.FileChange.From != p.FileName() {
			continue
		}
		if len(d.Files) == diffFiles || ctx.Err() != nil {
			d.More++
			continue
		}
		f, err := v.fileDiff(c, &bytes, &lines)
		if err != nil {
			return Diff{}, err
		}
		d.Files = append(d.Files, f)
	}
	return d, nil
}

type pairedChange struct {
	wiki.FileChange
	old, new *entry
}

// paired joins what was removed and added with the same or much the same
// content into renames.
func (v *View) paired(changes []change) []pairedChange {
	m := treeMerge{blob: v.repo.blob}
	moves, err := m.renames(changes)
	if err != nil {
		moves = nil
	}
	gone := map[string]change{}
	for _, c := range changes {
		if c.new == nil {
			gone[c.path] = c
		}
	}
	cameFrom := map[string]string{}
	for from, to := range moves {
		cameFrom[to] = from
	}
	var out []pairedChange
	for _, c := range changes {
		if _, moved := moves[c.path]; moved && c.new == nil {
			continue
		}
		pc := pairedChange{FileChange: wiki.FileChange{File: c.path}, old: c.old, new: c.new}
		pc.Page, _ = wiki.PageOfFile(c.path)
		switch from := cameFrom[c.path]; {
		case from != "" && c.old == nil:
			pc.Kind, pc.From, pc.old = wiki.Renamed, from, gone[from].old
		case c.old == nil:
			pc.Kind = wiki.Added
		case c.new == nil:
			pc.Kind = wiki.Deleted
		default:
			pc.Kind = wiki.Modified
		}
		if pc.old != nil {
			pc.Old = pc.old.oid.String()
		}
		if pc.new != nil {
			pc.New = pc.new.oid.String()
		}
		out = append(out, pc)
	}
	return out
}

// fileDiff compares one file and takes what it shows from what may still be
// compared and shown.
func (v *View) fileDiff(c pairedChange, bytes, lines *int) (FileDiff, error) {
	f := FileDiff{FileChange: c.FileChange}
	m := treeMerge{blob: v.repo.blob}
	old, err := m.read(c.old)
	if err != nil {
		return f, err
	}
	new, err := m.read(c.new)
	if err != nil {
		return f, err
	}
	switch {
	case binary(old) || binary(new):
		f.Binary = true
		return f, nil
	case len(old)+len(new) > min(diffBytes, *bytes):
		f.Truncated = true
		return f, nil
	}
	*bytes -= len(old) + len(new)
	f.Hunks = merge.Lines(old, new, 3)
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			switch l.Kind {
			case '+':
				f.Added++
			case '-':
				f.Removed++
			}
		}
		*lines -= len(h.Lines)
	}
	if *lines < 0 {
		f.Hunks, f.Truncated, *lines = nil, true, 0
	}
	return f, nil
}

// Compare is the difference of two texts, for previews and merge screens.
func Compare(old, new []byte) []merge.Hunk { return merge.Lines(old, new, 3) }
