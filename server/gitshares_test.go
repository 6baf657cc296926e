package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"wikibot/wiki"
)

// TestSharesOfGitProcesses: mallory, who reads as slowly as can be, over each way and
// with each token and key, keeps nobody else from git; nor do visitors.
func TestSharesOfGitProcesses(t *testing.T) {
	g := newGitHandler(gitConfig{Processes: 16})
	mallory := wiki.Caller{User: "mallory", Credential: "u-1", Via: wiki.ViaHTTPS}
	got := func(c wiki.Caller, address string) (n int, gives []func()) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		for {
			give, err := g.process(ctx, c, address)
			if errors.Is(err, context.DeadlineExceeded) {
				return n, gives
			}
			if err != nil {
				t.Fatal(err)
			}
			n, gives = n+1, append(gives, give)
		}
	}
	n, hers := got(mallory, "192.0.2.1")
	if n != 8 {
		t.Errorf("mallory has %d of 16 processes, want 8", n)
	}
	if n, _ := got(wiki.Caller{User: "mallory", Credential: "SHA256:x", Via: wiki.ViaSSH}, "192.0.2.2"); n != 0 {
		t.Errorf("over SSH she has %d more, want 0", n)
	}
	visitors := 0
	var gives []func()
	for i := range 8 {
		n, more := got(wiki.Caller{}, fmt.Sprintf("198.51.100.%d", i))
		if n > 4 {
			t.Errorf("one address has %d processes, want 4", n)
		}
		visitors, gives = visitors+n, append(gives, more...)
	}
	if visitors != 8 {
		t.Errorf("visitors have %d of the 8 that are left", visitors)
	}
	for _, give := range append(gives, hers...) {
		give()
	}
	for i := range 8 {
		_, more := got(wiki.Caller{}, fmt.Sprintf("198.51.100.%d", i))
		gives = append(gives[:0], more...)
	}
	if n, _ := got(wiki.Caller{User: "alice"}, ""); n != 4 {
		t.Errorf("beside all visitors alice has %d processes, want 4", n)
	}
}
