// Package outbound is the one client for every address that a user can steer:
// webhooks, documents that a client's identifier names, servers that somebody's
// name leads to. A server that fetches what strangers ask for is a way into the
// network that it stands in (server-side request forgery, CWE-918); everything
// here is about that.
//
// What it promises:
//
//   - Only public addresses, and those networks that the operator allows. Judged is
//     the address that is dialled, in the moment between socket and connect
//     (net.Dialer.Control), so a name that answers differently the second time
//     (DNS rebinding) gains nothing.
//   - An address has one reading: what parsers are known to disagree on is refused,
//     see [ParseURL].
//   - https, unless told otherwise; certificates are verified; HTTP/1.1.
//   - No redirects, or within one origin, and then of GET and HEAD only.
//   - No proxy of the environment, no cookies, no credentials, no decompression.
//   - A time for each phase and for all of it; a cap on headers and body. A request
//     holds at most MaxHeader + MaxBody + 64 KiB of memory, whatever the far side
//     sends, and lasts at most Timeout.
//   - Errors whose text may be shown to whoever gave the address: that a name does
//     not exist, leads inside, or does not answer reads the same, see [Error].
//
// To read a document:
//
//	c := outbound.New(outbound.Config{MaxBody: 64 << 10})
//	a, err := c.Do(ctx, outbound.Request{URL: id, Header: http.Header{"Accept": {"application/json"}}})
//	// a.Status, a.Header, a.Body; errors.Is(err, outbound.ErrTooLarge) …
//
// The answer is a stranger's text: its Content-Type, its size and its contents
// are claims.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Redirects says which redirects are followed.
type Redirects int

const (
	// NoRedirects: an answer 3xx is an ErrRedirect.
	NoRedirects Redirects = iota
	// SameOrigin follows at most three, of GET and HEAD, that keep scheme, host and
	// port; others are an ErrRedirect.
	SameOrigin
)

// Config says how a Client behaves. The zero Config is the strictest one.
type Config struct {
	// Allow are networks that may be reached although they are not public: an
	// operator's own receivers, loopback in tests.
	Allow []netip.Prefix
	// Deny are networks that may not be reached although they are public, such as
	// the operator's machines behind public addresses, or the prefix of a NAT64 of
	// their own. It wins over Allow.
	Deny []netip.Prefix
	// HTTP allows http:// as well, which everybody on the way can read and change.
	HTTP bool
	// Redirects that are followed; none unless told.
	Redirects Redirects

	Timeout time.Duration // for a request as a whole; 0: 15 s
	Connect time.Duration // for name, connection and TLS each; 0: 5 s
	Answer  time.Duration // from the sent request to the answer's headers; 0: 10 s

	MaxHeader int64 // bytes of the answer's headers; 0: 32 KiB
	MaxBody   int64 // bytes of the answer's body; 0: 1 MiB

	// UserAgent names the program, so that receivers know whom to ask; empty:
	// "wikibot".
	UserAgent string

	Resolver *net.Resolver  // nil: the system's
	Roots    *x509.CertPool // whose certificates count; nil: the system's
}

// Client makes requests. It is safe for concurrent use; one serves a whole
// program. At most 64 connections are kept open for the next request, 30 s each.
type Client struct {
	Config
	http *http.Client
}

// New is a client.
func New(c Config) *Client {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Timeout, 15 * time.Second}, {&c.Connect, 5 * time.Second}, {&c.Answer, 10 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.MaxHeader <= 0 {
		c.MaxHeader = 32 << 10
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 1 << 20
	}
	if c.UserAgent == "" {
		c.UserAgent = "wikibot"
	}
	k := &Client{Config: c}
	dialer := &net.Dialer{Timeout: c.Connect, Resolver: c.Resolver, Control: k.control}
	k.http = &http.Client{
		CheckRedirect: k.redirect,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext, // no Proxy: the environment's would dial in our stead
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
			TLSHandshakeTimeout:    c.Connect,
			ResponseHeaderTimeout:  c.Answer,
			MaxResponseHeaderBytes: c.MaxHeader,
			DisableCompression:     true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		},
	}
	return k
}

// Close lets go of the connections that nobody uses. The client can be used after.
func (k *Client) Close() { k.http.CloseIdleConnections() }

// Check is ParseURL and what this client's Config says about schemes and about
// addresses that are written as numbers. It looks up no name: whether a name leads
// to a public address shows when it is dialled. Use it to tell a person at once.
func (k *Client) Check(raw string) (*url.URL, error) {
	u, err := ParseURL(raw)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !k.HTTP {
		return nil, refuse("the address must begin with https://")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !k.allowed(a) {
		return nil, refuse("%s is not a public address", a)
	}
	return u, nil
}
