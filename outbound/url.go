package outbound

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxURL is how long an address may be, in bytes.
const MaxURL = 2048

// ParseURL reads an address of the form https://host[:port][/path][?query], with
// http as well, and gives it back with scheme and host in lower case. Everything
// that two parsers are known to read differently is refused, because whoever checks
// and whoever connects must mean the same place: bytes outside of printable ASCII,
// backslashes, a user before the host, a percent sign in the host, names that are
// not letters, digits and hyphens (an international name is written in its xn-- form),
// a dot at the end, numbers as hosts in other forms than four decimal parts
// (127.1, 0x7f000001), zones, a fragment. Of the ports below 1024 only 80 and 443
// are taken: on the others speak mail servers and the like, which would take a
// request's lines for commands.
//
// The errors are ErrAddress with a text for whoever wrote the address. It costs one
// pass over at most MaxURL bytes.
func ParseURL(raw string) (*url.URL, error) {
	if len(raw) > MaxURL {
		return nil, refuse("the address is longer than %d bytes", MaxURL)
	}
	for i := range len(raw) {
		switch b := raw[i]; {
		case b <= ' ' || b == 0x7f:
			return nil, refuse("the address has a space or a control character in it")
		case b > 0x7f:
			return nil, refuse("the address may only have ASCII characters: write an international name in its xn-- form and the rest percent-encoded")
		case strings.IndexByte("\\\"<>^`{|}#", b) >= 0:
			return nil, refuse("the character %q may not stand in the address", b)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, refuse("this is no address of the form https://host/path")
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Opaque != "" || u.Host == "" {
		return nil, refuse("the address must have the form https://host/path")
	}
	if u.User != nil || strings.Contains(authority(raw), "@") {
		return nil, refuse("the address may not carry a name or password before the host")
	}
	if err := checkHost(u.Host); err != nil {
		return nil, err
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// authority is what stands between the two slashes and the path.
func authority(raw string) string {
	_, rest, _ := strings.Cut(raw, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// checkHost judges host[:port] as it was written.
func checkHost(hostport string) error {
	host, port := hostport, ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return refuse("the host's bracket is not closed")
		}
		host, port = host[1:end], host[end+1:]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.Zone() != "" {
			return refuse("between the brackets must stand an IPv6 address without a zone")
		}
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			host, port = host[:i], host[i:]
		}
		if err := checkName(host); err != nil {
			return err
		}
	}
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 16)
	if err != nil || port[0] != ':' || port[1] == '0' {
		return refuse("the port must be a number from 1 to 65535")
	}
	if n < 1024 && n != 80 && n != 443 {
		return refuse("the port %d is not one for HTTP: take 80, 443 or one above 1023", n)
	}
	return nil
}

// checkName judges a host's name or IPv4 address (RFC 1123 section 2.1).
func checkName(host string) error {
	if host == "" || len(host) > 253 {
		return refuse("the host must have 1 to 253 characters")
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return refuse("the host is no name: its parts between dots have 1 to 63 characters and no hyphen at their ends")
		}
		for i := range len(l) {
			if b := l[i] | 0x20; (b < 'a' || b > 'z') && (l[i] < '0' || l[i] > '9') && l[i] != '-' {
				return refuse("the host may have letters, digits and hyphens; an international name is written in its xn-- form")
			}
		}
	}
	// A last part that is a number makes the host an IPv4 address (WHATWG URL,
	// "ends in a number checker"), of which C libraries know many forms.
	last := strings.ToLower(labels[len(labels)-1])
	if _, err := netip.ParseAddr(host); err != nil && (allDigits(last) || strings.HasPrefix(last, "0x") && allHex(last[2:])) {
		return refuse("an IPv4 address is written as four decimal numbers")
	}
	return nil
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
func allHex(s string) bool    { return strings.Trim(s, "0123456789abcdef") == "" }
