package server

import (
	"context"
	"strings"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/oauth"
	"wikibot/search"
	"wikibot/wiki"
)

// Operator is the account that the first start makes.
const Operator = wiki.Username("operator")

// Command is one command of the operator. It travels as JSON over the control
// socket; which fields count depends on the operation.
type Command struct {
	Do       string           `json:"do"` // the name of an Operation, "import" or "reindex"
	Wiki     wiki.Slug        `json:"wiki,omitempty"`
	User     string           `json:"user,omitempty"` // a user name; for grant also a DID
	Role     string           `json:"role,omitempty"`
	Name     string           `json:"name,omitempty"`    // of a token or a wiki
	Purpose  string           `json:"purpose,omitempty"` // of a wiki
	Tier     string           `json:"tier,omitempty"`
	Status   string           `json:"status,omitempty"` // of payment
	Owner    string           `json:"owner,omitempty"`  // who pays for a wiki
	DID      string           `json:"did,omitempty"`
	Admin    bool             `json:"admin,omitempty"`
	Days     int              `json:"days,omitempty"`      // until a token expires; 0: never
	Input    string           `json:"input,omitempty"`     // content of a file: a public SSH key
	AddAdmin string           `json:"add_admin,omitempty"` // who is to administer
	Rewind   bool             `json:"rewind,omitempty"`
	Commit   string           `json:"commit,omitempty"`  // of admin.git
	Paths    []string         `json:"paths,omitempty"`   // files to purge
	Text     string           `json:"text,omitempty"`    // content of a file: what to purge
	People   string           `json:"people,omitempty"`  // content of a file: other names for people
	DryRun   bool             `json:"dry_run,omitempty"` // only say what would be done
	Confirm  string           `json:"confirm,omitempty"` // what was typed to confirm, see Operation
	Import   *imports.Request `json:"import,omitempty"`
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
	Find      *search.Engine
	Addresses wiki.Addresses
}

// caller is the operator at the machine itself.
func (h *Host) caller() wiki.Caller {
	return wiki.Caller{User: Operator, Via: wiki.ViaCLI, Credential: "host", Host: true}
}

// Do gives one command. progress is called for imports and for reindex, from one goroutine
// at a time.
func (h *Host) Do(ctx context.Context, cmd Command, progress func(imports.Progress)) (Answer, error) {
	if cmd.Do == "import" && cmd.Import != nil {
		return h.importWiki(ctx, *cmd.Import, progress)
	}
	if cmd.Do == "reindex" {
		return h.reindex(ctx, cmd.Wiki, progress)
	}
	op, rest, ok := FindOperation(strings.Fields(cmd.Do))
	if !ok || len(rest) > 0 {
		return Answer{}, wiki.Invalid("command", "%q is no command of this version of wikibot", cmd.Do)
	}
	if err := op.confirmed(cmd); err != nil {
		return Answer{}, err
	}
	line, err := op.run(h, ctx, cmd)
	return Answer{Line: line}, err
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
