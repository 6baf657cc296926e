package server

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"wikibot/wiki"
)

// requestID is the header that names a request in answers and in the log.
const requestID = "X-Request-Id"

// observe gives each request an id, logs it (at debug, without its query, which
// may hold a token) and turns a panic into an answer 500.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		w.Header().Set(requestID, id)
		rec := &recorder{ResponseWriter: w}
		began := time.Now()
		defer func() {
			if p := recover(); p != nil {
				s.recovered(rec, r, id, p)
			}
			if s.log.Enabled(r.Context(), slog.LevelDebug) {
				s.log.Debug("request", "id", id, "client", s.client(r), "method", r.Method, "host", r.Host, "path", r.URL.EscapedPath(),
					"status", rec.status, "bytes", rec.bytes, "took", time.Since(began))
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// client is the address that a request comes from. A trusted proxy is believed
// about the address before it: from right to left, the first one in
// X-Forwarded-For that is not a trusted proxy itself. What stands further left
// was written by the client and may be anything.
func (s *Server) client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if net.ParseIP(hop) == nil {
			break
		}
		host = hop
	}
	return host
}

// trusted reports whether an address is one of the configured proxies.
func (s *Server) trusted(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, n := range s.cfg.HTTP.TrustedProxies {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// recovered logs a panic and answers, where nothing was answered yet; else the
// connection is cut so that the client does not take half an answer for whole.
func (s *Server) recovered(w *recorder, r *http.Request, id string, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.log.Error("request panicked", "id", id, "method", r.Method, "path", r.URL.EscapedPath(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	http.Error(w, "internal error; the server's log has more under the request id "+id, http.StatusInternalServerError)
}

// recorder sees the status and size of an answer. It keeps streaming (Flush)
// and deadlines (Unwrap, http.ResponseController) possible.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom lets the kernel copy a file to the connection where it can.
func (w *recorder) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

func (w *recorder) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// secure sets the headers that every answer begins with; a face may set
// stricter or wider ones for what it serves.
func secure(https bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// ourHost reports whether the site answers to a Host header: the base URL's
// host, a wiki's host below it, and, on a machine of one's own (a loopback
// base), any name of loopback. Anything else may be DNS rebinding: a foreign
// name that leads to this address.
func (s *Server) ourHost(hostport string) bool {
	host := hostname(hostport)
	base := strings.ToLower(s.addresses.Base.Hostname())
	if host == base {
		return true
	}
	if sub, ok := strings.CutSuffix(host, "."+base); ok {
		_, err := wiki.ParseSlug(sub)
		return err == nil
	}
	return loopback(base) && loopback(host)
}

// hostname is the host of a Host header in lower case, without port, brackets
// and the final dot of a fully qualified name.
func hostname(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// misdirected answers requests for hosts that are not ours (RFC 9110, 15.5.20).
func (s *Server) misdirected(w http.ResponseWriter, r *http.Request) {
	text := fmt.Sprintf("This server serves %s and was asked for the host %q.\nGo to %s, or start it with --base-url and the address that you used.",
		s.addresses.Base.String(), r.Host, s.addresses.Base.String())
	http.Error(w, text, http.StatusMisdirectedRequest)
}
