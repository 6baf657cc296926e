// Package cli is the command line of wikibot.
//
// Exit codes: 0 done, 1 it could not be done (the message says why and what to
// do), 2 the command line itself is wrong.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"wikibot/hooks"
	"wikibot/server"
	"wikibot/wiki"
)

// The exit codes.
const (
	exitDone  = 0
	exitFail  = 1
	exitUsage = 2
)

// call is one run of the program.
type call struct {
	args           []string // after the command's name
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one subcommand.
type command struct {
	name  string
	short string
	run   func(ctx context.Context, c *call) error
}

func commands() []command {
	return []command{
		{"serve", "serve the wikis of a data folder", serve},
		{"import", "make a wiki of a git repository, a folder or a zip", importWiki},
		{"eval", "measure search on a collection with judgements", evaluate},
		{"reindex", "make the search index of a wiki anew", reindex},
		{"admin", "accounts, tokens, sign-in links, wikis, grants", admin},
		{"version", "print the version", version},
	}
}

// Main runs one command and returns its exit code. args are without the
// program's name.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "hook" {
		return hooks.Main(args[1:], os.Environ(), stdin, stdout, stderr)
	}
	c := &call{env: os.Environ(), stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, overview())
		return exitUsage
	}
	c.args = args[1:]
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		return help(c)
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			ctx, stop := signals()
			defer stop()
			return c.finish(cmd.run(ctx, c))
		}
	}
	fmt.Fprintf(stderr, "wikibot: there is no command %q\n\n%s", args[0], overview())
	return exitUsage
}

// signals ends the context at the first SIGINT or SIGTERM; the second one ends
// the program at once, as a signal does that nobody listens to.
func signals() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// usageError is a command line that is wrong.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// finish prints an error and gives the exit code.
func (c *call) finish(err error) int {
	var wrong *usageError
	var shown *wiki.Error
	var faults wiki.Faults
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(c.stderr, "wikibot: %s\n", wrong.text)
		return exitUsage
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(c.stderr, "wikibot: stopped")
		return exitFail
	case errors.As(err, &faults):
		fmt.Fprintf(c.stderr, "wikibot:\n%s\n", faults.Error())
		return exitFail
	case errors.As(err, &shown):
		fmt.Fprintf(c.stderr, "wikibot: %s\n", shown.Text)
		return exitFail
	}
	fmt.Fprintf(c.stderr, "wikibot: %v\n", err)
	return exitFail
}

// load reads the configuration and the command's own flags. Where the person
// asked for help it prints it and done is true.
func (c *call) load(synopsis string, own *flag.FlagSet) (cfg server.Config, args []string, done bool, err error) {
	if own != nil {
		own.SetOutput(io.Discard)
	}
	l, err := server.Load(server.Sources{Args: c.args, Env: c.env, Flags: own})
	var told *wiki.Error
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.stdout, "%s\n\n%s", synopsis, server.Usage(own))
		return cfg, nil, true, nil
	case errors.As(err, &told) && told.Field != "config":
		return cfg, nil, false, usage("%s", told.Text)
	}
	return l.Config, l.Args, false, err
}

func overview() string {
	var b strings.Builder
	b.WriteString("wikibot hosts wikis whose database is git.\n\nUsage: wikibot COMMAND …\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  %-8s %s\n", cmd.name, cmd.short)
	}
	b.WriteString("\nStart with: wikibot serve --data ./data\nwikibot COMMAND --help says more about each.\n")
	return b.String()
}

func help(c *call) int {
	if len(c.args) == 0 {
		fmt.Fprint(c.stdout, overview())
		return exitDone
	}
	return Main([]string{c.args[0], "--help"}, c.stdin, c.stdout, c.stderr)
}

func version(_ context.Context, c *call) error {
	fmt.Fprintf(c.stdout, "wikibot %s %s %s/%s\n", server.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
