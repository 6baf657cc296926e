package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/wiki"
)

// A one-time token reads
//
//	wbo_<43 characters of base64url>
//
// and is the password for one git command over HTTPS, for somebody who is signed
// in in the browser and keeps no token. It is bound to the person, to one wiki
// by its id, and to fetching or pushing. git makes several requests for one
// command, so the first one sets the end: from then on the token is good for two
// minutes more, and from the same network only. What it may do is what the
// person may at that moment.
//
// It is kept in cache/sessions.db and never in git:
//
//	once     SHA-256(token)                          → once
//	once-of  user NUL expires(8, big-endian) SHA-256 → nothing
const oncePrefix = "wbo_"

// The times and numbers of one-time tokens.
const (
	OnceLifetime = 10 * time.Minute // until the first use
	OnceWindow   = 2 * time.Minute  // from the first use on
	maxOnce      = 16               // of one person; one more ends the oldest
)

// once is one row.
type once struct {
	User    wiki.Username `json:"user"`
	Wiki    wiki.Slug     `json:"wiki"`
	WikiID  string        `json:"wiki_id"`
	Push    bool          `json:"push"`
	Expires time.Time     `json:"expires"`        // of the first use; then when the window closes
	From    string        `json:"from,omitempty"` // the network of the first use; empty: not used yet
	Epoch   []byte        `json:"epoch"`
}

func onceBucket() []byte   { return []byte("once") }
func onceOfBucket() []byte { return []byte("once-of") }

// onceOf is the key by which a person's rows are found, the oldest first.
func onceOf(user wiki.Username, expires time.Time, k key) []byte {
	b := append([]byte(user), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(expires.UnixNano()))
	return append(b, k[:]...)
}

// OneTime makes a one-time token for the person c, who is signed in as
// themselves: a static token makes none. id is the wiki's id.
func (a *Authority) OneTime(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string, push bool) (token string, err error) {
	_, static := gitstore.ParseTokenID(c.Credential)
	if c.User == "" || c.Narrowed != wiki.NoRole || c.Only != "" || c.Site || static {
		return "", &wiki.Error{Kind: wiki.ErrForbidden, Text: "a one-time token is made by a person who is signed in in the browser"}
	}
	if slug == "" || id == "" {
		return "", fmt.Errorf("a one-time token needs a wiki")
	}
	if _, err := a.account(ctx, c.User); err != nil {
		return "", err
	}
	secret, _ := secret()
	token = oncePrefix + secret
	k := key(sha256.Sum256([]byte(token)))
	row := once{User: c.User, Wiki: slug, WikiID: id, Push: push, Expires: a.cfg.Now().Add(OnceLifetime), Epoch: a.epoch}
	err = a.db.Update(func(tx *bbolt.Tx) error {
		if err := makeRoom(tx, c.User); err != nil {
			return err
		}
		if err := tx.Bucket(onceOfBucket()).Put(onceOf(c.User, row.Expires, k), nil); err != nil {
			return err
		}
		return putOnce(tx, k, row)
	})
	if err != nil {
		return "", fmt.Errorf("keeping the one-time token: %w", err)
	}
	return token, nil
}

func putOnce(tx *bbolt.Tx, k key, row once) error {
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return tx.Bucket(onceBucket()).Put(k[:], text)
}

// makeRoom ends a person's oldest one-time tokens, so that there is room for one
// more.
func makeRoom(tx *bbolt.Tx, user wiki.Username) error {
	prefix := append([]byte(user), 0)
	var have [][]byte
	c := tx.Bucket(onceOfBucket()).Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		have = append(have, bytes.Clone(k))
	}
	for len(have) >= maxOnce {
		if err := dropOnce(tx, have[0]); err != nil {
			return err
		}
		have = have[1:]
	}
	return nil
}

// dropOnce removes a one-time token by its key in the second bucket.
func dropOnce(tx *bbolt.Tx, of []byte) error {
	return errors.Join(tx.Bucket(onceBucket()).Delete(of[len(of)-sha256.Size:]), tx.Bucket(onceOfBucket()).Delete(of))
}

// GitCaller says who makes a request of git, as Caller does, and takes one-time
// tokens besides. push is what the request is for and from where it comes from.
// A cookie counts for nothing here, so that no page makes a browser push.
func (a *Authority) GitCaller(r *http.Request, push bool, from netip.Addr) (wiki.Caller, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 1 {
		token, err := credential(headers[0])
		if err == nil && strings.HasPrefix(token, oncePrefix) {
			return a.byOnce(r.Context(), token, push, from)
		}
	}
	if len(headers) == 0 {
		return wiki.Caller{}, nil
	}
	return a.Caller(r)
}

// byOnce is the caller who sent a one-time token.
func (a *Authority) byOnce(ctx context.Context, token string, push bool, from netip.Addr) (wiki.Caller, error) {
	k := key(sha256.Sum256([]byte(token)))
	var row once
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		row, err = a.readOnce(tx, k, push, from)
		return err
	})
	if err == nil && row.From == "" {
		err = a.db.Update(func(tx *bbolt.Tx) (err error) { // of two networks at once one wins
			if row, err = a.readOnce(tx, k, push, from); err != nil || row.From != "" {
				return err
			}
			row.From, row.Expires = network(from), a.cfg.Now().Add(OnceWindow)
			return putOnce(tx, k, row)
		})
	}
	if err != nil {
		return wiki.Caller{}, err
	}
	u, err := a.account(ctx, row.User)
	if err != nil {
		return wiki.Caller{}, err
	}
	return wiki.Caller{User: u.Name, DID: u.DID, Only: row.Wiki, OnlyID: row.WikiID, Credential: "o-" + hex.EncodeToString(k[:6])}, nil
}

// readOnce is a row that is good for this use.
func (a *Authority) readOnce(tx *bbolt.Tx, k key, push bool, from netip.Addr) (row once, err error) {
	text := tx.Bucket(onceBucket()).Get(k[:])
	if text == nil || json.Unmarshal(text, &row) != nil || a.onceOver(row) || row.From != "" && row.From != network(from) {
		return once{}, unauthenticated("this one-time token was used already or has expired: it is good for one git command; make another where you found the clone address")
	}
	if row.Push != push {
		what := map[bool]string{true: "pushing", false: "cloning and fetching"}
		return once{}, unauthenticated("this one-time token is for %s; make one for %s where you found the clone address", what[row.Push], what[push])
	}
	return row, nil
}

func (a *Authority) onceOver(row once) bool {
	return string(row.Epoch) != string(a.epoch) || !a.cfg.Now().Before(row.Expires)
}

// network is what a one-time token is bound to at its first use: the address, or
// the 64 bits before a host's own in IPv6, which it may change as it likes.
func network(a netip.Addr) string {
	if a = limit.Network(a); !a.IsValid() {
		return "nowhere"
	}
	return a.String()
}

// cleanOnce removes one-time tokens that are over, as clean does.
func (a *Authority) cleanOnce(tx *bbolt.Tx, limit int) (err error) {
	a.sweep.once, err = cleanBucket(tx.Bucket(onceBucket()), a.sweep.once, limit, func(_, text []byte) bool {
		var row once
		return json.Unmarshal(text, &row) != nil || a.onceOver(row)
	})
	if err != nil {
		return err
	}
	a.sweep.onceOf, err = cleanBucket(tx.Bucket(onceOfBucket()), a.sweep.onceOf, limit, func(k, _ []byte) bool {
		at := len(k) - sha256.Size - 8
		return at < 0 || a.cfg.Now().Sub(time.Unix(0, int64(binary.BigEndian.Uint64(k[at:])))) > OnceWindow
	})
	return err
}
