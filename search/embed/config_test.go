package embed

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"wikibot/wiki"
)

const secret = "sk-Zq7Wn3VbT9"

func keyFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "embedder.key")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKey(t *testing.T) {
	s := serve(t, openAI)
	file := keyFile(t, secret+"\n", 0o600)
	h, _ := connect(t, s, HTTPConfig{KeyFile: file})
	if _, err := h.Embed(t.Context(), Query, words(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("sk-new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Embed(t.Context(), Query, words(1)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WIKIBOT_TEST_KEY", secret)
	h, _ = connect(t, s, HTTPConfig{KeyEnv: "WIKIBOT_TEST_KEY"})
	if _, err := h.Embed(t.Context(), Query, words(1)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Bearer " + secret, "Bearer sk-new", "Bearer " + secret} {
		if got := s.header[i].Get("Authorization"); got != want {
			t.Errorf("request %d: got %q, want %q", i, got, want)
		}
	}
	if strings.Contains(h.ID(), secret) {
		t.Errorf("the id holds the key: %s", h.ID())
	}
}

// A service that refuses the key may quote it; nothing of that comes through.
func TestKeyRefused(t *testing.T) {
	for _, code := range []int{401, 403, 500, 402, 400, 404} {
		s := serve(t, func(_ int, r request, w http.ResponseWriter) {
			w.WriteHeader(code)
			w.Write([]byte(`{"error":{"message":"Incorrect API key provided: ` + secret + `"}}`))
		})
		file := keyFile(t, secret, 0o600)
		h, _ := connect(t, s, HTTPConfig{KeyFile: file})
		_, err := h.Embed(t.Context(), Document, []string{"private words"})
		if !errors.Is(err, wiki.ErrUnavailable) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "private") {
			t.Errorf("%d: got %v", code, err)
		}
		if code < 402 && code > 400 && (!strings.Contains(err.Error(), "key_file") || !strings.Contains(err.Error(), file) || len(s.asked) != 1) {
			t.Errorf("%d: got %v after %d tries, want the place of the key", code, err, len(s.asked))
		}
	}
	s := serve(t, func(_ int, r request, w http.ResponseWriter) { w.WriteHeader(401) })
	h, _ := connect(t, s, HTTPConfig{})
	if _, err := h.Embed(t.Context(), Document, words(1)); err == nil || !strings.Contains(err.Error(), "no key is configured") {
		t.Errorf("got %v", err)
	}
}

func TestRefusedConfigurations(t *testing.T) {
	t.Setenv("WIKIBOT_TEST_EMPTY", " ")
	t.Setenv("WIKIBOT_TEST_LINES", secret+"\r\nX-Other: 1")
	for name, c := range map[string]struct {
		change func(*HTTPConfig)
		want   string
	}{
		"api":             {func(c *HTTPConfig) { c.API = "cohere" }, "openai"},
		"no model":        {func(c *HTTPConfig) { c.Model = "" }, "model"},
		"batch":           {func(c *HTTPConfig) { c.Batch = 5000 }, "batch"},
		"tries":           {func(c *HTTPConfig) { c.Tries = -1 }, "tries"},
		"timeout":         {func(c *HTTPConfig) { c.Timeout = -time.Second }, "timeout"},
		"dimensions":      {func(c *HTTPConfig) { c.Dimensions = 1 << 20 }, "dimensions"},
		"no url":          {func(c *HTTPConfig) { c.URL = "" }, "url"},
		"no scheme":       {func(c *HTTPConfig) { c.URL = "api.example.org/v1" }, "url"},
		"ftp":             {func(c *HTTPConfig) { c.URL = "ftp://127.0.0.1" }, "https"},
		"password in url": {func(c *HTTPConfig) { c.URL = "https://u:" + secret + "@api.example.org" }, "key_file"},
		"key in url":      {func(c *HTTPConfig) { c.URL = "https://api.example.org/?key=" + secret }, "key_file"},
		"broken url":      {func(c *HTTPConfig) { c.URL = "https://api.example.org/%zz" + secret }, "url"},
		"public http":     {func(c *HTTPConfig) { c.URL = "http://192.0.2.7/v1" }, "insecure"},
		"public http, 6":  {func(c *HTTPConfig) { c.URL = "http://[2001:db8::1]/v1" }, "leaves this machine"},
		"link-local http": {func(c *HTTPConfig) { c.URL = "http://169.254.169.254" }, "insecure"},
		"mapped public":   {func(c *HTTPConfig) { c.URL = "http://[::ffff:192.0.2.7]" }, "insecure"},
		"two keys":        {func(c *HTTPConfig) { c.KeyFile, c.KeyEnv = "/x", "Y" }, "keep one"},
		"no such file":    {func(c *HTTPConfig) { c.KeyFile = "/nonexistent/embedder.key" }, "key_file"},
		"empty file":      {func(c *HTTPConfig) { c.KeyFile = keyFile(t, "\n", 0o600) }, "key_file"},
		"large file":      {func(c *HTTPConfig) { c.KeyFile = keyFile(t, strings.Repeat(secret, 9000), 0o600) }, "key_file"},
		"folder":          {func(c *HTTPConfig) { c.KeyFile = t.TempDir() }, "regular"},
		"no variable":     {func(c *HTTPConfig) { c.KeyEnv = "WIKIBOT_TEST_NONE" }, "WIKIBOT_TEST_NONE"},
		"empty variable":  {func(c *HTTPConfig) { c.KeyEnv = "WIKIBOT_TEST_EMPTY" }, "key_env"},
		"two lines":       {func(c *HTTPConfig) { c.KeyEnv = "WIKIBOT_TEST_LINES" }, "key_env"},
	} {
		good := HTTPConfig{API: OpenAI, URL: "https://api.example.org", Model: "m"}
		c.change(&good)
		h, err := NewHTTP(good)
		if h != nil || !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want an ErrInvalid with %q", name, err, c.want)
		}
	}
	for _, url := range []string{"https://192.0.2.7/v1", "http://10.1.2.3:11434", "http://[fd00::1]", "http://[::1]:8080", "http://ollama:11434"} {
		if _, err := NewHTTP(HTTPConfig{API: Ollama, URL: url, Model: "m"}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := NewHTTP(HTTPConfig{API: Ollama, URL: "http://192.0.2.7", Model: "m", Insecure: true}); err != nil {
		t.Error(err)
	}
}

func TestKeyFileOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has no such modes
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o622} {
		path := keyFile(t, secret, mode)
		_, err := NewHTTP(HTTPConfig{API: OpenAI, URL: "https://api.example.org", Model: "m", KeyFile: path})
		if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), secret) {
			t.Errorf("mode %o: got %v", mode, err)
		}
	}
}

