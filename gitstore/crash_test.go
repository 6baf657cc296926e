package gitstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/wiki"
)

// The machine stops at every moment of a site's life: everything that a Store
// writes durable is recorded, and each state that a crash could have left is
// opened again. SOAK_SECONDS set (make soak) replays all of them, else a part.

var (
	operator = wiki.Caller{Host: true, Via: wiki.ViaCLI}
	owner    = wiki.Caller{User: "alice", Via: wiki.ViaWeb}
	editor   = wiki.Caller{User: "bob", Via: wiki.ViaHTTPS, Credential: "w-notes-00000001"}
)

// claim is what an acknowledgement promises. It travels in a mark, as JSON.
type claim struct {
	Began   bool   `json:",omitempty"` // not acknowledged yet: from here on it may be there
	Site    bool   `json:",omitempty"`
	User    string `json:",omitempty"`
	Wiki    string `json:",omitempty"`
	Page    string `json:",omitempty"` // of notes, at least at this version
	Version int    `json:",omitempty"`
	Gone    string `json:",omitempty"` // page that was deleted
	Grant   string `json:",omitempty"` // who may write
	Public  bool   `json:",omitempty"`
	Token   string `json:",omitempty"`
	Revoked string `json:",omitempty"`
	Pushed  string `json:",omitempty"` // commit that a push moved main to
}

// pageText is a page at a version; every byte of it follows from its name.
func pageText(page string, version int) string {
	return fmt.Sprintf("%s\nversion %d\n%s", page, version, strings.Repeat(fmt.Sprintf("%s has the text of version %d.\n", page, version), 5))
}

func pageVersion(page, text string) (version int, err error) {
	lines := strings.SplitN(text, "\n", 3)
	if len(lines) == 3 {
		_, err = fmt.Sscanf(lines[1], "version %d", &version)
	}
	if err != nil || text != pageText(page, version) {
		return 0, fmt.Errorf("the page %s is torn: %q", page, text)
	}
	return version, nil
}

// quiet opens a Store for a crash test.
func quiet(dir string, fsys disk.FS) (*Store, error) {
	return Open(context.Background(), Config{Dir: dir, Domain: "example.org", NoUpkeep: true, Log: slog.New(slog.DiscardHandler), disk: fsys})
}

// memory is a temporary folder in memory where there is one: thousands of
// states are written out.
func memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "wikibot-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func soaking() bool { return os.Getenv("SOAK_SECONDS") != "" }

func TestCrashesOfAStore(t *testing.T) {
	dir := filepath.Join(memory(t), "data")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	rec, err := disk.NewRecorder(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := quiet(dir, rec)
	if err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, s: s, rec: rec, dir: dir}
	l.live()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ops := rec.Operations()
	every, budget := 3, 15*time.Second
	if soaking() {
		every, budget = 1, time.Hour
	}
	states, checked, fscked, voids, failures := 0, 0, 0, 0, 0
	began, last := time.Now(), 0
	for c, err := range rec.Crashes(memory(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if states++; states%every != 0 {
			continue
		}
		// Where the machine is slow, fewer states of the rest are opened, and
		// still some of every part.
		if left := budget - time.Since(began); left < budget/4 && states%(every*8) != 0 {
			continue
		}
		checked, last = checked+1, c.Point
		voided, err := l.recovered(c)
		voids += voided
		if err == nil && checked%25 == 0 {
			fscked++
			err = fsckAll(c.Dir)
		}
		if err != nil {
			t.Errorf("after %d operations (the last: %s), lost %s: %v", c.Point, ops[max(c.Point-1, 0)], c.Lost, err)
			if failures++; failures > 20 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d operations, %d states, %d opened (%d by git fsck) in %s; %d half-done entries marked void, %d acknowledgements",
		len(ops), states, checked, fscked, time.Since(began).Round(time.Millisecond), voids, l.acks)
	if checked < 100 || fscked < 3 || last < len(ops)*9/10 || voids == 0 {
		t.Errorf("%d of %d states were opened, %d by fsck, up to operation %d of %d, %d void: the recorder shows too little", checked, states, fscked, last, len(ops), voids)
	}
}

// life is the life of a site that is recorded.
type life struct {
	t     *testing.T
	s     *Store
	rec   *disk.Recorder
	dir   string
	clone string
	mu    sync.Mutex
	acks  int // guarded by mu
}

func (l *life) mark(c claim) {
	text, err := json.Marshal(c)
	if err != nil {
		l.t.Error(err)
	}
	l.rec.Mark(string(text))
	if !c.Began {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.acks++
	}
}

// done marks what has been acknowledged.
func (l *life) done(err error, c claim) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
	l.mark(c)
}

func (l *life) put(c wiki.Caller, page string, version int) {
	l.t.Helper()
	l.done(l.write(c, page, version), claim{Page: page, Version: version})
}

func (l *life) write(c wiki.Caller, page string, version int) error {
	_, err := l.s.Update(context.Background(), c, "notes", Meta{}, func(tx *Tx) error {
		return tx.Put(wiki.PagePath(page), []byte(pageText(page, version)), PutOptions{Overwrite: true})
	})
	return err
}

// live is everything that a site does: it is made, gets people and wikis,
// edits alone and in groups, grants, tokens, pushes, a fold.
func (l *life) live() {
	ctx := context.Background()
	l.mark(claim{Site: true})
	for _, u := range []wiki.Username{"alice", "bob"} {
		l.done(l.s.AddUser(ctx, operator, NewUser{Name: u}), claim{User: string(u)})
	}
	l.done(l.s.CreateWiki(ctx, operator, NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte(pageText("Home", 1))}}),
		claim{Wiki: "notes"})
	l.mark(claim{Page: "Home", Version: 1})
	l.done(l.s.SetGrant(ctx, owner, "notes", "bob", wiki.Editor), claim{Grant: "bob"})
	l.put(owner, "Home", 2)
	l.put(editor, "Design/Auth", 1)
	l.group(8)
	l.tokens(ctx)
	l.fetch()
	l.push("Pushed/One", refMain)
	l.fetch()
	l.put(owner, "Home", 3)
	l.push("Pushed/Two", refMergePrefix+"main") // is merged with Home
	l.done(l.s.SetAccess(ctx, owner, "notes", acl.Anonymous, acl.Granted, acl.Granted), claim{Public: true})
	l.mark(claim{Began: true, Gone: "Design/Auth"})
	_, err := l.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error { return tx.Delete("Design/Auth", DeleteOptions{}) })
	l.done(err, claim{Gone: "Design/Auth"})
	l.fold()
	l.put(owner, "Home", 99)
	l.done(l.s.CreateWiki(ctx, operator, NewWiki{Slug: "second", Owner: "bob"}), claim{Wiki: "second"})
}

