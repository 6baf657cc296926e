package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wikibot/gitstore/internal/disk"
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
		fileSite:    []byte(firstSite),
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

// firstSite is a new site's record. Its wikis are of the tier self until somebody
// says otherwise.
const firstSite = `# The site. See docs/format.md.
schema = 1
name = "wikibot"

# The tier of a new wiki, and of one whose record names none. "self" is built in
# and has no limits. A site that is for others may choose one of its own below.
default_tier = "self"

# What the wikis of a tier may have. A limit that is left out does not exist.
[tiers.free]
wikis = 1        # that one person may own
authors = 1      # people who may edit one wiki: its editors and owners
pages = 500      # of one wiki
bytes = "50MB"   # of one wiki on the disk, history included
git_push = false # fetching always works

[tiers.premium]
wikis = 12
authors = 25
git_push = true
`

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
	if err := r.Commit(Commit{Refs: b.updates(), Objects: b.objs}); err != nil {
		return err
	}
	r.keepGood(b)
	return nil
}
