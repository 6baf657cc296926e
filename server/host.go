package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/oauth"
	"wikibot/wiki"
)

// Operator is the account that the first start makes.
const Operator = wiki.Username("operator")

// Command is one command of the operator. It travels as JSON over the control
// socket; which fields count depends on Do.
type Command struct {
	Do      string           `json:"do"` // see Host.Do
	Wiki    wiki.Slug        `json:"wiki,omitempty"`
	User    string           `json:"user,omitempty"` // a user name; for grant also a DID
	Role    string           `json:"role,omitempty"`
	Name    string           `json:"name,omitempty"`    // of a token or a wiki
	Purpose string           `json:"purpose,omitempty"` // of a wiki
	DID     string           `json:"did,omitempty"`
	Admin   bool             `json:"admin,omitempty"`
	Days    int              `json:"days,omitempty"` // until a token expires; 0: never
	Key     string           `json:"key,omitempty"`  // one line of an authorized_keys file
	Import  *imports.Request `json:"import,omitempty"`
}

// Answer is what a command answers.
type Answer struct {
	Line   string          `json:"line,omitempty"` // for standard output: the token, the link, what was done
	Report *imports.Report `json:"report,omitempty"`
}

// Host gives the operator's commands. Whoever can read the data folder may use
// them; no request from the network reaches them.
type Host struct {
	Store     *gitstore.Store
	Who       *oauth.Authority
	Addresses wiki.Addresses
}

// caller is the operator at the machine itself.
func (h *Host) caller() wiki.Caller {
	return wiki.Caller{User: Operator, Via: wiki.ViaCLI, Credential: "host", Host: true}
}

// Do gives one command. progress is called for imports only, from one goroutine
// at a time.
func (h *Host) Do(ctx context.Context, cmd Command, progress func(imports.Progress)) (Answer, error) {
	do, ok := map[string]func(context.Context, Command) (string, error){
		"token create": h.createToken,
		"token revoke": h.revokeToken,
		"sign-in-link": h.signInLink,
		"user add":     h.addUser,
		"key add":      h.addKey,
		"wiki create":  h.createWiki,
		"grant":        h.grant,
	}[cmd.Do]
	switch {
	case ok:
		line, err := do(ctx, cmd)
		return Answer{Line: line}, err
	case cmd.Do == "import" && cmd.Import != nil:
		return h.importWiki(ctx, *cmd.Import, progress)
	}
	return Answer{}, wiki.Invalid("command", "%q is no command of this version of wikibot", cmd.Do)
}

func (h *Host) createToken(ctx context.Context, cmd Command) (string, error) {
	ask := gitstore.NewToken{Name: cmd.Name}
	if cmd.Days > 0 {
		ask.Expires = time.Now().AddDate(0, 0, cmd.Days)
	}
	switch {
	case (cmd.Wiki == "") == (cmd.User == ""):
		return "", wiki.Invalid("token", "say either --wiki SLUG --role viewer|editor|owner, or --user NAME")
	case cmd.Wiki != "":
		role, err := wiki.ParseRole(cmd.Role)
		if err != nil {
			return "", err
		}
		ask.Wiki, ask.Role = cmd.Wiki, role
	default:
		user, err := wiki.ParseUsername(cmd.User)
		if err != nil {
			return "", err
		}
		ask.User = user
		if cmd.Role != "" {
			if ask.Role, err = wiki.ParseRole(cmd.Role); err != nil {
				return "", err
			}
		}
	}
	secret, _, err := h.Store.CreateToken(ctx, h.caller(), ask)
	return secret, err
}

// revokeToken takes a token by its id or, as it was printed, whole.
func (h *Host) revokeToken(ctx context.Context, cmd Command) (string, error) {
	id := strings.TrimPrefix(cmd.Name, gitstore.TokenPrefix)
	id, _, _ = strings.Cut(id, "_")
	if err := h.Store.RevokeToken(ctx, h.caller(), id); err != nil {
		return "", err
	}
	return fmt.Sprintf("revoked the token %s; nobody can use it any more", id), nil
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
	key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(cmd.Key))
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

func (h *Host) createWiki(ctx context.Context, cmd Command) (string, error) {
	slug, err := wiki.ParseSlug(string(cmd.Wiki))
	if err != nil {
		return "", err
	}
	owner := Operator
	if cmd.User != "" {
		if owner, err = wiki.ParseUsername(cmd.User); err != nil {
			return "", err
		}
	}
	fresh, err := bootstrapWiki(slug, cmd.Name, cmd.Purpose, owner)
	if err != nil {
		return "", err
	}
	if err := h.Store.CreateWiki(ctx, h.caller(), fresh); err != nil {
		return "", err
	}
	return h.Addresses.Absolute(slug) + "/", nil
}

func (h *Host) grant(ctx context.Context, cmd Command) (string, error) {
	role := wiki.NoRole
	if cmd.Role != "none" {
		var err error
		if role, err = wiki.ParseRole(cmd.Role); err != nil {
			return "", wiki.Invalid("role", "%q is not a role: use owner, editor, viewer, or none to take it away", cmd.Role)
		}
	}
	if err := h.Store.SetGrant(ctx, h.caller(), cmd.Wiki, cmd.User, role); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is %s on %s", cmd.User, role, cmd.Wiki), nil
}

func (h *Host) importWiki(ctx context.Context, req imports.Request, progress func(imports.Progress)) (Answer, error) {
	if _, err := wiki.ParseSlug(string(req.Slug)); err != nil {
		return Answer{}, err
	}
	if req.Owner == "" {
		req.Owner = Operator
	}
	report, err := imports.Run(ctx, imports.Config{Store: h.Store, Domain: h.Addresses.Domain()}, h.caller(), req, progress)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Line: h.Addresses.Absolute(req.Slug) + "/", Report: report}, nil
}
