package outbound

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// local is a client that may talk to loopback, without TLS.
func local(c Config) *Client {
	c.Allow, c.HTTP = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, true
	return New(c)
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// raw answers every connection with some bytes, and then as next says.
func raw(t *testing.T, answer string, next func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
				if next != nil {
					next(c)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// failsWith checks an error's kind, and that it tells nothing of the network.
func failsWith(t *testing.T, err, kind error) {
	t.Helper()
	var e *Error
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Fatalf("got %T %v, want %v", err, err, kind)
	}
	for _, bad := range []string{"127.0", "dial", "tcp", "lookup", "10.0", "loopback", "refused", "no such host", "i/o"} {
		if strings.Contains(err.Error(), bad) {
			t.Errorf("the text %q tells %q", err, bad)
		}
	}
	if errors.Unwrap(err) != nil {
		t.Errorf("%v unwraps to its cause", err)
	}
}

func TestDo(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s agent=%s enc=%s cookie=%s x=%s host=%t", r.Method, b, r.UserAgent(), r.Header.Get("Accept-Encoding"), r.Header.Get("Cookie"), r.Header.Get("X-A"), r.Host == "evil.example")
	})
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // ignored
	k := local(Config{UserAgent: "wikibot/1 (+https://wiki.example)"})
	for range 2 { // no cookie the second time
		a, err := k.Do(context.Background(), Request{Method: "POST", URL: s.URL + "/x", Body: []byte("hello"),
			Header: http.Header{"x-a": {"1"}, "cookie": {"c=d"}, "Host": {"evil.example"}, "User-Agent": {"z"}, "Accept-Encoding": {"gzip"}}})
		if err != nil {
			t.Fatal(err)
		}
		want := "POST hello agent=wikibot/1 (+https://wiki.example) enc=identity cookie= x=1 host=false"
		if a.Status != 201 || string(a.Body) != want {
			t.Errorf("got %d %q, want %q", a.Status, a.Body, want)
		}
	}
	if a, err := k.Do(context.Background(), Request{URL: s.URL, MaxBody: -1}); err != nil || a.Body != nil {
		t.Errorf("a body that nobody wants: %v, %v", a, err)
	}
}

func TestOnlyPublic(t *testing.T) {
	var hits atomic.Int32
	s := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	k := New(Config{HTTP: true})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	_, err := k.Do(context.Background(), Request{URL: s.URL})
	if !errors.Is(err, ErrAddress) {
		t.Errorf("loopback by number: %v", err)
	}
	_, err = k.Do(context.Background(), Request{URL: "http://localhost:" + port + "/"})
	failsWith(t, err, ErrUnreachable)
	inside := err.Error()
	// A name that does not exist, and a port where nobody is, read the same.
	k.Resolver = nil
	_, err = names(t, nil, Config{}).Do(context.Background(), Request{URL: "http://nowhere.example:" + port + "/"})
	failsWith(t, err, ErrUnreachable)
	if err.Error() != inside {
		t.Errorf("a name that does not exist: %q, one that leads inside: %q", err, inside)
	}
	_, err = local(Config{}).Do(context.Background(), Request{URL: "http://127.0.0.1:1025/"})
	failsWith(t, err, ErrUnreachable)
	if hits.Load() != 0 {
		t.Errorf("%d requests came through", hits.Load())
	}
}

// names is a client whose names are resolved by answers: for each name a list of
// what the first question gets, the second, and so on; the last one stays.
func names(t *testing.T, answers map[string][]string, c Config) *Client {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			name := strings.TrimSuffix(q.Name.String(), ".")
			if list := answers[name]; q.Type == dnsmessage.TypeA && len(list) > 0 {
				if len(list) > 1 {
					answers[name] = list[1:]
				}
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(list[0]).As4()},
				}}
			} else if len(list) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			if out, err := m.Pack(); err == nil {
				_, _ = l.WriteTo(out, from)
			}
		}
	}()
	c.HTTP = true
	c.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", l.LocalAddr().String())
	}}
	return New(c)
}

// A name that is public when it is looked at and loopback when it is used.
func TestRebinding(t *testing.T) {
	var hits atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { hits.Add(1) })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	answers := map[string][]string{"turn.example": {"127.0.0.2", "127.0.0.1"}, "in.example": {"10.0.0.1"}, "ok.example": {"127.0.0.2"}}
	k := names(t, answers, Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}) // stands for the public one
	k.http.Transport.(*http.Transport).DisableKeepAlives = true
	// The server listens on 127.0.0.1 alone: the allowed address refuses.
	for range 3 {
		_, err := k.Do(context.Background(), Request{URL: "http://turn.example:" + port + "/"})
		failsWith(t, err, ErrUnreachable)
	}
	_, err := k.Do(context.Background(), Request{URL: "http://in.example:" + port + "/"})
	failsWith(t, err, ErrUnreachable)
	if hits.Load() != 0 {
		t.Errorf("%d requests came through", hits.Load())
	}
	// The names work: with loopback allowed the request arrives.
	k = names(t, map[string][]string{"turn.example": {"127.0.0.1"}}, Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if _, err := k.Do(context.Background(), Request{URL: "http://turn.example:" + port + "/"}); err != nil || hits.Load() != 1 {
		t.Errorf("an allowed name: %v, %d hits", err, hits.Load())
	}
}

