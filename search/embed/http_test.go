package embed

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/wiki"
)

// service is the far side: it notes what it is sent and answers with what the
// test's function says.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []request
	header []http.Header
	paths  []string
}

func serve(t *testing.T, answer func(n int, r request, w http.ResponseWriter)) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body request
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got a bad request: %s, %v", r.Method, err)
		}
		s.mu.Lock()
		n := len(s.asked)
		s.asked = append(s.asked, body)
		s.header = append(s.header, r.Header)
		s.paths = append(s.paths, r.URL.Path)
		s.mu.Unlock()
		answer(n, body, w)
	}))
	t.Cleanup(s.Close)
	return s
}

// of is the vector that the fake model gives a text.
func of(text string) []float32 {
	return []float32{float32(len(text)), 1, float32(strings.Count(text, "a"))}
}

// openAI answers as OpenAI does, the last one first.
func openAI(_ int, r request, w http.ResponseWriter) {
	type item struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var data []item
	for i := len(r.Input) - 1; i >= 0; i-- {
		data = append(data, item{"embedding", i, of(r.Input[i])})
	}
	json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data, "model": r.Model, "usage": map[string]int{"total_tokens": 5}})
}

func ollama(_ int, r request, w http.ResponseWriter) {
	var all [][]float32
	for _, t := range r.Input {
		all = append(all, of(t))
	}
	json.NewEncoder(w).Encode(map[string]any{"model": r.Model, "embeddings": all, "total_duration": 14143917})
}

// connect makes an embedder whose pauses take no time; it notes them.
func connect(t *testing.T, s *service, c HTTPConfig) (*HTTP, *[]time.Duration) {
	t.Helper()
	if c.API == "" {
		c.API = OpenAI
	}
	if c.Model == "" {
		c.Model = "m"
	}
	c.URL = s.URL + c.URL
	h, err := NewHTTP(c)
	if err != nil {
		t.Fatal(err)
	}
	var pauses []time.Duration
	h.pause = func(ctx context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return ctx.Err()
	}
	return h, &pauses
}

func words(n int) []string {
	var texts []string
	for i := range n {
		texts = append(texts, strings.Repeat("a", i+1))
	}
	return texts
}

func checkVectors(t *testing.T, got [][]float32, err error, texts []string) {
	t.Helper()
	if err != nil || len(got) != len(texts) {
		t.Fatalf("got %d vectors, %v, want %d", len(got), err, len(texts))
	}
	for i, text := range texts {
		if !slices.Equal(got[i], of(text)) {
			t.Errorf("text %d: got %v, want %v", i, got[i], of(text))
		}
	}
}

func TestBothProtocols(t *testing.T) {
	for _, c := range []struct {
		api, url, path string
		answer         func(int, request, http.ResponseWriter)
	}{
		{OpenAI, "", "/v1/embeddings", openAI},
		{OpenAI, "/", "/v1/embeddings", openAI},
		{OpenAI, "/v1", "/v1/embeddings", openAI},
		{OpenAI, "/proxy/v1/", "/proxy/v1/embeddings", openAI},
		{OpenAI, "/proxy/v1/embeddings", "/proxy/v1/embeddings", openAI},
		{Ollama, "", "/api/embed", ollama},
		{Ollama, "/api", "/api/embed", ollama},
		{Ollama, "/api/embed", "/api/embed", ollama},
	} {
		s := serve(t, c.answer)
		h, _ := connect(t, s, HTTPConfig{API: c.api, URL: c.url, Model: "tiny", Batch: 3})
		texts := words(8)
		got, err := h.Embed(t.Context(), Document, texts)
		checkVectors(t, got, err, texts)
		if len(s.asked) != 3 || len(s.asked[0].Input) != 3 || len(s.asked[2].Input) != 2 || h.MaxBatch() != 3 {
			t.Errorf("got batches %v, want 3, 3, 2", s.asked)
		}
		if s.paths[0] != c.path || s.asked[0].Model != "tiny" || s.header[0].Get("Authorization") != "" {
			t.Errorf("%s: got %s, %v", c.url, s.paths[0], s.asked[0])
		}
		if got, err := h.Embed(t.Context(), Document, nil); len(got) != 0 || err != nil || len(s.asked) != 3 {
			t.Errorf("no texts: got %v, %v", got, err)
		}
	}
}

