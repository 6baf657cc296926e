package server

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"wikibot/gitstore"
	"wikibot/oauth"
	"wikibot/wiki"
)

func peopleOperations() []Operation {
	return []Operation{
		{Name: "sign-in-link", Flags: []string{"user"}, run: (*Host).signInLink,
			Help: "a link that signs in once, within 10 minutes (the account operator, or --user NAME)"},
		{Name: "user add", Args: []Argument{argUser}, Flags: []string{"did", "admin"}, run: (*Host).addUser,
			Help: "an account"},
		{Name: "key add", Args: []Argument{argUser, argKey}, run: (*Host).addKey,
			Help: "a public SSH key of an account"},
	}
}

func (h *Host) signInLink(ctx context.Context, cmd Command) (string, error) {
	user := Operator
	if cmd.User != "" {
		var err error
		if user, err = wiki.ParseUsername(cmd.User); err != nil {
			return "", err
		}
	}
	token, err := h.Who.SignInLink(ctx, user, oauth.LinkLifetime)
	if err != nil {
		return "", err
	}
	return h.Who.LinkURL(token), nil
}

func (h *Host) addUser(ctx context.Context, cmd Command) (string, error) {
	name, err := wiki.ParseUsername(cmd.User)
	if err != nil {
		return "", err
	}
	var did wiki.DID
	if cmd.DID != "" {
		if did, err = wiki.ParseDID(cmd.DID); err != nil {
			return "", err
		}
	}
	if err := h.Store.AddUser(ctx, h.caller(), gitstore.NewUser{Name: name, DID: did, Admin: cmd.Admin}); err != nil {
		return "", err
	}
	return fmt.Sprintf("added the user %s; make a way to sign in with: wikibot admin sign-in-link --user %s", name, name), nil
}

func (h *Host) addKey(ctx context.Context, cmd Command) (string, error) {
	name, err := wiki.ParseUsername(cmd.User)
	if err != nil {
		return "", err
	}
	key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(cmd.Input))
	if err != nil {
		return "", wiki.Invalid("key", "the file holds no public SSH key (%v); give the .pub file, which begins with ssh-ed25519 or the like", err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)) + " " + comment)
	line = strings.Join(strings.Fields(line), " ")
	if err := h.Store.AddKey(ctx, h.caller(), name, line); err != nil {
		return "", err
	}
	return fmt.Sprintf("added the key %s for %s", ssh.FingerprintSHA256(key), name), nil
}
