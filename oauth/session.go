package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"go.etcd.io/bbolt"

	"wikibot/wiki"
)

// The buckets of the file.
func metaBucket() []byte    { return []byte("meta") }
func sessionBucket() []byte { return []byte("sessions") }
func linkBucket() []byte    { return []byte("links") }

// session is one row: a browser that is signed in.
type session struct {
	User    wiki.Username `json:"user"`
	Created time.Time     `json:"created"`
	Seen    time.Time     `json:"seen"` // written in batches, up to a minute late
	Epoch   []byte        `json:"epoch"`
}

// maxRemembered bounds the uses that are held in memory between two writes.
const maxRemembered = 10_000

// prepare makes the buckets and reads the epoch, or makes one.
func prepare(db *bbolt.DB) (epoch []byte, err error) {
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket(), sessionBucket(), linkBucket(), onceBucket(), onceOfBucket()} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket())
		if have := meta.Get([]byte("epoch")); len(have) == 16 {
			epoch = append([]byte(nil), have...)
			return nil
		}
		epoch = make([]byte, 16)
		rand.Read(epoch)
		return meta.Put([]byte("epoch"), epoch)
	})
	return epoch, err
}

// secret makes 256 random bits, as text for a cookie or URL, and the key under
// which they are kept.
func secret() (text string, k key) {
	var b [32]byte
	rand.Read(b[:])
	text = base64.RawURLEncoding.EncodeToString(b[:])
	return text, sha256.Sum256([]byte(text))
}

// start writes a new session within tx and returns the cookie's value.
func (a *Authority) start(tx *bbolt.Tx, user wiki.Username) (value string, err error) {
	value, k := secret()
	now := a.cfg.Now()
	row, err := json.Marshal(session{User: user, Created: now, Seen: now, Epoch: a.epoch})
	if err != nil {
		return "", err
	}
	return value, tx.Bucket(sessionBucket()).Put(k[:], row)
}

// bySession is the caller whose cookie has this value.
func (a *Authority) bySession(ctx context.Context, value string) (wiki.Caller, error) {
	k := key(sha256.Sum256([]byte(value)))
	var s session
	err := a.db.View(func(tx *bbolt.Tx) error {
		row := tx.Bucket(sessionBucket()).Get(k[:])
		if row == nil {
			return unauthenticated("your session has ended; sign in again")
		}
		return json.Unmarshal(row, &s)
	})
	if err != nil {
		return wiki.Caller{}, err
	}
	now := a.cfg.Now()
	if a.over(s, a.lastSeen(k, s), now) {
		return wiki.Caller{}, unauthenticated("your session has ended; sign in again")
	}
	u, err := a.account(ctx, s.User)
	if err != nil {
		return wiki.Caller{}, err
	}
	a.remember(k, s, now)
	return wiki.Caller{User: u.Name, DID: u.DID, Via: wiki.ViaWeb, Credential: "s-" + hex.EncodeToString(k[:6])}, nil
}

// over reports whether a session last used at seen has ended.
func (a *Authority) over(s session, seen, now time.Time) bool {
	return string(s.Epoch) != string(a.epoch) || now.Sub(seen) > a.cfg.Idle || now.Sub(s.Created) > a.cfg.Lifetime
}

func (a *Authority) lastSeen(k key, s session) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.seen[k]; ok && t.After(s.Seen) {
		return t
	}
	return s.Seen
}

// remember notes a use, to be written with the next batch. Uses within an hour
// of the last written one are not worth a write, nor those within a small part
// of the time after which an unused session ends.
func (a *Authority) remember(k key, s session, now time.Time) {
	if now.Sub(s.Seen) < min(time.Hour, a.cfg.Idle/8) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) < maxRemembered {
		a.seen[k] = now
	}
}

// flush writes the remembered uses in one transaction.
func (a *Authority) flush() error {
	a.mu.Lock()
	seen := a.seen
	a.seen = map[key]time.Time{}
	a.mu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := a.db.Update(func(tx *bbolt.Tx) error {
		rows := tx.Bucket(sessionBucket())
		for k, t := range seen {
			if err := touch(rows, k, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing last-seen times: %w", err)
	}
	return nil
}

// touch moves a row's last use on; a session that was signed out meanwhile
// stays away.
func touch(rows *bbolt.Bucket, k key, t time.Time) error {
	row := rows.Get(k[:])
	if row == nil {
		return nil
	}
	var s session
	if json.Unmarshal(row, &s) != nil || !t.After(s.Seen) {
		return nil
	}
	s.Seen = t
	row, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return rows.Put(k[:], row)
}

// SignOut ends the session that the request came with; without one it does
// nothing.
func (a *Authority) SignOut(r *http.Request) error {
	return a.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range r.CookiesNamed(a.cookieName()) {
			k := sha256.Sum256([]byte(c.Value))
			if err := tx.Bucket(sessionBucket()).Delete(k[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// cookieName is the name under which the session travels.
func (a *Authority) cookieName() string {
	if a.cfg.Addresses.Secure() && a.cfg.Addresses.Layout == wiki.LayoutPath {
		return "__Host-wikibot"
	}
	return "wikibot_session"
}

// cookie is the session's cookie; an empty value deletes it.
func (a *Authority) cookie(value string) *http.Cookie {
	c := &http.Cookie{
		Name: a.cookieName(), Value: value, Path: "/",
		HttpOnly: true, Secure: a.cfg.Addresses.Secure(), SameSite: http.SameSiteLaxMode,
		MaxAge: int(a.cfg.Lifetime / time.Second),
	}
	if a.cfg.Addresses.Layout == wiki.LayoutSubdomain {
		c.Domain = a.cfg.Addresses.Domain()
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// Forget is the cookie that makes a browser drop its session; it goes with the
// answer to a request whose session has ended.
func (a *Authority) Forget() *http.Cookie { return a.cookie("") }
