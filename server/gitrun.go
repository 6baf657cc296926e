package server

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/hooks"
)

// What is the same for git over HTTP (git.go, githttp.go) and over SSH (sshgit.go):
// who may, with which settings git runs, and where its hooks find their answer.

// gitIdle is how long one side of a transport over HTTP may be silent before the
// connection is given up.
const gitIdle = 5 * time.Minute

// repository opens the repository of a request, and checks that the caller may do
// it and that the hooks are in place. It is to be released when git has ended.
func (g *gitHandler) repository(ctx context.Context, req *gitRequest) (*gitstore.Repository, error) {
	repo, err := g.Store.Repository(ctx, req.caller, req.slug, req.service == receivePack)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(hooks.Verify(g.HooksDir, g.Binary, g.Socket), hooks.VerifyRepository(repo.Dir, g.HooksDir)); err != nil {
		repo.Release()
		return nil, err
	}
	req.dir, req.manages = repo.Dir, repo.Manage
	if req.service != receivePack && !req.refs {
		g.Store.NoteFetch(req.caller, req.slug)
	}
	return repo, nil
}

// transport are the settings of a transport beyond those of every git child
// (gitstore.GitEnv).
func (g *gitConfig) transport(req *gitRequest) []string {
	all := []string{
		"core.hooksPath=" + g.HooksDir,
		"receive.procReceiveRefs=refs",
		"receive.advertisePushOptions=true",
		"receive.advertiseAtomic=true",
		"receive.fsckObjects=true",
		"receive.maxInputSize=" + strconv.FormatInt(g.MaxPush, 10),
		"uploadpack.allowFilter=true",
		// The filter sparse:oid takes any expression that names an object, hidden
		// refs included, and its error tells that object's name.
		"uploadpackfilter.allow=false",
		"uploadpackfilter.blob:none.allow=true",
		"uploadpackfilter.blob:limit.allow=true",
		"uploadpackfilter.tree.allow=true",
		"uploadpackfilter.object:type.allow=true",
		"uploadpackfilter.combine.allow=true",
		"uploadpack.allowAnySHA1InWant=false",
		"uploadArchive.allowUnreachable=false",
	}
	if !req.manages {
		all = append(all, "transfer.hideRefs=refs/wikibot")
	}
	return all
}

// protocolForm is what may stand in the header Git-Protocol and the variable
// GIT_PROTOCOL; only its version is passed on, spelt by us.
var protocolForm = regexp.MustCompile(`^(?:[a-z0-9-]+(?:=[a-z0-9.-]+)?:)*version=([12])(?::[a-z0-9-]+(?:=[a-z0-9.-]+)?)*$`)

// protocol is the protocol version that a client asks for, "" for the first.
// Pushing and archives know no version 2 (gitprotocol-v2(5)).
func protocol(asked, service string) string {
	if len(asked) > 256 {
		return ""
	}
	m := protocolForm.FindStringSubmatch(asked)
	if m == nil || m[1] == "2" && service != uploadPack {
		return ""
	}
	return m[1]
}

// command prepares git for a request; flags stand before the folder.
func (g *gitHandler) command(ctx context.Context, req *gitRequest, flags ...string) *exec.Cmd {
	settings, env := g.settings(req), []string(nil)
	if req.service == receivePack {
		var more []string
		more, env = g.unpackSettings()
		settings = append(settings, more...)
	}
	args := append([]string{strings.TrimPrefix(req.service, "git-")}, flags...)
	cmd := g.Store.GitCommand(ctx, req.dir, append(args, req.dir)...)
	cmd.Env = append(gitstore.GitEnv(req.dir, settings...), env...)
	if req.protocol != "" {
		cmd.Env = append(cmd.Env, "GIT_PROTOCOL=version="+req.protocol)
	}
	return cmd
}

// drive runs a child for a request to its end. For a push it answers git's hooks
// meanwhile.
func (g *gitHandler) drive(ctx context.Context, req *gitRequest, child *gitChild) error {
	if req.service != receivePack || req.refs {
		return child.run()
	}
	ch, err := hooks.Attach(child.cmd)
	if err != nil {
		return fmt.Errorf("opening the hooks' descriptors: %w", err)
	}
	watched, done := context.WithCancel(ctx)
	defer done()
	bound := &unpacking{child: child, free: g.Unpack}
	child.body = bound.counted(child.body)
	child.fails = true
	child.started = func() error {
		if child.cmd.Process != nil {
			go bound.watch(watched)
		}
		return ch.Started()
	}
	answered := make(chan error, 1)
	go func() {
		defer ch.Close()
		push := gitstore.Push{Caller: req.caller, Wiki: req.slug, Dir: req.dir}
		answered <- hooks.Answer(ctx, g.Store, push, ch.From, ch.To)
	}()
	err = bound.err(child.run())
	if hidden := <-answered; hidden != nil {
		g.Log.Error("a push was refused", "wiki", req.slug, "user", req.caller.Name(), "id", req.id, "error", hidden)
	}
	return err
}
