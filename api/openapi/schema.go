package openapi

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Schema is a JSON Schema (draft 2020-12), as far as it is used here.
type Schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"` // a string, or several
	Format      string             `json:"format,omitempty"`
	Description string             `json:"description,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Const       string             `json:"const,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	MaxLength   int                `json:"maxLength,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Additional  *Schema            `json:"additionalProperties,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	Examples    []any              `json:"examples,omitempty"`

	Order []string `json:"-"` // of Properties, for readers
}

// String is the schema of a text.
func String(about string) *Schema { return &Schema{Type: "string", Description: about} }

// Integer is the schema of a whole number between two bounds.
func Integer(about string, least, most int) *Schema {
	lo, hi := float64(least), float64(most)
	return &Schema{Type: "integer", Description: about, Minimum: &lo, Maximum: &hi}
}

// Request is the schema of a request's body: what is marked with need is required.
func (d *Document) Request(v any) *Schema { return d.of(reflect.TypeOf(v), true) }

// Answer is the schema of an answer: what has no omitempty is always there.
func (d *Document) Answer(v any) *Schema { return d.of(reflect.TypeOf(v), false) }

// of is the schema of a type. Structs with a name become components.
func (d *Document) of(t reflect.Type, request bool) *Schema {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &Schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return &Schema{}
	case reflect.TypeFor[[]byte]():
		return &Schema{Type: "string", Format: "byte"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.of(t.Elem(), request)
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		return &Schema{Type: "array", Items: d.of(t.Elem(), request)}
	case reflect.Map:
		return &Schema{Type: "object", Additional: d.of(t.Elem(), request)}
	case reflect.Struct:
		return d.object(t, request)
	case reflect.Interface:
		return &Schema{}
	}
	return &Schema{Type: "integer"}
}

func (d *Document) object(t reflect.Type, request bool) *Schema {
	name := exported(t.Name())
	if name == "" {
		s := &Schema{Type: "object", Properties: map[string]*Schema{}}
		d.fields(s, t, request)
		return s
	}
	if d.Components.Schemas[name] == nil {
		s := &Schema{Type: "object", Properties: map[string]*Schema{}}
		d.Components.Schemas[name] = s // before its fields: a type may hold itself
		d.fields(s, t, request)
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

func (d *Document) fields(s *Schema, t reflect.Type, request bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			e := f.Type
			if e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			d.fields(s, e, request)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		p := describe(d.of(f.Type, request), f.Tag)
		need := f.Tag.Get("need") != ""
		if f.Type.Kind() == reflect.Pointer && (request && !need || !request && !optional) {
			p = orNull(p)
		}
		s.Properties[name] = p
		s.Order = append(s.Order, name)
		if request && need || !request && !optional {
			s.Required = append(s.Required, name)
		}
	}
}

// describe adds to a schema what a field's tags say.
func describe(s *Schema, tag reflect.StructTag) *Schema {
	s.Description = tag.Get("doc")
	if k := tag.Get("type"); k != "" {
		s.Type = strings.Split(k, ",")
	}
	if f := tag.Get("format"); f != "" {
		s.Format = f
	}
	if e := tag.Get("enum"); e != "" {
		s.Enum = strings.Split(e, ",")
	}
	if e := tag.Get("example"); e != "" {
		s.Examples = []any{e}
	}
	s.Minimum, s.Maximum = number(tag.Get("min")), number(tag.Get("max"))
	return s
}

func number(s string) *float64 {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return &f
	}
	return nil
}

// orNull lets a schema's value be null as well.
func orNull(s *Schema) *Schema {
	if kind, ok := s.Type.(string); ok && s.Enum == nil {
		s.Type = []string{kind, "null"}
		return s
	}
	about := s.Description
	s.Description = ""
	return &Schema{Description: about, AnyOf: []*Schema{s, {Type: "null"}}}
}

func exported(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + name[n:]
}
