package server

import (
	"errors"
	"net/http"
	"net/netip"
	"strconv"

	"wikibot/limit"
	"wikibot/wiki"
)

// Rates are counted at the door, before a face is asked. One Door is shared by
// all faces: the credential's id is the same over each of them.
//
// Not counted are /health and the assets of pages, which are answered without
// looking at a credential, and the challenge that a git client gets before it
// sends its token: else all who push from behind one address would share that
// address's bucket after all.

// from is the network address that a request counts for; the zero Addr where it
// came over something that has none.
func (s *Server) from(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddr(s.client(r)) // the zero Addr is a bucket as well
	return a
}

// identify says who makes a request.
func (s *Server) identify(r *http.Request) (wiki.Caller, error) {
	secret, any := s.who.Presented(r)
	if !any {
		return wiki.Caller{}, nil
	}
	return s.try(r, secret, func(netip.Addr) (wiki.Caller, error) { return s.who.Caller(r) })
}

// identifyGit says who makes a request of git, whose credential is Basic only.
func (s *Server) identifyGit(r *http.Request, push bool) (wiki.Caller, error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return wiki.Caller{}, nil
	}
	secret, _ := s.who.Presented(r)
	return s.try(r, secret, func(from netip.Addr) (wiki.Caller, error) { return s.who.GitCaller(r, push, from) })
}

// try looks at a credential. An address that sent too many that do not hold is
// refused before the next one is looked at.
func (s *Server) try(r *http.Request, secret string, look func(from netip.Addr) (wiki.Caller, error)) (wiki.Caller, error) {
	from := s.from(r)
	if err := s.door.Try(secret, from); err != nil {
		return wiki.Caller{}, err
	}
	c, err := look(from)
	if err == nil || errors.Is(err, wiki.ErrUnauthenticated) {
		s.door.Tried(secret, from, err == nil)
	}
	return c, err
}

// admit counts one request of a page, or refuses it.
func (s *Server) admit(r *http.Request, c wiki.Caller) error {
	return s.door.Allow(bucket(c), s.from(r), action(r.Method), 1)
}

// admitGit counts one request of a git client. A push is foreseen when it asks
// for the refs: git shows its user what is answered there, and nothing of an
// answer to the push itself, which may come as two requests.
func (s *Server) admitGit(r *http.Request, c wiki.Caller, push, refs bool) error {
	from := s.from(r)
	if push && !refs {
		return s.door.Allow(bucket(c), from, limit.Write, 1)
	}
	if push {
		if err := s.door.Foresee(bucket(c), from, limit.Write, 2); err != nil {
			return err
		}
	}
	return s.door.Allow(bucket(c), from, limit.Read, 1)
}

// bucket is what a caller is counted by; empty for those who are counted by
// address.
func bucket(c wiki.Caller) string {
	if c.Credential == "" && !c.Anonymous() {
		return "user " + string(c.User)
	}
	return c.Credential
}

// action is what a method does to a bucket.
func action(method string) limit.Action {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return limit.Read
	}
	return limit.Write
}

// guarded serves what takes a secret of its own, such as a sign-in link, and
// answers 401 where it does not hold.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := s.from(r)
		if err := s.door.Try("", from); err != nil {
			s.pages.TooMany(w, r, wiki.Caller{}, err)
			return
		}
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		if rec.status == http.StatusUnauthorized {
			s.door.Tried("", from, false)
		}
	})
}

// tooMany answers a request that met a limit, and reports whether err was of one
// (RFC 6585, section 4). git shows the text to its user.
func tooMany(w http.ResponseWriter, err error) bool {
	if !isTooMany(w, err) {
		return false
	}
	var told *limit.Exceeded
	errors.As(err, &told)
	http.Error(w, told.Error(), http.StatusTooManyRequests)
	return true
}

// isTooMany reports whether err is of a limit that was met, and sets the headers
// that go with it.
func isTooMany(w http.ResponseWriter, err error) bool {
	var told *limit.Exceeded
	if !errors.As(err, &told) {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(told.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	return true
}
