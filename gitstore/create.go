package gitstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"wikibot/acl"
	"wikibot/gitstore/internal/disk"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// repoConfig is what each repository's own configuration says. It names the
// hooks and sends every ref through proc-receive, so that a push that reaches
// the repository without the server meets the same rules; the rest keeps stock
// git from tidying up behind the Store's back.
func (s *Store) repoConfig() [][2]string {
	return [][2]string{
		{"core.bare", "true"},
		{"core.repositoryformatversion", "0"},
		{"core.filemode", "true"},
		{"core.logAllRefUpdates", "false"},
		{"core.hooksPath", s.cfg.HooksDir},
		{"core.fsync", "objects,derived-metadata,reference"},
		{"core.fsyncMethod", "fsync"},
		{"receive.procReceiveRefs", "refs"},
		{"receive.advertisePushOptions", "true"},
		{"receive.advertiseAtomic", "true"},
		{"receive.autogc", "false"},
		{"receive.fsckObjects", "true"},
		{"receive.maxInputSize", fmt.Sprint(s.cfg.MaxPush)},
		{"receive.denyDeleteCurrent", "ignore"},
		{"transfer.fsckObjects", "true"},
		{"uploadpack.allowFilter", "true"},
		{"uploadpack.allowAnySHA1InWant", "false"},
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		{"pack.writeReverseIndex", "true"},
	}
}

// configText is the repository's config file.
func (s *Store) configText() string {
	var b strings.Builder
	b.WriteString("# Written by wikibot at every start; changes made here are lost.\n")
	section := ""
	for _, kv := range s.repoConfig() {
		sec, key, _ := strings.Cut(kv[0], ".")
		if sec != section {
			fmt.Fprintf(&b, "[%s]\n", sec)
			section = sec
		}
		fmt.Fprintf(&b, "\t%s = %s\n", key, configQuote(kv[1]))
	}
	return b.String()
}

// configQuote writes a value of git's configuration so that no character of a
// path means anything.
func configQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// ensureConfig rewrites a repository's config file if it is not as it must be.
func (s *Store) ensureConfig(_ context.Context, dir string) error {
	path := filepath.Join(dir, "config")
	want := s.configText()
	if have, err := os.ReadFile(path); err == nil && string(have) == want {
		return nil
	}
	return s.replaceFile(path, []byte(want), 0o640)
}

// replaceFile writes a file so that a crash leaves the old one or the new one.
func (s *Store) replaceFile(path string, data []byte, mode fs.FileMode) error {
	tmp := path + ".new"
	f, err := s.fs.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := s.fs.Rename(tmp, path); err != nil {
		return err
	}
	return s.fs.SyncDir(filepath.Dir(path))
}

// initRepository makes an empty bare repository, without a process.
func (s *Store) initRepository(ctx context.Context, dir string) error {
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags", "refs/wikibot", "info"} {
		if err := disk.MakeDirs(s.fs, filepath.Join(dir, d), 0o750); err != nil {
			return folderError(dir, err)
		}
	}
	if err := s.replaceFile(filepath.Join(dir, "HEAD"), []byte("ref: "+refMain+"\n"), 0o640); err != nil {
		return err
	}
	return s.ensureConfig(ctx, dir)
}

// makeAdmin makes admin.git: a site without people or wikis.
func (s *Store) makeAdmin(ctx context.Context) error {
	tmp := s.adminDir() + tmpPrefix + "new"
	if err := os.RemoveAll(tmp); err != nil {
		return folderError(tmp, err)
	}
	if err := s.initRepository(ctx, tmp); err != nil {
		return err
	}
	r, err := s.openRepo(admin, tmp)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		fileSite:    []byte(fmt.Sprintf("# The site. See docs/format.md.\nschema = %d\nname = \"wikibot\"\n", schema)),
		"README.md": []byte(adminReadme),
	}
	if err := r.seed(refMain, files, "Begin the site"); err != nil {
		return err
	}
	if err := r.objects.Close(); err != nil {
		return err
	}
	if err := s.fs.Rename(tmp, s.adminDir()); err != nil {
		return folderError(s.adminDir(), err)
	}
	return s.fs.SyncDir(s.cfg.Dir)
}

