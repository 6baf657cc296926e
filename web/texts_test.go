package web

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	actionForm    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	commentForm   = regexp.MustCompile(`(?s)<!--.*?-->`)
	codeForm      = regexp.MustCompile(`(?s)<(code|kbd|b|i|s)\b[^>]*>.*?</(code|kbd|b|i|s)>`)
	tagForm       = regexp.MustCompile(`(?s)<[^>]*>`)
	spokenForm    = regexp.MustCompile(`\b(?:title|aria-label|placeholder|alt|label)="([^"]*)"`)
	letters       = regexp.MustCompile(`\pL{2,}`)
	callForm      = regexp.MustCompile(`\b(t|n) "([a-z]+\.[a-zA-Z_0-9]+)"`)
	goCallForm    = regexp.MustCompile(`(?:texts|c)\.(?:get|lookup|count)\("([a-z]+\.[a-zA-Z_0-9]+)"`)
	statusKeyForm = regexp.MustCompile(`http\.Status\w+, "(error\.\w+)"`)
)

func templateSources(t *testing.T) map[string]string {
	t.Helper()
	sources := map[string]string{}
	entries, err := fs.ReadDir(templateFiles, "templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := templateFiles.ReadFile("templates/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		sources[e.Name()] = string(b)
	}
	return sources
}

// literal finds words that a template says by itself: outside actions, tags and
// code, and in attributes that are read aloud.
func literal(source string) []string {
	s := commentForm.ReplaceAllString(source, "")
	s = actionForm.ReplaceAllString(s, "")
	var found []string
	for _, m := range spokenForm.FindAllStringSubmatch(s, -1) {
		if letters.MatchString(m[1]) {
			found = append(found, m[1])
		}
	}
	s = regexp.MustCompile(`(?s)<pre class="copy">.*?</pre>`).ReplaceAllString(s, "")
	s = codeForm.ReplaceAllString(s, "")
	s = tagForm.ReplaceAllString(s, "\n")
	for line := range strings.Lines(s) {
		if letters.MatchString(line) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func TestTemplatesHoldNoTexts(t *testing.T) {
	if got := literal(`<p title="Hello">{{t "a.b"}} words</p>`); len(got) != 2 {
		t.Fatalf("the check itself finds %q", got)
	}
	for name, source := range templateSources(t) {
		for _, words := range literal(source) {
			t.Errorf("%s: %q is not in the catalogue", name, words)
		}
	}
}

// TestCatalogueIsComplete also finds texts that nothing uses any more.
func TestCatalogueIsComplete(t *testing.T) {
	c, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	use := func(where, key string) {
		used[key] = true
		if _, ok := c.texts[key]; !ok {
			t.Errorf("%s: no text %q", where, key)
		}
	}
	for name, source := range templateSources(t) {
		for _, m := range callForm.FindAllStringSubmatch(source, -1) {
			if m[1] == "n" {
				use(name, m[2]+"_one")
				use(name, m[2]+"_other")
			} else {
				use(name, m[2])
			}
		}
	}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	dynamic := map[string]bool{"done": true, "kind": true, "role": true, "error": true, "access": true, "tokens": true, "garden": true, "via": true, "clients": true, "llms": true, "hooks": true}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(goCallForm.FindAllStringSubmatch(string(b), -1), statusKeyForm.FindAllStringSubmatch(string(b), -1)...) {
			if !strings.HasSuffix(file, "_test.go") {
				use(file, m[1])
			}
		}
	}
	for key := range c.texts {
		if group, _, _ := strings.Cut(key, "."); !used[key] && !dynamic[group] {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

func TestLookup(t *testing.T) {
	c := &catalogue{texts: map[string]string{"a.b": "{1} and {2}", "a.n_one": "1 page", "a.n_other": "{1} pages"}}
	for _, test := range []struct {
		got, want string
	}{
		{c.get("a.b", "{2}", "x"), "{2} and x"}, // an argument is not filled in again
		{c.get("a.b"), "{1} and {2}"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	for n, want := range map[int]string{0: "0 pages", 1: "1 page", 2: "2 pages"} {
		if got, err := c.count("a.n", n); err != nil || got != want {
			t.Errorf("count %d: got %q, %v, want %q", n, got, err, want)
		}
	}
	if _, err := c.lookup("a.c"); err == nil {
		t.Error("a missing text is no error")
	}
}
