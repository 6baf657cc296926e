package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"wikibot/wiki"
)

// stuck is a client that takes nothing of an answer until it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	begun, release chan struct{}
	once           sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	<-s.release
	return s.ResponseRecorder.Write(p)
}

// Answers that nobody takes are bounded for each person: what is over that is refused,
// and small ones go on; and so do large ones of others, and making them.
func TestAnswersAreBounded(t *testing.T) {
	s := newSite(t)
	page := `{"content":"` + strings.Repeat("some words ", 90_000) + `"}` // 1 MB
	s.ask("bob", "PUT", "/pages/Large", page).part(201, "")
	release := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(release)
	refused := 0
	for i := 0; refused == 0; i++ {
		if i > 200 {
			t.Fatal("two hundred answers of a megabyte are held")
		}
		w := &stuck{httptest.NewRecorder(), make(chan struct{}), release, sync.Once{}}
		r := httptest.NewRequest(http.MethodGet, "/w/notes/api/v1/pages/Large", nil)
		r.Header.Set("Authorization", "Bearer carol")
		done := make(chan struct{})
		all.Go(func() {
			defer close(done)
			c, err := s.caller(r)
			if err != nil {
				t.Error(err)
			}
			s.ServeWiki(w, r, c, wiki.Slug("notes"), "/v1/pages/Large")
		})
		<-w.begun
		if w.Code == http.StatusServiceUnavailable {
			refused++
		}
	}
	s.ask("carol", "GET", "/pages/Large", "").part(503, "too many large answers are under way")
	s.ask("carol", "GET", "/pages/Home", "").part(200, "Welcome")
	s.ask("bob", "GET", "/pages/Large", "").part(200, "some words")
}

// An answer that is being read does not keep the slot in which it was made.
func TestSlowReadersKeepNoSlot(t *testing.T) {
	s := newSite(t)
	many := `{"operations":[`
	for i := range 200 {
		many += fmt.Sprintf(`{"do":"write","path":"%s/%d","content":"x"},`, strings.Repeat("folder", 30), i)
	}
	s.ask("bob", "POST", "/commit", strings.TrimSuffix(many, ",")+`]}`).part(200, "")
	release := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(release)
	for range 20 {
		w := &stuck{httptest.NewRecorder(), make(chan struct{}), release, sync.Once{}}
		r := httptest.NewRequest(http.MethodGet, "/w/notes/api/v1/pages", nil)
		r.Header.Set("Authorization", "Bearer carol")
		c, err := s.caller(r)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { s.ServeWiki(w, r, c, wiki.Slug("notes"), "/v1/pages") })
		if <-w.begun; w.Code != http.StatusOK {
			t.Fatalf("a list waits for those who do not read theirs: %d", w.Code)
		}
	}
	s.ask("carol", "GET", "/pages?limit=1", "").part(200, "")
}
