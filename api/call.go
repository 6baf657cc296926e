package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wikibot/acl"
	"wikibot/api/rest"
	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/notes"
	"wikibot/wiki"
)

// call is one request for a wiki.
type call struct {
	*Handler
	ctx    context.Context
	w      http.ResponseWriter
	r      *http.Request
	caller wiki.Caller
	slug   wiki.Slug
	route
	query url.Values
	page  wiki.PagePath  // of the path, where the pattern has one
	head  *gitstore.View // the newest state; nil where the operation needs nothing
	view  *gitstore.View // what ?revision= asks for, else head
}

// reply is an answer. Without a body nothing is sent behind the status; with a type
// the body is raw.
type reply struct {
	status int // 0: 200
	tag    string
	body   any
	kind   string // media type of raw
	raw    []byte
	sent   bool // run has answered by itself
}

// serve answers one request below /v1.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug, path string) {
	k := &call{Handler: h, ctx: r.Context(), w: w, r: r, caller: c, slug: slug, route: match(h.table, r.Method, path)}
	k.caller.Agent = agent(r.Header.Get("Wikibot-Agent"))
	if r.Method == http.MethodOptions && k.allow != nil {
		if !h.preflight(w, r) {
			w.Header().Set("Allow", strings.Join(k.allow, ", "))
			w.WriteHeader(http.StatusNoContent)
		}
		return
	}
	var done func()
	r.Body, done = h.bodies.Reader(c.Name(), r.Body)
	defer done()
	room := &room{ResponseWriter: w, h: h, who: c.Name()}
	defer room.end()
	k.w = room
	a, err := k.answer()
	switch {
	case err != nil:
		k.fail(err)
	case a.sent:
	default:
		k.send(a)
	}
}

func (k *call) answer() (reply, error) {
	if k.op == nil && k.allow == nil {
		return reply{}, noSuchCall(k.r.URL.Path)
	}
	if k.op == nil {
		hint := ""
		if strings.Contains(k.r.URL.Path, "/pages/") {
			hint = "If you mean a page whose name ends so, encode the slash before its last word as %2F"
		}
		return reply{}, rest.MethodNotAllowed(k.w, k.r.Method, k.allow, hint)
	}
	if k.op.needs == nothing {
		return k.op.run(k)
	}
	if k.unsafe() {
		if err := k.safeOrigin(k.r); err != nil {
			return reply{}, err
		}
	}
	if !k.op.counted {
		if err := k.admit(1); err != nil {
			return reply{}, err
		}
	}
	if err := k.look(); err != nil {
		if k.op.counted {
			if over := k.admit(1); over != nil {
				err = over
			}
		}
		return reply{}, err
	}
	if k.op.headTag && k.head.HistoryAtHand(k.ctx) {
		if tag := string(k.view.Head()); rest.NotModified(k.w, k.r, tag) {
			return reply{sent: true}, nil
		}
	}
	if k.op.dear {
		if err := k.w.(*room).enter(k.ctx); err != nil {
			return reply{}, err
		}
	}
	return k.op.run(k)
}

// unsafe reports whether the request may change something by its method.
func (k *call) unsafe() bool {
	return k.r.Method != http.MethodGet && k.r.Method != http.MethodHead
}

// admit counts the request. Reads and writes are counted apart.
func (k *call) admit(cost int) error {
	if k.Admit == nil {
		return nil
	}
	action, policy := limit.Write, "writes"
	if !k.unsafe() || k.op.read {
		action, policy = limit.Read, "reads"
	}
	state, err := k.Admit(k.r, k.caller, action, cost)
	rest.Limits(k.w.Header(), policy, state)
	return err
}

