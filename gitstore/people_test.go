package gitstore_test

import (
	"context"
	"testing"

	"wikibot/wiki"
)

// TestNarrowedCredentialsAddNoKeys: an SSH key has all the rights of its person.
func TestNarrowedCredentialsAddNoKeys(t *testing.T) {
	s, _ := site(t)
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmcRNfN1vYcGm1UO6GzjMnSZWvUQWN0nVt0Wt2t7hG7"
	narrowed, bound := bob, bob
	narrowed.Narrowed = wiki.Viewer
	bound.Only, bound.OnlyID = "notes", "x"
	token := bob
	token.Credential = "u-0123456789abcdef"
	for _, c := range []wiki.Caller{{}, carol, narrowed, bound, token} {
		if err := s.AddKey(context.Background(), c, "bob", key); err == nil {
			t.Errorf("%+v added a key of bob's", c)
		}
	}
	must(t, s.AddKey(context.Background(), bob, "bob", key))
}