// group has so many writers at once, so that several edits become one pack.
func (l *life) group(writers int) {
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			page := fmt.Sprintf("Group/Page %d", w)
			if err := l.write(editor, page, 1); err != nil {
				l.t.Error(err)
				return
			}
			l.mark(claim{Page: page, Version: 1})
		})
	}
	all.Wait()
}

func (l *life) tokens(ctx context.Context) {
	_, kept, err := l.s.CreateToken(ctx, owner, NewToken{Wiki: "notes", Role: wiki.Editor, Name: "kept"})
	l.done(err, claim{Token: kept.ID})
	_, gone, err := l.s.CreateToken(ctx, operator, NewToken{User: "bob", Name: "gone"})
	l.done(err, claim{Began: true})
	l.done(l.s.RevokeToken(ctx, operator, gone.ID), claim{Revoked: gone.ID})
}

// fold makes packs until there are enough to fold, and folds them.
func (l *life) fold() {
	l.t.Helper()
	r, err := l.s.wiki("notes")
	if err != nil {
		l.t.Fatal(err)
	}
	for v := 4; r.objects.PackCount() <= foldAbove; v++ {
		l.put(owner, "Home", v)
	}
	before := r.objects.PackCount()
	r.fold()
	if after := r.objects.PackCount(); after >= before {
		l.t.Fatalf("%d packs, %d after a fold", before, after)
	}
}

// fetch brings the clone, which is outside of what is recorded, up to date.
func (l *life) fetch() {
	if l.clone == "" {
		l.clone = filepath.Join(l.t.TempDir(), "clone")
		gitstoretest.Git(l.t, "", "clone", "-q", "--no-hardlinks", filepath.Join(l.dir, "wikis/notes.git"), l.clone)
		return
	}
	gitstoretest.Git(l.t, l.clone, "pull", "-q", "--ff-only")
}

