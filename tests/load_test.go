package tests

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// many reads addresses with N clients at once, as the present person: many N
// STATUS ADDRESS…. Every answer has the status.
func many(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 3, "many N STATUS ADDRESS…")
	n, err := strconv.Atoi(args[0])
	must(ts, neg, err)
	cookie := s.me().cookie
	must(ts, neg, together(n, func(i int) error {
		for k := range args[2:] {
			address := args[2+(i+k)%len(args[2:])]
			status, _, _, err := s.plain(http.MethodGet, address, cookie, nil)
			if err == nil && strconv.Itoa(status) != args[1] {
				err = fmt.Errorf("%s: status %d, want %s", address, status, args[1])
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// writers saves pages with N clients at once, as the present person: writers N
// SAVES WIKI. Client i saves the page "Writer i" that often, each time from the
// text that it saved before; "save k of client i" is what stands there in the
// end.
func writers(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 3, "writers N SAVES WIKI")
	n, err1 := strconv.Atoi(args[0])
	saves, err2 := strconv.Atoi(args[1])
	must(ts, neg, errors.Join(err1, err2))
	cookie := s.me().cookie
	must(ts, neg, together(n, func(i int) error {
		address := fmt.Sprintf("/w/%s/-/edit/Writer%%20%d", args[2], i+1)
		for k := range saves {
			_, _, page, err := s.plain(http.MethodGet, address, cookie, nil)
			if err != nil {
				return err
			}
			_, rest, _ := strings.Cut(string(page), `name="base" value="`)
			begin, _, _ := strings.Cut(rest, `"`)
			form := url.Values{"base": {begin}, "content": {fmt.Sprintf("save %d of client %d", k+1, i+1)}, "action": {"save"}}
			status, _, answer, err := s.plain(http.MethodPost, address, cookie, []byte(form.Encode()))
			if err == nil && status != http.StatusSeeOther {
				err = fmt.Errorf("client %d, save %d: status %d\n%s", i+1, k+1, status, text(answer))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// together runs f n times at once.
func together(n int, f func(i int) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// plain sends one request without a trace in the story's state, so that many can
// be under way.
func (s *site) plain(method, address, cookie string, body []byte) (status int, header http.Header, text []byte, err error) {
	u, err := s.address(address)
	if err != nil {
		return 0, nil, nil, err
	}
	r, err := http.NewRequest(method, base, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	r.URL, r.Host = u, u.Host
	r.Header.Set("Cookie", cookie)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := s.client().Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header, text, err
}

// pushWhileStopping pushes from a clone through a proxy that holds the second half
// of the push back until the server has been told to stop and has begun to:
// push-while-stopping CLONE. The server has ended when the command returns.
func pushWhileStopping(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && s.server != nil, "push-while-stopping CLONE (in this process)")
	stopped := make(chan error, 1)
	end := s.end
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", s.addr, r.In.Host
			if strings.HasSuffix(r.In.URL.Path, "/git-receive-pack") && r.In.Method == http.MethodPost {
				r.Out.Header.Set("Expect", "100-continue") // the body is asked for when the push is under way
				r.Out.Body = &held{rest: r.In.Body, left: 100, then: func() {
					go func() { stopped <- end() }()
					for range 500 {
						if strings.Contains(s.log.String(), "stopping; ") {
							break
						}
						time.Sleep(10 * time.Millisecond)
					}
				}}
			}
		},
		Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(ts, neg, err)
	front := &http.Server{Handler: proxy}
	go front.Serve(l)
	defer front.Close()
	ts.Setenv("http_proxy", "http://"+l.Addr().String())
	git(s, ts, neg, []string{"-C", args[0], "push", "-q"})
	select {
	case err := <-stopped:
		must(ts, neg, err)
	case <-time.After(20 * time.Second):
		ts.Fatalf("the server did not end")
	}
	s.end, s.server, s.addr = nil, nil, ""
}

// held is a body that calls then when the first bytes of it have been read.
type held struct {
	rest io.ReadCloser
	left int
	then func()
}

func (h *held) Read(p []byte) (int, error) {
	if h.left == 0 && h.then != nil {
		h.then()
		h.then = nil
	}
	if h.left > 0 {
		p = p[:min(len(p), h.left)]
	}
	n, err := h.rest.Read(p)
	h.left = max(0, h.left-n)
	return n, err
}

func (h *held) Close() error { return h.rest.Close() }
