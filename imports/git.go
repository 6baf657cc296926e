package imports

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"wikibot/wiki"
)

// fetchConfig lets through what old histories really have wrong, and nothing
// that could do harm: git's other checks of objects stay fatal.
var fetchConfig = []string{
	"-c", "fetch.fsckObjects=true",
	"-c", "fetch.fsck.zeroPaddedFilemode=ignore",
	"-c", "fetch.fsck.badTimezone=ignore",
	"-c", "fetch.fsck.missingSpaceBeforeDate=ignore",
	"-c", "fetch.fsck.badEmail=ignore",
	"-c", "fetch.fsck.missingEmail=ignore",
	"-c", "fetch.fsck.missingNameBeforeEmail=ignore",
	"-c", "fetch.fsck.multipleAuthors=ignore",
	"-c", "fetch.unpackLimit=1",
}

// git runs one command in the fresh repository and returns what it printed.
func (j *job) git(ctx context.Context, stdin io.Reader, env []string, args ...string) ([]byte, error) {
	cmd := j.command(ctx, args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdin = stdin
	return output(cmd, nil)
}

// output runs a command; a failure carries the end of what git said. lines
// gets git's messages as they come, and may be nil.
func output(cmd *exec.Cmd, lines func(string)) ([]byte, error) {
	var out bytes.Buffer
	said := &tail{lines: lines}
	cmd.Stdout, cmd.Stderr = &out, said
	if err := cmd.Run(); err != nil {
		return nil, &gitError{args: cmd.Args[1:], said: said.text(), err: err}
	}
	return out.Bytes(), nil
}

// gitError is a failed git command with what it said.
type gitError struct {
	args []string
	said string
	err  error
}

func (e *gitError) Error() string {
	return fmt.Sprintf("git %s: %v: %s", strings.Join(e.args, " "), e.err, e.said)
}
func (e *gitError) Unwrap() error { return e.err }

// tail keeps the last lines of git's messages and passes each on. git ends
// lines of progress with a carriage return.
type tail struct {
	lines func(string)
	part  []byte
	kept  []string
}

func (t *tail) Write(p []byte) (int, error) {
	for _, c := range p {
		if c != '\n' && c != '\r' {
			if len(t.part) < 4096 {
				t.part = append(t.part, c)
			}
			continue
		}
		t.line(string(t.part))
		t.part = t.part[:0]
	}
	return len(p), nil
}

func (t *tail) line(s string) {
	if t.lines != nil {
		t.lines(s)
	}
	if s = strings.TrimSpace(s); s == "" || progressForm.MatchString(s) {
		return
	}
	if t.kept = append(t.kept, s); len(t.kept) > 8 {
		t.kept = t.kept[1:]
	}
}

func (t *tail) text() string {
	if len(t.part) > 0 {
		t.line(string(t.part))
		t.part = nil
	}
	return strings.Join(t.kept, "; ")
}

// progressForm is a line of git's progress: "Receiving objects:  45% (90/200)".
var progressForm = regexp.MustCompile(`^(?:remote: )?([A-Z][a-z]+ [a-z ]+):\s+\d+% \((\d+)/(\d+)\)`)

// watch turns git's progress into ours.
func watch(progress func(Progress)) func(string) {
	return func(line string) {
		if m := progressForm.FindStringSubmatch(line); m != nil {
			done, _ := strconv.Atoi(m[2])
			total, _ := strconv.Atoi(m[3])
			progress(Progress{Stage: strings.ToLower(m[1]), Done: done, Total: total})
		}
	}
}

var scpForm = regexp.MustCompile(`^(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^/\\:].*$`)

// Remote reports whether a source is on another machine, and by which of git's
// protocols. Only http, https and ssh are served; helpers ("ext::") and options
// ("-u…") never reach git.
func Remote(source string) (protocol string, err error) {
	if strings.HasPrefix(source, "-") {
		return "", wiki.Invalid("source", "the source %q begins with \"-\"; write ./%s for a file of that name", source, source)
	}
	if scheme, _, ok := strings.Cut(source, "://"); ok {
		u, err := url.Parse(source)
		switch {
		case err != nil || u.Host == "" && scheme != "file" || strings.HasPrefix(u.Hostname(), "-"):
			return "", wiki.Invalid("source", "%q is not an address of a repository; it reads like https://example.org/notes.git", source)
		case scheme == "http" || scheme == "https" || scheme == "ssh":
			return scheme, nil
		}
		return "", wiki.Invalid("source", "the protocol %q is not served; use https://, http://, ssh:// or a local path", scheme)
	}
	if strings.Contains(source, "::") {
		return "", wiki.Invalid("source", "%q names a helper of git; use https://, http://, ssh:// or a local path", source)
	}
	if _, statErr := os.Stat(source); statErr != nil && scpForm.MatchString(source) {
		return "ssh", nil
	}
	return "", nil
}

// Fetch makes a source local: a remote repository is fetched into a new folder
// below tmp with the environment of the person who asked (their SSH agent,
// their credential helpers); anything else becomes an absolute path. git may
// use the asked protocol and no other.
func Fetch(ctx context.Context, git, source, tmp string, progress func(Progress)) (path string, err error) {
	protocol, err := Remote(source)
	if err != nil {
		return "", err
	}
	if protocol == "" {
		return filepath.Abs(source)
	}
	dir := filepath.Join(tmp, "fetched.git")
	run := func(lines func(string), args ...string) ([]byte, error) {
		args = append([]string{"-c", "protocol.allow=never", "-c", "protocol." + protocol + ".allow=always", "-c", "core.hooksPath=/dev/null"}, args...)
		cmd := exec.CommandContext(ctx, git, args...)
		cmd.Env = personsEnv(dir)
		return output(cmd, lines)
	}
	if _, err := run(nil, "init", "--quiet", "--bare", dir); err != nil {
		return "", err
	}
	heads, err := run(nil, "ls-remote", "--symref", "--", source, "HEAD")
	if err != nil {
		return "", refused(err, source)
	}
	args := append(append([]string{}, fetchConfig...), "fetch", "--progress", "--no-write-fetch-head", "--", source, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	if _, err := run(watch(progress), args...); err != nil {
		return "", refused(err, source)
	}
	if head := symref(heads); head != "" {
		if _, err := run(nil, "symbolic-ref", "HEAD", head); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// refused turns git's failure to reach a repository into one that says what to
// do. The message never repeats a password from the address.
func refused(err error, source string) error {
	said := err.Error()
	if g, ok := err.(*gitError); ok {
		said = g.said
	}
	if u, parseErr := url.Parse(source); parseErr == nil && u.User != nil {
		if secret, ok := u.User.Password(); ok {
			said = strings.ReplaceAll(said, secret, "…")
		}
		source = u.Redacted()
	}
	return wiki.Unavailable("%s could not be fetched: %s (try: git ls-remote %s)", source, said, source)
}

// personsEnv is the person's environment without git's own variables, which
// could point at another repository.
func personsEnv(dir string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") || strings.HasPrefix(kv, "GIT_SSH") || strings.HasPrefix(kv, "GIT_ASKPASS=") {
			env = append(env, kv)
		}
	}
	return append(env, "GIT_DIR="+dir, "LC_ALL=C.UTF-8")
}

// symref reads "ref: refs/heads/main\tHEAD" out of ls-remote's answer.
func symref(out []byte) string {
	for line := range strings.Lines(string(out)) {
		if ref, ok := strings.CutPrefix(line, "ref: "); ok {
			ref, _, _ = strings.Cut(ref, "\t")
			return ref
		}
	}
	return ""
}
