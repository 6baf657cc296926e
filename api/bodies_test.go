package api_test

import (
	"io"
	"strings"
	"testing"
)

// Bodies that are being worked on are bounded together, and for each person.
func TestBodiesAreBounded(t *testing.T) {
	s := newSite(t)
	large := `{"content":"` + strings.Repeat("a ", 200<<10) + `"}`
	s.ask("bob", "PUT", "/pages/A", large).part(201, "created")
	if n := s.Bodies().Used(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	r, end := s.Bodies().Reader("bob", io.NopCloser(strings.NewReader(strings.Repeat("x", 16<<20))))
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	a := s.ask("bob", "PUT", "/pages/B", large).part(503, "too many large requests at once")
	if a.header.Get("Retry-After") == "" {
		t.Errorf("got %v", a.header)
	}
	s.ask("bob", "PUT", "/pages/C", `{"content":"small"}`).part(201, "created")
	s.ask("alice", "PUT", "/pages/D", large).part(201, "created")
	end()
	s.ask("bob", "PUT", "/pages/B", large).part(201, "created")
}
