package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"go.etcd.io/bbolt"

	"wikibot/wiki"
)

// link is one row: a sign-in link that has not been used.
type link struct {
	User    wiki.Username `json:"user"`
	Expires time.Time     `json:"expires"`
	Epoch   []byte        `json:"epoch"`
}

// SignInLink makes a sign-in link for a person and returns its token; the link
// is LinkURL of it. It is good once, for the given time (LinkLifetime is usual).
func (a *Authority) SignInLink(ctx context.Context, user wiki.Username, lifetime time.Duration) (token string, err error) {
	if _, err := a.account(ctx, user); err != nil {
		return "", err
	}
	token, k := secret()
	row, err := json.Marshal(link{User: user, Expires: a.cfg.Now().Add(lifetime), Epoch: a.epoch})
	if err != nil {
		return "", err
	}
	err = a.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(linkBucket()).Put(k[:], row) })
	if err != nil {
		return "", fmt.Errorf("keeping the sign-in link: %w", err)
	}
	return token, nil
}

// LinkURL is the address of a sign-in link.
func (a *Authority) LinkURL(token string) string {
	return a.cfg.Addresses.Site("/auth/link?token=" + token)
}

// Invited is whom a link would sign in. It does not use the link up.
func (a *Authority) Invited(token string) (user wiki.Username, err error) {
	err = a.db.View(func(tx *bbolt.Tx) error {
		user, err = a.invited(tx, token)
		return err
	})
	return user, err
}

func (a *Authority) invited(tx *bbolt.Tx, token string) (wiki.Username, error) {
	k := sha256.Sum256([]byte(token))
	var l link
	row := tx.Bucket(linkBucket()).Get(k[:])
	if row == nil || json.Unmarshal(row, &l) != nil || string(l.Epoch) != string(a.epoch) || a.cfg.Now().After(l.Expires) {
		return "", unauthenticated("this sign-in link was used already or has expired; make another on the server with: wikibot admin sign-in-link")
	}
	return l.User, nil
}

// Redeem uses a link up and starts a session, in one transaction: of two who
// redeem it at the same time one gets a session.
func (a *Authority) Redeem(ctx context.Context, token string) (*http.Cookie, error) {
	user, err := a.Invited(token)
	if err != nil {
		return nil, err
	}
	if _, err := a.account(ctx, user); err != nil {
		return nil, err
	}
	var value string
	err = a.db.Update(func(tx *bbolt.Tx) error {
		user, err := a.invited(tx, token)
		if err != nil {
			return err
		}
		k := sha256.Sum256([]byte(token))
		if err := tx.Bucket(linkBucket()).Delete(k[:]); err != nil {
			return err
		}
		value, err = a.start(tx, user)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.cookie(value), nil
}

// cleanRows is how many rows one round of cleaning looks at.
const cleanRows = 1000

// sweeper remembers where the last round of cleaning ended in each bucket.
type sweeper struct{ sessions, links, once, onceOf []byte }

// clean removes expired rows. It looks at up to limit rows of each bucket, from
// where the last round ended, so that a big file never blocks a sign-in long.
func (a *Authority) clean(limit int) error {
	now := a.cfg.Now()
	return a.db.Update(func(tx *bbolt.Tx) error {
		var err error
		a.sweep.sessions, err = cleanBucket(tx.Bucket(sessionBucket()), a.sweep.sessions, limit, func(_, row []byte) bool {
			var s session
			return json.Unmarshal(row, &s) != nil || a.over(s, s.Seen, now)
		})
		if err != nil {
			return err
		}
		a.sweep.links, err = cleanBucket(tx.Bucket(linkBucket()), a.sweep.links, limit, func(_, row []byte) bool {
			var l link
			return json.Unmarshal(row, &l) != nil || string(l.Epoch) != string(a.epoch) || now.After(l.Expires)
		})
		if err != nil {
			return err
		}
		return a.cleanOnce(tx, limit)
	})
}

// cleanBucket deletes the dead among the next limit rows from key on. It
// returns the key to go on at, nil for the beginning.
func cleanBucket(b *bbolt.Bucket, from []byte, limit int, dead func(k, row []byte) bool) ([]byte, error) {
	cursor := b.Cursor()
	k, row := cursor.Seek(from)
	var remove [][]byte
	for ; k != nil && limit > 0; k, row = cursor.Next() {
		limit--
		if dead(k, row) {
			remove = append(remove, append([]byte(nil), k...))
		}
	}
	next := append([]byte(nil), k...)
	for _, k := range remove {
		if err := b.Delete(k); err != nil {
			return from, err
		}
	}
	return next, nil
}
