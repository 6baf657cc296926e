package gitstore

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/wiki"
)

// Incoming is a repository that is being filled and that nobody sees yet.
type Incoming struct {
	Dir   string // bare, empty at first
	store *Store
	repo  *repo
	set   *Settings
	id    string // the random id of the wiki that will be

	seeded   bool          // main began with a commit of the server's own
	imported plumbing.Hash // main as it was brought, before the server changed it
}

// note remembers what main was brought as, before the server commits on it: all
// of that is shown as it claims to be.
func (in *Incoming) note() error {
	if in.seeded || !in.imported.IsZero() {
		return nil
	}
	head, _, err := in.repo.refs.Read(refMain)
	in.imported = head
	return err
}

// Git runs git on it. protocols are the transports that git may use
// ("file", "https"); none where empty.
func (in *Incoming) Git(ctx context.Context, args ...string) ([]byte, error) {
	return in.store.git(ctx, in.Dir, args...)
}

// Command prepares git on it, to be changed and run by the caller.
func (in *Incoming) Command(ctx context.Context, args ...string) *exec.Cmd {
	return in.store.GitCommand(ctx, in.Dir, args...)
}

// Seed makes one commit of files (path in the tree → content) on main.
func (in *Incoming) Seed(files map[string][]byte, what string) error {
	in.seeded = true
	return in.repo.seed(refMain, files, what)
}

// Settings replaces the settings that the wiki will have.
func (in *Incoming) Settings(set Settings) { in.set = &set }

// View looks at main as it has been filled so far.
func (in *Incoming) View(ctx context.Context) (*View, error) {
	if err := in.repo.objects.Refresh(); err != nil {
		return nil, err
	}
	head, _, err := in.repo.refs.Read(refMain)
	if err != nil {
		return nil, err
	}
	root, err := in.repo.rootOf(head)
	if err != nil {
		return nil, err
	}
	st := &state{heads: map[string]tip{refMain: {commit: head, root: root}, refConfig: {root: emptyFolder()}, refTokens: {root: emptyFolder()}}}
	st.key = head.String()
	st.config = &configuration{policy: &acl.Policy{}, settings: defaultSettings(in.repo.name)}
	in.repo.publish(st)
	return &View{repo: in.repo, state: st, caller: wiki.Caller{Host: true}, commit: head, root: root}, nil
}

// Fault is a file of an imported tree that cannot stay as it is.
type Fault struct {
	File string // as it is in the tree
	Text string // why
}

// Faults lists the files of main that break the rules for names and kinds. The
// list is empty for a tree that a push could have brought.
func (in *Incoming) Faults(ctx context.Context) ([]Fault, error) {
	v, err := in.View(ctx)
	if err != nil {
		return nil, err
	}
	faults, err := in.repo.checkContent(in.repo.objects, emptyFolder(), v.root)
	if err != nil {
		return nil, err
	}
	out := make([]Fault, len(faults))
	for i, f := range faults {
		out[i] = Fault{f.File, f.Text}
	}
	return out, nil
}

// Move is one file of an imported tree to be renamed, or, with an empty To,
// taken out.
type Move struct{ From, To string }

// Rearrange makes one commit on main that moves files as they are.
func (in *Incoming) Rearrange(ctx context.Context, moves []Move, text string) error {
	if err := in.note(); err != nil {
		return err
	}
	v, err := in.View(ctx)
	if err != nil {
		return err
	}
	root := v.root
	held := make([]*entry, len(moves))
	for i, m := range moves { // all are taken out first, so that names are free
		e, ok, err := v.root.file(m.From)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("there is no file %q to move", m.From)
		}
		held[i] = &e
		if root, err = root.with(m.From, nil); err != nil {
			return err
		}
	}
	for i, m := range moves {
		if m.To == "" {
			continue
		}
		if root, err = root.with(m.To, held[i]); err != nil {
			return err
		}
	}
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	b := in.repo.newBatch(v.state)
	info := commitInfo{author: signature{host.Name(), in.store.noreply(host)}, message: message(text, host, ""), when: in.store.now()}
	if _, err := b.commit(refMain, root, info); err != nil {
		return err
	}
	return in.repo.Commit(Commit{Refs: b.updates(), Objects: b.objs})
}
