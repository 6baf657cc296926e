// Package hooks is what git runs when somebody pushes, and the server's answer.
//
// A repository's own configuration names one folder (core.hooksPath) with two
// POSIX shell scripts, and sends every ref through the second
// (receive.procReceiveRefs = refs). pre-receive runs while the objects are in
// quarantine: the Store validates them and names every fault. proc-receive runs
// after it: the Store moves the refs. The scripts decide nothing; they carry a
// conversation between git and the server and refuse the push where there is no
// answer.
//
// # Two ways to the server
//
// A push that the server started (over HTTP or SSH) has two pipes as descriptors
// 3 (to the server) and 4 (from it), and WIKIBOT_PUSH in its environment; Attach
// makes them and Answer is the other end. The server knows who is pushing, so
// nothing about that is said in the conversation, and the environment of a client
// never reaches git. A push that somebody made on the host itself, straight into
// the folder of a repository, has neither: the scripts execute the program, Main,
// which asks the server's socket (mode 0600), where Serve answers. The caller is
// then the host. A script that finds WIKIBOT_PUSH without the descriptors refuses,
// so a push from the network can never be taken for one from the host.
//
// # The conversation
//
// The hook says, each value framed by its name and its length in bytes:
//
//	wikibot-hook 1 pre-receive
//	directory 20                 (on the socket only: the repository)
//	/srv/wiki/notes.git
//	objects 47                   GIT_OBJECT_DIRECTORY
//	/srv/wiki/notes.git/./objects/tmp_objdir-incoming-p2Kq3x
//	alternates 27                GIT_ALTERNATE_OBJECT_DIRECTORIES
//	/srv/wiki/notes.git/./objects
//	quarantine 47                GIT_QUARANTINE_PATH
//	/srv/wiki/notes.git/./objects/tmp_objdir-incoming-p2Kq3x
//	option 9                     one for each push option
//	ci.skip=1
//	command 97                   one for each line that git gave: old, new, ref
//	<40 hex> <40 hex> refs/heads/main
//	end
//
// The server answers with lines: "| text" is shown to the pusher, then comes "ok"
// or "no". For proc-receive the hook says
//
//	wikibot-hook 1 proc-receive
//	end
//
// and then carries git's pkt-lines (githooks(5), "proc-receive") as they are. The
// server's lines are "> " and one pkt-line, which goes to git as it is, "| text",
// and at the end "ok" or "no".
//
// proc-receive is believed only where this push's pre-receive was approved, and
// only about commands that were approved: git by itself skips a pre-receive that
// is not executable.
package hooks

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"wikibot/wiki"
)

//go:embed pre-receive.sh
var preReceive string

//go:embed proc-receive.sh
var procReceive string

// MaxSocket is the most bytes of a socket's path (sun_path in unix(7), less the
// final NUL).
const MaxSocket = 107

// scripts are the hooks of git that are installed, by file name.
func scripts(binary, socket string) (map[string][]byte, error) {
	cat, err := exec.LookPath("cat")
	if err == nil {
		cat, err = filepath.Abs(cat)
	}
	if err != nil {
		return nil, wiki.Unavailable("the program cat was not found (%v): install coreutils", err)
	}
	for _, p := range []string{binary, socket, cat} {
		if !filepath.IsAbs(p) || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, wiki.Unavailable("git's hooks need an absolute path without control characters; %q is none: move the data folder or the program", p)
		}
	}
	if len(socket) > MaxSocket {
		return nil, wiki.Unavailable("the path of the hooks' socket %q has %d bytes, at most %d are possible: choose a data folder with a shorter path", socket, len(socket), MaxSocket)
	}
	fill := strings.NewReplacer("@BINARY@", quote(binary), "@SOCKET@", quote(socket), "@CAT@", quote(cat))
	return map[string][]byte{
		"pre-receive":  []byte(fill.Replace(preReceive)),
		"proc-receive": []byte(fill.Replace(procReceive)),
	}, nil
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Install writes git's hooks into the folder dir, which it makes where needed.
// They execute binary and ask socket (absolute paths; the socket's at most
// MaxSocket bytes). Each file appears whole or not at all; files that are right
// already are left alone.
func Install(dir, binary, socket string) error {
	want, err := scripts(binary, socket)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the hooks' folder: %w", err)
	}
	for name, text := range want {
		path := filepath.Join(dir, name)
		if verifyFile(path, text) == nil {
			continue
		}
		if err := writeScript(path, text); err != nil {
			return fmt.Errorf("writing the hook %s: %w", path, err)
		}
	}
	return syncDir(dir)
}

func writeScript(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where the rename succeeded
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o755), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Verify checks that git's hooks in dir are as Install wrote them: regular files
// of mode 0755 with the content for this binary and socket. Git itself ignores a
// hook that is missing or not executable, so no transport may start while this
// fails. It costs two small reads. The error is an ErrUnavailable; the text of
// the *wiki.Error in it is for the pusher, the whole, with paths, for the log.
func Verify(dir, binary, socket string) error {
	want, err := scripts(binary, socket)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: %w", dir, broken("git's hooks folder is missing"))
	}
	for _, name := range []string{"pre-receive", "proc-receive"} {
		if err := verifyFile(filepath.Join(dir, name), want[name]); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

func verifyFile(path string, want []byte) error {
	name := filepath.Base(path)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return broken("the hook %s is missing", name)
	case err != nil:
		return broken("the hook %s cannot be looked at", name)
	case !info.Mode().IsRegular():
		return broken("the hook %s is not a regular file", name)
	case info.Mode().Perm() != 0o755:
		return broken("the hook %s has mode %04o where 0755 is needed", name, info.Mode().Perm())
	}
	f, err := os.Open(path)
	if err != nil {
		return broken("the hook %s cannot be read", name)
	}
	defer f.Close()
	got, err := io.ReadAll(io.LimitReader(f, int64(len(want))+1))
	if err != nil || !bytes.Equal(got, want) {
		return broken("the hook %s is not as wikibot wrote it", name)
	}
	return nil
}

func broken(format string, args ...any) error {
	return wiki.Unavailable("%s, so nothing can be fetched or pushed; tell the operator to restart \"wikibot serve\", which mends its hooks", fmt.Sprintf(format, args...))
}
