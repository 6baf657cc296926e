// Package gitstoretest makes repositories for tests and benchmarks with real
// git.
package gitstoretest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Env is the environment of git in tests: nothing of the machine's own, and
// pinned people and dates.
func Env(extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.org", "GIT_COMMITTER_DATE=1700000000 +0000",
	}
	return append(env, extra...)
}

// Git runs git in dir, fails the test if it fails, and returns what it printed
// without the final newline.
func Git(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	return GitIn(tb, dir, "", args...)
}

// GitIn is Git with something on its standard input.
func GitIn(tb testing.TB, dir, stdin string, args ...string) string {
	tb.Helper()
	out, err := TryGit(dir, stdin, args...)
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TryGit is GitIn for a command that may fail; the output has both streams then.
func TryGit(dir, stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, Env(), strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// Bare makes an empty bare repository, with main as its branch.
func Bare(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "repo.git")
	Git(tb, "", "init", "-q", "--bare", "-b", "main", dir)
	return dir
}

// Repo is a bare repository with so many pages of about 4.5 kB in folders of
// 100, made by so many commits on main (at least one), in one pack as git
// packs it, with a commit-graph. It is kept in the temporary folder and used
// again: copy it (Copy) before changing it.
func Repo(tb testing.TB, pages, commits int) string {
	tb.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("wikibot-repo-1-%d-%d.git", pages, commits))
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return dir
	}
	tmp, err := os.MkdirTemp(os.TempDir(), "wikibot-repo-")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	Git(tb, "", "init", "-q", "--bare", "-b", "main", tmp)
	fastImport(tb, tmp, pages, commits)
	Git(tb, tmp, "-c", "pack.threads=2", "repack", "-a", "-d", "-q")
	Git(tb, tmp, "commit-graph", "write", "--reachable", "--changed-paths", "--no-progress")
	if err := os.Rename(tmp, dir); err != nil {
		if _, e := os.Stat(filepath.Join(dir, "HEAD")); e != nil { // another test was first
			tb.Fatal(err)
		}
	}
	return dir
}

func fastImport(tb testing.TB, dir string, pages, commits int) {
	tb.Helper()
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env = dir, Env()
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	werr := history(in, pages, commits)
	if err := cmd.Wait(); err != nil || werr != nil {
		tb.Fatalf("git fast-import: %v, %v\n%s", err, werr, out.String())
	}
}

// history writes a fast-import stream: a first commit with all pages, then one
// changed page each.
func history(to io.WriteCloser, pages, commits int) error {
	w := bufio.NewWriterSize(to, 1<<20)
	for i := range commits {
		message := fmt.Sprintf("Change %d\n", i)
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter Alice <alice@example.org> %d +0000\ndata %d\n%s", 1700000000+i*60, len(message), message)
		first, last := i*7919%pages, i*7919%pages+1
		if i == 0 {
			first, last = 0, pages
		}
		for p := first; p < last; p++ {
			text := Page(p, i)
			fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", PagePath(p), len(text), text)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return to.Close()
}

// PagePath is where page p of a Repo is in its tree.
func PagePath(p int) string { return fmt.Sprintf("Topic %d/Page %d.md", p/100, p) }

// Page is the text of page p of a Repo as commit i wrote it: about 4.5 kB of
// Markdown that compresses like prose.
func Page(p, i int) string {
	seed := uint32(p)*2654435761 + 12345
	next := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Page %d\n\n", p)
	for section := range 6 {
		fmt.Fprintf(&b, "## Section %d\n\n", section)
		for b.Len() < 740*(section+1) {
			b.WriteString(syllables[next(len(syllables))])
			if next(3) > 0 {
				b.WriteString(syllables[next(len(syllables))])
			}
			b.WriteByte(" \n"[next(12)/11])
		}
		fmt.Fprintf(&b, "\nSee [[Topic %d/Page %d]].\n\n", next(50), next(5000))
	}
	fmt.Fprintf(&b, "Changed by commit %d.\n", i)
	return b.String()
}

var syllables = [...]string{"wiki", "git", "tion", "ing", "re", "con", "page", "ver", "sion", "the", "of", "and", "a", "to",
	"in", "mer", "ge", "ta", "ble", "pro", "ject", "ser", "vice", "com", "mit", "tree", "er", "ly", "ment", "ness", "able",
	"um", "lor", "em", "ip", "dol", "sit", "am", "et", "qu", "est", "ob", "ject", "store", "lock", "no", "te", "wri"}

// Copy makes a copy of a repository that a test may change.
func Copy(tb testing.TB, dir string) string {
	tb.Helper()
	to := filepath.Join(tb.TempDir(), "copy.git")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	return to
}