func TestRedirects(t *testing.T) {
	var inner atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { inner.Add(1) })
	var hits atomic.Int32
	var s *httptest.Server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/here":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusTemporaryRedirect)
		case "/user":
			http.Redirect(w, r, strings.Replace(s.URL, "http://", "http://u:p@", 1)+"/end", http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/end":
			fmt.Fprint(w, "end "+r.Header.Get("Referer"))
		}
	})
	for _, c := range []struct {
		path, method string
		how          Redirects
		hits         int32
		ok           bool
	}{
		{"/here", "GET", NoRedirects, 1, false}, {"/here", "GET", SameOrigin, 2, true}, {"/away", "GET", NoRedirects, 1, false},
		{"/away", "GET", SameOrigin, 1, false}, {"/round", "GET", SameOrigin, 4, false}, {"/here", "POST", SameOrigin, 1, false},
		{"/user", "GET", SameOrigin, 1, false}, {"/scheme", "GET", SameOrigin, 1, false},
	} {
		hits.Store(0)
		a, err := local(Config{Redirects: c.how}).Do(context.Background(), Request{Method: c.method, URL: s.URL + c.path})
		if c.ok {
			if err != nil || string(a.Body) != "end " || a.URL.Path != "/end" {
				t.Errorf("%v: %v, %v", c, a, err)
			}
		} else {
			failsWith(t, err, ErrRedirect)
			if err.(*Error).Status/100 != 3 {
				t.Errorf("%v: the status is lost: %+v", c, err)
			}
		}
		if hits.Load() != c.hits {
			t.Errorf("%v: %d requests, want %d", c, hits.Load(), c.hits)
		}
	}
	if inner.Load() != 0 {
		t.Error("a redirect led elsewhere")
	}
}

func TestHostileAnswers(t *testing.T) {
	endless := func(c net.Conn) {
		for b := make([]byte, 1<<14); ; {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
	headers := func(c net.Conn) {
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	}
	informed := func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"); err != nil {
				return
			}
		}
	}
	wait := func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) } // until the client goes
	for _, c := range []struct {
		name, answer string
		next         func(net.Conn)
		want         error
	}{
		{"an endless body", "HTTP/1.1 200 OK\r\n\r\n", endless, ErrTooLarge},
		{"a body that says it is large", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", wait, ErrTooLarge},
		{"a body of one byte too many", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1001), nil, ErrTooLarge},
		{"endless headers", "HTTP/1.1 200 OK\r\n", headers, ErrAnswer},
		{"endless informational answers", "", informed, ErrAnswer},
		{"a bomb", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", nil, ErrAnswer},
		{"no HTTP", "220 mail.example ESMTP\r\n", nil, ErrAnswer},
		{"nothing", "", nil, ErrAnswer},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx", nil, ErrAnswer},
		{"silence", "", wait, ErrTimeout},
		{"half of the headers", "HTTP/1.1 200 OK\r\nX: ", wait, ErrTimeout},
		{"silence after the headers", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx", wait, ErrTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := local(Config{MaxBody: 1000, Timeout: 600 * time.Millisecond, Answer: 300 * time.Millisecond})
			if c.want != ErrTimeout { // a slow machine is no failure here
				k = local(Config{MaxBody: 1000, Timeout: time.Minute, Answer: time.Minute})
			}
			a, err := k.Do(context.Background(), Request{URL: raw(t, c.answer, c.next)})
			if a != nil {
				t.Errorf("an answer: %+v", a)
			}
			failsWith(t, err, c.want)
		})
	}
	a, err := local(Config{MaxBody: 1000}).Do(context.Background(), Request{URL: raw(t, "HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", 1000), nil)})
	if err != nil || len(a.Body) != 1000 {
		t.Errorf("a body as large as the cap: %v, %v", a, err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	_, err := local(Config{}).Do(context.Background(), Request{URL: s.URL})
	failsWith(t, err, ErrCertificate)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	a, err := local(Config{Roots: roots}).Do(context.Background(), Request{URL: s.URL})
	if err != nil || string(a.Body) != "HTTP/1.1" {
		t.Errorf("with its root: %v, %v", a, err)
	}
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err = local(Config{}).Do(context.Background(), Request{URL: strings.Replace(plain.URL, "http:", "https:", 1)})
	failsWith(t, err, ErrCertificate)
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := local(Config{}).Do(ctx, Request{URL: s.URL}); err != context.Canceled {
		t.Errorf("got %v, want context.Canceled itself", err)
	}
}
