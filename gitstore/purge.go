package gitstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/gitstore/internal/rewrite"
	"wikibot/wiki"
)

// A purge takes something out of all of a wiki's history: a leaked secret, personal
// data. The history is made over again (package rewrite) into a fresh repository
// beside the old one, while everybody goes on; what came meanwhile follows in a
// moment in which nobody writes; then the fresh repository takes the old one's place
// and the old one is removed, whole. A crash leaves the one or the other.
//
// What was taken out must not come back with the next push from an old clone. So
// refs/wikibot/purged lists the names of the commits that are gone and of the contents
// that were taken out, and pushes that bring any are refused.

// PurgeReport is what a purge has done, or would do.
type PurgeReport struct {
	rewrite.Outcome
	Refs    []string      // that lead elsewhere now, sorted
	Head    wiki.Revision // of main
	Fetches []Fetch       // who has cloned or fetched, as far as it is known
	Holders []string      // what else may hold it: other wikis, bundles, folders
	Site    bool          // the text is in admin.git too, which is not rewritten
}

// Purge rewrites a wiki's history without something. Only the host may. Errors are
// wiki.ErrInvalid for a request that cannot be, or by which a configuration would not
// load any more; nothing has changed then.
func (s *Store) Purge(ctx context.Context, c wiki.Caller, slug wiki.Slug, req PurgeRequest) (*PurgeReport, error) {
	if !c.Host {
		return nil, wiki.Forbidden("history is rewritten on the machine itself: wikibot admin purge %s", slug)
	}
	if slug == admin {
		return nil, wiki.Invalid("wiki", "admin.git is not rewritten by this command: people and wikis have their names there for ever")
	}
	rules, err := req.rules()
	if err != nil {
		return nil, err
	}
	r, err := s.wikiAnyway(slug)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if !r.stopUpkeep(ctx) {
		return nil, ctx.Err()
	}
	defer r.allowUpkeep()
	p := &purge{s: s, r: r, caller: c, rules: rules, dry: req.DryRun, now: s.now().UTC()}
	defer p.close()
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	report, err := p.run(ctx)
	if told := diskTrouble(err); told != nil && !errors.Is(err, wiki.ErrUnavailable) {
		s.log.Error("a purge failed; the wiki is as it was", "wiki", slug, "error", err)
		return nil, told
	}
	return report, err
}

// wikiAnyway is wiki for the host, who works on a suspended wiki too.
func (s *Store) wikiAnyway(slug wiki.Slug) (*repo, error) {
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	rec := st.site.wikis[slug]
	if rec == nil || rec.Deleted {
		return nil, wiki.NotFound("there is no wiki %q", slug)
	}
	return s.openWiki(slug)
}

// purge is one purge under way.
type purge struct {
	s      *Store
	r      *repo
	caller wiki.Caller
	rules  rewrite.Rules
	dry    bool
	now    time.Time

	src   *objects.DB // the old objects, past the shared cache
	w     *rewrite.Rewriter
	batch *objects.Batch
	fresh *repo           // the new repository; nil where dry
	bad   error           // a message of the audit that cannot be rewritten
	was   map[string]bool // refs that there are, by name
	head  plumbing.Hash   // main, as it will be
	swapt bool            // the fresh one is in place
}

// ownCache is the memory for reading the old history, past the cache that the pages
// are served from: what is to go must not get into it.
const ownCache = 64 << 20

// begin makes the fresh repository, outside of what is served.
func (p *purge) begin(ctx context.Context) error {
	var err error
	if p.src, err = objects.Open(p.s.fs, p.r.dir, objects.NewCache(ownCache)); err != nil {
		return err
	}
	p.w = rewrite.New(p.src, p.sink, p.rules)
	p.w.Entry = p.entry
	if p.dry {
		return nil
	}
	dir := filepath.Join(p.s.cfg.Dir, "wikis", tmpPrefix+"purge-"+string(p.r.name)+"-"+randomHex(6))
	if err := p.s.initRepository(ctx, dir); err != nil {
		return err
	}
	if p.fresh, err = p.s.openRepo(p.r.name, dir); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	p.batch = p.fresh.objects.NewBatch()
	return nil
}

// close removes what is left of the fresh repository, unless it took its place.
func (p *purge) close() {
	if p.src != nil {
		_ = p.src.Close() // it was only read
	}
	if p.fresh == nil || p.swapt {
		return
	}
	if err := errors.Join(p.fresh.objects.Close(), os.RemoveAll(p.fresh.dir)); err != nil {
		p.s.log.Warn("what a purge has begun stays; the next start removes it", "wiki", p.r.name, "error", err)
	}
}

