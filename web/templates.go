package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templateSet holds one template for each view, each with the frame around it.
type templateSet struct {
	byName  map[string]*template.Template
	version string
	buffers sync.Pool // of *bytes.Buffer
}

// loadTemplates parses templates/*.html. A file whose name begins with "_" is
// shared by all views; every other one defines "main" of the view named like
// it.
func loadTemplates(h *Handler) (*templateSet, error) {
	entries, err := fs.ReadDir(templateFiles, "templates")
	if err != nil {
		return nil, fmt.Errorf("listing the embedded templates: %w", err)
	}
	shared := template.New("").Funcs(h.functions())
	var views, sources []string
	for _, e := range entries {
		source, err := templateFiles.ReadFile("templates/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the embedded template %s: %w", e.Name(), err)
		}
		sources = append(sources, string(source))
		if !strings.HasPrefix(e.Name(), "_") {
			views = append(views, e.Name())
		} else if _, err := shared.Parse(string(source)); err != nil {
			return nil, fmt.Errorf("template %s: %w", e.Name(), err)
		}
	}
	set := &templateSet{byName: map[string]*template.Template{}, version: digest(sources...)}
	set.buffers.New = func() any { return new(bytes.Buffer) }
	for _, name := range views {
		t, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		source, _ := templateFiles.ReadFile("templates/" + name) // read above
		if _, err := t.Parse(string(source)); err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		set.byName[strings.TrimSuffix(name, path.Ext(name))] = t
	}
	return set, nil
}

// execute renders one view inside the frame.
func (s *templateSet) execute(name string, data any) ([]byte, error) {
	return s.part(name, "frame", data)
}

// part renders one template of a view.
func (s *templateSet) part(view, name string, data any) ([]byte, error) {
	t, ok := s.byName[view]
	if !ok {
		return nil, fmt.Errorf("no template %q", view)
	}
	b := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(b)
	b.Reset()
	if err := t.ExecuteTemplate(b, name, data); err != nil {
		return nil, fmt.Errorf("template %s: %w", view, err)
	}
	return bytes.Clone(b.Bytes()), nil
}

// functions are what templates may call.
func (h *Handler) functions() template.FuncMap {
	return template.FuncMap{
		"t":         h.texts.lookup,
		"n":         h.texts.count,
		"asset":     h.assets.url,
		"icon":      icon,
		"stamp":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"date":      func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") },
		"day":       func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"clock":     func(t time.Time) string { return t.UTC().Format("15:04") },
		"bytes":     func(n int64) string { return byteSize(n) },
		"short":     func(r wiki.Revision) string { return r.Short() },
		"file":      decodeFile,
		"dict":      dict,
		"key":       requestID,
		"pairs":     pairs,
		"author":    ofCommit(authorName),
		"byline":    ofCommit(byline),
		"agentname": gitstore.AgentName,
		"filepath":  func(a wiki.Attachment) wiki.FilePath { return wiki.FilePath(a.File) },
		"isimage":   func(a wiki.Attachment) bool { return strings.HasPrefix(a.MIME, "image/") },
		"add":       func(a, b int) int { return a + b },
		"number":    number,
	}
}

// ofCommit lets templates give a commit or a pointer to one.
func ofCommit(f func(wiki.Commit) string) func(any) (string, error) {
	return func(c any) (string, error) {
		switch c := c.(type) {
		case wiki.Commit:
			return f(c), nil
		case *wiki.Commit:
			return f(*c), nil
		}
		return "", fmt.Errorf("no commit: %T", c)
	}
}

// dict makes the argument of a shared template from names and values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict wants names and values in pairs")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict wants a name, not %v", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// byteSize is a size for people, in the decimal units of the SI.
func byteSize(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return strings.Replace(fmt.Sprintf("%.1f kB", float64(n)/1e3), ".0 ", " ", 1)
	}
	return strings.Replace(fmt.Sprintf("%.1f MB", float64(n)/1e6), ".0 ", " ", 1)
}

// number is a whole number with its thousands apart.
func number(n int) string {
	s := itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// decodeFile is a file's path in the tree as people read it.
func decodeFile(file string) string {
	if p, ok := wiki.PageOfFile(file); ok {
		return string(p)
	}
	if f, ok := wiki.PathOfFile(file); ok {
		return string(f)
	}
	return file
}

// icons are paths of a 24 × 24 grid, drawn with a stroke.
var icons = map[string]string{
	"menu":    "M4 7h16M4 12h16M4 17h16",
	"search":  "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
	"edit":    "M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4",
	"history": "M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2",
	"plus":    "M12 5v14M5 12h14",
	"more":    "M5 12h.01M12 12h.01M19 12h.01",
	"theme":   "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
	"list":    "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
	"clock":   "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
	"clip":    "M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.3a3 3 0 0 1 4.2 4.2l-7.7 7.7a1.5 1.5 0 0 1-2.1-2.1L14.5 7",
	"folder":  "M4 7a1 1 0 0 1 1-1h4.5l2 2H19a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z",
	"page":    "M7 3.5h7l4 4v13H7zM14 3.5v4h4",
	"user":    "M12 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM5 20c.6-3.6 3.4-5.5 7-5.5s6.4 1.9 7 5.5",
	"close":   "M6 6l12 12M18 6L6 18",
	"help":    "M9 9.2a3 3 0 1 1 4.4 2.6c-.9.5-1.4 1.1-1.4 2.2M12 17.5h.01",
	"link":    "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
	"down":    "M6 9.5l6 6 6-6",
	"sliders": "M4 8h9M17 8h3M4 16h3M11 16h9M15 5.5v5M9 13.5v5",
	"toc":     "M4 6h10M4 12h7M4 18h10M18 6h2M18 12h2M18 18h2",
}

// icon is a decorative picture; the words beside it, or an aria-label, name it.
func icon(name string) (template.HTML, error) {
	d, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="` + d + `"/></svg>`), nil
}
