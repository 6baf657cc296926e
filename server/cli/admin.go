package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/server"
	"wikibot/wiki"
)

// admin gives one command of the operator.
func admin(ctx context.Context, c *call) error {
	var cmd server.Command
	var slug, text, people string
	var yes bool
	own := flag.NewFlagSet("admin", flag.ContinueOnError)
	own.StringVar(&slug, "wiki", "", "slug of the wiki that is meant")
	own.StringVar(&cmd.User, "user", "", "the account that is meant")
	own.StringVar(&cmd.Role, "role", "", "viewer, editor or owner")
	own.StringVar(&cmd.Name, "name", "", "name of the token or wiki, for people")
	own.StringVar(&cmd.Purpose, "purpose", "", "what a new wiki is for, in one sentence")
	own.StringVar(&cmd.Tier, "tier", "", "the tier of a new wiki; the site's default where it is left out")
	own.StringVar(&cmd.Status, "status", "", "whether a wiki is paid for: free, active or lapsed")
	own.StringVar(&cmd.Owner, "owner", "", "who pays for a wiki")
	own.StringVar(&cmd.DID, "did", "", "the account's DID")
	own.BoolVar(&cmd.Admin, "admin", false, "make the account an administrator")
	own.IntVar(&cmd.Days, "days", 0, "days until the token expires")
	own.StringVar(&cmd.AddAdmin, "add-admin", "", "who is to administer the site")
	own.BoolVar(&cmd.Rewind, "rewind", false, "go back to the last admin.git that was in force, or to COMMIT")
	own.Var((*list)(&cmd.Paths), "path", "a file to purge, as git ls-tree names it; again for more")
	own.StringVar(&text, "text", "", "a file with the text to purge; - reads it from standard input")
	own.StringVar(&people, "author", "", "a file with other names for people, as gitmailmap(5) has them")
	own.BoolVar(&cmd.DryRun, "dry-run", false, "only say what would change")
	own.BoolVar(&yes, "yes", false, "do not ask before something is deleted")
	cfg, words, done, err := c.load(adminSynopsis(), own)
	if done || err != nil {
		return err
	}
	cmd.Wiki = wiki.Slug(slug)
	op, err := c.understand(&cmd, words, own)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		into *string
	}{{text, &cmd.Text}, {people, &cmd.People}} {
		if f.name == "" {
			continue
		}
		if *f.into, err = c.read(f.name, false); err != nil {
			return err
		}
	}
	if op.Confirm != "" && !cmd.DryRun {
		if cmd.Confirm, err = c.confirm(op, words[len(words)-len(op.Args)], yes); err != nil {
			return err
		}
	}
	answer, err := c.do(ctx, cfg, cmd, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, answer.Line)
	return nil
}

// list is a flag that may be given again.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// adminSynopsis lists the operator's commands.
func adminSynopsis() string {
	var b strings.Builder
	b.WriteString("Usage: wikibot admin [--data DIR] COMMAND\n\n")
	for _, op := range server.Operations() {
		fmt.Fprintf(&b, "  %s\n        %s\n", form(op), op.Help)
	}
	b.WriteString("\nThe commands work beside a running server, and without one.")
	return b.String()
}

// form is how an operation is written.
func form(op server.Operation) string {
	words := []string{op.Name}
	for i, a := range op.Args {
		if i >= len(op.Args)-op.Optional {
			words = append(words, "["+a.Name+"]")
		} else {
			words = append(words, a.Name)
		}
	}
	for _, f := range op.Flags {
		words = append(words, "[--"+f+"]")
	}
	return strings.Join(words, " ")
}

// understand fills a command from its words.
func (c *call) understand(cmd *server.Command, words []string, flags *flag.FlagSet) (server.Operation, error) {
	op, args, ok := server.FindOperation(words)
	switch {
	case len(words) == 0:
		return op, usage("admin needs a command\n\n%s", adminSynopsis())
	case !ok:
		return op, usage("there is no command %q\n\n%s", "admin "+strings.Join(words, " "), adminSynopsis())
	case len(args) > len(op.Args), len(args) < len(op.Args)-op.Optional:
		return op, usage("the command has too few or too many words; it is written\n\n  wikibot admin %s", form(op))
	}
	cmd.Do = op.Name
	var err error
	flags.VisitAll(func(f *flag.Flag) {
		takes := slices.Contains(op.Flags, f.Name) || f.Name == "yes" && op.Confirm != ""
		if !takes && f.Value.String() != f.DefValue {
			err = usage("the flag --%s means nothing here; the command is written\n\n  wikibot admin %s", f.Name, form(op))
		}
	})
	for i, a := range op.Args[:len(args)] {
		text := args[i]
		if a.File && (a.Unless == "" || !strings.HasPrefix(text, a.Unless)) && err == nil {
			text, err = c.read(text, a.Key)
		}
		a.Put(cmd, text)
	}
	return op, err
}

// maxInput bounds a file that goes with a command.
const maxInput = 64 << 10

// read reads a file here, since the server may not be allowed to.
func (c *call) read(name string, key bool) (string, error) {
	in := c.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", wiki.Invalid("file", "the file cannot be read: %v", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return "", wiki.Invalid("file", "the file cannot be read: %v", err)
	case len(text) > maxInput:
		return "", wiki.Invalid("file", "%s has more than %d bytes; is it the right file?", name, maxInput)
	case key && strings.Contains(string(text), "PRIVATE KEY"):
		return "", wiki.Invalid("key", "%s is a private key, which must stay where it is; give the public one, %s.pub", name, name)
	}
	return string(text), nil
}

// confirm asks before something that cannot be taken back.
func (c *call) confirm(op server.Operation, what string, yes bool) (string, error) {
	if yes {
		return what, nil
	}
	fmt.Fprintf(c.stderr, "%s\nType %s to go on: ", op.Confirm, what)
	line, err := bufio.NewReader(io.LimitReader(c.stdin, 1024)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// do gives a command to the server that runs on the data, or opens the data
// where none does.
func (c *call) do(ctx context.Context, cfg server.Config, cmd server.Command, progress func(imports.Progress)) (server.Answer, error) {
	if progress == nil {
		progress = func(imports.Progress) {}
	}
	if answer, asked, err := server.Ask(ctx, cfg.Data, cmd, progress); asked {
		return answer, err
	}
	log := slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	host, fresh, closeHost, err := server.OpenHost(ctx, cfg, log)
	if errors.Is(err, gitstore.ErrInUse) {
		return server.Answer{}, wiki.Unavailable("%v (it does not answer on its control socket: it may be starting or stopping, try again in a moment, as the same user)", err)
	}
	if err != nil {
		return server.Answer{}, err
	}
	if fresh {
		fmt.Fprintf(c.stderr, "made a new data folder in %s; sign in, once it is served, with: wikibot admin --data %s sign-in-link\n", cfg.Data, cfg.Data)
	}
	answer, err := host.Do(ctx, cmd, progress)
	return answer, errors.Join(err, closeHost())
}
