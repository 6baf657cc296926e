package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.org":                       "https://example.org",
		"HTTPS://Example.ORG/A?b=C%20d":             "https://example.org/A?b=C%20d",
		"http://example.org:8080/x":                 "http://example.org:8080/x",
		"https://xn--bcher-kva.example/":            "https://xn--bcher-kva.example/",
		"https://192.0.2.7/":                        "https://192.0.2.7/",
		"https://[2001:db8::1]:8443/x":              "https://[2001:db8::1]:8443/x",
		"https://a-b.c1.example:443/x/../y?u=http:": "https://a-b.c1.example:443/x/../y?u=http:",
		"https://hooks.example/a@b":                 "https://hooks.example/a@b",
		"https://localhost/":                        "https://localhost/",
		"https://1.example/":                        "https://1.example/",
	} {
		u, err := ParseURL(in)
		if err != nil || u.String() != want {
			t.Errorf("ParseURL(%q) = %v, %v, want %q", in, u, err, want)
		}
	}
	for _, in := range []string{
		"", "example.org", "//example.org/", "/x", "https:", "https://", "https:///x", "https:example.org", "ftp://example.org/",
		"file:///etc/passwd", "gopher://example.org:70/", "javascript:alert(1)", "https://?x",
		"https://user@example.org/", "https://user:secret@example.org/", "https://@example.org/", "https://example.org@127.0.0.1/",
		`https://example.org\@127.0.0.1/`, `https:\\example.org/`, `https://127.0.0.1\.example.org/`,
		"https://exa mple.org/", "https://example.org/\r\nHost: x", "https://example.org/\x00", "https://example.org/\x7f", " https://example.org/",
		"https://bücher.example/", "https://example。org/", "https://ⓛocalhost/", "https://example.org/ü",
		"https://%65xample.org/", "https://example.org%2f@127.0.0.1/", "https://[fe80::1%25eth0]/", "https://[::1", "https://[127.0.0.1]/", "https://[v1.x]/", "https://[]/",
		"https://example.org./", "https://example..org/", "https://.example.org/", "https://-a.example/", "https://a-.example/", "https://a_b.example/",
		"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.0.0.0x1/", "https://1.2.3.4.5/", "https://0x/", "https://256.1.1.1/", "https://example.1/",
		"https://example.org:/", "https://example.org:0/", "https://example.org:00443/", "https://example.org:65536/", "https://example.org:4x/", "https://example.org:+443/",
		"https://example.org:25/", "https://example.org:22/", "https://example.org:6e1/", "https://[::1]443/", "https://a:b:443/",
		"https://example.org/#x", "https://example.org/#", "https://example.org/<script>", "https://example.org/`x`",
		"https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("a.", 127) + "example/", "https://example.org/" + strings.Repeat("x", MaxURL),
	} {
		if u, err := ParseURL(in); err == nil || !errors.Is(err, ErrAddress) {
			t.Errorf("ParseURL(%q) = %v, %v, want an ErrAddress", in, u, err)
		}
	}
}

func TestCheck(t *testing.T) {
	strict := New(Config{})
	for _, in := range []string{"http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/", "https://[::ffff:8.8.8.8]/", "https://10.0.0.1:8443/"} {
		if _, err := strict.Check(in); !errors.Is(err, ErrAddress) {
			t.Errorf("Check(%q): %v, want an ErrAddress", in, err)
		}
	}
	loose := New(Config{HTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, in := range []string{"http://example.org/", "http://127.0.0.1:9/", "https://8.8.8.8/"} {
		if _, err := loose.Check(in); in != "http://127.0.0.1:9/" && err != nil {
			t.Errorf("Check(%q): %v", in, err)
		}
	}
	if _, err := loose.Check("http://127.0.0.1:8080/"); err != nil {
		t.Errorf("an allowed network: %v", err)
	}
}

// Whatever is taken has one reading: ours, net/url's after printing, and a plain cut.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"https://example.org/", "http://a.example:8080/x?y=z", "https://[2001:db8::1]:443/", "https://192.0.2.1", `https://a\b/`,
		"https://u@h/", "https://127.1/", "https://a.example./", "https://xn--a.example", "HTTPS://A/%2e%2e", "https://a:443?x@y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := ParseURL(raw)
		if err != nil {
			if !errors.Is(err, ErrAddress) {
				t.Fatalf("%q: an error of another kind: %v", raw, err)
			}
			return
		}
		again, err := ParseURL(u.String())
		if err != nil || again.String() != u.String() {
			t.Fatalf("%q is read as %q and that as %v, %v", raw, u, again, err)
		}
		if plain := strings.ToLower(authority(raw)); plain != u.Host {
			t.Fatalf("%q: host %q, a plain cut has %q", raw, u.Host, plain)
		}
		std, err := url.Parse(raw)
		if err != nil || strings.ToLower(std.Host) != u.Host || std.User != nil {
			t.Fatalf("%q: net/url reads %+v, %v", raw, std, err)
		}
		host := u.Hostname()
		if strings.ContainsAny(host, "@\\%/?# _") || strings.HasSuffix(host, ".") || host == "" {
			t.Fatalf("%q: the host is %q", raw, host)
		}
		last := host[strings.LastIndexByte(host, '.')+1:]
		if _, err := netip.ParseAddr(host); err != nil && allDigits(last) {
			t.Fatalf("%q: %q ends in a number and is no address", raw, host)
		}
	})
}
