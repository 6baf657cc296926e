package mcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/record"
	"wikibot/wiki"
)

// args are a call's arguments under their true names: string, int, bool, []string
// or []args. What was not sent and has a default is there too.
type args struct {
	values map[string]any
	sent   map[string]bool
}

func (a args) text(name string) string    { s, _ := a.values[name].(string); return s }
func (a args) number(name string) int     { n, _ := a.values[name].(int); return n }
func (a args) flag(name string) bool      { b, _ := a.values[name].(bool); return b }
func (a args) texts(name string) []string { l, _ := a.values[name].([]string); return l }
func (a args) list(name string) []args    { l, _ := a.values[name].([]args); return l }

// has reports whether the caller gave the argument, be it empty.
func (a args) has(name string) bool { return a.sent[name] }

// readArgs turns what a client sent into a tool's arguments. It takes the aliases
// of a parameter and any spelling of its name (newPath, new-path), and values of a
// wrong type that can only mean one thing: "5" for 5, "true" for true, a number for
// a text, one text for a list, JSON in a text. Null is not there. Everything else
// is a wiki.ErrInvalid that names the parameter and the next step. Its cost grows
// with what was sent.
func readArgs(tool string, params []param, sent any) (args, error) {
	m, err := asObject(sent)
	if err != nil {
		return args{}, wiki.Invalid("", "the arguments of %s are an object such as %s", tool, example(params))
	}
	a, err := readObject(tool, params, m)
	if err != nil {
		return args{}, err
	}
	return a, nil
}

// asObject is an object, or a text that is the JSON of one; nothing is an object
// without members.
func asObject(v any) (map[string]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, nil
		}
		var m map[string]any
		return m, decodeText(v, &m)
	}
	return nil, wiki.ErrInvalid
}

func readObject(where string, params []param, m map[string]any) (args, error) {
	given, err := assign(where, params, m)
	if err != nil {
		return args{}, err
	}
	a := args{values: map[string]any{}, sent: map[string]bool{}}
	for i, p := range params {
		v, ok := given[i]
		if !ok {
			if p.required {
				return args{}, wiki.Invalid(p.name, "%s needs %s: %s", where, p.name, p.doc)
			}
			if p.def != nil {
				a.values[p.name] = p.def
			}
			continue
		}
		if a.values[p.name], err = p.read(where, v); err != nil {
			return args{}, err
		}
		a.sent[p.name] = true
	}
	return a, nil
}

// assign finds the parameter that each member of an object is for, by its place in
// params. True names come first, then aliases in the order of the members' names,
// so that the same call always means the same.
func assign(where string, params []param, m map[string]any) (map[int]any, error) {
	given := make(map[int]any, len(m))
	var rest []string
	for name, v := range m {
		if v == nil {
			continue
		}
		if i := slices.IndexFunc(params, func(p param) bool { return p.name == name }); i >= 0 {
			given[i] = v
			continue
		}
		rest = append(rest, name)
	}
	sort.Strings(rest)
	for _, name := range rest {
		i, known := place(params, norm(name), given)
		switch {
		case i >= 0:
			given[i] = m[name]
		case known:
			return nil, wiki.Invalid(lineOf(name, 60), "%s got one parameter under two names, %q is the second. Send each once: %s", where, lineOf(name, 60), names(params))
		default:
			return nil, unknown(where, params, name)
		}
	}
	return given, nil
}

// place is the parameter that a name can stand for and that is not given yet; known
// tells that there is one, given or not.
func place(params []param, name string, given map[int]any) (at int, known bool) {
	for i, p := range params {
		if p.name != name && !slices.Contains(p.aliases, name) {
			continue
		}
		known = true
		if _, taken := given[i]; !taken {
			return i, true
		}
	}
	return -1, known
}

// norm is a name in the spelling of ours: newPath, NEW-PATH and "new path" are
// new_path. Names longer than 100 bytes are nobody's.
func norm(name string) string {
	if len(name) > 100 {
		return ""
	}
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case r == '-' || r == ' ' || r == '.':
			r, lower = '_', false
		case unicode.IsUpper(r):
			if lower {
				b.WriteByte('_')
			}
			r, lower = unicode.ToLower(r), false
		default:
			lower = r != '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unknown(where string, params []param, name string) error {
	shown := lineOf(name, 60)
	all := make([]string, len(params))
	for i, p := range params {
		all[i] = p.name
	}
	if len(params) == 0 {
		return wiki.Invalid(shown, "%s takes no parameters; leave out %q", where, shown)
	}
	if near := record.Nearest(norm(shown), all); near != "" {
		return wiki.Invalid(shown, "%s has no parameter %q; did you mean %s? It takes %s", where, shown, near, names(params))
	}
	return wiki.Invalid(shown, "%s has no parameter %q. It takes %s", where, shown, names(params))
}

func names(params []param) string {
	all := make([]string, len(params))
	for i, p := range params {
		all[i] = p.name
		if p.required {
			all[i] += " (required)"
		}
	}
	return strings.Join(all, ", ")
}