func TestPrefixes(t *testing.T) {
	s := serve(t, openAI)
	h, _ := connect(t, s, HTTPConfig{QueryPrefix: "query: ", DocumentPrefix: "passage: ", Dimensions: 3})
	if _, err := h.Embed(t.Context(), Document, []string{"x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Embed(t.Context(), Query, []string{"y"}); err != nil {
		t.Fatal(err)
	}
	if s.asked[0].Input[0] != "passage: x" || s.asked[1].Input[0] != "query: y" || s.asked[0].Dimensions != 3 {
		t.Errorf("got %v", s.asked)
	}
}

func TestBase64(t *testing.T) {
	s := serve(t, func(_ int, r request, w http.ResponseWriter) {
		var raw []byte
		for _, x := range of(r.Input[0]) {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		fmt.Fprintf(w, `{"data":[{"index":0,"embedding":%q}]}`, base64.StdEncoding.EncodeToString(raw))
	})
	h, _ := connect(t, s, HTTPConfig{})
	got, err := h.Embed(t.Context(), Query, []string{"banana"})
	checkVectors(t, got, err, []string{"banana"})
}

func TestTriedAgain(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		c, _, _ := http.NewResponseController(w).Hijack()
		c.Close()
	}
	for name, c := range map[string]struct {
		fail func(n int, w http.ResponseWriter)
		wait time.Duration // the least
	}{
		"429 with seconds": {func(_ int, w http.ResponseWriter) { w.Header().Set("Retry-After", "17"); w.WriteHeader(429) }, 17 * time.Second},
		"429 with a date": {func(_ int, w http.ResponseWriter) {
			w.Header().Set("Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		}, 50 * time.Second},
		"429 with nonsense": {func(_ int, w http.ResponseWriter) { w.Header().Set("Retry-After", "-5"); w.WriteHeader(429) }, 250 * time.Millisecond},
		"503":               {func(_ int, w http.ResponseWriter) { w.WriteHeader(503) }, 250 * time.Millisecond},
		"500":               {func(_ int, w http.ResponseWriter) { w.WriteHeader(500) }, 250 * time.Millisecond},
		"cut off":           {func(_ int, w http.ResponseWriter) { cut(w) }, 250 * time.Millisecond},
		"cut off within": {func(_ int, w http.ResponseWriter) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, `{"data"`)
		}, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(n int, r request, w http.ResponseWriter) {
				if n < 2 {
					c.fail(n, w)
					return
				}
				openAI(n, r, w)
			})
			h, pauses := connect(t, s, HTTPConfig{})
			got, err := h.Embed(t.Context(), Document, words(2))
			checkVectors(t, got, err, words(2))
			if len(*pauses) != 2 || (*pauses)[0] < c.wait || (*pauses)[0] > max(c.wait, time.Second)+10*time.Second {
				t.Errorf("got pauses %v, want two of %s or a little more", *pauses, c.wait)
			}
		})
	}
}

