// Package oauth answers one question: who is calling? It knows five
// credentials.
//
//   - A browser's session: a cookie with 256 random bits. The server keeps only
//     the SHA-256 of it.
//   - A sign-in link: 256 random bits in a URL, good once and for a short time.
//     It is how the operator of a site gets the first session.
//   - A static token, `wbt_<id>_<secret>`, as "Authorization: Bearer" or as the
//     password of HTTP Basic (RFC 6750, RFC 7617). Its record is kept in git by
//     the Store; see token.go.
//   - An SSH key: the public half stands in a person's file in admin.git; see
//     key.go.
//   - A one-time token, `wbo_<secret>`, as the password of one git command; see
//     once.go.
//
// Sessions and links live in one bbolt file in the cache folder,
// cache/sessions.db:
//
//	meta      "epoch"            → 16 random bytes, made with the file
//	sessions  SHA-256(cookie)    → {"user","created","seen","epoch"}
//	links     SHA-256(link)      → {"user","expires","epoch"}
//	once      SHA-256(token)     → see once.go
//
// Each row carries the epoch under which it was made and counts only under
// that one. Deleting the cache folder therefore signs everybody out, and a row
// that was copied in from elsewhere brings nobody back.
//
// The cookie. In the path layout all of the site is one host: the cookie is
// bound to it, and over TLS its name begins with __Host-, so that no other
// host of the domain can set it. In the sub-domain layout the wikis are hosts
// of one domain and share one cookie for that domain: every host under the
// domain must then belong to the site. It is HttpOnly and SameSite=Lax always,
// and Secure where the base URL is https.
package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Config is what an Authority needs.
type Config struct {
	// Dir is the cache folder; it is made if it is missing.
	Dir string

	// Token finds a static token's record by its id, and User an account;
	// both answer wiki.ErrNotFound where there is none. Store.Token and
	// Store.User are meant.
	Token func(ctx context.Context, id string) (gitstore.Token, error)
	User  func(ctx context.Context, name wiki.Username) (gitstore.User, error)

	// KeyOwner finds whom an SSH key signs in, by its fingerprint, as
	// Store.KeyOwner does; nil where there is no SSH.
	KeyOwner func(ctx context.Context, fingerprint string) (wiki.Username, error)

	// Addresses decides the cookie's name, domain and Secure attribute.
	Addresses wiki.Addresses

	// Idle ends a session that was not used for so long; 0 means 30 days.
	Idle time.Duration
	// Lifetime ends a session however busy it is; 0 means 365 days.
	Lifetime time.Duration

	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means slog.Default
}

// Authority says who is calling. It is safe for concurrent use.
type Authority struct {
	cfg   Config
	db    *bbolt.DB
	epoch []byte
	page  *template.Template

	mu    sync.Mutex
	seen  map[key]time.Time // guarded by mu; uses not yet written
	sweep sweeper           // used by Maintain only
}

// key is the SHA-256 of a cookie's or link's secret.
type key [32]byte

// The times and sizes that are not configurable.
const (
	LinkLifetime      = 10 * time.Minute // of a sign-in link
	FirstLinkLifetime = 24 * time.Hour   // of the one that the first start prints

	lockWait = 2 * time.Second // for another process that has the file open
)

// Open opens or makes the file of sessions. It fails where another process has
// it open.
func Open(cfg Config) (*Authority, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 30 * 24 * time.Hour
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = 365 * 24 * time.Hour
	}
	db, err := openFile(filepath.Join(cfg.Dir, "sessions.db"))
	if err != nil {
		return nil, err
	}
	a := &Authority{cfg: cfg, db: db, page: template.Must(template.New("page").Parse(pageSource)), seen: map[key]time.Time{}}
	if a.epoch, err = prepare(db); err != nil {
		db.Close()
		return nil, fmt.Errorf("preparing the file of sessions: %w", err)
	}
	return a, nil
}

