package server

import (
	"context"
	"fmt"

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
	key, err := gitstore.ParseSSHKey(cmd.Input)
	if err != nil {
		return "", err
	}
	if err := h.Store.AddKey(ctx, h.caller(), name, key.Line); err != nil {
		return "", err
	}
	return fmt.Sprintf("added the key %s for %s", key.Fingerprint, name), nil
}
