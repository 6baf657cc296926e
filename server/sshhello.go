package server

import (
	"bytes"
	"context"
	"fmt"
	"text/tabwriter"

	"wikibot/gitstore"
	"wikibot/oauth"
	"wikibot/wiki"
)

// helloWikis is how many wikis the greeting lists.
const helloWikis = 20

// hello says who is calling, what they may do and how to go on.
func (s *sshSession) hello(ctx context.Context, caller wiki.Caller) error {
	to := s.conn.server.Addresses
	list, err := s.conn.server.Store.Wikis(ctx, caller)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Hello %s. You are signed in with the SSH key %s.\n", caller.Name(), s.key)
	fmt.Fprintf(&b, "There is no shell here.\n\n")
	switch {
	case len(list) == 0:
		fmt.Fprintf(&b, "There is no wiki that you may read yet; ask an owner of one for a role.\n\n")
	default:
		fmt.Fprintf(&b, "Wikis that you may use:\n\n")
		table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
		for _, w := range list[:min(len(list), helloWikis)] {
			fmt.Fprintf(table, "    %s\t%s\t%s\n", w.Slug, standing(w), to.SSH(w.Slug))
		}
		table.Flush()
		if more := len(list) - helloWikis; more > 0 {
			fmt.Fprintf(&b, "    and %d more: %s\n", more, to.SSHCommand("wikis"))
		}
		fmt.Fprintf(&b, "\nGet a copy of one:         git clone %s\n", to.SSH(list[0].Slug))
	}
	fmt.Fprintf(&b, "List the wikis:            %s\n", to.SSHCommand("wikis"))
	fmt.Fprintf(&b, "Sign in with a browser:    %s\n", to.SSHCommand("login"))
	if u, err := s.conn.server.Store.User(ctx, caller.User); err == nil && u.Admin {
		fmt.Fprintf(&b, "Administrate the site:     git clone %s\n", to.SSH(""))
	}
	_, err = s.stdout().Write(b.Bytes())
	return err
}

// standing is the caller's role in a wiki, or what everybody may do there, in one
// word. A wiki that cannot be changed now does not change a role.
func standing(w gitstore.WikiInfo) string {
	switch st := w.Standing; {
	case st.Role != wiki.NoRole:
		return st.Role.String()
	case st.Write:
		return wiki.Editor.String()
	}
	return wiki.Viewer.String()
}

// wikis lists the wikis that the caller may read: one a line, its slug, what the
// caller may do and its address, with tabs between.
func (s *sshSession) wikis(ctx context.Context, caller wiki.Caller) error {
	list, err := s.conn.server.Store.Wikis(ctx, caller)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, w := range list {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", w.Slug, standing(w), s.conn.server.Addresses.SSH(w.Slug))
	}
	_, err = s.stdout().Write(b.Bytes())
	return err
}

// login prints a link that signs a browser in once, and nothing else, so that
// scripts can take it as it is.
func (s *sshSession) login(ctx context.Context, caller wiki.Caller) error {
	token, err := s.conn.server.Who.SignInLink(ctx, caller.User, oauth.LinkLifetime)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout(), s.conn.server.Who.LinkURL(token))
	return err
}
