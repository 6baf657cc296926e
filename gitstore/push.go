package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/merge"
	"wikibot/wiki"
)

// maxCommands is the most refs that one push may name.
const maxCommands = 10_000

// CheckPush is the pre-receive half of a push: with the received objects still
// in quarantine it names everything that is wrong with the push at once, as
// wiki.Faults, or refuses the caller. Nothing has been accepted when it returns
// nil: ApplyPush decides again, on the tree that is there then. The cost grows
// with what the push changes.
func (s *Store) CheckPush(ctx context.Context, p *Push) error {
	r, err := s.pushTarget(p)
	if err != nil {
		return err
	}
	st, err := r.current()
	if err != nil {
		return err
	}
	src, quarantine := objectSource(r.objects), (*objects.DB)(nil)
	if p.Quarantine != "" {
		if p.folders, err = receivedFolders(p.Quarantine, filepath.Join(r.dir, "objects")); err != nil {
			return err
		}
		q, err := objects.OpenQuarantine(r.objects, p.Quarantine)
		if err != nil {
			return err
		}
		defer q.Close()
		src, quarantine = q, q
		var cancel context.CancelFunc
		if ctx, cancel, err = checkTime(ctx, q); err != nil {
			return err
		}
		defer cancel()
	}
	if len(p.Commands) > maxCommands {
		return wiki.Invalid("refs", "the push names %d refs; at most %d go in one push", len(p.Commands), maxCommands)
	}
	c := pushCheck{repo: r, state: st, push: p, src: src}
	if quarantine != nil {
		if err := c.received(ctx, quarantine); err != nil {
			return err
		}
	}
	for _, cmd := range p.Commands {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := c.command(cmd); err != nil {
			return err
		}
	}
	if quarantine != nil {
		if err := c.room(quarantine); err != nil {
			return err
		}
	}
	return c.faults.OrNil()
}

// pushTarget is the repository of a push, and refuses one whose folder is not
// the repository's.
func (s *Store) pushTarget(p *Push) (*repo, error) {
	var r *repo
	var err error
	if p.Wiki == "" || p.Wiki == admin {
		r = s.admin
	} else if r, err = s.wiki(p.Wiki); err != nil {
		return nil, err
	}
	if p.Dir != "" && filepath.Clean(p.Dir) != r.dir {
		return nil, fmt.Errorf("a push to %s came from the folder %s", r.dir, p.Dir)
	}
	return r, nil
}

// pushCheck gathers the faults of one push.
type pushCheck struct {
	repo   *repo
	state  *state
	push   *Push
	src    objectSource
	faults wiki.Faults

	files  bool // the push brings new files, another branch or a tag, see growth
	edited int  // pages that it edits
}

func (c *pushCheck) fault(file, format string, args ...any) {
	const most = 200
	switch {
	case len(c.faults) < most:
		c.faults = append(c.faults, wiki.Fault{File: file, Text: fmt.Sprintf(format, args...)})
	case len(c.faults) == most:
		c.faults = append(c.faults, wiki.Fault{Text: "and more; these are the first faults"})
	}
}

// A refKind is what the Store does with a pushed ref.
type refKind int

const (
	kindRefused refKind = iota
	kindMain            // refs/heads/main: compare, merge, swap
	kindMerge           // refs/merge/main: merges into main
	kindConfig          // refs/wikibot/config, or main of admin.git
	kindPlain           // other branches and tags: kept, shown nowhere
)

func (c *pushCheck) kind(ref string) refKind {
	switch {
	case c.repo.name == admin && ref == refMain:
		return kindConfig
	case c.repo.name == admin:
		return kindRefused
	case ref == refMain:
		return kindMain
	case ref == refMergePrefix+"main":
		return kindMerge
	case ref == refConfig:
		return kindConfig
	case strings.HasPrefix(ref, "refs/heads/"), strings.HasPrefix(ref, "refs/tags/"):
		return kindPlain
	}
	return kindRefused
}

