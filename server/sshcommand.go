package server

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/limit"
	"wikibot/wiki"
)

// statusUnknown is the exit status for what is no command, as a shell's.
const statusUnknown = 127

// sshCommand is a command line, understood.
type sshCommand struct {
	name string // "" (nothing was said), "whoami", "wikis", "login", or a service of git
	path string // of git's services: which repository
}

// parseSSHCommand understands a command line; ok is false of what is no command
// here. git's clients send the service and one path, quoted for a shell; no shell
// sees it.
func parseSSHCommand(line string) (c sshCommand, ok bool) {
	if len(line) > maxSSHLine || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
		return sshCommand{}, false
	}
	switch line = strings.Trim(line, " "); line {
	case "", "whoami", "wikis", "login":
		return sshCommand{name: line}, true
	}
	for _, service := range []string{uploadPack, receivePack, uploadArchive} {
		// "git upload-pack" is the other spelling, as git-shell(1) takes it.
		for _, word := range []string{service, strings.Replace(service, "git-", "git ", 1)} {
			if rest, ok := strings.CutPrefix(line, word+" "); ok {
				path, ok := unquote(strings.TrimLeft(rest, " "))
				return sshCommand{name: service, path: path}, ok
			}
		}
	}
	return sshCommand{}, false
}

// plainArgument is what needs no quotes.
var plainArgument = regexp.MustCompile(`^[A-Za-z0-9._/~-]+$`)

// unquote reads one argument as git quotes it for a shell (sq_quote in git's
// quote.c): in single quotes, outside of which a quote and an exclamation mark
// stand, each behind a backslash. Nothing may follow it.
func unquote(s string) (string, bool) {
	if plainArgument.MatchString(s) {
		return s, true
	}
	var b strings.Builder
	for {
		rest, ok := strings.CutPrefix(s, "'")
		if !ok {
			return "", false
		}
		part, after, closed := strings.Cut(rest, "'")
		if !closed {
			return "", false
		}
		b.WriteString(part)
		if after == "" {
			return b.String(), true
		}
		if len(after) < 2 || after[0] != '\\' || after[1] != '\'' && after[1] != '!' {
			return "", false
		}
		b.WriteByte(after[1])
		s = after[2:]
	}
}

// repositoryOf is the wiki that a path names, empty for admin.git: "notes.git",
// "/notes.git", "/w/notes.git", each also without the ending. ok is false of every
// other path; it is compared and never opened.
func repositoryOf(path string) (slug wiki.Slug, ok bool) {
	name := strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	name, isWiki := strings.CutPrefix(name, "w/")
	name = strings.TrimSuffix(name, ".git")
	if name == "admin" && !isWiki {
		return "", true
	}
	slug, err := wiki.ParseSlug(name)
	return slug, err == nil
}

// action is what a command counts as: a push changes something, and so does a
// sign-in link.
func (c sshCommand) action() limit.Action {
	if c.name == receivePack || c.name == "login" {
		return limit.Write
	}
	return limit.Read
}

// do gives one command as the caller, and its exit status.
func (s *sshSession) do(ctx context.Context, caller wiki.Caller, c sshCommand) int {
	var err error
	switch c.name {
	case "":
		err = s.hello(ctx, caller)
	case "whoami":
		_, err = fmt.Fprintln(s.stdout(), caller.Name())
	case "wikis":
		err = s.wikis(ctx, caller)
	case "login":
		err = s.login(ctx, caller)
	default:
		return s.git(ctx, caller, c)
	}
	if err != nil {
		return s.fail(err)
	}
	return 0
}

func (s *sshSession) unknown(line string) int {
	const most = 60
	if len(line) > most {
		line = line[:most] + "…"
	}
	to := s.conn.server.Addresses
	s.tell(fmt.Sprintf("%s is no command here, and there is no shell.", strconv.QuoteToASCII(line)))
	s.tell(fmt.Sprintf("behind %q you can say wikis, login or whoami; git clones, fetches and pushes, as in: git clone %s", to.SSHCommand(""), to.SSH("SLUG")))
	return statusUnknown
}
