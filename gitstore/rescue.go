package gitstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// Rescue says how admin.git is to be put right.
type Rescue struct {
	AddAdmin wiki.Username // who administers afterwards; made if nobody has the name
	Rewind   bool          // back to the tree of To, or of what is in force
	To       wiki.Revision
}

// Rescue puts admin.git right from the machine itself, whatever its main is: one
// new commit on top of it, with its entry in the audit. Nothing of the history is
// rewritten. It answers with lines that say what was done.
func (s *Store) Rescue(ctx context.Context, c wiki.Caller, o Rescue) ([]string, error) {
	if !c.Host {
		return nil, wiki.Forbidden("a site is rescued on the machine that it runs on")
	}
	if o.AddAdmin == "" && !o.Rewind {
		return nil, wiki.Invalid("rescue", "say what to do: --add-admin NAME, --rewind, or --rewind COMMIT")
	}
	var done []string
	err := s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		w := rescue{batch: b, caller: c, ask: o}
		err := w.run()
		done = w.done
		return err
	}})
	return done, err
}

// rescue is one rescue under way.
type rescue struct {
	*batch
	caller wiki.Caller
	ask    Rescue
	done   []string
}

func (w *rescue) say(format string, args ...any) {
	w.done = append(w.done, fmt.Sprintf(format, args...))
}

func (w *rescue) run() error {
	for _, ref := range []string{refAudit, refGood, refMain} {
		if err := w.clearDamaged(ref); err != nil {
			return err
		}
	}
	if w.loaded.commit.IsZero() {
		return wiki.Unavailable("nothing of admin.git can be read any more, so there is nothing to build on: put the folder %s back from a backup", w.repo.dir)
	}
	root, next, err := w.tree()
	if err != nil {
		return err
	}
	main := w.heads[refMain]
	if main.err == nil && same(root, main.root) && w.trouble == nil {
		w.say("admin.git's main is as it should be (commit %.10s); nothing was changed", main.commit)
		return nil
	}
	parent := main.commit
	if main.err != nil || parent.IsZero() {
		parent = w.loaded.commit
	}
	commit, err := w.commitRescue(root, parent)
	if err != nil {
		return err
	}
	e := auditEntry{Schema: schema, Action: "rescue", Actor: w.caller.Name(), Credential: w.caller.Credential, Via: string(viaOf(w.caller)), Ref: refMain, Old: main.commit.String(), New: commit.String()}
	if err := w.addAudit(w.caller, e, "rescue "+refMain+" by "+w.caller.Name()); err != nil {
		return err
	}
	w.say("made commit %.10s of admin.git's main on top of %.10s", commit, parent)
	w.tell(next)
	w.people, w.loaded, w.trouble = next, tip{commit: commit, root: root}, nil
	return w.move(refMain, w.loaded)
}

// tree is what main is to hold.
func (w *rescue) tree() (*folder, *site, error) {
	if w.ask.Rewind {
		root, err := w.rewound()
		if err != nil {
			return nil, nil, err
		}
		return w.withAdmin(root)
	}
	if main := w.heads[refMain]; w.trouble != nil {
		before := w.done
		// What is wrong with main may be just that nobody administers.
		if root, _, err := w.withAdmin(main.root); err == nil {
			if next, err := w.people.follow(w.loaded.root, root, w.repo.reading(w), false); err == nil {
				return root, next, nil
			}
		}
		w.done = before
		w.say("main does not load, so its files are those of the site in force again (commit %.10s)", w.loaded.commit)
	}
	return w.withAdmin(w.loaded.root)
}

// rewound is the tree of the commit that was asked for. Which wikis there are stays
// as it is: their repositories are there.
func (w *rescue) rewound() (*folder, error) {
	if w.ask.To == "" {
		w.say("main has the files of the site in force again (commit %.10s)", w.loaded.commit)
		return w.loaded.root, nil
	}
	oid, err := w.repo.resolve(w.ask.To)
	if err != nil {
		return nil, wiki.NotFound("admin.git has no commit %s; look for one with: git -C %s log", w.ask.To, w.repo.dir)
	}
	_, at, faults, err := w.repo.siteAt(&site{}, tip{root: emptyFolder()}, oid)
	if err == nil {
		err = faults
	}
	if err != nil {
		return nil, fmt.Errorf("the site of commit %.10s does not load either: %w", oid, err)
	}
	w.say("main has the files of commit %.10s again; which wikis there are stays as it is", oid)
	return replaceFolder(at.root, "wikis", w.loaded.root)
}