// push commits one page in the clone and pushes it, as receive-pack does it:
// quarantine, pre-receive, the objects move into place (files synced, folders
// not), proc-receive.
func (l *life) push(page, ref string) {
	l.t.Helper()
	file := filepath.Join(l.clone, filepath.FromSlash(page)+".md")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(pageText(page, 1)), 0o644)); err != nil {
		l.t.Fatal(err)
	}
	gitstoretest.Git(l.t, l.clone, "add", ".")
	gitstoretest.Git(l.t, l.clone, "commit", "-q", "-m", "Add "+page)
	p := &Push{Caller: editor, Wiki: "notes", Dir: filepath.Join(l.dir, "wikis/notes.git"),
		Commands: []RefCommand{{Old: plumbing.ZeroHash.String(), New: gitstoretest.Git(l.t, l.clone, "rev-parse", "HEAD"), Ref: ref}}}
	if ref == refMain {
		p.Commands[0].Old = gitstoretest.Git(l.t, l.clone, "rev-parse", "HEAD~")
	}
	received := strings.Fields(gitstoretest.Git(l.t, l.clone, "rev-list", "--objects", "--no-object-names", "origin/main..HEAD"))
	receive(l.t, l.s, l.rec, p, l.clone, received)
	results, err := l.s.ApplyPush(context.Background(), p, false)
	if err != nil || len(results) != 1 || !results[0].OK {
		l.t.Fatalf("pushing to %s: %+v, %v", ref, results, err)
	}
	l.mark(claim{Page: page, Version: 1, Pushed: results[0].New})
	l.clean()
}

// clean makes the clone as it was before a push that the server merged.
func (l *life) clean() { gitstoretest.Git(l.t, l.clone, "reset", "-q", "--hard", "origin/main") }

