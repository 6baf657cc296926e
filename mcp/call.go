package mcp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	proto "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/mcp/streamable"
	"wikibot/wiki"
)

// call is one message of a client: who sends it and to which wiki. ServeWiki and
// ServeSite make it from what the server found out, and the transport hands it to
// the handlers of the same message.
type call struct {
	h      *Handler
	r      *http.Request
	id     string // names the HTTP request in the log
	caller wiki.Caller
	slug   wiki.Slug // empty at the apex
	faults *faults
	rates  *rates
}

// callOf is the call that a handler of mcp-go works for. It is the one place where
// identity comes out of a context, because mcp-go hands its handlers nothing else;
// from here on it is an argument. Without a call nothing is done.
func callOf(ctx context.Context) (*call, error) {
	v, _ := streamable.PeerFrom(ctx)
	k, ok := v.(*call)
	if !ok || k == nil {
		return nil, errors.New("mcp: a message without a call")
	}
	with := *k
	with.caller.Agent = agentOf(ctx)
	return &with, nil
}

// maxAgent is the most characters of a client's name in history.
const maxAgent = 100

// agentOf is the client's name and version as it tells them: with each message from
// revision 2026-07-28 on, in earlier ones when the session began. It is for the
// history and decides nothing.
func agentOf(ctx context.Context) string {
	var info proto.Implementation
	if p := server.RequestProtocolInfoFromContext(ctx); p != nil && p.ClientInfo != nil {
		info = *p.ClientInfo
	} else if s, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo); ok {
		info = s.GetClientInfo()
	}
	name := or(line(info.Title), line(info.Name))
	if name == "" {
		return ""
	}
	agent, _ := cut(strings.TrimSpace(name+" "+line(info.Version)), maxAgent)
	if !utf8.ValidString(agent) {
		return strings.ToValidUTF8(agent, "")
	}
	return strings.TrimSpace(agent)
}

// in is the same call for another wiki, of those whose endpoint is the site's.
func (k *call) in(slug wiki.Slug) *call {
	with := *k
	with.slug = slug
	return &with
}

// view is the wiki as it is now, which shows that the caller may read it.
func (k *call) view(ctx context.Context) (*gitstore.View, error) {
	return k.h.Store.View(ctx, k.caller, k.slug)
}

// viewAt is the wiki as it was at a revision; empty: now.
func (k *call) viewAt(ctx context.Context, revision string) (*gitstore.View, error) {
	rev, err := wiki.ParseRevision(strings.TrimSpace(revision))
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil || rev == wiki.Head {
		return v, err
	}
	return v.At(ctx, rev)
}

// admit counts what is about to be done; *limit.Exceeded where it is too much.
func (k *call) admit(a limit.Action, cost int) error {
	if k.h.Admit == nil {
		return nil
	}
	left, err := k.h.Admit(k.r, k.caller, a, cost)
	k.rates.tell(a, left)
	return err
}

// check says whether the caller may still read the wiki, for streams that outlive
// the request: the credential and the policy are looked at again.
func (k *call) check(ctx context.Context) error {
	c := k.caller
	if k.h.Caller != nil {
		var err error
		if c, err = k.h.Caller(k.r); err != nil {
			return err
		}
		c.Via = wiki.ViaMCP
	}
	if k.slug == "" {
		return nil
	}
	_, err := k.h.Store.View(ctx, c, k.slug)
	return err
}

// pagePath reads a page's path as agents write it: the path, with ".md" or not; the
// page's resource; or its address in this wiki.
func (k *call) pagePath(s string) (wiki.PagePath, error) {
	if rest, ok := strings.CutPrefix(s, resourceScheme); ok {
		return pathOfResource(resourceScheme + rest)
	}
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return k.pathOfURL(s)
	}
	return wiki.ParsePagePath(s)
}
