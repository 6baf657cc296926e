// Package openapi holds the part of the OpenAPI Specification 3.1 that describes our
// interfaces, and makes JSON Schemas (draft 2020-12) from Go types, so that the
// description of an answer is the type that is answered.
//
// A field of a struct says more of itself in tags:
//
//	doc:"…"         what it means
//	example:"…"     a value, for strings
//	enum:"a,b"      the values that are possible
//	format:"date"   a format of JSON Schema
//	type:"object,null"   the types, where Go's does not tell
//	min:"1" max:"9" bounds of a number
//	need:"yes"      of a request: it must be sent
//
// In an answer every field without omitempty is always there.
package openapi

// Document is an OpenAPI document.
type Document struct {
	OpenAPI    string                `json:"openapi"`
	Info       Info                  `json:"info"`
	Servers    []Server              `json:"servers,omitempty"`
	Security   []map[string][]string `json:"security,omitempty"`
	Tags       []Tag                 `json:"tags,omitempty"`
	Paths      map[string]*Path      `json:"paths"`
	Components Components            `json:"components"`
}

// Info names the interface.
type Info struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

// Server is where the paths begin.
type Server struct {
	URL         string              `json:"url"`
	Description string              `json:"description,omitempty"`
	Variables   map[string]Variable `json:"variables,omitempty"`
}

// Variable stands in a Server's URL in braces.
type Variable struct {
	Default     string `json:"default"`
	Description string `json:"description,omitempty"`
}

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Path are the operations of one path.
type Path struct {
	Servers []Server   `json:"servers,omitempty"` // where this path begins, if not where the others do
	Get     *Operation `json:"get,omitempty"`
	Put     *Operation `json:"put,omitempty"`
	Post    *Operation `json:"post,omitempty"`
	Patch   *Operation `json:"patch,omitempty"`
	Delete  *Operation `json:"delete,omitempty"`
}

// Method is an operation with the method that it is under.
type Method struct {
	Name string
	*Operation
}

// Methods are the operations that there are.
func (p *Path) Methods() (out []Method) {
	for _, m := range []Method{{"GET", p.Get}, {"PUT", p.Put}, {"POST", p.Post}, {"PATCH", p.Patch}, {"DELETE", p.Delete}} {
		if m.Operation != nil {
			out = append(out, m)
		}
	}
	return out
}

// Set puts an operation under its method; it reports whether the method is known.
func (p *Path) Set(method string, o *Operation) bool {
	switch method {
	case "GET":
		p.Get = o
	case "PUT":
		p.Put = o
	case "POST":
		p.Post = o
	case "PATCH":
		p.Patch = o
	case "DELETE":
		p.Delete = o
	default:
		return false
	}
	return true
}

// Operation is one call.
type Operation struct {
	ID          string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	Tags        []string              `json:"tags,omitempty"`
	Parameters  []Parameter           `json:"parameters,omitempty"`
	RequestBody *Body                 `json:"requestBody,omitempty"`
	Responses   map[string]*Response  `json:"responses"`
	Security    []map[string][]string `json:"security,omitempty"`
	CodeSamples []CodeSample          `json:"x-codeSamples,omitempty"`
}

// CodeSample is an extension that many readers of OpenAPI show.
type CodeSample struct {
	Lang   string `json:"lang"`
	Source string `json:"source"`
}

// Parameter is a part of the path, of the query or a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"` // path, query, header
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema"`
	Example     any     `json:"example,omitempty"`
}

// Body is a request's body.
type Body struct {
	Description string           `json:"description,omitempty"`
	Required    bool             `json:"required,omitempty"`
	Content     map[string]Media `json:"content"`
}

// Media is a body in one media type.
type Media struct {
	Schema  *Schema `json:"schema,omitempty"`
	Example any     `json:"example,omitempty"`
}

// Response is an answer of one status.
type Response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]Header `json:"headers,omitempty"`
	Content     map[string]Media  `json:"content,omitempty"`
}

// Header is one header of an answer.
type Header struct {
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Components are what the operations refer to.
type Components struct {
	Schemas         map[string]*Schema        `json:"schemas,omitempty"`
	Responses       map[string]*Response      `json:"responses,omitempty"`
	SecuritySchemes map[string]SecurityScheme `json:"securitySchemes,omitempty"`
}

// SecurityScheme is a kind of credential.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// New is a document without paths.
func New(info Info, servers ...Server) *Document {
	return &Document{
		OpenAPI: "3.1.0", Info: info, Servers: servers, Paths: map[string]*Path{},
		Components: Components{Schemas: map[string]*Schema{}, Responses: map[string]*Response{}, SecuritySchemes: map[string]SecurityScheme{}},
	}
}

// Add puts an operation under its method and path.
func (d *Document) Add(method, path string, o *Operation) {
	if d.Paths[path] == nil {
		d.Paths[path] = &Path{}
	}
	d.Paths[path].Set(method, o)
}