const adminReadme = `# The site

- ` + "`site.toml`" + `: the site's name and rules
- ` + "`users/<xx>/<name>.toml`" + `: one file for each person
- ` + "`wikis/<xx>/<slug>.toml`" + `: one file for each wiki; written by the server

Push a change to main and it is in force with the next request.
`

// seed makes the first commit of a ref in a repository that nobody sees yet.
func (r *repo) seed(ref string, files map[string][]byte, what string) error {
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	b := r.newBatch(&state{heads: map[string]tip{ref: {root: emptyFolder()}}})
	root := emptyFolder()
	for path, data := range files {
		oid, err := b.addBlob(data)
		if err != nil {
			return err
		}
		if root, err = root.with(path, &entry{mode: modeFile, oid: oid}); err != nil {
			return err
		}
	}
	info := commitInfo{author: signature{host.Name(), r.store.noreply(host)}, message: message("[cli] "+what, host, ""), when: r.store.now()}
	if _, err := b.commit(ref, root, info); err != nil {
		return err
	}
	return r.Commit(Commit{Refs: b.updates(), Objects: b.objs})
}

// CreateWiki makes a wiki with its first pages. Whoever is an administrator may,
// and the operator on the machine. wiki.ErrExists where the slug is or was taken.
func (s *Store) CreateWiki(ctx context.Context, c wiki.Caller, n NewWiki) error {
	_, err := s.AdoptWiki(ctx, c, n, func(ctx context.Context, r *Incoming) error {
		if len(n.Pages) == 0 {
			return nil
		}
		return r.Seed(n.Pages, "Begin the wiki "+string(n.Slug))
	})
	return err
}

// Incoming is a repository that is being filled and that nobody sees yet.
type Incoming struct {
	Dir   string // bare, empty at first
	store *Store
	repo  *repo
	set   *Settings
	id    string // the random id of the wiki that will be
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
	st := &state{heads: map[string]tip{refMain: {head, root}, refConfig: {root: emptyFolder()}, refTokens: {root: emptyFolder()}}}
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

// AdoptWiki makes a wiki whose pages fill puts into a fresh repository. The
// repository is outside of what is served until it is whole and on the disk; then
// its record in admin.git makes it exist. If anything fails before, nothing is
// left. Only refs/heads and refs/tags are kept of what fill brought.
func (s *Store) AdoptWiki(ctx context.Context, c wiki.Caller, n NewWiki, fill func(context.Context, *Incoming) error) (wiki.Revision, error) {
	if err := s.checkNewWiki(c, n); err != nil {
		return "", err
	}
	head, err := s.adoptWiki(ctx, c, n, fill)
	if told := diskTrouble(err); told != nil && !errors.Is(err, wiki.ErrUnavailable) {
		s.log.Error("a wiki was not made", "wiki", n.Slug, "error", err)
		return "", told
	}
	return head, err
}

func (s *Store) adoptWiki(ctx context.Context, c wiki.Caller, n NewWiki, fill func(context.Context, *Incoming) error) (wiki.Revision, error) {
	tmp := filepath.Join(s.cfg.Dir, "wikis", tmpPrefix+string(n.Slug)+"-"+randomHex(6))
	defer os.RemoveAll(tmp)
	if err := s.initRepository(ctx, tmp); err != nil {
		return "", err
	}
	r, err := s.openRepo(n.Slug, tmp)
	if err != nil {
		return "", err
	}
	defer r.objects.Close()
	in := &Incoming{Dir: tmp, store: s, repo: r}
	if err := fill(ctx, in); err != nil {
		return "", err
	}
	head, err := s.settleIncoming(ctx, in, n)
	if err != nil {
		return "", err
	}
	if err := s.register(ctx, c, n, in, tmp); err != nil {
		return "", errors.Join(err, s.unregister(n.Slug, tmp))
	}
	if head != "" && !s.cfg.NoUpkeep {
		s.background(func(ctx context.Context) {
			if r, err := s.wiki(n.Slug); err == nil {
				r.maintain(ctx)
			}
		})
	}
	return head, nil
}

// unregister removes the folder of a wiki whose record could not be written, so
// that the next try finds its place free.
func (s *Store) unregister(slug wiki.Slug, tmp string) error {
	if _, err := os.Stat(tmp); err == nil {
		return nil // it was never moved into place
	}
	st, err := s.admin.refresh(true)
	if err != nil || st.site.wikis[slug] != nil {
		return err // the next start decides by the record
	}
	return os.RemoveAll(s.wikiDir(slug))
}

func (s *Store) checkNewWiki(c wiki.Caller, n NewWiki) error {
	if err := s.allowAdmin(c); err != nil {
		return wiki.Forbidden("only administrators of the site create wikis here; ask one of them")
	}
	if _, err := wiki.ParseSlug(string(n.Slug)); err != nil {
		return err
	}
	st, err := s.admin.refresh(false)
	if err != nil {
		return err
	}
	return st.site.free(n)
}

// free refuses a slug that is or was taken, and an owner whom nobody knows.
func (st *site) free(n NewWiki) error {
	if rec := st.wikis[n.Slug]; rec != nil {
		if rec.Deleted {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("the slug %q belonged to a wiki that was deleted and is never given out again; choose another", n.Slug)}
		}
		return &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("there is a wiki %q already; choose another slug", n.Slug)}
	}
	if st.users[n.Owner] == nil {
		return wiki.Invalid("owner", "there is no user %q to own the wiki; add the user first", n.Owner)
	}
	return nil
}