// run rewrites, looks at the result, and puts it in place.
func (p *purge) run(ctx context.Context) (*PurgeReport, error) {
	list, err := p.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	before, err := p.rewrite(ctx, list)
	if err != nil {
		return nil, err
	}
	out, err := p.w.Outcome()
	if err != nil {
		return nil, err
	}
	if out.Commits+out.Tags == 0 && !renames(list, before) {
		return nil, wiki.NotFound("nothing in the history of %q is what you name, so nothing was changed", p.r.name)
	}
	if !p.dry {
		if err := p.fill(ctx, nil, before); err != nil {
			return nil, err
		}
		if err := p.verify(ctx); err != nil {
			return nil, err
		}
		if list, before, err = p.replace(ctx, before); err != nil {
			return nil, err
		}
		if out, err = p.w.Outcome(); err != nil {
			return nil, err
		}
	}
	report := &PurgeReport{Outcome: out, Head: revision(p.head)}
	report.Refs = movedRefs(list, before)
	if report.Fetches, err = p.s.Fetches(p.r.name); err != nil {
		p.s.log.Warn("who has fetched cannot be told", "wiki", p.r.name, "error", err)
	}
	report.Holders = p.holders(ctx, out.Old)
	report.Site = p.inAdmin(ctx)
	return report, nil
}

// snapshot lists the refs between two writes: the audit is ahead of the ref that it
// tells of for a moment, and would name a commit that nobody reaches.
func (p *purge) snapshot(ctx context.Context) (list []refs.Ref, err error) {
	err = p.r.do(&job{ctx: ctx, caller: p.caller, run: func(*batch) (err error) {
		list, err = p.r.refs.List("")
		return err
	}})
	return list, err
}

// rewrite rewrites what refs lead to, the audit last: it names commits of all others.
func (p *purge) rewrite(ctx context.Context, list []refs.Ref) (map[string]plumbing.Hash, error) {
	to := map[string]plumbing.Hash{}
	p.was = map[string]bool{}
	for _, ref := range list {
		p.was[ref.Name] = true
	}
	for _, kind := range []rewrite.Kind{rewrite.Content, rewrite.Records, rewrite.Audit} {
		for _, ref := range list {
			if kindOfRef(ref.Name) != kind {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			oid, err := p.w.Ref(ref.Hash, kind)
			if err = errors.Join(err, p.bad); err != nil {
				return nil, fmt.Errorf("rewriting %s: %w", p.w.Name(ref.Name), err)
			}
			to[p.nameOf(ref.Name, to)] = oid
		}
	}
	p.head = to[refMain]
	return to, p.flush()
}

func kindOfRef(name string) rewrite.Kind {
	switch {
	case name == refAudit:
		return rewrite.Audit
	case strings.HasPrefix(name, refServerPrefix):
		return rewrite.Records
	}
	return rewrite.Content
}

// nameOf is a ref's new name: branches and tags may have the text in theirs.
func (p *purge) nameOf(name string, taken map[string]plumbing.Hash) string {
	to := p.w.Name(name)
	if to == name || kindOfRef(name) != rewrite.Content || name == refMain || refs.CheckName(to) != nil {
		return name
	}
	next := to
	for n := 2; ; n++ {
		if _, used := taken[next]; !used && !p.was[next] {
			return next
		}
		next = fmt.Sprintf("%s-%d", to, n)
	}
}

// entry rewrites an entry of the audit, whose names of commits are the new ones
// already: one whose commit no ref reached is marked, since it is gone now.
func (p *purge) entry(message string) string {
	subject, text, _ := strings.Cut(message, "\n\n")
	var e auditEntry
	if err := toml.Unmarshal([]byte(text), &e); err != nil {
		p.bad = wiki.Invalid("text", "the text is part of what the audit is made of, which could not be read any more; give more of what is around it")
		return message
	}
	if e.Gone || p.knows(e.New) {
		return message
	}
	return subject + "\n\n" + strings.TrimSuffix(text, "\n") + "\ngone = true\n"
}

// knows reports whether an entry's commit is in the new history: under its old name,
// if that stayed, or under the new one, which is what the entry has by now.
func (p *purge) knows(oid string) bool {
	h := plumbing.NewHash(oid)
	return h.IsZero() || p.w.Seen(h) || p.w.Made(h)
}

// flushAt is how many bytes of new objects become one pack.
const flushAt = 32 << 20

// sink takes a new object.
func (p *purge) sink(t plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	if p.dry {
		return objects.Hash(t, data)
	}
	oid, err := p.batch.Add(t, data)
	if err == nil && p.batch.Bytes() > flushAt {
		err = p.flush()
	}
	return oid, err
}

func (p *purge) flush() error {
	if p.dry || p.batch.Len() == 0 {
		return nil
	}
	err := p.batch.WritePack()
	p.batch = p.fresh.objects.NewBatch()
	return err
}

// renames reports whether a ref has another name.
func renames(list []refs.Ref, to map[string]plumbing.Hash) bool {
	return slices.ContainsFunc(list, func(r refs.Ref) bool { _, ok := to[r.Name]; return !ok })
}

// movedRefs are the refs that lead elsewhere, by their new names.
func movedRefs(list []refs.Ref, to map[string]plumbing.Hash) []string {
	was := map[string]plumbing.Hash{}
	for _, r := range list {
		was[r.Name] = r.Hash
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if was[name] != to[name] {
			out = append(out, name)
		}
	}
	return out
}
