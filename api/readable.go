package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and its style
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"wikibot/api/openapi"
	"wikibot/api/rest"
)

//go:embed readable.html
var readableHTML string

//go:embed readable.css
var readableCSS string

// readable is the description of the interface as a page for people. It has no
// script, and takes nothing from elsewhere.
type readable struct {
	page   *template.Template
	policy string
}

func newReadable() (*readable, error) {
	sum := sha256.Sum256([]byte(readableCSS))
	page, err := template.New("api").Funcs(template.FuncMap{"style": func() template.CSS { return template.CSS(readableCSS) }, "said": said}).Parse(readableHTML)
	return &readable{page: page, policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}, err
}

// readablePage is what the template shows.
type readablePage struct {
	Title, Home, Base, JSON string
	Introduction            []string
	Groups                  []readableGroup
	Kinds                   []rest.Kind
}

type readableGroup struct {
	Name, ID string
	Calls    []readableCall
}

type readableCall struct {
	Method, Path, ID, Summary, Text, Curl string
	Query                                 []openapi.Parameter
	Headers                               []string
	Fields                                []readableField
	Answers                               []readableAnswer
	Errors                                string
}

type readableField struct {
	Name, Kind, Text string
	Need             bool
}

type readableAnswer struct {
	Status, Kinds, Fields string
}

// showReadable answers with the page.
func (h *Handler) showReadable(k *call) {
	d := h.document(k.slug)
	p := readablePage{Title: d.Info.Title, Base: h.Addresses.API(k.slug), Home: h.Addresses.Absolute(k.slug), JSON: "openapi.json", Introduction: strings.Split(introduction, "\n\n"), Kinds: rest.Table()}
	if k.slug == "" {
		p.Base, p.Home = h.Addresses.Site("/api"), h.Addresses.Site("/")
		p.JSON = h.Addresses.Site("/api/openapi.json")
	} else {
		p.JSON = strings.TrimSuffix(p.Base, "/v1") + "/openapi.json"
	}
	p.Groups = h.readableGroups(d)
	var b bytes.Buffer
	if err := h.page.page.Execute(&b, p); err != nil {
		h.codec.Fail(k.w, k.r, err)
		return
	}
	k.w.Header().Set("Content-Security-Policy", h.page.policy)
	k.w.Header().Set("Referrer-Policy", "no-referrer")
	h.codec.Bytes(k.w, k.r, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}

// readableGroups are the document's operations by their tags: those of management
// first, then ours in the order of the table.
func (h *Handler) readableGroups(d *openapi.Document) []readableGroup {
	at := map[string]int{}
	rank := func(id string) int { return slices.IndexFunc(h.table, func(o operation) bool { return o.id == id }) }
	var all []readableGroup
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, m := range d.Paths[path].Methods() {
			tag := "Other"
			if len(m.Tags) > 0 {
				tag = m.Tags[0]
			}
			if _, ok := at[tag]; !ok {
				at[tag] = len(all)
				all = append(all, readableGroup{Name: tag, ID: strings.ReplaceAll(tag, " ", "-")})
			}
			g := &all[at[tag]]
			g.Calls = append(g.Calls, readableOf(d, path, m))
		}
	}
	for _, g := range all {
		slices.SortStableFunc(g.Calls, func(a, b readableCall) int { return rank(a.ID) - rank(b.ID) })
	}
	slices.SortStableFunc(all, func(a, b readableGroup) int { return rank(a.Calls[0].ID) - rank(b.Calls[0].ID) })
	return all
}

func readableOf(d *openapi.Document, path string, m openapi.Method) readableCall {
	c := readableCall{Method: m.Name, Path: path, ID: m.ID, Summary: m.Summary, Text: m.Description}
	for _, s := range m.CodeSamples {
		c.Curl = s.Source
	}
	for _, p := range m.Parameters {
		switch p.In {
		case "query":
			c.Query = append(c.Query, p)
		case "header":
			c.Headers = append(c.Headers, p.Name)
		}
	}
	if m.RequestBody != nil {
		c.Fields = fieldsOf(d, m.RequestBody.Content["application/json"].Schema)
	}
	var errs []string
	for _, status := range slices.Sorted(maps.Keys(m.Responses)) {
		r := m.Responses[status]
		if r.Ref != "" {
			errs = append(errs, status)
			continue
		}
		var names []string
		for _, f := range fieldsOf(d, r.Content["application/json"].Schema) {
			names = append(names, f.Name)
		}
		c.Answers = append(c.Answers, readableAnswer{Status: status, Kinds: strings.Join(slices.Sorted(maps.Keys(r.Content)), ", "), Fields: strings.Join(names, ", ")})
	}
	c.Errors = strings.Join(errs, ", ")
	return c
}

// fieldsOf are the fields of an object, in the order of its type.
func fieldsOf(d *openapi.Document, s *openapi.Schema) (out []readableField) {
	if s == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = d.Components.Schemas[name]
	}
	for _, name := range s.Order {
		p := s.Properties[name]
		f := readableField{Name: name, Kind: kindName(d, p), Text: p.Description, Need: slices.Contains(s.Required, name)}
		if p.Items != nil && p.Items.Ref != "" {
			var inner []string
			for _, i := range fieldsOf(d, p.Items) {
				inner = append(inner, i.Name)
			}
			f.Text = strings.TrimSpace(f.Text + " Each has " + strings.Join(inner, ", ") + ".")
		}
		out = append(out, f)
	}
	return out
}

func kindName(d *openapi.Document, s *openapi.Schema) string {
	switch t := s.Type.(type) {
	case string:
		if t == "array" && s.Items != nil {
			return "array of " + kindName(d, s.Items) + "s"
		}
		return t
	case []string:
		return strings.Join(t, " or ")
	}
	for _, one := range s.AnyOf {
		return kindName(d, one)
	}
	if s.Ref != "" {
		return "object"
	}
	b, _ := json.Marshal(s.Enum) // strings
	return string(b)
}

// span is a piece of a text; Code is true between backticks.
type span struct {
	Text string
	Code bool
}

// said is a text of the description in pieces.
func said(text string) []span {
	var out []span
	for i, s := range strings.Split(text, "`") {
		if s != "" {
			out = append(out, span{s, i%2 == 1})
		}
	}
	return out
}
