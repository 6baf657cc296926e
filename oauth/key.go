package oauth

import (
	"context"
	"errors"
	"fmt"

	"wikibot/wiki"
)

// ByKey is the caller whose SSH key has authenticated a connection, by the key's
// fingerprint ("SHA256:…"). It is asked anew for every command on the connection,
// so that a key that was taken away, or a person who was suspended, is refused at
// the next one. wiki.ErrUnauthenticated where the key signs in nobody (any more).
//
// The key names the person and nothing narrows it; the name that the client gives
// as its user means nothing.
func (a *Authority) ByKey(ctx context.Context, fingerprint string) (wiki.Caller, error) {
	refused := unauthenticated("this SSH key signs in nobody here (any more): add it to your account, or ask an administrator of the site")
	if a.cfg.KeyOwner == nil || fingerprint == "" {
		return wiki.Caller{}, refused
	}
	name, err := a.cfg.KeyOwner(ctx, fingerprint)
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		return wiki.Caller{}, refused
	case err != nil:
		return wiki.Caller{}, fmt.Errorf("looking for the owner of the SSH key %s: %w", fingerprint, err)
	}
	u, err := a.account(ctx, name)
	if err != nil {
		return wiki.Caller{}, err
	}
	return wiki.Caller{User: u.Name, DID: u.DID, Via: wiki.ViaSSH, Credential: fingerprint}, nil
}