// command checks one line of the push. An error refuses the caller; what is
// wrong with the content becomes faults.
func (c *pushCheck) command(cmd RefCommand) error {
	if err := refs.CheckName(cmd.Ref); err != nil {
		c.fault("", "%q is not a ref name that can be pushed here", cmd.Ref)
		return nil
	}
	kind := c.kind(cmd.Ref)
	need := acl.Write
	if kind == kindConfig {
		need = acl.Manage
	}
	if err := c.repo.allowPush(c.state, c.push.Caller, need); err != nil {
		return err
	}
	if kind == kindRefused {
		c.fault("", "%s: this ref is the server's own; push branches, tags, refs/merge/main for a merge, or refs/wikibot/config for the configuration", cmd.Ref)
		return nil
	}
	old, err1 := parseOid(cmd.Old)
	new, err2 := parseOid(cmd.New)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if new.IsZero() {
		c.deletion(cmd, kind)
		return nil
	}
	if fault := refNameFault(cmd.Ref); fault != "" && old.IsZero() {
		c.fault("", "%q: %s", cmd.Ref, fault)
		return nil
	}
	c.files = c.files || kind == kindPlain // what another branch holds is not looked at
	commit, err := c.commitOf(cmd.Ref, new)
	if err != nil || commit.IsZero() {
		return err
	}
	switch kind {
	case kindMain:
		return c.main(cmd, old, commit)
	case kindMerge:
		return c.merge(cmd, commit)
	case kindConfig:
		return c.config(cmd, old, commit)
	}
	return nil
}

func (c *pushCheck) deletion(cmd RefCommand, kind refKind) {
	switch {
	case kind == kindMain && !c.forceful():
		c.fault("", "main cannot be deleted: its pages would be gone. To allow it an owner sets force_push = true in .wikibot/wiki.toml")
	case kind == kindMerge || kind == kindConfig:
		c.fault("", "%s cannot be deleted", cmd.Ref)
	}
}

// forceful reports whether this caller may rewrite main here.
func (c *pushCheck) forceful() bool {
	return c.repo.mayForce(c.state, c.push.Caller)
}

// commitOf is the commit that a ref would lead to. Branches must name a commit,
// tags may name a tag of one. It is zero for a tag of something else, which holds
// no history.
func (c *pushCheck) commitOf(ref string, oid plumbing.Hash) (plumbing.Hash, error) {
	for at, n := oid, 0; ; n++ {
		if n > maxTagChain {
			c.fault("", "%s would lead to a tag of a tag of a tag, and so on; make it a tag of a commit", ref)
			return plumbing.ZeroHash, nil
		}
		typ, data, err := c.src.Get(at)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("reading pushed object %s: %w", at, err)
		}
		switch {
		case typ == plumbing.CommitObject:
			return at, nil
		case !strings.HasPrefix(ref, "refs/tags/"), at == oid && typ != plumbing.TagObject:
			c.fault("", "%s would lead to a %s; it must lead to a commit", ref, typ)
			return plumbing.ZeroHash, nil
		case typ != plumbing.TagObject:
			return plumbing.ZeroHash, nil
		}
		line, _, _ := strings.Cut(string(data), "\n") // "object <name>", as git's own check demands
		if at, err = parseOid(strings.TrimPrefix(line, "object ")); err != nil {
			return plumbing.ZeroHash, fmt.Errorf("reading pushed tag %s: %w", oid, err)
		}
	}
}

// received refuses commits that are new here and claim to be the server's work:
// history would show them as something that the server has seen happen. It looks
// at all that came, since a commit that no ref leads to now could be pushed again,
// and would be known then.
//
// Nothing else is read where this finds a fault.
func (c *pushCheck) received(ctx context.Context, q *objects.DB) error {
	commits, err := c.bounds(ctx, q)
	if err == nil {
		err = c.faults.OrNil()
	}
	if err != nil {
		return err
	}
	for _, oid := range commits {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := errors.Join(c.ownMarks(oid), c.step(oid)); err != nil {
			return err
		}
	}
	return nil
}

func (c *pushCheck) ownMarks(oid plumbing.Hash) error {
	commit, err := readCommit(c.src, oid)
	if err != nil {
		return fmt.Errorf("reading pushed commit %s: %w", oid, err)
	}
	_, data, err := c.src.Get(oid)
	if err != nil {
		return fmt.Errorf("reading pushed commit %s: %w", oid, err)
	}
	header, _, _ := strings.Cut(string(data), "\n\n")
	for l := range strings.SplitSeq(header, "\n") {
		if name, ok := strings.CutPrefix(l, "encoding "); ok && !plainEncoding.MatchString(name) {
			c.fault("", "commit %s is written in the encoding %q, in which words can hide; write it anew with `git -c i18n.commitEncoding=UTF-8 commit --amend`", oid.String()[:10], name)
		}
	}
	if strings.EqualFold(commit.Committer.Email, ServerEmail) {
		c.fault("", "commit %s names the server as its committer; make it yours with `git commit --amend --reset-author` (or `git rebase` with it for an older one)", oid.String()[:10])
	}
	for l := range strings.SplitSeq(commit.Message, "\n") {
		if trailerLine(l) {
			c.fault("", "commit %s has the line %q in its message, which only the server may write; take it out with `git commit --amend`", oid.String()[:10], strings.TrimSpace(l))
			break
		}
	}
	return nil
}

