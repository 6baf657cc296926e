package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wikibot/api/openapi"
	"wikibot/api/rest"
	"wikibot/wiki"
)

const introduction = "Pages are Markdown; their paths are those of the wiki, without `.md`. A revision is the name of a git commit; " +
	"seven digits or more are enough as input.\n\n" +
	"A write that is based on a revision which is no longer the page's is refused with 409 and both texts, or with `\"merge\": true` " +
	"merged line by line. Appending, prepending and edits by section are applied to the newest text and need no revision. " +
	"Repeat a write whose answer was lost with the same `Idempotency-Key`: it is done once.\n\n" +
	"The words `history`, `outline`, `diff` and `attachments` (and with POST also `rename`, `edit` and `restore`) behind a page's path " +
	"ask for something of the page. A page whose own last segment is such a word is reached with the slash before it encoded: " +
	"`/pages/Design%2Fhistory`.\n\n" +
	"The `ETag` of a page is its revision; `If-None-Match` saves reading it again, and `If-Match` on a write does what the field `revision` does, " +
	"with 412 for what is stale. Links and the pages that link here may change while a page's revision stays. " +
	"Lists take `limit` and `cursor`. Reads take `revision`, for the wiki as it was.\n\n" +
	"Errors are `{\"error\": …, \"code\": …}`; `error` says the next step. Rates are told in the headers `RateLimit-Policy` and `RateLimit`, " +
	"and `Retry-After` where one was met."

// document describes the interface of one wiki, or with an empty slug of the site.
func (h *Handler) document(slug wiki.Slug) *openapi.Document {
	info := openapi.Info{Title: "The wiki " + string(slug), Description: introduction, Version: "1"}
	place := place{server: openapi.Server{URL: h.Addresses.API(slug)}}
	if slug == "" {
		info.Title = "Wikis of " + h.Addresses.Base.Host
		place = h.anyWiki()
	}
	d := openapi.New(info, place.server)
	d.Security = []map[string][]string{{"token": {}}, {}}
	d.Components.SecuritySchemes["token"] = openapi.SecurityScheme{
		Type: "http", Scheme: "bearer", Description: "A wiki's token or a person's. A browser's session is good as well, for requests from this site itself. What everybody may read needs none.",
	}
	for _, g := range groups() {
		d.Tags = append(d.Tags, openapi.Tag{Name: g})
	}
	d.Answer(rest.Problem{})
	d.Answer(changeEvent{}) // the data of events
	d.Answer(resetEvent{})
	for _, e := range errorAnswers() {
		d.Components.Responses["error"+strconv.Itoa(e.status)] = &openapi.Response{
			Description: e.about, Content: map[string]openapi.Media{"application/json": {
				Schema: &openapi.Schema{Ref: "#/components/schemas/Problem"}, Example: e.example,
			}},
		}
	}
	for i := range h.table {
		op := &h.table[i]
		d.Add(op.method, place.prefix+"/"+op.pattern, op.describe(d))
		place.finish(d.Paths[place.prefix+"/"+op.pattern], h.curl(op, slug))
	}
	if m, ok := h.Manage.(Describer); ok && slug == "" {
		h.describeManage(d, m)
	}
	return d
}

