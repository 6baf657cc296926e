package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/server"
	"wikibot/wiki"
)

const adminSynopsis = `Usage: wikibot admin [--data DIR] COMMAND

  sign-in-link [--user NAME]                     a link that signs in once, within 10 minutes (operator)
  user add NAME [--did DID] [--admin]            an account
  key add NAME FILE                              a public SSH key of an account
  wiki create SLUG [--name N] [--purpose P]      a wiki; it begins with a few pages
  grant SLUG NAME owner|editor|viewer|none       a person's role in a wiki
  token create --wiki SLUG --role ROLE [--name N] [--days D]
  token create --user NAME [--role ROLE] [--name N] [--days D]
                                                 a token for git, programs and agents; printed alone
  token revoke ID                                ends a token; ID is what stands between wbt_ and the next _

The commands work beside a running server, and without one.`

// admin gives one command of the operator.
func admin(ctx context.Context, c *call) error {
	var cmd server.Command
	own := flag.NewFlagSet("admin", flag.ContinueOnError)
	slug := own.String("wiki", "", "slug of the wiki that the token is for")
	own.StringVar(&cmd.User, "user", "", "the account that is meant")
	own.StringVar(&cmd.Role, "role", "", "viewer, editor or owner")
	own.StringVar(&cmd.Name, "name", "", "name of the token or wiki, for people")
	own.StringVar(&cmd.Purpose, "purpose", "", "what a new wiki is for, in one sentence")
	own.StringVar(&cmd.DID, "did", "", "the account's DID")
	own.BoolVar(&cmd.Admin, "admin", false, "make the account an administrator")
	own.IntVar(&cmd.Days, "days", 0, "days until the token expires")
	cfg, args, done, err := c.load(adminSynopsis, own)
	if done || err != nil {
		return err
	}
	cmd.Wiki = wiki.Slug(*slug)
	if err := understand(&cmd, args); err != nil {
		return err
	}
	answer, err := c.do(ctx, cfg, cmd, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, answer.Line)
	return nil
}

// understand fills a command from its words.
func understand(cmd *server.Command, args []string) error {
	line := strings.Join(args, " ")
	rest := func(name string, n int) []string {
		after, ok := strings.CutPrefix(line+" ", name+" ")
		if ok && len(strings.Fields(after)) == n {
			cmd.Do = name
			return args[len(strings.Fields(name)):]
		}
		return nil
	}
	if line == "sign-in-link" || line == "token create" {
		cmd.Do = line
		return nil
	}
	if a := rest("user add", 1); a != nil {
		cmd.User = a[0]
		return nil
	}
	if a := rest("token revoke", 1); a != nil {
		cmd.Name = a[0]
		return nil
	}
	if a := rest("wiki create", 1); a != nil {
		cmd.Wiki = wiki.Slug(a[0])
		return nil
	}
	if a := rest("grant", 3); a != nil {
		cmd.Wiki, cmd.User, cmd.Role = wiki.Slug(a[0]), a[1], a[2]
		return nil
	}
	if a := rest("key add", 2); a != nil {
		cmd.User = a[0]
		return readKey(cmd, a[1])
	}
	if line == "" {
		return usage("admin needs a command\n\n%s", adminSynopsis)
	}
	return usage("the command %q is not known, or has too few or too many words\n\n%s", "admin "+line, adminSynopsis)
}

// readKey reads the file here, since the server may not be allowed to.
func readKey(cmd *server.Command, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return wiki.Invalid("key", "the key cannot be read: %v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return wiki.Invalid("key", "the key cannot be read: %v", err)
	}
	if strings.Contains(string(text), "PRIVATE KEY") {
		return wiki.Invalid("key", "%s is a private key, which must stay where it is; give the public one, %s.pub", file, file)
	}
	cmd.Key = string(text)
	return nil
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