// plainEncoding are the encodings of commits in which nothing but an ASCII byte
// reads as that ASCII character, and every one does. In others (UTF-7,
// ISO-2022-JP, EBCDIC) the server's marks could be written so that only the
// readers of history see them.
var plainEncoding = regexp.MustCompile(`(?i)^(?:utf-?8|(?:us-)?ascii|iso-?8859-?\d{1,2}|latin-?\d{1,2}|(?:windows-?|cp)125\d|koi8-[ru]|euc-(?:jp|kr|cn|tw)|gbk|gb2312|gb18030|big5)$`)

// main checks a push to main: what it adds or changes relative to what the
// pusher knew.
func (c *pushCheck) main(cmd RefCommand, old, new plumbing.Hash) error {
	if !old.IsZero() {
		ok, err := isAncestor(c.src, old, new, c.repo.ranking(c.state))
		if err != nil {
			return err
		}
		if !ok {
			if c.forceful() {
				return c.content(plumbing.ZeroHash, new)
			}
			c.fault("", "main can only move forward: this push would drop commits that are on it. Fetch and merge or rebase first, or let the server merge: git push origin HEAD:refs/merge/main. To rewrite history an owner sets force_push = true in .wikibot/wiki.toml")
			return nil
		}
	}
	return c.content(old, new)
}

func (c *pushCheck) merge(cmd RefCommand, new plumbing.Hash) error {
	head := c.state.main().commit
	if head.IsZero() {
		return c.content(plumbing.ZeroHash, new)
	}
	base, err := mergeBase(c.src, head, new, c.repo.ranking(c.state))
	if err != nil {
		return err
	}
	if base.IsZero() {
		c.fault("", "what you push has no commit in common with main, so it cannot be merged; clone the wiki and commit on top of it")
		return nil
	}
	return c.content(base, new)
}

// content checks the pages and files that differ between two commits.
func (c *pushCheck) content(old, new plumbing.Hash) error {
	from, err := treeOf(c.src, old)
	if err != nil {
		return err
	}
	to, err := treeOf(c.src, new)
	if err != nil {
		return err
	}
	faults, err := c.repo.checkContent(c.src, from, to)
	c.faults = append(c.faults, faults...)
	if err != nil {
		return err
	}
	return c.growth(old, from, to)
}

func treeOf(src objectSource, commit plumbing.Hash) (*folder, error) {
	if commit.IsZero() {
		return emptyFolder(), nil
	}
	c, err := readCommit(src, commit)
	if err != nil {
		return nil, err
	}
	return gitFolder(src, c.Tree), nil
}

func parseOid(s string) (plumbing.Hash, error) {
	if len(s) != 40 || !plumbing.IsHash(s) {
		return plumbing.ZeroHash, fmt.Errorf("%q is not an object name", s)
	}
	return plumbing.NewHash(s), nil
}

// receivedFolders lists the object folders that the files of a quarantine will
// be moved into. Stock git syncs the files but no folder; ApplyPush does.
func receivedFolders(quarantine, objectsDir string) ([]string, error) {
	entries, err := os.ReadDir(quarantine)
	if err != nil {
		return nil, fmt.Errorf("reading the received objects: %w", err)
	}
	out := []string{objectsDir}
	for _, e := range entries {
		if e.IsDir() && (len(e.Name()) == 2 || e.Name() == "pack") {
			out = append(out, filepath.Join(objectsDir, e.Name()))
		}
	}
	return out, nil
}