// describeManage adds the management interface, whose own paths begin behind "/api".
func (h *Handler) describeManage(d *openapi.Document, m Describer) {
	d.Components.Responses["Problem"] = &openapi.Response{
		Description: "An error.", Content: map[string]openapi.Media{"application/json": {Schema: &openapi.Schema{Ref: "#/components/schemas/Problem"}}},
	}
	part := *d
	part.Paths = map[string]*openapi.Path{}
	m.Describe(&part)
	tags := map[string]bool{}
	for path, item := range part.Paths {
		d.Paths["/api"+path] = item
		for _, op := range item.Methods() {
			for _, t := range op.Tags {
				tags[t] = true
			}
			if op.CodeSamples == nil {
				example := strings.ReplaceAll(path, "{slug}", "a-wiki")
				op.CodeSamples = []openapi.CodeSample{{Lang: "Shell", Source: "curl -X " + op.Name + " '" + h.Addresses.Site("/api"+example) + "' \\\n  -H \"Authorization: Bearer $WIKIBOT_TOKEN\""}}
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(tags)) {
		d.Tags = append(d.Tags, openapi.Tag{Name: t})
	}
}

// place is where the calls of one wiki begin.
type place struct {
	server openapi.Server
	prefix string          // of each path
	wiki   bool            // the prefix names the wiki
	own    *openapi.Server // of the paths, where it is not server
}

// anyWiki is the place of any wiki, seen from the site: in the path, or in the host.
func (h *Handler) anyWiki() place {
	const name, variable = "a-wiki", "{wiki}"
	base := strings.TrimSuffix(h.Addresses.Base.String(), "/")
	all := strings.Replace(h.Addresses.API(name), name, variable, 1)
	if prefix, ok := strings.CutPrefix(all, base); ok {
		return place{server: openapi.Server{URL: base}, prefix: prefix, wiki: true}
	}
	return place{server: openapi.Server{URL: base}, own: &openapi.Server{URL: all, Variables: map[string]openapi.Variable{"wiki": {Default: name, Description: "The wiki's slug."}}}}
}

// finish gives the newest operation of a path what depends on the place.
func (p place) finish(at *openapi.Path, curl string) {
	if p.own != nil {
		at.Servers = []openapi.Server{*p.own}
	}
	for _, m := range at.Methods() {
		if m.CodeSamples != nil {
			continue
		}
		m.CodeSamples = []openapi.CodeSample{{Lang: "Shell", Source: curl}}
		if p.wiki {
			slug := openapi.Parameter{Name: "wiki", In: "path", Description: "The wiki's slug.", Required: true, Schema: openapi.String("")}
			m.Parameters = append([]openapi.Parameter{slug}, m.Parameters...)
		}
	}
}

// curl is the operation as a command line.
func (h *Handler) curl(o *operation, slug wiki.Slug) string {
	if slug == "" {
		slug = "a-wiki"
	}
	var b strings.Builder
	b.WriteString("curl")
	if o.id == "followChanges" {
		b.WriteString(" --no-buffer")
	}
	if o.method != http.MethodGet {
		b.WriteString(" -X " + o.method)
	}
	b.WriteString(" '" + h.Addresses.API(slug) + o.sampled + "'")
	if o.needs != nothing {
		b.WriteString(" \\\n  -H \"Authorization: Bearer $WIKIBOT_TOKEN\"")
	}
	if o.sample != nil {
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(false)
		if enc.Encode(o.sample) == nil {
			b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d '" + strings.TrimSpace(body.String()) + "'")
		}
	}
	return b.String()
}

type errorAnswer struct {
	status  int
	about   string
	example rest.Problem
}

// errorAnswers are the errors of the interface, each with an example.
func errorAnswers() []errorAnswer {
	const page = "c0ffee0123456789abcdef0123456789abcdef01"
	text := "# Home\n"
	return []errorAnswer{
		{401, "No credential, or one that does not hold.", rest.Problem{Error: "this token is not known", Code: "unauthenticated"}},
		{402, "The wiki's payment has lapsed: reading goes on.", rest.Problem{Error: "This wiki is read-only", Code: "payment_required"}},
		{403, "You may read it, but not do this.", rest.Problem{Error: "you may read this wiki but not write", Code: "forbidden"}},
		{404, "It does not exist, or you may not know that it does.", rest.Problem{Error: "Page not found: Hom. Pages with a similar name: Home", Code: "not_found", Field: "path"}},
		{405, "The path does not have this method; the header Allow has those that it has.", rest.Problem{Error: "POST is not possible here: use GET, HEAD, OPTIONS", Code: "method_not_allowed"}},
		{409, "It has changed since you read it, or is there already.", rest.Problem{Error: "Revision mismatch: page has been modified since last read.", Code: "conflict", CurrentRevision: page, Current: &text, Yours: &text}},
		{412, "The state that If-Match or If-None-Match asks for is not the present one.", rest.Problem{Error: "Revision mismatch: page has been modified since last read.", Code: "precondition_failed", CurrentRevision: page}},
		{413, "Over a limit on size.", rest.Problem{Error: "the body is too large: at most 16777216 bytes are possible; divide the request", Code: "too_large"}},
		{415, "Without a token: a body that is not JSON.", rest.Problem{Error: "without a token the body must be sent as Content-Type: application/json", Code: "unsupported_media_type"}},
		{422, "The request can never be accepted as it is.", rest.Problem{Error: "old_string not found in page content", Code: "invalid", Field: "old_string"}},
		{429, "Over a rate; Retry-After says when it is worth trying again.", rest.Problem{Error: "too many requests with this credential; try again in 3 seconds", Code: "rate_limited", RetryAfter: 3}},
		{500, "A fault of the server.", rest.Problem{Error: "internal error; the operator finds its cause in the log under the request id", Code: "internal", RequestID: "0123456789abcdef"}},
		{503, "Not possible at the moment; nothing was changed.", rest.Problem{Error: "the index is being built: 10 of 100 pages; try again in a moment", Code: "unavailable", RetryAfter: 2}},
	}
}

// describe is the operation in OpenAPI.
func (o *operation) describe(d *openapi.Document) *openapi.Operation {
	out := &openapi.Operation{ID: o.id, Summary: o.summary, Description: o.text, Tags: []string{o.group}, Responses: map[string]*openapi.Response{}}
	o.parameters(out)
	if o.takes != nil {
		media := map[string]openapi.Media{"application/json": {Schema: d.Request(o.takes), Example: o.example()}}
		if o.method == http.MethodPut {
			media["text/markdown"] = openapi.Media{Schema: openapi.String("The page as it is.")}
		}
		out.RequestBody = &openapi.Body{Required: o.method != http.MethodDelete, Content: media}
	}
	for status, v := range o.gives {
		out.Responses[strconv.Itoa(status)] = &openapi.Response{
			Description: http.StatusText(status), Headers: o.headers(), Content: map[string]openapi.Media{"application/json": {Schema: d.Answer(v)}},
		}
	}
	for _, kind := range o.kinds {
		ok := out.Responses["200"]
		if ok == nil {
			ok = &openapi.Response{Description: "OK", Content: map[string]openapi.Media{}}
			out.Responses["200"] = ok
		}
		ok.Content[kind] = openapi.Media{Schema: openapi.String("")}
	}
	for _, status := range o.errors() {
		out.Responses[strconv.Itoa(status)] = &openapi.Response{Ref: "#/components/responses/error" + strconv.Itoa(status)}
	}
	if o.needs == nothing {
		out.Security = []map[string][]string{{}}
	}
	return out
}

// example is the example of the request's body.
func (o *operation) example() any {
	if o.sample == nil {
		return nil
	}
	return o.sample
}

// errors are the statuses that an operation may answer besides its own.
func (o *operation) errors() []int {
	if o.needs == nothing {
		return nil
	}
	all := []int{401, 404, 422, 429, 500, 503}
	if o.method != http.MethodGet {
		all = append(all, 403, 413, 415)
	}
	if o.needs == toWrite {
		all = append(all, 402)
	}
	return append(all, o.fails...)
}

func (o *operation) headers() map[string]openapi.Header {
	text := openapi.String("")
	h := map[string]openapi.Header{}
	if o.needs != nothing {
		h["RateLimit"] = openapi.Header{Description: "What is left of the rate.", Schema: text}
	}
	if o.method == http.MethodGet && (o.headTag || strings.HasPrefix(o.pattern, "pages/{path}")) || o.method == http.MethodPut || o.method == http.MethodPatch {
		h["ETag"] = openapi.Header{Description: "The revision in quotes.", Schema: text}
	}
	if o.needs == toWrite {
		h["Idempotent-Replayed"] = openapi.Header{Description: "true: an earlier request with this key did it.", Schema: text}
	}
	return h
}

func (o *operation) parameters(out *openapi.Operation) {
	add := func(in, name, text string, need bool, s *openapi.Schema) {
		out.Parameters = append(out.Parameters, openapi.Parameter{Name: name, In: in, Description: text, Required: need, Schema: s})
	}
	for _, s := range strings.Split(o.pattern, "/") {
		switch s {
		case "{path}":
			add("path", "path", "A page's path; its slashes may stand as they are.", true, openapi.String(""))
		case "{filename}":
			add("path", "filename", "An attachment's name.", true, openapi.String(""))
		case "{revision}":
			add("path", "revision", "A commit: 7 to 40 hexadecimal digits, or HEAD.", true, openapi.String(""))
		}
	}
	for _, p := range o.query {
		s := &openapi.Schema{Type: p.kind, Enum: p.enum}
		if p.kind == "date" {
			s.Type = "string"
		}
		add("query", p.name, p.text, p.need, s)
	}
	if o.needs == toRead && !o.now && (o.method == http.MethodGet || o.read) {
		add("query", "revision", "As it was at this commit; absent: as it is now.", false, openapi.String(""))
	}
	if o.needs == toWrite {
		add("header", "Idempotency-Key", "A random text, the same when a request is repeated because its answer was lost: it is done once within a day.", false, openapi.String(""))
		add("header", "Wikibot-Agent", "The program that writes on the person's behalf, for the history.", false, openapi.String(""))
	}
	for _, status := range o.fails {
		if status == http.StatusPreconditionFailed {
			add("header", "If-Match", "The ETag that must still be the present one.", false, openapi.String(""))
		}
	}
}

// serveDescription answers with the OpenAPI document or the page made from it. Who
// may not read a wiki gets the same as for one that does not exist.
func (h *Handler) serveDescription(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug, path string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if r.Method == http.MethodOptions && h.preflight(w, r) {
			return
		}
		h.codec.Fail(w, r, rest.MethodNotAllowed(w, r.Method, []string{"GET", "HEAD"}, ""))
		return
	}
	k := &call{Handler: h, ctx: r.Context(), w: w, r: r, caller: c, slug: slug, route: route{op: &operation{needs: toRead}}}
	if err := k.admit(1); err != nil {
		h.codec.Fail(w, r, err)
		return
	}
	if slug != "" {
		if err := k.look(); err != nil {
			h.codec.Fail(w, r, err)
			return
		}
	}
	if path != "/openapi.json" {
		h.showReadable(k)
		return
	}
	body, err := json.MarshalIndent(h.document(slug), "", "  ")
	if err != nil {
		h.codec.Fail(w, r, err)
		return
	}
	h.codec.Bytes(w, r, http.StatusOK, "application/json", body)
}