// What a name stands for is seen when it is dialled, and refused before a byte is
// sent. Here nothing is allowed, so that a fault of the guard stays on this machine.
func TestDialledAddress(t *testing.T) {
	s := serve(t, openAI)
	h, _ := connect(t, s, HTTPConfig{})
	u, err := url.Parse(h.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	h.client = client(u, func(netip.Addr) bool { return false })
	_, err = h.Embed(t.Context(), Query, words(1))
	if !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), "insecure") || len(s.asked) != 0 {
		t.Errorf("got %v after %d requests", err, len(s.asked))
	}
}

func TestGuard(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "10.0.0.8:11434": true, "172.16.0.1:80": true, "192.168.1.1:80": true, "[fd00::1]:80": true,
		"[::ffff:10.0.0.8]:80": true, "192.0.2.7:80": false, "[2001:db8::1]:80": false, "169.254.169.254:80": false, "[fe80::1%25eth0]:80": false,
		"0.0.0.0:80": false, "[::]:80": false, "[::ffff:192.0.2.7]:80": false, "172.32.0.1:80": false, "100.64.0.1:80": false, "api.example.org:80": false, "": false,
	} {
		if err := guard(private)("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: got %v, want allowed = %v", address, err, want)
		}
	}
}

// What goes wrong with one text is told apart from what goes wrong with all.
func TestTextTooLong(t *testing.T) {
	for _, code := range []int{400, 413, 422} {
		const max = 40
		s := serve(t, func(n int, r request, w http.ResponseWriter) {
			for _, text := range r.Input {
				if len(text) > max {
					w.WriteHeader(code)
					w.Write([]byte(`{"error":{"message":"maximum context length"}}`))
					return
				}
			}
			openAI(n, r, w)
		})
		h, _ := connect(t, s, HTTPConfig{Batch: 8})
		texts := words(20)
		texts[13] = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk" // 54: half of it will do
		want := slices.Clone(texts)
		want[13] = "aaaa bbbb cccc dddd eeee"
		got, err := h.Embed(t.Context(), Document, texts)
		checkVectors(t, got, err, want)
		if len(s.asked) > 3+2*4+3 {
			t.Errorf("got %d requests", len(s.asked))
		}
		texts[13] = strings.Repeat("long ", 100)
		_, err = h.Embed(t.Context(), Document, texts)
		var at *TextError
		if !errors.As(err, &at) || at.Index != 13 || !errors.Is(err, wiki.ErrInvalid) || errors.Is(err, wiki.ErrUnavailable) {
			t.Errorf("got %v, want a TextError about 13", err)
		}
		if err != nil && !strings.Contains(err.Error(), "maximum context length") {
			t.Errorf("got %v", err)
		}
	}
	// Every request is refused: no text is at fault, and not every one is tried.
	s := serve(t, func(_ int, r request, w http.ResponseWriter) { w.WriteHeader(400) })
	h, _ := connect(t, s, HTTPConfig{Batch: 64})
	_, err := h.Embed(t.Context(), Document, words(64))
	if at := (*TextError)(nil); errors.As(err, &at) || !errors.Is(err, wiki.ErrUnavailable) || len(s.asked) > 10 {
		t.Errorf("got %v after %d requests", err, len(s.asked))
	}
}