func TestGivenUp(t *testing.T) {
	s := serve(t, func(_ int, _ request, w http.ResponseWriter) {
		w.WriteHeader(500)
		io.WriteString(w, `{"error":"llama runner process has terminated"}`)
	})
	h, pauses := connect(t, s, HTTPConfig{Tries: 4})
	_, err := h.Embed(t.Context(), Document, words(2))
	if !errors.Is(err, wiki.ErrUnavailable) || len(s.asked) != 4 || len(*pauses) != 3 || !strings.Contains(err.Error(), "llama runner") {
		t.Errorf("got %v after %d tries", err, len(s.asked))
	}
	for i := 1; i < len(*pauses); i++ {
		if (*pauses)[i] < 250*time.Millisecond<<i || (*pauses)[i] > 500*time.Millisecond<<i {
			t.Errorf("got pauses %v, want them to double", *pauses)
		}
	}

	// Nobody waits an hour, nor longer than ctx.
	s = serve(t, func(_ int, _ request, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
	})
	h, _ = connect(t, s, HTTPConfig{})
	if _, err := h.Embed(t.Context(), Document, words(1)); !errors.Is(err, wiki.ErrUnavailable) || len(s.asked) != 1 {
		t.Errorf("got %v after %d tries", err, len(s.asked))
	}
	s = serve(t, func(_ int, _ request, w http.ResponseWriter) { w.Header().Set("Retry-After", "60"); w.WriteHeader(429) })
	h, _ = connect(t, s, HTTPConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := h.Embed(ctx, Query, words(1)); !errors.Is(err, wiki.ErrUnavailable) || len(s.asked) != 1 {
		t.Errorf("got %v after %d tries", err, len(s.asked))
	}
}

// What the service will not do is asked once.
func TestNotTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"404": {func(w http.ResponseWriter) {
			w.WriteHeader(404)
			io.WriteString(w, `{"error":"model \"m\" not found"}`)
		}, "ollama pull): model \"m\" not found"},
		"402": {func(w http.ResponseWriter) {
			w.WriteHeader(402)
			io.WriteString(w, `{"error":{"message":"no credit"}}`)
		}, "(402): no credit"},
		"redirect":       {func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(307) }, "set url"},
		"no JSON":        {func(w http.ResponseWriter) { io.WriteString(w, "<html>hello") }, "api = "},
		"cut short":      {func(w http.ResponseWriter) { io.WriteString(w, `{"data":[{"index":0,"embedding":[1,2`) }, "cannot be read"},
		"too few":        {func(w http.ResponseWriter) { io.WriteString(w, `{"data":[{"index":0,"embedding":[1,2]}]}`) }, "1 vectors for 2 texts"},
		"none":           {func(w http.ResponseWriter) { io.WriteString(w, `{}`) }, "0 vectors"},
		"Ollama's shape": {func(w http.ResponseWriter) { io.WriteString(w, `{"embeddings":[[1],[2]]}`) }, "0 vectors"},
		"index doubled":  {func(w http.ResponseWriter) { io.WriteString(w, two(`"index":1,`, `[1,2]`, `"index":1,`, `[3,4]`)) }, "index"},
		"index beyond":   {func(w http.ResponseWriter) { io.WriteString(w, two(`"index":1,`, `[1,2]`, `"index":2,`, `[3,4]`)) }, "index"},
		"index negative": {func(w http.ResponseWriter) { io.WriteString(w, two(`"index":-1,`, `[1,2]`, `"index":0,`, `[3,4]`)) }, "index"},
		"index missing":  {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, `"index":1,`, `[3,4]`)) }, "index"},
		"two dimensions": {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `[3]`)) }, "2 dimensions and of 1"},
		"no vector":      {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `null`)) }, "neither"},
		"empty vector":   {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[]`, ``, `[]`)) }, "0 dimensions"},
		"null for NaN":   {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `[3,null]`)) }, "finite"},
		"NaN":            {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `[3,NaN]`)) }, "cannot be read"},
		"base64 NaN":     {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1]`, ``, `"AADAfw=="`)) }, "NaN"},
		"base64 odd":     {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1]`, ``, `"AADAfwA="`)) }, "neither"},
		"overflow":       {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1]`, ``, `[1e39]`)) }, "finite"},
		"a word":         {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1]`, ``, `["NaN"]`)) }, "neither"},
		"zero":           {func(w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `[0,-0.0]`)) }, "zero"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(_ int, _ request, w http.ResponseWriter) { c.answer(w) })
			h, _ := connect(t, s, HTTPConfig{})
			got, err := h.Embed(t.Context(), Document, words(2))
			if !errors.Is(err, wiki.ErrUnavailable) || got != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", got, err, c.want)
			}
			if len(s.asked) != 1 {
				t.Errorf("got %d requests, want one", len(s.asked))
			}
		})
	}
}

func two(index0, vector0, index1, vector1 string) string {
	return `{"data":[{` + index0 + `"embedding":` + vector0 + `},{` + index1 + `"embedding":` + vector1 + `}]}`
}

func TestWithoutIndex(t *testing.T) {
	s := serve(t, func(_ int, _ request, w http.ResponseWriter) { io.WriteString(w, two(``, `[1,2]`, ``, `[3,4]`)) })
	h, _ := connect(t, s, HTTPConfig{})
	got, err := h.Embed(t.Context(), Document, words(2))
	if err != nil || !slices.Equal(got[1], []float32{3, 4}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnotherDimension(t *testing.T) {
	s := serve(t, func(n int, _ request, w http.ResponseWriter) {
		fmt.Fprintf(w, `{"embeddings":[[1%s]]}`, strings.Repeat(",2", n))
	})
	h, _ := connect(t, s, HTTPConfig{API: Ollama})
	if _, err := h.Embed(t.Context(), Document, words(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Embed(t.Context(), Document, words(1)); err == nil || !strings.Contains(err.Error(), "of 1 dimensions and of 2") {
		t.Errorf("got %v", err)
	}
	h, _ = connect(t, s, HTTPConfig{API: Ollama, Dimensions: 7})
	if _, err := h.Embed(t.Context(), Document, words(1)); err == nil || !strings.Contains(err.Error(), "dimensions = 7") {
		t.Errorf("got %v", err)
	}
}

// A body without an end costs a bounded number of bytes.
func TestEndlessAnswer(t *testing.T) {
	sent := make(chan int, 1)
	s := serve(t, func(_ int, _ request, w http.ResponseWriter) {
		n := 0
		block := []byte(strings.Repeat("1,", 32<<10))
		io.WriteString(w, `{"embeddings":[[`)
		for n < 1<<30 {
			k, err := w.Write(block)
			if n += k; err != nil {
				break
			}
		}
		sent <- n
	})
	h, _ := connect(t, s, HTTPConfig{API: Ollama})
	_, err := h.Embed(t.Context(), Document, words(2))
	if err == nil || !strings.Contains(err.Error(), "bytes, more than 2 vectors can be") {
		t.Errorf("got %v", err)
	}
	if n := <-sent; int64(n) > h.limit(2)+32<<20 { // what the sockets hold
		t.Errorf("it could send %d bytes, the limit is %d", n, h.limit(2))
	}
	// The same behind an error status.
	s = serve(t, func(_ int, _ request, w http.ResponseWriter) {
		w.WriteHeader(402)
		for range 1 << 14 {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				return
			}
		}
		t.Error("it could send a gigabyte")
	})
	h, _ = connect(t, s, HTTPConfig{})
	if _, err := h.Embed(t.Context(), Document, words(1)); err == nil || len(err.Error()) > 1000 {
		t.Errorf("got %.2000v", err)
	}
}

func TestSlowAnswer(t *testing.T) {
	release := make(chan struct{})
	answered := serve(t, func(n int, r request, w http.ResponseWriter) {
		if n%2 == 1 {
			openAI(n, r, w)
			return
		}
		w.(http.Flusher).Flush() // a header, and no body
		<-release
	})
	defer close(release)
	h, pauses := connect(t, answered, HTTPConfig{Timeout: 50 * time.Millisecond})
	got, err := h.Embed(t.Context(), Document, words(1))
	checkVectors(t, got, err, words(1))
	if len(*pauses) != 1 {
		t.Errorf("got %d pauses, want a second try after one", len(*pauses))
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, _ = connect(t, answered, HTTPConfig{})
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := h.Embed(ctx, Document, words(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ctx's error", err)
	}
	h.c.Timeout, h.c.Tries = 20*time.Millisecond, 1
	answered.mu.Lock()
	answered.asked = answered.asked[:2]
	answered.mu.Unlock()
	if _, err := h.Embed(t.Context(), Document, words(1)); !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), "within 20ms") {
		t.Errorf("got %v", err)
	}
}
