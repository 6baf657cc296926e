package gitstore

import (
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// The audit is a chain of commits on refs/wikibot/audit, one for each ref that a
// push moved and for each change of configuration. Each has the empty tree; its
// message is a subject line and a TOML document:
//
//	push refs/heads/main by bob
//
//	schema = 1
//	actor = "bob"
//	credential = "u-0123456789abcdef"
//	via = "https"
//	ref = "refs/heads/main"
//	old = "…40 hex…"
//	new = "…40 hex…"
//
// It is synced and moved before the ref that it tells of. If the machine stops
// between the two, the next start adds an entry that marks it void.

type auditEntry struct {
	Schema     int    `toml:"schema"`
	Action     string `toml:"action"` // push | config | import | rescue | behind | void
	Actor      string `toml:"actor"`
	Credential string `toml:"credential,omitempty"`
	Via        string `toml:"via,omitempty"` // empty: without the server
	Agent      string `toml:"agent,omitempty"`
	Ref        string `toml:"ref"`
	Old        string `toml:"old"`
	New        string `toml:"new"`
	Void       string `toml:"void,omitempty"` // the entry that never came true
	Gone       bool   `toml:"gone,omitempty"` // no ref reached New when the history was rewritten
}

var emptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

// audit adds an entry to the batch.
func (b *batch) audit(c wiki.Caller, action, ref string, old, new plumbing.Hash) error {
	e := auditEntry{
		Schema: schema, Action: action, Actor: c.Name(), Credential: c.Credential, Via: string(viaOf(c)), Agent: strings.ToValidUTF8(c.Agent, "\uFFFD"),
		Ref: strings.ToValidUTF8(ref, "\uFFFD"), Old: old.String(), New: new.String(),
	}
	return b.addAudit(c, e, fmt.Sprintf("%s %s by %s", action, ref, c.Name()))
}

func (b *batch) addAudit(c wiki.Caller, e auditEntry, subject string) error {
	if _, err := b.objs.Add(plumbing.TreeObject, nil); err != nil {
		return err
	}
	t, err := b.head(refAudit)
	if err != nil {
		return err
	}
	info := commitInfo{
		author:  signature{c.Name(), b.repo.store.noreply(c)},
		message: subject + "\n\n" + string(formatRecord(e)),
		when:    b.repo.store.now(),
	}
	var parents []plumbing.Hash
	if !t.commit.IsZero() {
		parents = append(parents, t.commit)
	}
	oid, err := b.objs.Add(plumbing.CommitObject, encodeCommit(emptyTree, parents, info))
	if err != nil {
		return err
	}
	return b.move(refAudit, tip{commit: oid, root: emptyFolder()})
}

// audited is an entry as it is read back.
type audited struct {
	auditEntry
	commit plumbing.Hash
	parent plumbing.Hash
	when   time.Time
}

func (r *repo) readAudit(oid plumbing.Hash) (audited, error) {
	c, err := r.commit(oid)
	if err != nil {
		return audited{}, err
	}
	a := audited{commit: oid, when: c.Committer.When}
	if len(c.Parents) > 0 {
		a.parent = c.Parents[0]
	}
	_, text, _ := strings.Cut(c.Message, "\n\n")
	// One entry that cannot be read would take the whole history with it.
	text = strings.ToValidUTF8(text, "\uFFFD")
	if err := toml.Unmarshal([]byte(text), &a.auditEntry); err != nil {
		return audited{}, fmt.Errorf("audit entry %s: %w", oid, err)
	}
	return a, nil
}

// auditChain lists the entries newer than since (zero: all), oldest first.
func (r *repo) auditChain(since plumbing.Hash) ([]audited, error) {
	at, _, err := r.refs.Read(refAudit)
	if err != nil {
		return nil, err
	}
	var out []audited
	for !at.IsZero() && at != since {
		a, err := r.readAudit(at)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
		at = a.parent
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, nil
}

// voidUnfinished marks the entries at the end of the audit whose ref never
// moved, because the machine stopped in between. A ref that has strayed from them
// was moved by somebody else since.
func (r *repo) voidUnfinished() error {
	void, strayed, err := r.unfinished()
	if err != nil || len(void)+len(strayed) == 0 {
		return err
	}
	j := r.voiding(void)
	if len(strayed) > 0 {
		j = r.strayed(strayed)
	}
	return r.do(j)
}

// unfinished lists the entries at the end of the audit whose ref never moved: it is
// still where the first of them found it. strayed are those of refs that are
// elsewhere. The refs of one commit move one after another, so it looks back only
// to the first entry that came true.
func (r *repo) unfinished() (void, strayed []audited, err error) {
	open, err := r.notTrue()
	if err != nil {
		return nil, nil, err
	}
	first := map[string]string{} // where the oldest of a ref's entries found it
	for _, a := range open {
		first[a.Ref] = a.Old
	}
	for _, a := range open {
		now, _, err := r.refs.Read(a.Ref)
		if err != nil {
			return nil, nil, err
		}
		if now.String() == first[a.Ref] {
			void = append(void, a)
		} else {
			strayed = append(strayed, a)
		}
	}
	return void, strayed, nil
}

// notTrue lists the entries at the end of the audit of which the refs show nothing,
// newest first.
func (r *repo) notTrue() ([]audited, error) {
	at, _, err := r.refs.Read(refAudit)
	if err != nil || at.IsZero() {
		return nil, err
	}
	var void []audited
	done := map[string]bool{}
	for !at.IsZero() && len(void) < maxGroup {
		a, err := r.readAudit(at)
		if err != nil {
			return nil, err
		}
		at = a.parent
		if a.Action == "void" {
			done[a.Void] = true
			continue
		}
		if done[a.commit.String()] {
			continue
		}
		came, err := r.cameTrue(a)
		if err != nil {
			return nil, err
		}
		if came {
			break
		}
		void = append(void, a)
	}
	return void, nil
}

// voiding is the change that marks entries void.
func (r *repo) voiding(void []audited) *job {
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	return &job{ctx: r.store.ctx, caller: host, run: func(b *batch) error {
		for _, a := range void {
			e := auditEntry{Schema: schema, Action: "void", Actor: host.Name(), Via: string(wiki.ViaCLI), Ref: a.Ref, Old: a.Old, New: a.New, Void: a.commit.String()}
			if err := b.addAudit(host, e, "void "+a.Ref+": it never moved"); err != nil {
				return err
			}
		}
		return nil
	}}
}

// cameTrue reports whether the ref of an entry is, or has been, where it says.
func (r *repo) cameTrue(a audited) (bool, error) {
	now, exists, err := r.refs.Read(a.Ref)
	if err != nil {
		return false, err
	}
	want := plumbing.NewHash(a.New)
	if a.Gone || a.Action == "purge" {
		return true, nil
	}
	if want.IsZero() {
		return !exists, nil
	}
	if !exists || now == want {
		return exists, nil
	}
	if !r.objects.Has(want) {
		return false, nil
	}
	ok, err := isAncestor(r.objects, want, now, nil)
	if err != nil {
		return false, err
	}
	return ok, nil
}
