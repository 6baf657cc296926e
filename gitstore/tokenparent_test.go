package gitstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestTokenMadeByToken: a person's token makes tokens for wikis that its person
// manages, and each of them ends with it.
func TestTokenMadeByToken(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	_, parent, err := s.CreateToken(ctx, alice, gitstore.NewToken{User: "alice", Name: "script", Expires: expires})
	must(t, err)
	script := wiki.Caller{User: "alice", Via: wiki.ViaAPI, Credential: parent.ID}

	create := func(c wiki.Caller, n gitstore.NewToken) (gitstore.Token, error) {
		_, made, err := s.CreateToken(ctx, c, n)
		return made, err
	}
	child, err := create(script, gitstore.NewToken{Wiki: "notes", Role: wiki.Editor, Name: "agent"})
	must(t, err)
	if child.Parent != parent.ID || child.User != "alice" || !child.Expires.Equal(expires) {
		t.Errorf("the child is %+v, want the parent %s and its end %v", child, parent.ID, expires)
	}
	shorter, err := create(script, gitstore.NewToken{Wiki: "notes", Role: wiki.Editor, Expires: expires.Add(-time.Minute)})
	must(t, err)
	if !shorter.Expires.Equal(expires.Add(-time.Minute)) {
		t.Errorf("one that ends earlier ends at %v", shorter.Expires)
	}

	// Nobody gets further with it: not to another token of the person, not where
	// it is narrowed, not by the child, not where the person does not manage.
	narrowed, byChild, bobs := script, script, script
	narrowed.Narrowed = wiki.Owner
	byChild.Credential, byChild.Narrowed, byChild.Only, byChild.OnlyID = child.ID, wiki.Editor, "notes", view(t, s, alice).Policy().Wiki
	bobs.User = "bob"
	for who, c := range map[string]wiki.Caller{"narrowed": narrowed, "child": byChild, "bob": bobs} {
		if _, err := create(c, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer}); !errors.Is(err, wiki.ErrForbidden) {
			t.Errorf("%s makes a token of the wiki: %v", who, err)
		}
	}
	if _, err := create(script, gitstore.NewToken{User: "alice"}); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("a token makes another of its person: %v", err)
	}

	if got, err := s.Token(ctx, child.ID); err != nil || got.Parent != parent.ID {
		t.Errorf("the child's record: %+v, %v", got, err)
	}
	must(t, s.RevokeToken(ctx, alice, parent.ID))
	if _, err := s.Token(ctx, child.ID); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("the child outlives its parent: %v", err)
	}
	// Its record can still be seen and taken away.
	list, err := s.Tokens(ctx, alice, "notes")
	must(t, err)
	if len(list) != 2 {
		t.Errorf("%d tokens are listed", len(list))
	}
	must(t, s.RevokeToken(ctx, alice, child.ID))
	if _, err := create(script, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer}); err == nil {
		t.Error("a token that was revoked makes another")
	}
}
