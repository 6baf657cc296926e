package tests

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// senses are groups of words that mean much the same to the model of the stories: one
// dimension each.
var senses = [][]string{{"vessel", "ship", "boat"}, {"bread", "loaf", "bakery"}, {"king", "queen", "throne"}}

// embedding is a model behind an OpenAI-compatible face (POST /v1/embeddings) that wants
// a key and keeps count.
type embedding struct {
	mu    sync.Mutex
	texts []string // that it was sent; guarded by mu
	down  bool     // guarded by mu
}

func (e *embedding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var in struct {
		Model string   `json:"model"`
		Input []string `json:"input"`
	}
	switch {
	case e.down:
		http.Error(w, `{"error":"out of service"}`, http.StatusServiceUnavailable)
		return
	case r.Header.Get("Authorization") != "Bearer key-of-the-model":
		http.Error(w, `{"error":"wrong key"}`, http.StatusUnauthorized)
		return
	case r.URL.Path != "/v1/embeddings" || json.NewDecoder(r.Body).Decode(&in) != nil:
		http.Error(w, `{"error":"not so"}`, http.StatusBadRequest)
		return
	}
	type item struct {
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	}
	var out struct {
		Data []item `json:"data"`
	}
	for i, text := range in.Input {
		e.texts = append(e.texts, text)
		v := []float64{0, 0, 0, 0.05}
		for k, words := range senses {
			for _, word := range words {
				v[k] += float64(strings.Count(strings.ToLower(text), word))
			}
		}
		if in.Model == "second" { // another model puts the senses elsewhere
			slices.Reverse(v)
		}
		out.Data = append(out.Data, item{i, v})
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

// embedded waits until the vectors of a model answer, and every chunk of notes has one.
func (s *site) embedded(ts *testscript.TestScript, model string) {
	for range 600 {
		ts.Check(s.request(ts, http.MethodGet, "/w/notes/-/search/status.json", nil, nil))
		var status struct {
			Chunks, Embedded int
			Serving          string
		}
		if json.Unmarshal(s.last.body, &status) == nil && strings.Contains(status.Serving, model) && status.Chunks > 0 && status.Embedded == status.Chunks {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("not embedded: %s", s.last.body)
}

// embedder is "embedder start", which sets $EMBEDDER to the address of a model on this
// machine; "embedder down" and "up"; "embedder texts", which prints what it was sent
// since the last time; "embedder wait MODEL", until the index of notes has all vectors of
// a model, as its status tells whom may see it.
func embedder(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 0, "embedder start|down|up|texts")
	if args[0] == "start" {
		s.model = &embedding{}
		server := httptest.NewServer(s.model)
		ts.Defer(server.Close)
		ts.Setenv("EMBEDDER", server.URL)
		return
	}
	if args[0] == "wait" {
		usage(ts, len(args) == 2, "embedder wait MODEL")
		s.embedded(ts, args[1])
		return
	}
	s.model.mu.Lock()
	defer s.model.mu.Unlock()
	switch args[0] {
	case "down", "up":
		s.model.down = args[0] == "down"
	case "texts":
		ts.Stdout().Write([]byte(strconv.Itoa(len(s.model.texts)) + " texts\n" + strings.Join(s.model.texts, "\n") + "\n"))
		s.model.texts = nil
	default:
		ts.Fatalf("embedder %s is nothing", args[0])
	}
}
