package hooks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Main is the command "wikibot hook pre-receive|proc-receive SOCKET", which git's
// hooks execute for a push that somebody makes on the host: it asks the server at
// the socket and does as it answers. args begin behind "hook"; environ is
// os.Environ(). It returns the exit status, 0 only where the server said ok.
func Main(args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := ask(args, environ, stdin, stdout, stderr); err != nil {
		if !errors.Is(err, errSaidNo) {
			for _, l := range wrap("wikibot refused this push: "+err.Error(), "") {
				fmt.Fprintln(stderr, l)
			}
		}
		return 1
	}
	return 0
}

// errSaidNo is the server's no, whose reason it has told the pusher itself.
var errSaidNo = errors.New("the server said no")

func ask(args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) != 2 || args[0] != "pre-receive" && args[0] != "proc-receive" {
		return errors.New("this command is for git's hooks: wikibot hook pre-receive|proc-receive SOCKET")
	}
	env := map[string]string{}
	for _, e := range environ {
		k, v, _ := strings.Cut(e, "=")
		env[k] = v
	}
	if _, ok := env["WIKIBOT_PUSH"]; ok {
		return errors.New("WIKIBOT_PUSH is set: a push that the server started does not go through its socket; unset WIKIBOT_PUSH and push again")
	}
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return fmt.Errorf("looking for the repository: %w", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "objects")); env["GIT_DIR"] == "" || err != nil || !info.IsDir() {
		return errors.New("git runs this hook itself when somebody pushes, in the repository's folder and with GIT_DIR set; use git push")
	}
	conn, err := net.DialTimeout("unix", args[1], 5*time.Second)
	if err != nil {
		return fmt.Errorf("no server answers at %s (%v), and without one nothing is checked; start \"wikibot serve\", then push again", args[1], err)
	}
	defer conn.Close()
	if err := state(conn, args[0], dir, env, stdin); err != nil {
		return fmt.Errorf("the server has gone away (%v); push again in a moment", err)
	}
	return obey(conn, stdout, stderr)
}

// state says what git gave: for pre-receive all variables and lines, for
// proc-receive its pkt-lines while the answer is awaited.
func state(conn net.Conn, hook, dir string, env map[string]string, stdin io.Reader) error {
	out := bufio.NewWriterSize(conn, 16<<10)
	frame := func(name, value string) { fmt.Fprintf(out, "%s %d\n%s\n", name, len(value), value) }
	fmt.Fprintf(out, "%s%s\n", greeting, hook)
	frame("directory", dir)
	if hook == "proc-receive" {
		io.WriteString(out, "end\n")
		if err := out.Flush(); err != nil {
			return err
		}
		go io.Copy(conn, stdin) // ends with the process, or when git closes its side
		return nil
	}
	frame("objects", env["GIT_OBJECT_DIRECTORY"])
	frame("alternates", env["GIT_ALTERNATE_OBJECT_DIRECTORIES"])
	frame("quarantine", env["GIT_QUARANTINE_PATH"])
	n, _ := strconv.Atoi(env["GIT_PUSH_OPTION_COUNT"])
	for i := range min(n, maxOptions+1) {
		frame("option", env["GIT_PUSH_OPTION_"+strconv.Itoa(i)])
	}
	lines := bufio.NewReader(stdin)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			frame("command", strings.TrimSuffix(line, "\n"))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	io.WriteString(out, "end\n")
	return out.Flush() // of all writes above, a bufio.Writer keeps the first error
}

// obey does what the server's lines say, to the ok or no.
func obey(conn io.Reader, stdout, stderr io.Writer) error {
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("the server went away before it answered (%v); push again in a moment", err)
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "ok":
			return nil
		case line == "no":
			return errSaidNo
		case strings.HasPrefix(line, "| "):
			fmt.Fprintln(stderr, line[2:])
		case strings.HasPrefix(line, "> "):
			if _, err := io.WriteString(stdout, line[2:]); err != nil {
				return fmt.Errorf("git has gone away: %w", err)
			}
		default:
			return errors.New("the server gave an answer that this program does not understand; restart \"wikibot serve\"")
		}
	}
}
