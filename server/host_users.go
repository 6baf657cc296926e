package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func userOperations() []Operation {
	fingerprint := Argument{Name: "FINGERPRINT|FILE", File: true, Unless: "SHA256:", Key: true, put: func(c *Command, s string) { c.Input = s }}
	return []Operation{
		{Name: "user list", run: (*Host).listUsers,
			Help: "everybody with an account, with their standing, keys and DID"},
		{Name: "user suspend", Args: []Argument{argUser}, run: (*Host).suspendUser,
			Help: "refuses a person's sessions, tokens and keys from the next request on; what is granted to them rests"},
		{Name: "user resume", Args: []Argument{argUser}, run: (*Host).resumeUser,
			Help: "ends a suspension"},
		{Name: "user delete", Args: []Argument{argUser}, run: (*Host).deleteUser,
			Help:    "ends an account for ever, with its tokens and keys; the name is never given out again",
			Confirm: "This ends the account for ever, with its tokens and keys; the name is never given out again."},
		{Name: "admin add", Args: []Argument{argUser}, run: (*Host).makeAdmin,
			Help: "makes a person an administrator of the site"},
		{Name: "admin remove", Args: []Argument{argUser}, run: (*Host).unmakeAdmin,
			Help: "makes an administrator an ordinary person; one administrator stays"},
		{Name: "key list", Args: []Argument{argUser}, run: (*Host).listKeys,
			Help: "the SSH keys of an account, one a line: fingerprint, type, comment"},
		{Name: "key remove", Args: []Argument{argUser, fingerprint}, run: (*Host).removeKey,
			Help: "takes an SSH key out of an account, by what key list shows or by the .pub file"},
	}
}

func (h *Host) listUsers(ctx context.Context, _ Command) (string, error) {
	users, err := h.Store.Users(ctx, h.caller())
	if err != nil {
		return "", err
	}
	slices.SortFunc(users, func(a, b gitstore.User) int { return strings.Compare(string(a.Name), string(b.Name)) })
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTANDING\tSINCE\tKEYS\tDID")
	for _, u := range users {
		standing := "user"
		if u.Admin {
			standing = "administrator"
		}
		if u.Suspended {
			standing += ", suspended"
		}
		since := "-"
		if !u.Created.IsZero() {
			since = u.Created.UTC().Format(time.DateOnly)
		}
		did := string(u.DID)
		if did == "" {
			did = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", u.Name, standing, since, len(u.SSHKeys), did)
	}
	err = w.Flush()
	return strings.TrimRight(out.String(), "\n"), err
}

// onUser gives one command about an account.
func onUser(cmd Command, done string, do func(wiki.Username) error) (string, error) {
	name, err := wiki.ParseUsername(cmd.User)
	if err != nil {
		return "", err
	}
	if err := do(name); err != nil {
		return "", err
	}
	return fmt.Sprintf(done, name), nil
}

func (h *Host) suspendUser(ctx context.Context, cmd Command) (string, error) {
	return onUser(cmd, "suspended %[1]s: sessions, tokens and keys are refused from now on. End it with: wikibot admin user resume %[1]s", func(name wiki.Username) error {
		return h.Store.SetSuspended(ctx, h.caller(), name, true)
	})
}

func (h *Host) resumeUser(ctx context.Context, cmd Command) (string, error) {
	return onUser(cmd, "%s is in force again", func(name wiki.Username) error {
		return h.Store.SetSuspended(ctx, h.caller(), name, false)
	})
}

func (h *Host) deleteUser(ctx context.Context, cmd Command) (string, error) {
	return onUser(cmd, "deleted %s: the account, its tokens and its keys are gone, and the name is never given out again. What was granted to it grants nothing", func(name wiki.Username) error {
		return h.Store.DeleteUser(ctx, h.caller(), name)
	})
}

func (h *Host) makeAdmin(ctx context.Context, cmd Command) (string, error) {
	return onUser(cmd, "%s is an administrator of the site", func(name wiki.Username) error {
		return h.Store.SetAdmin(ctx, h.caller(), name, true)
	})
}

func (h *Host) unmakeAdmin(ctx context.Context, cmd Command) (string, error) {
	return onUser(cmd, "%s is no administrator of the site any more", func(name wiki.Username) error {
		return h.Store.SetAdmin(ctx, h.caller(), name, false)
	})
}

func (h *Host) listKeys(ctx context.Context, cmd Command) (string, error) {
	name, err := wiki.ParseUsername(cmd.User)
	if err != nil {
		return "", err
	}
	keys, err := h.Store.Keys(ctx, h.caller(), name)
	if err != nil {
		return "", err
	}
	lines := make([]string, len(keys))
	for i, k := range keys {
		lines[i] = strings.TrimSpace(k.Fingerprint + " " + k.Type + " " + k.Comment)
	}
	if len(lines) == 0 {
		return fmt.Sprintf("%s has no SSH keys; add one with: wikibot admin key add %s FILE.pub", name, name), nil
	}
	return strings.Join(lines, "\n"), nil
}

func (h *Host) removeKey(ctx context.Context, cmd Command) (string, error) {
	fingerprint := strings.TrimSpace(cmd.Input)
	if !strings.HasPrefix(fingerprint, "SHA256:") {
		k, err := gitstore.ParseSSHKey(cmd.Input)
		if err != nil {
			return "", err
		}
		fingerprint = k.Fingerprint
	}
	return onUser(cmd, "removed the key "+fingerprint+" of %s; it signs in nobody from now on", func(name wiki.Username) error {
		return h.Store.RemoveKey(ctx, h.caller(), name, fingerprint)
	})
}
