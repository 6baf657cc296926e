package record

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/BurntSushi/toml"
)

// An edit is made on text and proved on values: both files are decoded by
// toml, which knows nothing of this package, and must differ in the one key.

var errEdit = errors.New("the edit would change more than the key: edit the file by hand")

// tree decodes a file into maps. toml panics on what it believes impossible;
// that is an error here.
func tree(data []byte) (m map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding: %v", r)
		}
	}()
	_, err = toml.Decode(string(data), &m)
	return m, err
}

func checkSet(before, after []byte, path []string, text string) error {
	old, err := tree(before)
	if err != nil {
		return err
	}
	value, err := tree([]byte("v = " + text))
	if err != nil {
		return err
	}
	if !put(old, path, value["v"]) {
		return fmt.Errorf("setting %s: %w", FormatKey(path...), errEdit)
	}
	return compare(old, after, path)
}

func checkDelete(before, after []byte, path []string) error {
	old, err := tree(before)
	if err != nil {
		return err
	}
	if !remove(old, path) {
		return fmt.Errorf("deleting %s: %w", FormatKey(path...), errEdit)
	}
	return compare(old, after, path)
}

func compare(want map[string]any, after []byte, path []string) error {
	got, err := tree(after)
	if err != nil {
		return fmt.Errorf("editing %s: %w: %w", FormatKey(path...), errEdit, err)
	}
	// A table that only the deleted key made is gone with it.
	prune(want, path)
	prune(got, path)
	if !same(want, got) {
		return fmt.Errorf("editing %s: %w", FormatKey(path...), errEdit)
	}
	return nil
}

// child follows one step of a path.
func child(v any, name string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		c, ok := v[name]
		return c, ok
	case []map[string]any:
		if i, ok := index(name, len(v)); ok {
			return v[i], true
		}
	case []any:
		if i, ok := index(name, len(v)); ok {
			return v[i], true
		}
	}
	return nil, false
}

func put(v any, path []string, value any) bool {
	if len(path) > 1 {
		next, ok := child(v, path[0])
		if m, isMap := v.(map[string]any); !ok && isMap {
			next = map[string]any{}
			m[path[0]] = next
		}
		return next != nil && put(next, path[1:], value)
	}
	switch v := v.(type) {
	case map[string]any:
		v[path[0]] = value
		return true
	case []any:
		i, ok := index(path[0], len(v))
		if ok {
			v[i] = value
		}
		return ok
	}
	return false
}

func remove(v any, path []string) bool {
	if len(path) > 1 {
		next, ok := child(v, path[0])
		return ok && remove(next, path[1:])
	}
	m, ok := v.(map[string]any)
	if ok {
		delete(m, path[0])
	}
	return ok
}

// prune drops the empty tables on the way to a path, deepest first.
func prune(v any, path []string) {
	if len(path) < 2 {
		return
	}
	next, ok := child(v, path[0])
	if !ok {
		return
	}
	prune(next, path[1:])
	if m, ok := v.(map[string]any); ok {
		if t, ok := next.(map[string]any); ok && len(t) == 0 {
			delete(m, path[0])
		}
	}
}

// same compares decoded values; NaN equals NaN, and a list of tables equals a
// list of the same tables however it was written.
func same(a, b any) bool {
	a, b = list(a), list(b)
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	}
	return a == b
}

func list(v any) any {
	tables, ok := v.([]map[string]any)
	if !ok {
		return v
	}
	all := make([]any, len(tables))
	for i, t := range tables {
		all[i] = t
	}
	return all
}