// look finds what the request is about: the wiki as the caller may see it, and
// the page of the path.
func (k *call) look() (err error) {
	if len(k.r.URL.RawQuery) > 64<<10 {
		return wiki.Invalid("", "the query of this address is too long")
	}
	if k.query, err = url.ParseQuery(k.r.URL.RawQuery); err != nil {
		return wiki.Invalid("", "the query of this address cannot be read: check its percent-encoding")
	}
	for name, values := range k.query {
		if slices.ContainsFunc(values, func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) }) {
			return wiki.Invalid(name, "%s is not UTF-8, or has a NUL in it", strconv.QuoteToASCII(name))
		}
	}
	k.head, err = k.Store.View(k.ctx, k.caller, k.slug)
	if errors.Is(err, wiki.ErrNotFound) && k.caller.Anonymous() {
		// The same whether or not the wiki exists.
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: "there is no wiki here that everybody may read: send a token as \"Authorization: Bearer …\"; your account's page makes one"}
	}
	if err != nil {
		return err
	}
	if k.op.needs == toWrite {
		if err := k.head.May(acl.Write); err != nil {
			return err
		}
	}
	if k.path != "" {
		if k.page, err = wiki.ParsePagePath(k.path); err != nil {
			return err
		}
	}
	return k.old()
}

// old goes to the state that ?revision= names.
func (k *call) old() error {
	k.view = k.head
	if k.unsafe() && !k.op.read {
		return nil // there it is the write's own
	}
	rev, err := wiki.ParseRevision(k.query.Get("revision"))
	if err != nil {
		return err
	}
	if rev != "" && k.op.now {
		if at, err := k.head.At(k.ctx, rev); err != nil {
			return err
		} else if at.Older() {
			return wiki.Invalid("revision", "this tells of the wiki as it is now: leave revision out")
		}
		return nil
	}
	k.view, err = k.head.At(k.ctx, rev)
	return err
}

func (k *call) send(a reply) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.tag == "" && k.op.headTag && k.head.HistoryAtHand(k.ctx) {
		a.tag = string(k.view.Head())
	}
	if a.tag != "" && !k.unsafe() && rest.NotModified(k.w, k.r, a.tag) {
		return
	}
	rest.Tag(k.w.Header(), a.tag)
	if a.kind != "" {
		k.codec.Bytes(k.w, k.r, a.status, a.kind, a.raw)
		return
	}
	k.codec.Answer(k.w, k.r, a.status, a.body)
}

// fail answers with an error; of one operation of several it says which.
func (k *call) fail(err error) {
	var op *notes.OpError
	if !errors.As(err, &op) {
		k.codec.Fail(k.w, k.r, err)
		return
	}
	status, p := rest.ProblemOf(err)
	p.Operation = op.Index + 1
	k.codec.FailWith(k.w, k.r, status, p, err)
}

// agent is what a program says of itself, cleaned.
func agent(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100])
	}
	return s
}

// number is a whole number of the query between two bounds; absent: def.
func (k *call) number(name string, def, least, most int) (int, error) {
	s := k.query.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, wiki.Invalid(name, "%s must be a whole number between %d and %d", name, least, most)
	}
	return n, nil
}

// flag is a yes or no of the query.
func (k *call) flag(name string) (bool, error) {
	s := k.query.Get(name)
	if s == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(s)
	if err != nil {
		return false, wiki.Invalid(name, "%s must be true or false", name)
	}
	return on, nil
}

// date is a date or a time of the query in ISO 8601; absent: zero.
func (k *call) date(name string) (time.Time, error) {
	s := k.query.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		// A "+" of a zone that was not encoded arrives as a space.
		for _, text := range []string{s, strings.Replace(s, " ", "+", 1)} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, wiki.Invalid(name, "%s must be a date or a time in ISO 8601, such as 2026-01-31 or 2026-01-31T12:00:00Z", name)
}

// part are limit and cursor of a list that counts its places; limit 0: all.
func (k *call) part(def, most int) (skip, limit int, err error) {
	if limit, err = k.number("limit", def, 1, most); err != nil {
		return 0, 0, err
	}
	skip, err = k.number("cursor", 0, 0, 1<<30)
	if err != nil {
		return 0, 0, wiki.Invalid("cursor", "this cursor is none of ours: take it from the answer before, or leave it out")
	}
	return skip, limit, nil
}

// next is the cursor behind a part; empty at the end.
func next(skip, got, total int) string {
	if got == 0 || skip+got >= total {
		return ""
	}
	return strconv.Itoa(skip + got)
}
