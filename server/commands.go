package server

import (
	"context"
	"slices"
	"strings"

	"wikibot/wiki"
)

// Operation is one command of the operator, as the command line offers it and as
// the server carries it out. Each subject has its operations in a file of its
// own (host_users.go, host_tokens.go …); Operations lists them all.
type Operation struct {
	Name  string     // its words: "user add"
	Args  []Argument // the words after the name, in order
	Flags []string   // the flags that it takes, see Command
	Help  string     // one line

	// Optional is how many of the last Args may be left out.
	Optional int

	// Confirm, where it is not empty, is asked before anything is done; the
	// answer must be the first argument once more, in Command.Confirm.
	Confirm string

	run func(h *Host, ctx context.Context, cmd Command) (string, error)
}

// Argument is one word of a command line.
type Argument struct {
	Name string // as the usage shows it
	File bool   // names a file (or "-", standard input), whose content counts; the command line reads it
	Key  bool   // the file is a public key; a private one must not even be read on

	// Unless is what a word begins with that counts itself and names no File.
	Unless string

	put func(*Command, string)
}

// Put fills the command with the argument's text, or, for a File, its content.
func (a Argument) Put(cmd *Command, text string) { a.put(cmd, text) }

// The arguments that several operations take.
var (
	argWiki = Argument{Name: "SLUG", put: func(c *Command, s string) { c.Wiki = wiki.Slug(s) }}
	argUser = Argument{Name: "NAME", put: func(c *Command, s string) { c.User = s }}
	argRole = Argument{Name: "ROLE", put: func(c *Command, s string) { c.Role = s }}
	argKey  = Argument{Name: "FILE", File: true, Key: true, put: func(c *Command, s string) { c.Input = s }}
)

// Operations are all commands of the operator, in the order of the usage.
func Operations() []Operation {
	return slices.Concat(
		peopleOperations(),
		userOperations(),
		wikiOperations(),
		keepOperations(),
		planOperations(),
		tokenOperations(),
		sshOperations(),
		rescueOperations(),
		purgeOperations(),
	)
}

// FindOperation is the operation with the longest name that words begin with,
// and the words after its name.
func FindOperation(words []string) (op Operation, rest []string, ok bool) {
	for _, o := range Operations() {
		name := o.words()
		if len(name) <= len(words) && slices.Equal(words[:len(name)], name) && len(name) > len(op.words()) {
			op, rest, ok = o, words[len(name):], true
		}
	}
	return op, rest, ok
}

func (o Operation) words() []string { return strings.Fields(o.Name) }

// confirmed refuses an operation that is dangerous and was not confirmed.
func (o Operation) confirmed(cmd Command) error {
	if o.Confirm == "" || cmd.DryRun && slices.Contains(o.Flags, "dry-run") {
		return nil
	}
	want := cmd.User
	if o.Args[0].Name == argWiki.Name {
		want = string(cmd.Wiki)
	}
	if cmd.Confirm != want {
		return wiki.Invalid("confirm", "%s Nothing was done: type %s to confirm it, or give the flag --yes", o.Confirm, want)
	}
	return nil
}
