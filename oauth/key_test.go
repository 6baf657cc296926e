package oauth

import (
	"context"
	"errors"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestByKey: a key is its owner's, not narrowed, for as long as both are there.
func TestByKey(t *testing.T) {
	const key = "SHA256:abc"
	broken := errors.New("disk")
	for _, c := range []struct {
		name  string
		owner wiki.Username
		err   error
		user  gitstore.User
		gone  error
		kind  error // nil: it holds
	}{
		{"good", "bob", nil, gitstore.User{Name: "bob", DID: "did:plc:x"}, nil, nil},
		{"unknown", "", wiki.NotFound("nobody's"), gitstore.User{}, nil, wiki.ErrUnauthenticated},
		{"suspended", "bob", nil, gitstore.User{Name: "bob", Suspended: true}, nil, wiki.ErrUnauthenticated},
		{"deleted", "bob", nil, gitstore.User{}, wiki.NotFound("gone"), wiki.ErrUnauthenticated},
		{"unreadable index", "", broken, gitstore.User{}, nil, broken},
		{"unreadable account", "bob", nil, gitstore.User{}, broken, broken},
	} {
		a := &Authority{cfg: Config{
			KeyOwner: func(_ context.Context, fingerprint string) (wiki.Username, error) {
				if fingerprint != key {
					t.Errorf("%s: asked for %q", c.name, fingerprint)
				}
				return c.owner, c.err
			},
			User: func(_ context.Context, name wiki.Username) (gitstore.User, error) { return c.user, c.gone },
		}}
		got, err := a.ByKey(context.Background(), key)
		if c.kind != nil {
			if !errors.Is(err, c.kind) || got != (wiki.Caller{}) {
				t.Errorf("%s: got %+v, %v", c.name, got, err)
			}
			continue
		}
		if want := (wiki.Caller{User: "bob", DID: "did:plc:x", Via: wiki.ViaSSH, Credential: key}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
		if _, err := a.ByKey(context.Background(), ""); !errors.Is(err, wiki.ErrUnauthenticated) {
			t.Errorf("no key: %v", err)
		}
	}
	if _, err := (&Authority{}).ByKey(context.Background(), key); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("without SSH: %v", err)
	}
}