// example is a call's arguments as JSON, for errors.
func example(params []param) string {
	o := object{}
	for _, p := range params {
		if p.required {
			o = append(o, member{p.name, "…"})
		}
	}
	b, _ := json.Marshal(o)
	return string(b)
}

// read is the parameter's value.
func (p param) read(where string, v any) (any, error) {
	switch p.kind {
	case aText:
		return p.readText(where, v)
	case aNumber:
		return p.readNumber(where, v)
	case aFlag:
		return p.readFlag(where, v)
	case aTextList:
		return p.readTexts(where, v)
	default:
		return p.readObjects(where, v)
	}
}

func (p param) wrong(where, want string) error {
	return wiki.Invalid(p.name, "%s of %s is %s. %s", p.name, where, want, p.doc)
}

func (p param) readText(where string, v any) (string, error) {
	s, ok := asText(v)
	if !ok {
		return "", p.wrong(where, "a text")
	}
	limit := p.limit
	if limit == 0 {
		limit = maxText
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return "", &wiki.Error{Kind: wiki.ErrTooLarge, Field: p.name, Text: fmt.Sprintf("%s has %d characters; %s takes at most %d. Send less, for example in several notes", p.name, n, where, limit)}
	}
	if len(p.choices) == 0 {
		return s, nil
	}
	if s == "" && p.def == "" {
		return "", nil
	}
	if c := norm(strings.TrimSpace(s)); slices.Contains(p.choices, c) {
		return c, nil
	}
	near := record.Nearest(norm(lineOf(s, 60)), p.choices)
	if near != "" {
		near = fmt.Sprintf(", for example %s", near)
	}
	return "", p.wrong(where, "one of "+strings.Join(p.choices, ", ")+near)
}

// asText is a text, a number or a list of one text.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		if v != float64(int64(v)) || v > 1<<53 || v < -1<<53 {
			return strconv.FormatFloat(v, 'g', -1, 64), v > -1<<53 && v < 1<<53
		}
		return strconv.FormatInt(int64(v), 10), true
	case []any:
		if len(v) == 1 {
			s, ok := v[0].(string)
			return s, ok
		}
	}
	return "", false
}

func (p param) readNumber(where string, v any) (int, error) {
	f, ok := v.(float64)
	if s, text := v.(string); text {
		var err error
		f, err = strconv.ParseFloat(strings.TrimSpace(s), 64)
		ok = err == nil
	}
	if !ok || f != float64(int64(f)) {
		return 0, p.wrong(where, fmt.Sprintf("a whole number from %d to %d", p.min, p.max))
	}
	return int(max(float64(p.min), min(f, float64(p.max)))), nil
}

func (p param) readFlag(where string, v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case float64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes", "1", "on":
			return true, nil
		case "false", "no", "0", "off", "":
			return false, nil
		}
	}
	return false, p.wrong(where, "true or false")
}

func (p param) readTexts(where string, v any) ([]string, error) {
	if s, ok := v.(string); ok {
		v = textList(s)
	}
	l, ok := v.([]any)
	if !ok {
		return nil, p.wrong(where, "a list of texts")
	}
	if len(l) > p.max {
		return nil, p.tooMany(where, len(l))
	}
	out := make([]string, len(l))
	for i, one := range l {
		s, ok := asText(one)
		if !ok || len(s) > maxText {
			return nil, p.wrong(where, "a list of texts")
		}
		out[i] = s
	}
	if p.required && len(out) == 0 {
		return nil, p.wrong(where, "a list with at least one text")
	}
	return out, nil
}

// textList is what a list may look like as a text: JSON, or one member a line.
func textList(s string) []any {
	if strings.HasPrefix(strings.TrimSpace(s), "[") {
		var l []any
		if decodeText(s, &l) == nil {
			return l
		}
	}
	var out []any
	for part := range strings.Lines(s) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
		if len(out) > maxTextValues {
			break
		}
	}
	return out
}

func (p param) readObjects(where string, v any) ([]args, error) {
	if s, ok := v.(string); ok {
		var any any
		if decodeText(s, &any) == nil {
			v = any
		}
	}
	if m, ok := v.(map[string]any); ok {
		v = []any{m}
	}
	l, ok := v.([]any)
	if !ok || len(l) == 0 {
		return nil, p.wrong(where, "a list of objects such as "+example(p.of))
	}
	if len(l) > p.max {
		return nil, p.tooMany(where, len(l))
	}
	out := make([]args, len(l))
	for i, one := range l {
		m, err := asObject(one)
		if err != nil {
			return nil, p.wrong(where, "a list of objects such as "+example(p.of))
		}
		if out[i], err = readObject(fmt.Sprintf("%s, %s %d,", where, p.name, i+1), p.of, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p param) tooMany(where string, n int) error {
	return &wiki.Error{Kind: wiki.ErrTooLarge, Field: p.name, Text: fmt.Sprintf("%s has %d members; %s takes at most %d. Send them in several calls", p.name, n, where, p.max)}
}