// receive is what receive-pack does with the objects of a push before
// proc-receive.
func receive(t testing.TB, s *Store, fsys disk.FS, p *Push, clone string, oids []string) {
	t.Helper()
	objects := filepath.Join(p.Dir, "objects")
	p.Quarantine = filepath.Join(objects, "tmp_objdir-incoming-test")
	loose := map[string][]byte{}
	for _, oid := range oids {
		name := oid[:2] + "/" + oid[2:]
		data, err := os.ReadFile(filepath.Join(clone, ".git/objects", name))
		if err != nil {
			t.Fatal(err)
		}
		loose[name] = data
		at := filepath.Join(p.Quarantine, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, data, 0o444)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CheckPush(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	for name, data := range loose {
		at := filepath.Join(objects, name)
		err := fsys.MkdirAll(filepath.Dir(at), 0o755)
		if _, there := os.Stat(at); there == nil {
			continue
		}
		tmp := filepath.Join(filepath.Dir(at), "tmp_obj_"+filepath.Base(at)[:6])
		f, ferr := fsys.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
		if err := errors.Join(err, ferr); err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(data)
		if err := errors.Join(err, f.Sync(), f.Close(), fsys.Rename(tmp, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(p.Quarantine); err != nil {
		t.Fatal(err)
	}
	p.Quarantine = ""
}

// recovered opens one state as the next start would and looks for everything
// that had been acknowledged. It returns how many entries the start marked void.
func (l *life) recovered(c disk.Crash) (voids int, err error) {
	s, err := quiet(c.Dir, nil)
	if err != nil {
		return 0, fmt.Errorf("it does not open: %w", err)
	}
	defer func() {
		if err = errors.Join(err, s.Close()); err == nil { // what it still does in the background holds locks
			err = leftovers(c.Dir)
		}
	}()
	for _, m := range c.Marks {
		var k claim
		if err := json.Unmarshal([]byte(m), &k); err != nil {
			return 0, err
		}
		if err := kept(s, k, c.Marks); err != nil {
			return 0, fmt.Errorf("lost %s: %w", m, err)
		}
	}
	wikis, err := s.Wikis(context.Background(), operator)
	if err != nil {
		return 0, err
	}
	for _, w := range wikis {
		if _, err := s.wiki(w.Slug); err != nil {
			return 0, err
		}
		if err := usable(s, w.Slug); err != nil {
			return 0, err
		}
	}
	for _, r := range s.opened() {
		n, err := truthful(r)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", r.name, err)
		}
		voids += n
	}
	return voids, nil
}

// kept checks one claim in a recovered site.
func kept(s *Store, k claim, marks []string) error {
	ctx := context.Background()
	switch {
	case k.Began, k.Site:
		return nil
	case k.User != "":
		_, err := s.User(ctx, wiki.Username(k.User))
		return err
	case k.Token != "":
		_, err := s.Token(ctx, k.Token)
		return err
	case k.Revoked != "":
		if _, err := s.Token(ctx, k.Revoked); !errors.Is(err, wiki.ErrNotFound) {
			return fmt.Errorf("a revoked token is back (%v)", err)
		}
		return nil
	case k.Wiki != "":
		_, err := s.View(ctx, operator, wiki.Slug(k.Wiki))
		return err
	}
	v, err := s.View(ctx, operator, "notes")
	if err != nil {
		return err
	}
	switch {
	case k.Grant != "" && v.Policy().Grants[k.Grant] != wiki.Editor:
		return errors.New("the grant is not there")
	case k.Public && v.Policy().Read != acl.Anonymous:
		return errors.New("the wiki is not public")
	case k.Gone != "":
		if _, ok := v.Page(k.Gone); ok {
			return errors.New("the deleted page is back")
		}
	case k.Page != "":
		return atLeast(v, k, marks)
	}
	return nil
}

// atLeast checks that a page has the version that was acknowledged, or a newer
// one, whole.
func atLeast(v *View, k claim, marks []string) error {
	if slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(m, `"Gone":"`+k.Page+`"`) }) {
		return nil // deleted since, or about to be
	}
	page, err := v.ReadPage(wiki.PagePath(k.Page))
	if err != nil {
		return err
	}
	version, err := pageVersion(k.Page, string(page.Content))
	if err != nil || version < k.Version {
		return errors.Join(err, fmt.Errorf("it is at version %d", version))
	}
	if k.Pushed == "" {
		return nil
	}
	chain, err := v.repo.auditChain(plumbing.ZeroHash)
	if err == nil && !slices.ContainsFunc(chain, func(a audited) bool { return a.Action == "push" && a.New == k.Pushed }) {
		err = errors.New("the audit does not have the push")
	}
	return err
}

// usable makes an edit: a recovered wiki needs no manual unlock.
func usable(s *Store, slug wiki.Slug) error {
	_, err := s.Update(context.Background(), operator, slug, Meta{}, func(tx *Tx) error {
		return tx.Put("After the crash", []byte("It goes on.\n"), PutOptions{Overwrite: true})
	})
	if err != nil {
		return fmt.Errorf("editing %s afterwards: %w", slug, err)
	}
	return nil
}

// truthful compares the audit with the refs: an entry came true or is marked
// void, and no configuration, token or record moved without an entry.
func truthful(r *repo) (voids int, err error) {
	chain, err := r.auditChain(plumbing.ZeroHash)
	if err != nil {
		return 0, err
	}
	void, told := map[string]bool{}, map[string]bool{}
	var again []audited
	for _, a := range chain {
		if a.Action == "void" {
			void[a.Void] = true
		}
	}
	for _, a := range chain {
		if a.Action == "void" {
			continue
		}
		came, err := r.cameTrue(a)
		if err != nil {
			return 0, err
		}
		if marked := void[a.commit.String()]; !marked {
			told[a.Ref+a.New] = true
			if !came {
				return 0, fmt.Errorf("the entry for %s to %s did not come true and is not marked void", a.Ref, a.New)
			}
		} else if came {
			again = append(again, a)
		}
	}
	for _, a := range again { // tried again, the same change is the same commit
		if !told[a.Ref+a.New] {
			return 0, fmt.Errorf("the entry for %s to %s came true and is marked void", a.Ref, a.New)
		}
	}
	heads := []string{refConfig, refTokens}
	if r.name == admin {
		heads = []string{refMain, refTokens}
	}
	for _, ref := range heads {
		at, _, err := r.refs.Read(ref)
		for err == nil && !at.IsZero() {
			c, cerr := r.commit(at)
			if cerr != nil {
				return 0, cerr
			}
			if len(c.Parents) == 0 && ref != refTokens {
				break // the commit that made the repository
			}
			if !told[ref+at.String()] {
				return 0, fmt.Errorf("%s is at %s and the audit does not say who did it", ref, at)
			}
			at = plumbing.ZeroHash
			if len(c.Parents) > 0 {
				at = c.Parents[0]
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return len(void), nil
}

// leftovers looks for what the cleaner should have taken away.
func leftovers(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case name == "children.lock":
		case strings.HasSuffix(name, ".lock"), strings.HasPrefix(name, "tmp_"), strings.Contains(name, tmpPrefix), strings.HasSuffix(name, ".new"):
			return fmt.Errorf("%s was left behind", path)
		}
		return nil
	})
}

// fsckAll runs git fsck on every repository of a data folder.
func fsckAll(dir string) error {
	repos, err := filepath.Glob(filepath.Join(dir, "wikis/*.git"))
	if err != nil {
		return err
	}
	for _, repo := range append(repos, filepath.Join(dir, "admin.git")) {
		if _, err := os.Stat(repo); err != nil {
			continue
		}
		if out, err := gitstoretest.TryGit(repo, "", "fsck", "--strict", "--no-dangling"); err != nil {
			return fmt.Errorf("git fsck in %s: %w: %s", repo, err, out)
		}
	}
	return nil
}

// Upkeep does all chores of one wiki now, whatever there is to be done, for tests
// from outside of the package.
func Upkeep(ctx context.Context, s *Store, slug wiki.Slug) error {
	r, err := s.wiki(slug)
	if err != nil {
		return err
	}
	if !s.takeHeavy(ctx) {
		return ctx.Err()
	}
	defer func() { <-s.heavy }()
	r.fold()
	return errors.Join(r.packRefs(ctx), r.join(ctx), r.tidy(ctx))
}
