package embed

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"wikibot/wiki"
)

// errPublic is the refusal to connect without encryption to the open network.
var errPublic = errors.New("its address is neither loopback nor private, and over http everybody on the way could read the pages and the key: use https, or set insecure = true")

// private says whether an address is this machine's or of a local network (RFC
// 1918, RFC 4193). Link-local ones are not: clouds serve their machines' secrets there.
func private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate()
}

// privateHost refuses a host that is a public address. What a name stands for is
// seen when it is dialled.
func privateHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil && !private(a) {
		return wiki.Invalid("url", "url is http to %s, which is neither loopback nor a private address: the pages' text leaves this machine, and everybody on the way could read it and the key. Use https, or set insecure = true", host)
	}
	return nil
}

// client follows no redirect, since it would take the texts and the key to an
// address that nobody configured. Over plain http it connects to no proxy, and to
// allowed addresses only, whatever the name resolves to.
func client(u *url.URL, allowed func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		Proxy:                  http.ProxyFromEnvironment,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // an answer's size is what arrives
		ForceAttemptHTTP2:      true,
	}
	if u.Scheme == "http" {
		t.Proxy = nil
		dialer.Control = guard(allowed)
	}
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guard is asked with each address before it is connected to.
func guard(allowed func(netip.Addr) bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !allowed(a.Addr()) {
			return errPublic
		}
		return nil
	}
}

func anywhere(netip.Addr) bool { return true }
