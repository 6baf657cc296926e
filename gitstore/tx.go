package gitstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/wiki"
)

// Tx is one change of a wiki's pages and attachments, on its way to be one
// commit. The function that gets it may run more than once, each time on a newer
// tree, so it must not keep anything from an earlier run. Its methods check what
// the caller expects to find and fail with *wiki.Conflict; a function that
// returns an error leaves nothing behind.
type Tx struct {
	repo   *repo
	batch  *batch
	caller wiki.Caller
	start  *folder // the tree before this change
	root   *folder // and as it is now
	pages  []PageResult
	also   []wiki.PagePath // pages whose links were rewritten
	did    []string        // "Create: Home", for the default message
	merges []plumbing.Hash
	moved  []string // trailers that name what was renamed

	relooked int // pages that renames have looked through for links

	came map[string]wiki.PagePath // by the fold of a page's name now: its name in start, of those that were moved

	linksRead bool // the index of links was brought up to date just before
}

// Update makes one commit of what fn does. The policy is read at the moment of
// the commit. It returns when the commit is on the disk; its cost does not grow
// with the wiki.
//
// Errors: *wiki.Conflict, wiki.ErrExists, wiki.ErrInvalid, wiki.ErrForbidden,
// wiki.ErrNotFound, wiki.ErrUnauthenticated; wiki.ErrUnavailable where the
// machine cannot write (the state is then as it was).
func (s *Store) Update(ctx context.Context, c wiki.Caller, slug wiki.Slug, meta Meta, fn func(*Tx) error) (Result, error) {
	r, err := s.wiki(slug)
	if err != nil {
		return Result{}, err
	}
	if len(meta.Message) > 10_000 || !utf8.ValidString(meta.Message) {
		return Result{}, wiki.Invalid("message", "the message must be UTF-8 text of at most 10,000 bytes")
	}
	key := ""
	if meta.Key != "" {
		sum := sha256.Sum256([]byte(c.Name() + "\x00" + meta.Key))
		key = hex.EncodeToString(sum[:16])
	}
	var result Result
	linksRead := false
	run := func(b *batch) error {
		result = Result{}
		if err := b.allow(c, acl.Write); err != nil {
			return err
		}
		if key != "" {
			if old, ok, err := r.replay(ctx, b, key, meta.Request); ok || err != nil {
				result = old
				return err
			}
		}
		tx, err := b.begin(c)
		if err != nil {
			return err
		}
		tx.linksRead = linksRead
		if err := fn(tx); err != nil {
			return err
		}
		result, err = tx.finish(meta.Message, key, meta.Request)
		return err
	}
	for range 3 { // where an idle wiki forgets its index in between
		err = r.do(&job{ctx: ctx, caller: c, dry: meta.DryRun, run: run})
		if !errors.Is(err, errLinksUnread) {
			break
		}
		if err := r.followLinks(ctx, r.state.Load()); err != nil {
			return Result{}, err
		}
		linksRead = true
	}
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// allow asks the policy that is in force within the batch.
func (b *batch) allow(c wiki.Caller, a acl.Action) error {
	who, err := b.repo.store.identify(c)
	if err != nil {
		return err
	}
	if b.config == nil {
		return wiki.NotFound("there is no such wiki")
	}
	return b.config.policy.Allow(who, a, b.repo.target())
}

func (b *batch) begin(c wiki.Caller) (*Tx, error) {
	t, err := b.head(refMain)
	if err != nil {
		return nil, err
	}
	return &Tx{repo: b.repo, batch: b, caller: c, start: t.root, root: t.root}, nil
}

// finish turns what was done into a commit on the batch.
func (tx *Tx) finish(text, key, request string) (Result, error) {
	head, err := tx.batch.head(refMain)
	if err != nil {
		return Result{}, err
	}
	changes, err := diff(tx.start, tx.root)
	if err != nil {
		return Result{}, err
	}
	markUnchanged(tx.pages, changes)
	res := Result{Pages: tx.pages, Updated: tx.also}
	if len(changes) == 0 && len(tx.merges) == 0 {
		res.Revision, res.Unchanged = revision(head.commit), true
		return res, nil
	}
	if err := tx.batch.checkGrowth(changes, tx.start, nil); err != nil {
		return Result{}, err
	}
	if strings.TrimSpace(text) == "" {
		text = tx.defaultMessage()
	}
	info := commitInfo{
		author:  signature{tx.caller.Name(), tx.repo.store.noreply(tx.caller)},
		message: message(text, tx.caller, key, append(requestTrailer(key, request), tx.moved...)...),
		when:    tx.repo.store.now(),
	}
	oid, err := tx.batch.commit(refMain, tx.root, info, tx.merges...)
	if err != nil {
		return Result{}, err
	}
	if key != "" {
		tx.batch.keys = append(tx.batch.keys, keyed{key, request, oid})
	}
	if len(tx.merges) == 0 {
		tx.batch.edits = append(tx.batch.edits, edit{oid, changes})
	}
	res.Revision = revision(oid)
	return res, nil
}

func (tx *Tx) defaultMessage() string {
	source := string(viaOf(tx.caller))
	switch len(tx.did) {
	case 0:
		return "[" + source + "] Update"
	case 1:
		return "[" + source + "] " + tx.did[0]
	}
	const most = 20
	lines := tx.did
	if len(lines) > most {
		lines = append(append([]string(nil), lines[:most]...), fmt.Sprintf("and %d more", len(tx.did)-most))
	}
	return fmt.Sprintf("[%s] %d changes\n\n%s", source, len(tx.did), strings.Join(lines, "\n"))
}

func revision(oid plumbing.Hash) wiki.Revision {
	if oid.IsZero() {
		return ""
	}
	return wiki.Revision(oid.String())
}

// Read is a page's text as this change has it so far.
func (tx *Tx) Read(p wiki.PagePath) ([]byte, error) {
	_, e, ok, err := findPage(tx.root, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wiki.NotFound("there is no page %q", p)
	}
	return tx.blob(e.oid)
}

func (tx *Tx) blob(oid plumbing.Hash) ([]byte, error) { return tx.batch.blob(oid) }

// set puts a blob at a path of the tree; nil data removes what is there.
func (tx *Tx) set(file string, data []byte, mode uint32) error {
	if data == nil {
		return tx.place(file, nil)
	}
	oid, err := tx.batch.addBlob(data)
	if err != nil {
		return err
	}
	return tx.place(file, &entry{mode: mode, oid: oid})
}

func (tx *Tx) place(file string, e *entry) error {
	root, err := tx.root.with(file, e)
	if err != nil {
		return wiki.Invalid("path", "%v", err)
	}
	tx.root = root
	return nil
}

func (tx *Tx) record(action string, res PageResult) {
	tx.pages = append(tx.pages, res)
	tx.did = append(tx.did, action+": "+string(res.Path))
}

// checkText refuses what cannot be a page's text.
func (tx *Tx) checkText(p wiki.PagePath, content []byte) error {
	if limit := tx.repo.store.cfg.MaxPage; int64(len(content)) > limit {
		return &wiki.Error{Kind: wiki.ErrTooLarge, Field: "content", Text: fmt.Sprintf("the page %q would be %d bytes long; at most %d are allowed here: split it into several pages", p, len(content), limit)}
	}
	if !utf8.Valid(content) {
		return wiki.Invalid("content", "the text of %q is not UTF-8; convert it, or attach it as a file", p)
	}
	for _, c := range content {
		if c == 0 {
			return wiki.Invalid("content", "the text of %q has a NUL byte in it; attach it as a file", p)
		}
	}
	return nil
}

// replay answers a write whose idempotency key was seen before: the commit that
// carries the key is the proof that the write happened, and what it did is read
// from it. Keys are remembered for a day. A key that comes with another request is
// an ErrInvalid (draft-ietf-httpapi-idempotency-key-header, section 2.7).
func (r *repo) replay(ctx context.Context, b *batch, key, request string) (Result, bool, error) {
	for _, k := range b.keys {
		if k.key == key {
			if otherRequest(k.request, request) {
				return Result{}, false, errKeyTaken()
			}
			return Result{Revision: revision(k.commit), Replayed: true}, true, nil
		}
	}
	index, err := r.historyAt(ctx, r.state.Load())
	if err != nil {
		return Result{}, false, err
	}
	c, ok := index.FindKey(key, r.store.now().Add(-keyLife))
	if !ok {
		return Result{}, false, nil
	}
	if err := r.sameRequest(c.Revision, request); err != nil {
		return Result{}, false, err
	}
	res := Result{Revision: c.Revision, Replayed: true}
	full, err := index.Commit(c.Revision)
	if err != nil {
		return Result{}, false, err
	}
	for _, f := range full.Changes {
		if f.Page == "" {
			continue
		}
		p := PageResult{Path: f.Page, Created: f.Kind == wiki.Added, Deleted: f.Kind == wiki.Deleted}
		p.From, _ = wiki.PageOfFile(f.From)
		if f.New != "" {
			if p.Content, err = r.blob(plumbing.NewHash(f.New)); err != nil {
				return Result{}, false, err
			}
		}
		res.Pages = append(res.Pages, p)
	}
	return res, true, nil
}

// keyLife is how long an idempotency key is remembered.
const keyLife = 24 * time.Hour