// replaceFolder is a tree with one folder, which may be missing, as from has it.
func replaceFolder(root *folder, name string, from *folder) (*folder, error) {
	theirs, err := from.list()
	if err != nil {
		return nil, err
	}
	ours, err := root.list()
	if err != nil {
		return nil, err
	}
	entries := slices.DeleteFunc(slices.Clone(ours), func(e entry) bool { return e.name == name })
	if i, ok := position(theirs, name, true); ok {
		at, _ := position(entries, name, true)
		entries = slices.Insert(entries, at, theirs[i])
	}
	return &folder{entries: entries}, nil
}

// withAdmin is a tree with the administrator who was asked for, and the site that
// it makes.
func (w *rescue) withAdmin(root *folder) (*folder, *site, error) {
	var err error
	if w.ask.AddAdmin != "" {
		if root, err = w.addAdmin(root, w.ask.AddAdmin); err != nil {
			return nil, nil, err
		}
	}
	changes, err := diff(w.loaded.root, root)
	if err != nil {
		return nil, nil, err
	}
	next, faults, err := w.people.after(changes, w.repo.reading(w))
	if err == nil && len(faults) > 0 {
		err = faults
	}
	return root, next, err
}

func (w *rescue) addAdmin(root *folder, name wiki.Username) (*folder, error) {
	text, err := fileText(w, root, userFile(name))
	var rec userRecord
	loads := err == nil && len(decode(userFile(name), text, &rec, func(x *userRecord) int { return x.Schema })) == 0
	switch {
	case loads && rec.Deleted:
		return nil, wiki.Forbidden("the user %q was deleted, and a name is never given out again; choose another", name)
	case loads:
		w.say("%s is an administrator", name)
		for _, kv := range []struct {
			key string
			on  bool
		}{{"admin", true}, {"suspended", false}} {
			if text, err = setFlag(text, kv.key, kv.on); err != nil {
				return nil, err
			}
		}
	default:
		w.say("%s is a new account, and an administrator; sign in with: wikibot admin sign-in-link --user %s", name, name)
		text = formatUser(userRecord{CreatedAt: w.repo.store.now().UTC().Truncate(1e9), Admin: true})
	}
	oid, err := w.addBlob(text)
	if err != nil {
		return nil, err
	}
	return root.with(userFile(name), &entry{mode: modeFile, oid: oid})
}

// commitRescue makes the commit; its parent is main, or, where main cannot be read,
// what is in force.
func (w *rescue) commitRescue(root *folder, parent plumbing.Hash) (plumbing.Hash, error) {
	tree, err := w.writeFolder(root, refMain+":")
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var parents []plumbing.Hash
	if !parent.IsZero() {
		parents = append(parents, parent)
	}
	info := commitInfo{
		author:  signature{w.caller.Name(), w.repo.store.noreply(w.caller)},
		message: message("["+string(viaOf(w.caller))+"] Rescue the site\n\n"+strings.Join(w.done, "\n"), w.caller, ""),
		when:    w.repo.store.now(),
	}
	oid, err := w.objs.Add(plumbing.CommitObject, encodeCommit(tree, parents, info))
	w.made = append(w.made, tip{commit: oid, root: root})
	return oid, err
}

// tell names who is affected, and what to do next.
func (w *rescue) tell(next *site) {
	var gone, back []string
	for name := range w.people.users.all() {
		if !next.users.has(name) {
			gone = append(gone, string(name))
		}
	}
	for name := range next.users.all() {
		if !w.people.users.has(name) {
			back = append(back, string(name))
		}
	}
	if len(gone) > 0 {
		w.say("no account any more: %s", peopleList(gone))
	}
	if len(back) > 0 {
		w.say("accounts that were not in force before: %s", peopleList(back))
	}
	if next.admins == 0 {
		w.say("nobody administers the site; name somebody with: wikibot admin rescue --add-admin NAME")
	}
}

// clearDamaged sets a ref's file aside that is none, so that the ref can be
// written again. What is packed of it shows then.
func (w *rescue) clearDamaged(ref string) error {
	_, _, err := w.repo.refs.Read(ref)
	if !errors.Is(err, refs.ErrDamaged) {
		return err
	}
	s := w.repo.store
	aside := filepath.Join(w.repo.dir, "damaged-"+s.now().UTC().Format("20060102T150405")+"-"+lastOf(ref))
	if err := s.fs.Rename(filepath.Join(w.repo.dir, ref), aside); err != nil {
		return err
	}
	w.say("the file of %s was no ref; it is set aside as %s", ref, aside)
	oid, _, err := w.repo.refs.Read(ref)
	if err != nil || ref != refMain {
		return err
	}
	w.heads[refMain] = w.repo.tipAt(oid, nil)
	return nil
}
