package mcp

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// object is a JSON object that keeps the order of its members, which is the order
// in which a model reads a schema.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// inputSchema is the JSON Schema (2020-12) of a tool's parameters under their true
// names. It says nothing about further properties: other names are accepted where
// they can only mean one of these.
func inputSchema(params []param) object {
	var props, need = object{}, []string{}
	for _, p := range params {
		props = append(props, member{p.name, p.schema()})
		if p.required {
			need = append(need, p.name)
		}
	}
	s := object{{"type", "object"}, {"properties", props}}
	if len(need) > 0 {
		s = append(s, member{"required", need})
	}
	return s
}

func (p param) schema() object {
	var s object
	switch p.kind {
	case aText:
		s = object{{"type", "string"}}
		if len(p.choices) > 0 {
			s = append(s, member{"enum", p.choices})
		}
	case aNumber:
		s = object{{"type", "integer"}, {"minimum", p.min}, {"maximum", p.max}}
	case aFlag:
		s = object{{"type", "boolean"}}
	case aTextList:
		s = object{{"type", "array"}, {"items", object{{"type", "string"}}}, {"maxItems", p.max}}
	case anObjectList:
		s = object{{"type", "array"}, {"items", inputSchema(p.of)}, {"minItems", 1}, {"maxItems", p.max}}
	}
	s = append(s, member{"description", p.doc})
	if p.def != nil {
		s = append(s, member{"default", p.def})
	}
	return s
}

// outputSchema is the JSON Schema of a tool's structured content: the members of a
// result's type, or, where the call failed, an error. Clients check the
// structured content of failed calls too.
func outputSchema(result any) object {
	props, need := fields(reflect.TypeOf(result))
	failed, _ := fields(reflect.TypeFor[failed]())
	return object{
		{"type", "object"},
		{"properties", append(props, failed...)},
		{"anyOf", []object{{{"required", need}}, {{"required", []string{"error"}}}}},
	}
}

// schemaOf is the JSON Schema of what encoding/json makes of a type. A field's tag
// doc describes it; fields without omitempty are required, and where they
// are pointers may be null.
func schemaOf(t reflect.Type) object {
	if own, ok := reflect.Zero(t).Interface().(interface{ schema() object }); ok && t.Kind() != reflect.Pointer {
		return own.schema()
	}
	switch t.Kind() {
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Float64:
		return object{{"type", "number"}}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return object{{"type", "integer"}}
	case reflect.Slice:
		return object{{"type", "array"}, {"items", schemaOf(t.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", schemaOf(t.Elem())}}
	case reflect.Pointer:
		return orNull(schemaOf(t.Elem()))
	case reflect.Struct:
		return structSchema(t)
	}
	return object{} // any
}

// orNull is a schema whose value may be null as well. A list of types would say it
// shorter, and is what some clients cannot map.
func orNull(s object) object {
	return object{{"anyOf", []object{s, {{"type", "null"}}}}}
}

func structSchema(t reflect.Type) object {
	props, need := fields(t)
	s := object{{"type", "object"}, {"properties", props}}
	if len(need) > 0 {
		s = append(s, member{"required", need})
	}
	return s
}

// fields are the members of a struct and those that are always there.
func fields(t reflect.Type) (props object, need []string) {
	need = []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && !f.Anonymous {
			continue // not exported, or not meant for clients
		}
		if f.Anonymous && name == "" {
			p, n := fields(f.Type)
			props, need = append(props, p...), append(need, n...)
			continue
		}
		left := strings.Contains(options, "omitempty")
		t := f.Type
		if left && t.Kind() == reflect.Pointer {
			t = t.Elem() // left out rather than null
		}
		s := schemaOf(t)
		if doc := f.Tag.Get("doc"); doc != "" {
			s = append(s, member{"description", doc})
		}
		props = append(props, member{name, s})
		if !left {
			need = append(need, name)
		}
	}
	return props, need
}