// settleIncoming gives the filled repository its configuration and drops the
// refs that it must not bring.
func (s *Store) settleIncoming(ctx context.Context, in *Incoming, n NewWiki) (wiki.Revision, error) {
	r := in.repo
	list, err := r.refs.List("")
	if err != nil {
		return "", err
	}
	var drop []refs.Update
	for _, ref := range list {
		if !strings.HasPrefix(ref.Name, "refs/heads/") && !strings.HasPrefix(ref.Name, "refs/tags/") {
			drop = append(drop, refs.Update{Name: ref.Name, Old: ref.Hash})
		}
	}
	if err := r.refs.Set(ctx, drop...); err != nil {
		return "", err
	}
	set := defaultSettings(n.Slug)
	if n.Settings != nil {
		set = *n.Settings
	}
	if in.set != nil {
		set = *in.set
	}
	if n.Name != "" {
		set.Name = n.Name
	}
	if n.Purpose != "" {
		set.Purpose = n.Purpose
	}
	policy := acl.Policy{Schema: acl.Schema, Wiki: randomHex(16), Grants: map[string]wiki.Role{string(n.Owner): wiki.Owner}}
	in.id = policy.Wiki
	if err := r.seed(refConfig, map[string][]byte{fileWiki: formatSettings(set), fileACL: acl.Format(policy)}, "Configure "+string(n.Slug)); err != nil {
		return "", err
	}
	if err := s.syncTree(in.Dir); err != nil {
		return "", err
	}
	head, _, err := r.refs.Read(refMain)
	return revision(head), err
}

// register moves the repository into place and writes its record. The record is
// what makes it a wiki: without it the next start sets the repository aside.
func (s *Store) register(ctx context.Context, c wiki.Caller, n NewWiki, in *Incoming, tmp string) error {
	moved := false
	err := s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		head, err := b.head(refMain)
		if err != nil {
			return err
		}
		if _, taken, err := head.root.file(wikiFile(n.Slug)); err != nil || taken {
			return errors.Join(err, &wiki.Error{Kind: wiki.ErrExists, Field: "slug", Text: fmt.Sprintf("there is a wiki %q already; choose another slug", n.Slug)})
		}
		if _, err := os.Stat(tmp); err == nil { // not yet moved by an earlier run of this function
			if err := s.fs.Rename(tmp, s.wikiDir(n.Slug)); err != nil {
				return folderError(s.wikiDir(n.Slug), err)
			}
			moved = true
			if err := s.fs.SyncDir(filepath.Dir(tmp)); err != nil {
				return err
			}
		}
		rec := registryRecord{Schema: schema, ID: in.id, CreatedAt: s.now().UTC().Truncate(1e9)}
		return b.writeRecord(c, wikiFile(n.Slug), formatRecord(rec), "Create wiki "+string(n.Slug))
	}})
	if err != nil && moved { // it never became a wiki; out of the way for the next try
		err = errors.Join(err, s.fs.Rename(s.wikiDir(n.Slug), tmp))
	}
	return err
}