func TestFirstHalf(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "", "ab": "a", "aa bb cc dd": "aa bb", "aaaaa bbbbbbbb cc": "aaaaa", "aaaaaaaaaa": "aaaaa", "éé": "é", "é": "", "日本語": "日", "aaa bbb ccc ddd": "aaa bbb",
	} {
		if got := firstHalf(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestIDs(t *testing.T) {
	base := HTTPConfig{API: Ollama, URL: "http://127.0.0.1:11434/", Model: "nomic-embed-text"}
	id := func(change func(*HTTPConfig)) string {
		c := base
		change(&c)
		h, err := NewHTTP(c)
		if err != nil {
			t.Fatal(err)
		}
		return h.ID()
	}
	plain := id(func(*HTTPConfig) {})
	if want := "ollama+http://127.0.0.1:11434/api/embed?model=nomic-embed-text"; plain != want {
		t.Errorf("got %s, want %s", plain, want)
	}
	for name, change := range map[string]func(*HTTPConfig){
		"api":        func(c *HTTPConfig) { c.API = OpenAI },
		"url":        func(c *HTTPConfig) { c.URL = "http://127.0.0.1:11435" },
		"model":      func(c *HTTPConfig) { c.Model = "other" },
		"dimensions": func(c *HTTPConfig) { c.Dimensions = 128 },
		"query":      func(c *HTTPConfig) { c.QueryPrefix = "search_query: " },
		"document":   func(c *HTTPConfig) { c.DocumentPrefix = "search_query: " },
	} {
		if id(change) == plain {
			t.Errorf("%s does not change the id", name)
		}
	}
	for name, change := range map[string]func(*HTTPConfig){
		"url said otherwise": func(c *HTTPConfig) { c.URL = "http://127.0.0.1:11434/api/embed" },
		"batch":              func(c *HTTPConfig) { c.Batch = 7 },
		"timeout":            func(c *HTTPConfig) { c.Timeout = time.Second },
	} {
		if id(change) != plain {
			t.Errorf("%s changes the id", name)
		}
	}
}

func TestEarlier(t *testing.T) {
	s := serve(t, openAI)
	old, _ := connect(t, s, HTTPConfig{Model: "old & small", QueryPrefix: "q: ", Dimensions: 3})
	now, _ := connect(t, s, HTTPConfig{Model: "new", Batch: 5})
	e, ok := now.Earlier(old.ID())
	if !ok || e.ID() != old.ID() || e.MaxBatch() != 5 {
		t.Fatalf("got %v, %v", e, ok)
	}
	if _, err := e.Embed(context.Background(), Query, []string{"x"}); err != nil {
		t.Fatal(err)
	}
	if got := s.asked[0]; got.Model != "old & small" || got.Input[0] != "q: x" || got.Dimensions != 3 {
		t.Errorf("got %v", got)
	}
	for _, id := range []string{
		"", "x", now.c.API + "+" + now.endpoint, "openai+http://127.0.0.1:1/v1/embeddings?model=old",
		strings.Replace(old.ID(), "openai+", "ollama+", 1), old.ID() + "&key=1", old.ID() + "&model=2",
		"openai+" + now.endpoint + "?model=", "openai+" + now.endpoint + "?model=%zz", "openai+" + now.endpoint + "?model=x&dimensions=-4",
	} {
		if e, ok := now.Earlier(id); ok {
			t.Errorf("%q: got %v", id, e.ID())
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"AACAPwAAAEA="}]}`, 2)
	f.Add(`{"embeddings":[[1,2],[3,null]]}`, 2)
	f.Add(`{"embeddings":[[1e38,-1e38]],"data":null}`, 1)
	f.Fuzz(func(t *testing.T, text string, n int) {
		for _, api := range []string{OpenAI, Ollama} {
			h, err := NewHTTP(HTTPConfig{API: api, URL: "https://api.example.org", Model: "m"})
			if err != nil {
				t.Fatal(err)
			}
			n := n & 3
			got, err := h.decode([]byte(text), n)
			if err != nil {
				continue
			}
			if len(got) != n {
				t.Fatalf("got %d vectors, want %d", len(got), n)
			}
			for _, v := range got {
				if len(v) == 0 || len(v) != len(got[0]) || h.check(v, len(v)) != nil {
					t.Fatalf("got %v", got)
				}
			}
		}
	})
}

func FuzzEarlier(f *testing.F) {
	f.Add("openai+https://api.example.org/v1/embeddings?model=m&query=x")
	f.Add("openai+https://api.example.org/v1/embeddings?model=m&document=%20&dimensions=9")
	h, err := NewHTTP(HTTPConfig{API: OpenAI, URL: "https://api.example.org", Model: "m"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if e, ok := h.Earlier(id); ok && (e.ID() != id || e.(*HTTP).endpoint != h.endpoint) {
			t.Fatalf("got %s for %s", e.ID(), id)
		}
	})
}