// openFile opens the file. A damaged one is moved aside: it is a cache, and a
// site that does not start is worse than people who sign in again.
func openFile(name string) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("making the cache folder: %w", err)
	}
	open := func() (*bbolt.DB, error) {
		return bbolt.Open(name, 0o600, &bbolt.Options{Timeout: lockWait})
	}
	db, err := open()
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("the file of sessions %s is held by another process: %w", name, err)
	case err != nil && !errors.Is(err, os.ErrPermission):
		if os.Rename(name, name+".damaged") == nil {
			db, err = open()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening the file of sessions %s: %w", name, err)
	}
	return db, nil
}

// Close writes what was batched and closes the file.
func (a *Authority) Close() error {
	return errors.Join(a.flush(), a.db.Close())
}

// Maintain writes the batched last-seen times and removes expired rows, a
// bounded number each minute, until ctx ends.
func (a *Authority) Maintain(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := errors.Join(a.flush(), a.clean(cleanRows)); err != nil {
				a.cfg.Log.Warn("the file of sessions could not be written", "error", err)
			}
		}
	}
}

// Caller says who made the request. A request without a credential is the zero
// Caller, an anonymous visitor. A credential that does not hold (unknown,
// expired, revoked, malformed, of a suspended person) is
// wiki.ErrUnauthenticated and never an anonymous visitor, so that nobody takes
// a public page for proof that the token works.
//
// An Authorization header is taken alone: a cookie beside it is not looked at.
func (a *Authority) Caller(r *http.Request) (wiki.Caller, error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
	case 1:
		token, err := credential(headers[0])
		if err != nil {
			return wiki.Caller{}, err
		}
		return a.byToken(r.Context(), token)
	default:
		return wiki.Caller{}, unauthenticated("the request has several Authorization headers; send one")
	}
	cookies := r.CookiesNamed(a.cookieName())
	switch {
	case len(cookies) == 0:
		return wiki.Caller{}, nil
	case len(cookies) > 1:
		return wiki.Caller{}, unauthenticated("the browser sent two session cookies; sign in again")
	}
	return a.bySession(r.Context(), cookies[0].Value)
}

// Presented is the credential that a request came with, as it was sent and not
// yet known to be good. Caller looks at nothing else: where any is false, it
// answers the zero Caller.
func (a *Authority) Presented(r *http.Request) (secret string, any bool) {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		return strings.Join(headers, "\n"), true
	}
	if cookies := r.CookiesNamed(a.cookieName()); len(cookies) > 0 {
		return cookies[0].Value, true
	}
	return "", false
}

// credential takes the token out of an Authorization header.
func credential(header string) (string, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return rest, nil
	case strings.EqualFold(scheme, "Basic"):
		text, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return "", unauthenticated("the Basic credential is not base64")
		}
		user, password, _ := strings.Cut(string(text), ":")
		switch {
		case isToken(user) && !isToken(password):
			return "", unauthenticated("the token was given as the user name, which proxies and logs keep: give it as the password, with any user name, and make another one")
		case password == "":
			return "", unauthenticated("the password is empty; give a token (wbt_…) as the password, with any user name")
		}
		return password, nil
	}
	return "", unauthenticated("this scheme of authorization is not served here; use Bearer, or Basic with a token as the password")
}

// isToken reports whether a text wants to be a token.
func isToken(s string) bool {
	return strings.HasPrefix(s, tokenPrefix) || strings.HasPrefix(s, oncePrefix)
}

func unauthenticated(format string, args ...any) error {
	return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: fmt.Sprintf(format, args...)}
}

// account reads the person behind a credential; a suspended or deleted one has
// none.
func (a *Authority) account(ctx context.Context, name wiki.Username) (gitstore.User, error) {
	u, err := a.cfg.User(ctx, name)
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		return u, unauthenticated("the account %s is gone", name)
	case err != nil:
		return u, fmt.Errorf("reading the account %s: %w", name, err)
	case u.Suspended:
		return u, unauthenticated("the account %s is suspended; ask an administrator of the site", name)
	}
	return u, nil
}