// writeRecord commits one file of admin.git's main, with an audit entry.
func (b *batch) writeRecord(c wiki.Caller, path string, data []byte, what string) error {
	head, err := b.head(refMain)
	if err != nil {
		return err
	}
	oid, err := b.addBlob(data)
	if err != nil {
		return err
	}
	root, err := head.root.with(path, &entry{mode: modeFile, oid: oid})
	if err != nil {
		return err
	}
	info := commitInfo{author: signature{c.Name(), b.repo.store.noreply(c)}, message: message("["+string(viaOf(c))+"] "+what, c, ""), when: b.repo.store.now()}
	commit, err := b.commit(refMain, root, info)
	if err != nil {
		return err
	}
	return b.audit(c, "config", refMain, head.commit, commit)
}

// syncTree makes everything below a folder durable: files that git wrote are
// synced by git, folders are not.
func (s *Store) syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return s.fs.SyncDir(path)
	})
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}

// NewUser is a person to be added.
type NewUser struct {
	Name  wiki.Username
	DID   wiki.DID
	Admin bool
}

// AddUser makes a person's record. wiki.ErrExists where the name is or was
// taken, or the DID is another person's.
func (s *Store) AddUser(ctx context.Context, c wiki.Caller, n NewUser) error {
	if _, err := wiki.ParseUsername(string(n.Name)); err != nil {
		return err
	}
	if err := s.allowAdmin(c); err != nil {
		return wiki.Forbidden("only administrators of the site add people; ask one of them")
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		st := b.site()
		if st.users[n.Name] != nil || st.deleted[n.Name] {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "username", Text: fmt.Sprintf("the name %q is or was somebody's and is not given out again; choose another", n.Name)}
		}
		if other := st.byDID[n.DID]; n.DID != "" && other != "" {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "did", Text: fmt.Sprintf("the DID %s belongs to %s already", n.DID, other)}
		}
		rec := userRecord{Schema: schema, DID: string(n.DID), CreatedAt: s.now().UTC().Truncate(1e9), Admin: n.Admin}
		return b.writeRecord(c, userFile(n.Name), formatUser(rec), "Add user "+string(n.Name))
	}})
}

// site is admin.git as this batch has it so far.
func (b *batch) site() *site {
	st := b.repo.state.Load()
	if b.repo.name != admin {
		return nil
	}
	return loadSite(st.site, st.heads[refMain], b.heads[refMain], &repo{name: admin, store: b.repo.store, source: b})
}

// User is a person's record. wiki.ErrNotFound where there is none.
func (s *Store) User(_ context.Context, name wiki.Username) (User, error) { return s.lookupUser(name) }

// Users lists everybody, for administrators.
func (s *Store) Users(_ context.Context, c wiki.Caller) ([]User, error) {
	if err := s.allowAdmin(c); err != nil {
		return nil, err
	}
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	out := make([]User, 0, len(st.site.users))
	for _, u := range st.site.users {
		out = append(out, *u)
	}
	return out, nil
}

// AddKey adds an SSH public key to a person's file, in place.
func (s *Store) AddKey(ctx context.Context, c wiki.Caller, name wiki.Username, key string) error {
	if err := s.allowAdmin(c); err != nil && c.User != name {
		return err
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		u := b.site().users[name]
		if u == nil {
			return wiki.NotFound("there is no user %q", name)
		}
		for _, k := range u.SSHKeys {
			if k == key {
				return nil
			}
		}
		head, err := b.head(refMain)
		if err != nil {
			return err
		}
		text, err := fileText(b, head.root, userFile(name))
		if err != nil {
			return err
		}
		next, err := setKeys(text, append(append([]string(nil), u.SSHKeys...), key))
		if err != nil {
			return err
		}
		return b.writeRecord(c, userFile(name), next, "Add an SSH key of "+string(name))
	}})
}