// ApplyPush is the proc-receive half of a push: the objects are in the
// repository now, and the refs move, through the repository's one writer. A ref
// that moved since the client looked is merged where main is concerned, and
// refused otherwise. It returns when what it accepted is on the disk.
func (s *Store) ApplyPush(ctx context.Context, p *Push, atomic bool) ([]RefResult, error) {
	r, err := s.pushTarget(p)
	if err != nil {
		return nil, err
	}
	if err := r.objects.Refresh(); err != nil {
		return nil, err
	}
	folders := p.folders
	if folders == nil || !r.pushed.Load() {
		// The first push after a start syncs every folder of objects: one that
		// was killed after its objects had left quarantine may have left some
		// whose folder never was, and this push may build on them.
		if folders, err = receivedFolders(filepath.Join(r.dir, "objects"), filepath.Join(r.dir, "objects")); err != nil {
			return nil, err
		}
	}
	var results []RefResult
	j := &job{ctx: ctx, caller: p.Caller, run: func(b *batch) error {
		b.sync = append(b.sync, folders...)
		results = make([]RefResult, len(p.Commands))
		at := b.checkpoint()
		failed := false
		for i, cmd := range p.Commands {
			one := b.checkpoint()
			results[i] = b.applyCommand(p, cmd)
			if !results[i].OK {
				b.rollback(one)
				failed = true
			}
		}
		if failed && atomic {
			b.rollback(at)
			for i := range results {
				if results[i].OK {
					results[i].OK, results[i].Reason = false, "not applied, because another ref of this atomic push was refused"
				}
			}
		}
		return nil
	}}
	if r.name == admin {
		defer s.dropUnborn(p)
		if err := s.prepareWikis(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := r.do(j); err != nil {
		return nil, err
	}
	r.pushed.Store(true)
	return results, nil
}

func (b *batch) applyCommand(p *Push, cmd RefCommand) RefResult {
	res := RefResult{Ref: cmd.Ref, Old: cmd.Old, New: cmd.New}
	if err := b.apply(p, cmd, &res); err != nil {
		res.OK = false
		res.Reason = pushReason(b.repo, cmd.Ref, err)
		return res
	}
	res.OK = true
	return res
}

// pushReason is one line for the pusher; what is not meant for people's eyes
// goes to the log.
func pushReason(r *repo, ref string, err error) string {
	var known *wiki.Error
	var faults wiki.Faults
	switch {
	case errors.As(err, &known), errors.Is(err, wiki.ErrConflict):
		return oneLine(err.Error())
	case errors.As(err, &faults):
		if len(faults) > 1 {
			return fmt.Sprintf("%s (and %d more)", oneLine(faults[0].String()), len(faults)-1)
		}
		return oneLine(faults.Error())
	}
	r.store.log.Error("a push failed", "wiki", r.name, "ref", ref, "error", err)
	return "internal error; nothing was changed, the server's log has the cause"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (b *batch) apply(p *Push, cmd RefCommand, res *RefResult) error {
	c := pushCheck{repo: b.repo, state: &state{heads: b.heads, config: b.config}, push: p, src: b.repo.objects}
	kind := c.kind(cmd.Ref)
	need := acl.Write
	if kind == kindConfig {
		need = acl.Manage
	}
	if err := b.repo.allowPush(&state{heads: b.heads, config: b.config, site: b.site()}, p.Caller, need); err != nil {
		return err
	}
	old, err1 := parseOid(cmd.Old)
	new, err2 := parseOid(cmd.New)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	switch kind {
	case kindMain, kindMerge:
		return b.applyMain(p, kind, old, new, res)
	case kindConfig:
		return b.applyConfig(p, cmd.Ref, old, new, res)
	case kindPlain:
		return b.applyPlain(p, cmd.Ref, old, new)
	}
	return wiki.Forbidden("%s is the server's own", cmd.Ref)
}

// applyMain moves main to what was pushed, or to a merge with it.
func (b *batch) applyMain(p *Push, kind refKind, old, new plumbing.Hash, res *RefResult) error {
	head, err := b.head(refMain)
	if err != nil {
		return err
	}
	if kind == kindMerge {
		res.Landed = refMain
	}
	res.Old = head.commit.String()
	force := b.repo.mayForce(&state{config: b.config}, p.Caller)
	if new.IsZero() {
		if !force || old != head.commit {
			return wiki.Forbidden("main cannot be deleted")
		}
		if err := b.audit(p.Caller, "push", refMain, head.commit, new); err != nil {
			return err
		}
		return b.move(refMain, tip{commit: new, root: emptyFolder()})
	}
	forward, err := isAncestor(b.repo.objects, head.commit, new, b.repo.ranking(b.repo.state.Load()))
	if b.commitsUnwritten(head.commit) {
		forward, err = false, nil // it was made in this very batch, so nobody can have built on it
	}
	if err != nil {
		return err
	}
	switch {
	case forward:
		root, err := b.repo.rootOf(new)
		if err != nil {
			return err
		}
		return b.land(p, head, tip{commit: new, root: root}, res)
	case kind == kindMain && old == head.commit:
		if !force {
			return wiki.Forbidden("main can only move forward")
		}
		root, err := b.repo.rootOf(new)
		if err != nil {
			return err
		}
		return b.land(p, head, tip{commit: new, root: root}, res)
	}
	return b.mergePush(p, head, new, res)
}

// land validates what main would become and moves it, with its audit entry.
func (b *batch) land(p *Push, head, to tip, res *RefResult) error {
	faults, err := b.repo.checkContent(b, head.root, to.root)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return faults
	}
	if err := b.mayGrow(head.root, to.root, p); err != nil {
		return err
	}
	if err := b.audit(p.Caller, "push", refMain, head.commit, to.commit); err != nil {
		return err
	}
	res.New = to.commit.String()
	return b.move(refMain, to)
}

// mergePush merges a push into what others have put on main meanwhile.
func (b *batch) mergePush(p *Push, head tip, new plumbing.Hash, res *RefResult) error {
	base, err := mergeBase(b, head.commit, new, b.repo.ranking(b.repo.state.Load()))
	if err != nil {
		return err
	}
	if base.IsZero() {
		return wiki.Invalid("ref", "what you push has no commit in common with main, so it cannot be merged")
	}
	if base == new {
		res.New = head.commit.String() // everything is on main already
		return nil
	}
	baseRoot, err := b.rootOf(base)
	if err != nil {
		return err
	}
	theirs, err := b.repo.rootOf(new)
	if err != nil {
		return err
	}
	m := treeMerge{
		blob: func(oid plumbing.Hash) ([]byte, error) { return b.blob(oid) }, add: b.addBlob,
		labels: merge.Labels{Ours: "main", Theirs: "pushed"},
	}
	if err := m.run(baseRoot, head.root, theirs); err != nil {
		return err
	}
	if len(m.conflicts) > 0 {
		return pushConflict(m.conflicts)
	}
	faults, err := b.repo.checkContent(b, head.root, m.root)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return faults
	}
	if err := b.mayGrow(head.root, m.root, p); err != nil {
		return err
	}
	text := fmt.Sprintf("Merge %s pushed by %s", new.String()[:10], p.Caller.Name())
	info := commitInfo{
		author:  signature{p.Caller.Name(), b.repo.store.noreply(p.Caller)},
		message: message(text, p.Caller, ""),
		when:    b.repo.store.now(),
	}
	merged, err := b.commit(refMain, m.root, info, new)
	if err != nil {
		return err
	}
	res.New, res.Merged = merged.String(), true
	return b.audit(p.Caller, "push", refMain, head.commit, merged)
}

func pushConflict(conflicts []wiki.Conflict) error {
	names := make([]string, 0, len(conflicts))
	for _, c := range conflicts {
		names = append(names, string(c.Path))
	}
	sort.Strings(names)
	more := ""
	if n := len(names); n > 10 {
		names, more = names[:10], fmt.Sprintf(" and %d more", n-10)
	}
	return &wiki.Conflict{
		Path: conflicts[0].Path,
		Text: fmt.Sprintf("conflict with what is on main now, in %s%s: run git pull, solve it, commit, and push again", strings.Join(names, ", "), more),
	}
}

// applyPlain moves another branch or a tag as git would.
func (b *batch) applyPlain(p *Push, ref string, old, new plumbing.Hash) error {
	cur, err := b.head(ref)
	if err != nil {
		return err
	}
	if cur.commit != old {
		return wiki.Invalid("ref", "%s has moved meanwhile; fetch and push again", ref)
	}
	if !new.IsZero() {
		t, err := b.repo.tier()
		if err != nil {
			return err
		}
		if err := b.checkBytes(t); err != nil {
			return err
		}
	}
	if err := b.audit(p.Caller, "push", ref, old, new); err != nil {
		return err
	}
	return b.moveName(ref, old, new)
}
