package gitstore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wikibot/wiki"
)

// MinGit is the oldest git that the transports and hooks work with.
const MinGit = "2.38"

// gitConfig is what every git child is told, whatever the machine's own
// configuration says: nothing is read from outside the repository, nothing is
// fetched by itself, every object is checked and synced.
var gitConfig = []string{
	"safe.bareRepository=explicit",
	"protocol.allow=never",
	"core.useReplaceRefs=false",
	"core.alternateRefsCommand=exit 0 #",
	"core.fsync=objects,derived-metadata,reference",
	"core.fsyncMethod=fsync",
	"core.filesRefLockTimeout=10000",
	"core.packedRefsTimeout=10000",
	"gc.auto=0",
	"maintenance.auto=false",
	"receive.autogc=false",
	"transfer.fsckObjects=true",
	"advice.updateRef=false",
}

// GitEnv is the whole environment of a git child that works on the repository
// dir. It is built from nothing: what a client or the operator's shell set
// cannot reach git (CVE-2024-41956). extra are further "key=value" settings of
// git's configuration, and win.
func GitEnv(dir string, extra ...string) []string {
	settings := append(append([]string{"safe.directory=" + dir}, gitConfig...), extra...)
	env := []string{
		"PATH=" + searchPath(),
		"LC_ALL=C.UTF-8",
		"HOME=/nonexistent",
		"XDG_CONFIG_HOME=/nonexistent",
		"GIT_DIR=" + dir,
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_CONFIG_COUNT=" + strconv.Itoa(len(settings)),
	}
	for i, s := range settings {
		k, v, _ := strings.Cut(s, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, k), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, v))
	}
	return env
}

// searchPath is the PATH of git children; only where git's own helpers are
// found matters.
func searchPath() string {
	if p := os.Getenv("PATH"); p != "" {
		return p
	}
	return "/usr/local/bin:/usr/bin:/bin"
}

// GitCommand prepares git on the repository dir with an environment built from
// nothing. It runs in a process group of its own, which is killed when ctx
// ends, and holds the lock by which the next start waits for children.
func (s *Store) GitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.cfg.Git, args...)
	cmd.Dir = dir
	cmd.Env = GitEnv(dir)
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	if s.children != nil {
		cmd.ExtraFiles = nil
		holdLock(cmd, s.children)
	}
	return cmd
}

// git runs one command to its end and returns what it printed; a failure
// carries what git said.
func (s *Store) git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := s.GitCommand(ctx, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := runGit(cmd); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}

var gitVersionForm = regexp.MustCompile(`^git version (\d+)\.(\d+)`)

// checkGit finds the git binary and refuses one that is too old.
func checkGit(ctx context.Context, name string) (path string, err error) {
	if name == "" {
		name = "git"
	}
	path, err = exec.LookPath(name)
	if err != nil {
		return "", wiki.Unavailable("git was not found (%s): install git %s or newer, or name it with --git", name, MinGit)
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return "", wiki.Unavailable("%s does not run (%v): install git %s or newer, or name it with --git", path, err, MinGit)
	}
	m := gitVersionForm.FindSubmatch(out)
	if m == nil {
		return "", wiki.Unavailable("%s is not git: it answers %q to \"git version\"", path, bytes.TrimSpace(out))
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major < 2 || major == 2 && minor < 38 {
		return "", wiki.Unavailable("%s is git %d.%d; wikibot needs git %s or newer: upgrade it, or name another with --git", path, major, minor, MinGit)
	}
	return path, nil
}
