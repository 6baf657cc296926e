// Package tests holds the user stories: people, an attacker, the stock git
// program and the real server, told in *.txtar (see testscript.Run for the
// commands that every script knows, and commands below for ours).
//
// The people of every story: alice owns the wiki notes, bob edits it, carol may
// read it, mallory has an account and no right in it, and visitor is nobody.
// The operator, who has the machine, made the site.
//
// Everything but the listener is as in production. The site is called
// http://wiki.test; git and the browser reach it as their HTTP proxy, so
// addresses are the same in each run and need no DNS. Each story has its own
// data folder and home, git's dates are pinned, and `go test ./tests -update`
// rewrites the files that a story compares with cmp.
package tests

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"wikibot/server/cli"
)

// TestMain makes the test binary the program too: as the command wikibot of the
// stories, and as what git's hooks execute.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hook" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){
		"wikibot": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

var update = flag.Bool("update", false, "rewrite the files that stories compare with cmp")

// TestOurCommandsAreCalled: a command of ours that testscript has as well is never
// called, and the story goes on as if it had been.
func TestOurCommandsAreCalled(t *testing.T) {
	for _, name := range []string{"cat", "cd", "chmod", "cmp", "cmpenv", "cp", "env", "exec", "exists", "grep", "kill", "mkdir", "mv", "rm", "skip",
		"stderr", "stdin", "stdout", "stop", "symlink", "ttyin", "ttyout", "unix2dos", "unquote", "wait"} {
		if _, both := ours()[name]; both {
			t.Errorf("testscript has the command %s itself; call ours something else", name)
		}
	}
}

// TestStoriesRunToTheirEnd: testscript's command stop ends a story there and calls it
// passed. To stop the server is halt.
func TestStoriesRunToTheirEnd(t *testing.T) {
	files, err := filepath.Glob("*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(archive.Comment), "\n") {
			if words := strings.Fields(line); len(words) > 0 && words[0] == "stop" {
				t.Errorf("%s:%d: stop ends the story; write halt to stop the server", file, i+1)
			}
		}
	}
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                ".",
		Setup:              setup,
		Cmds:               commands(),
		Condition:          condition,
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

// command is one command of a story.
type command func(s *site, ts *testscript.TestScript, neg bool, args []string)

// ours are the commands that stories have besides testscript's own. Each that
// talks to the site does it as the present person (as).
func ours() map[string]command {
	return map[string]command{
		"as":                  nil, // as NAME [COMMAND…]: this command, or all from here on; set below
		"serve":               serve,
		"serve-again":         serveAgain,
		"halt":                halt,
		"crash":               crash,
		"people":              people,
		"sign-in":             signIn,
		"token":               token,
		"use-token":           useToken,
		"get":                 get,
		"send":                send,
		"json":                sendJSON,
		"listen":              listen,
		"event":               event,
		"open":                open,
		"submit":              submit,
		"follow":              follow,
		"header":              header,
		"page":                page,
		"save":                save,
		"git":                 git,
		"repo":                repo,
		"ssh-keys":            sshKeys,
		"use-key":             useKey,
		"ssh":                 sshClient,
		"ssh-status":          sshStatus,
		"sftp":                sftp,
		"many":                many,
		"writers":             writers,
		"push-while-stopping": pushWhileStopping,
		"told":                told,
		"grep-log":            grepLog,
		"capture":             capture,
		"generate":            generate,
		"embedder":            embedder,
		"mcp":                 mcpClient,
		"at-once":             atOnce,
		"receiver":            receivers,
		"await-log":           awaitLog,
	}
}

// condition knows [root]: whoever is root can write everywhere.
func condition(cond string) (bool, error) {
	if cond == "root" {
		return os.Getuid() == 0, nil
	}
	return false, fmt.Errorf("there is no such condition")
}

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	list := map[string]func(*testscript.TestScript, bool, []string){}
	all := ours()
	all["as"] = func(s *site, ts *testscript.TestScript, neg bool, args []string) { as(all, s, ts, neg, args) }
	for name, f := range all {
		list[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			f(ts.Value(siteKey{}).(*site), ts, neg, args)
		}
	}
	return list
}

func as(all map[string]command, s *site, ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: as NAME [COMMAND…]")
	}
	before := s.who
	s.who = args[0]
	if len(args) == 1 {
		return
	}
	defer func() { s.who = before }()
	f := all[args[1]]
	if f == nil {
		ts.Fatalf("as: %q is no command that is done as a person", args[1])
	}
	f(s, ts, neg, args[2:])
}

// must ends the story where a command that cannot be negated is, or failed.
func must(ts *testscript.TestScript, neg bool, err error) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
	ts.Check(err)
}

// outcome compares what happened with what the story expects.
func outcome(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err == nil && neg:
		ts.Fatalf("unexpected success")
	case err != nil && !neg:
		ts.Fatalf("unexpected failure: %v", err)
	}
}

func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

var errStopped = fmt.Errorf("the site is not being served")
