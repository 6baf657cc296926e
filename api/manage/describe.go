package manage

import (
	"strconv"
	"strings"

	"wikibot/api/openapi"
)

// Describe adds the interface to a description whose paths begin behind "/api". It is
// made from the table that routes, so the two agree.
func (h *Handler) Describe(d *openapi.Document) {
	for _, r := range h.routes {
		o := &openapi.Operation{ID: operationID(r), Summary: r.about, Tags: []string{"management"}, Responses: map[string]*openapi.Response{}}
		for _, p := range []struct{ mark, name, about string }{{"SLUG", "slug", "The wiki's name."}, {"LAST", lastName(r), "Which one."}} {
			if strings.Contains(r.pattern, p.mark) {
				o.Parameters = append(o.Parameters, openapi.Parameter{Name: p.name, In: "path", Required: true, Schema: openapi.String(p.about)})
			}
		}
		if r.takes != nil {
			o.RequestBody = &openapi.Body{Required: r.method != "DELETE", Content: map[string]openapi.Media{"application/json": {Schema: d.Request(r.takes)}}}
		}
		success := &openapi.Response{Description: r.about}
		if r.gives != nil {
			success.Content = map[string]openapi.Media{"application/json": {Schema: d.Answer(r.gives)}}
		}
		o.Responses[strconv.Itoa(r.status)] = success
		o.Responses["default"] = &openapi.Response{Ref: "#/components/responses/Problem"}
		d.Add(r.method, "/"+strings.NewReplacer("SLUG", "{slug}", "LAST", "{"+lastName(r)+"}").Replace(r.pattern), o)
	}
}

func lastName(r route) string {
	if strings.Contains(r.pattern, "acl") {
		return "grantee"
	}
	return "id"
}

// operationID reads getWikisSlugTokens: unique, and good as a function's name.
func operationID(r route) string {
	id := strings.ToLower(r.method)
	for part := range strings.SplitSeq(r.pattern, "/") {
		switch part {
		case "SLUG":
			part = "wiki"
		case "LAST":
			part = lastName(r)
		}
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}
