package imports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"wikibot/wiki"
)

const mainRef = "refs/heads/main"

// repository brings branches and tags of a git repository or bundle in.
func (j *job) repository(ctx context.Context, kind Kind) error {
	source, err := filepath.Abs(j.req.Source)
	if err != nil {
		return err
	}
	if kind == Repository {
		if err := refuseShallow(source); err != nil {
			return err
		}
	}
	trust, remove, err := trusting(source)
	if err != nil {
		return err
	}
	defer remove()
	local := []string{"-c", "protocol.allow=never", "-c", "protocol.file.allow=always"}
	heads, err := j.git(ctx, nil, trust, append(local, "ls-remote", "--symref", "--", source)...)
	if err != nil {
		return unreadable(err, j.req.Shown)
	}
	args := append(append(local, fetchConfig...), "fetch", "--progress", "--no-write-fetch-head", "--no-tags", "--", source, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	cmd := j.command(ctx, args...)
	cmd.Env = append(cmd.Env, trust...)
	if _, err := output(cmd, watch(j.progress)); err != nil {
		return unreadable(err, j.req.Shown)
	}
	if err := j.chooseMain(ctx, string(heads)); err != nil {
		return err
	}
	return j.mapTree(ctx)
}

func unreadable(err error, shown string) error {
	if g := (*gitError)(nil); errors.As(err, &g) {
		return wiki.Invalid("source", "%s cannot be imported: git says: %s", shown, g.said)
	}
	return err
}

// refuseShallow says no to a clone whose history was cut off: its oldest
// commits name parents that it does not have.
func refuseShallow(source string) error {
	for _, name := range []string{"shallow", ".git/shallow"} {
		if _, err := os.Stat(filepath.Join(source, name)); err == nil {
			return wiki.Invalid("source", "%s is a shallow clone, part of its history is missing; complete it first: git -C %s fetch --unshallow", source, source)
		}
	}
	return nil
}

// trusting makes git read a repository that another user owns: the person who
// imports it asked for it by name. git takes this from a configuration file
// only (safe.directory, git-config(1)).
func trusting(source string) (env []string, remove func(), err error) {
	f, err := os.CreateTemp("", "wikibot-import-*.config")
	if err != nil {
		return nil, nil, fmt.Errorf("making a configuration for git: %w", err)
	}
	remove = func() { os.Remove(f.Name()) }
	_, err = fmt.Fprintf(f, "[safe]\n\tdirectory = *\n")
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return nil, nil, err
	}
	return []string{"GIT_CONFIG_GLOBAL=" + f.Name()}, remove, nil
}

// chooseMain makes the default branch main. heads is ls-remote's answer.
func (j *job) chooseMain(ctx context.Context, heads string) error {
	branches, tags, err := j.refs(ctx)
	if err != nil {
		return err
	}
	if len(branches) == 0 {
		return wiki.Invalid("source", "%s has no branch with a commit; nothing can be imported", j.req.Shown)
	}
	chosen, err := defaultBranch(branches, heads, j.req.Branch)
	if err != nil {
		return err
	}
	j.report.Tags = tags
	if chosen != "main" {
		if err := j.rename(ctx, branches, chosen); err != nil {
			return err
		}
	}
	for name := range branches {
		if name != chosen && name != "main" {
			j.report.Branches = append(j.report.Branches, name)
		}
	}
	slices.Sort(j.report.Branches)
	out, err := j.git(ctx, nil, nil, "rev-list", "--count", mainRef)
	if err != nil {
		return err
	}
	j.report.Commits, _ = strconv.Atoi(strings.TrimSpace(string(out)))
	return nil
}

// refs lists the fetched branches (name → commit) and counts the tags.
func (j *job) refs(ctx context.Context) (branches map[string]string, tags int, err error) {
	out, err := j.git(ctx, nil, nil, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return nil, 0, err
	}
	branches = map[string]string{}
	for line := range strings.Lines(string(out)) {
		oid, ref, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			branches[name] = oid
		} else {
			tags++
		}
	}
	return branches, tags, nil
}

// defaultBranch is the branch that becomes main: the asked one, else what HEAD
// names, else (a bundle gives HEAD as an object only) the branch at that
// commit, else main, master or the only one.
func defaultBranch(branches map[string]string, heads, asked string) (string, error) {
	if asked != "" {
		if branches[asked] == "" {
			return "", wiki.Invalid("branch", "there is no branch %q; the branches are %s", asked, names(branches))
		}
		return asked, nil
	}
	usual := []string{"main", "master", "trunk"}
	if named, ok := strings.CutPrefix(symref([]byte(heads)), "refs/heads/"); ok && branches[named] != "" {
		return named, nil
	}
	if at := headObject(heads); at != "" {
		var there []string
		for name, oid := range branches {
			if oid == at {
				there = append(there, name)
			}
		}
		slices.Sort(there)
		for _, name := range append(usual, there...) {
			if slices.Contains(there, name) {
				return name, nil
			}
		}
	}
	for _, name := range usual {
		if branches[name] != "" {
			return name, nil
		}
	}
	if len(branches) == 1 {
		for name := range branches {
			return name, nil
		}
	}
	return "", wiki.Invalid("branch", "which branch holds the pages? Say it with --branch; the branches are %s", names(branches))
}

func headObject(heads string) string {
	for line := range strings.Lines(heads) {
		if oid, ref, _ := strings.Cut(strings.TrimSpace(line), "\t"); ref == "HEAD" && !strings.HasPrefix(oid, "ref:") {
			return oid
		}
	}
	return ""
}

func names(branches map[string]string) string {
	all := make([]string, 0, len(branches))
	for name := range branches {
		all = append(all, name)
	}
	slices.Sort(all)
	if len(all) > 20 {
		all = append(all[:20], "…")
	}
	return strings.Join(all, ", ")
}

// rename moves the chosen branch to main; a branch that has this name already
// gets another.
func (j *job) rename(ctx context.Context, branches map[string]string, chosen string) error {
	zero := strings.Repeat("0", 40)
	var script strings.Builder
	if old := branches["main"]; old != "" {
		free := "main-1"
		for n := 2; branches[free] != ""; n++ {
			free = fmt.Sprintf("main-%d", n)
		}
		fmt.Fprintf(&script, "create refs/heads/%s %s\nupdate %s %s %s\n", free, old, mainRef, branches[chosen], old)
		branches[free] = old
		j.note("the branch main became %s, because %s is the default branch", free, chosen)
	} else {
		fmt.Fprintf(&script, "update %s %s %s\n", mainRef, branches[chosen], zero)
	}
	fmt.Fprintf(&script, "delete refs/heads/%s %s\n", chosen, branches[chosen])
	j.note("the default branch %s became main", chosen)
	_, err := j.git(ctx, strings.NewReader(script.String()), nil, "update-ref", "--stdin")
	return err
}

func (j *job) note(format string, args ...any) {
	j.report.Notes = append(j.report.Notes, fmt.Sprintf(format, args...))
}
