package record

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"wikibot/wiki"
)

// Decode fills the struct (or map) that into points to. Keys that the file has
// not keep the value that they had in into. It returns everything wrong at once:
//
//   - a mistake of syntax, or keys that are defined twice (alone, since nothing
//     else can be said of such a file);
//   - keys that the struct has not, with the ones that it has and the nearest;
//     capitals count, unlike in toml;
//   - values of another kind than the field's, and values that the field's
//     UnmarshalText refuses, with its text.
//
// A field's key is its `toml` tag, or its name in lower case. With faults the
// content of into is not to be used.
func Decode(file string, data []byte, into any) wiki.Faults {
	d, faults := Scan(file, data)
	if faults != nil {
		return faults
	}
	if t := reflect.TypeOf(into); t != nil && t.Kind() == reflect.Pointer {
		faults = check(d.Root(), t.Elem(), faults)
	}
	if faults != nil {
		slices.SortStableFunc(faults, func(a, b wiki.Fault) int { return a.Line - b.Line })
		return faults
	}
	if err := decode(data, into); err != nil {
		return wiki.Faults{decodeFault(file, err)}
	}
	return nil
}

func decode(data []byte, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding: %v", r)
		}
	}()
	_, err = toml.Decode(string(data), into)
	return err
}

func decodeFault(file string, err error) wiki.Fault {
	if p, ok := errors.AsType[toml.ParseError](err); ok {
		return wiki.Fault{File: file, Line: max(p.Position.Line, 1), Column: max(p.Position.Col, 1), Text: p.Message}
	}
	return wiki.Fault{File: file, Text: strings.TrimPrefix(err.Error(), "toml: ")}
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType = reflect.TypeFor[time.Time]()
)

// check compares an entry with the type that it will be decoded into.
func check(e Entry, t reflect.Type, faults wiki.Faults) wiki.Faults {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return expect(e, faults, Time)
	case reflect.PointerTo(t).Implements(textType):
		return checkText(e, t, faults)
	}
	switch t.Kind() {
	case reflect.Struct:
		return checkStruct(e, t, expect(e, faults, Table))
	case reflect.Map:
		return checkEach(e, t.Elem(), expect(e, faults, Table))
	case reflect.Slice, reflect.Array:
		return checkEach(e, t.Elem(), expect(e, faults, Array))
	case reflect.String:
		return expect(e, faults, String)
	case reflect.Bool:
		return expect(e, faults, Bool)
	case reflect.Float32, reflect.Float64:
		return expect(e, faults, Float, Integer)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return checkInteger(e, t, faults)
	}
	return faults
}

func expect(e Entry, faults wiki.Faults, kinds ...Kind) wiki.Faults {
	if slices.Contains(kinds, e.Kind()) {
		return faults
	}
	return append(faults, e.FaultAtValue("%s must be %s, not %s%s", FormatKey(e.Path()...), kinds[0], e.Kind(), hint(kinds[0])))
}

func hint(k Kind) string {
	switch k {
	case String:
		return `: put it in quotes`
	case Bool:
		return `: write true or false, without quotes`
	case Integer:
		return `: write digits, without quotes`
	case Time:
		return `: write it as 2026-01-31T12:00:00Z, without quotes`
	case Array:
		return `: put it in [ ]`
	case Table:
		return ": write its keys below a line [name]"
	}
	return ""
}

func checkInteger(e Entry, t reflect.Type, faults wiki.Faults) wiki.Faults {
	if e.Kind() != Integer {
		return expect(e, faults, Integer)
	}
	n, ok := e.Int()
	v := reflect.New(t).Elem()
	if !ok || v.CanInt() && v.OverflowInt(n) || v.CanUint() && (n < 0 || v.OverflowUint(uint64(n))) {
		return append(faults, e.FaultAtValue("%s is out of range: %s", FormatKey(e.Path()...), e.Raw()))
	}
	return faults
}

func checkText(e Entry, t reflect.Type, faults wiki.Faults) wiki.Faults {
	text, ok := e.Text()
	if !ok {
		if e.Kind() != Integer && e.Kind() != Float && e.Kind() != Bool {
			return expect(e, faults, String)
		}
		text = e.Raw()
	}
	if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return append(faults, e.FaultAtValue("%s: %s", FormatKey(e.Path()...), err))
	}
	return faults
}

func checkEach(e Entry, t reflect.Type, faults wiki.Faults) wiki.Faults {
	for c := range e.Children() {
		faults = check(c, t, faults)
	}
	return faults
}

func checkStruct(e Entry, t reflect.Type, faults wiki.Faults) wiki.Faults {
	if e.Kind() != Table {
		return faults
	}
	fields := Fields(t)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Key
	}
	for c := range e.Children() {
		if i := slices.Index(names, c.Name()); i >= 0 {
			faults = check(c, fields[i].Type, faults)
		} else {
			faults = append(faults, Unknown(c, names))
		}
	}
	return faults
}

// Unknown is the fault of a key that is none of allowed.
func Unknown(e Entry, allowed []string) wiki.Fault {
	where := "at the top of the file"
	if p := e.Path(); len(p) > 1 {
		where = "in [" + FormatKey(p[:len(p)-1]...) + "]"
	}
	return e.Fault("unknown key %s %s%s; known keys there: %s", FormatKey(e.Name()), where, DidYouMean(e.Name(), allowed), strings.Join(allowed, ", "))
}

// Field is one key of a struct.
type Field struct {
	Key   string
	Type  reflect.Type
	Index []int // for reflect.Value.FieldByIndex
	Tag   reflect.StructTag
}

// Fields are the keys of a struct type in the order of its fields, those of
// embedded structs among them, as Decode knows them.
func Fields(t reflect.Type) []Field {
	var list []Field
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case tag == "-" || !f.IsExported() || f.Anonymous && tag == "":
			continue
		case tag == "":
			tag = strings.ToLower(f.Name)
		}
		list = append(list, Field{Key: tag, Type: f.Type, Index: f.Index, Tag: f.Tag})
	}
	return list
}
