package manage

import (
	"net/http"

	"wikibot/api/rest"
	"wikibot/limit"
	"wikibot/wiki"
)

// Serve answers a request of the caller c; path is what stands behind "/api" in the
// apex's address, escaped.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, c wiki.Caller, path string) {
	w.Header().Set("Cache-Control", "private, no-store")
	status, answer, err := h.answer(w, r, c, path)
	if err != nil {
		h.codec.Fail(w, r, err)
		return
	}
	h.codec.Answer(w, r, status, answer)
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, c wiki.Caller, path string) (int, any, error) {
	found, name, last, allowed := match(h.routes, r.Method, path)
	if found == nil {
		if allowed != nil {
			return 0, nil, rest.MethodNotAllowed(w, r.Method, allowed, "")
		}
		return 0, nil, wiki.NotFound("there is nothing at /api%s; see %s for what there is", path, h.Addresses.Site("/api"))
	}
	action, policy := limit.Read, "reads"
	if found.method != http.MethodGet {
		action, policy = limit.Write, "writes"
		if err := h.trusted(r); err != nil {
			return 0, nil, err
		}
	}
	if h.Admit != nil {
		left, err := h.Admit(r, c, action, 1)
		rest.Limits(w.Header(), policy, left)
		if err != nil {
			return 0, nil, err
		}
	}
	q := &call{Handler: h, ctx: r.Context(), w: w, r: r, caller: c, last: last}
	if name != "" {
		var err error
		if q.slug, err = parseSlug(name); err != nil {
			return 0, nil, err
		}
	}
	return found.run(q)
}

// trusted refuses changes that a page of another site makes a browser ask for. A
// token as Bearer is not sent by a browser on its own, so it needs no such check; a
// password that the browser was once asked for (Basic) is.
func (h *Handler) trusted(r *http.Request) error {
	if rest.ByHand(r) {
		return nil
	}
	if err := h.cross.Check(r); err != nil {
		return wiki.Forbidden("a page of another site asked for this change; send a token as \"Authorization: Bearer …\"")
	}
	if r.Header.Get("Authorization") != "" {
		return nil
	}
	if r.ContentLength != 0 && !rest.IsJSON(r) {
		return &rest.Status{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Err: wiki.Invalid("", "with a cookie the body must be JSON: send the header Content-Type: application/json")}
	}
	return nil
}
