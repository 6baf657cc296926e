package tests

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wikibot/webhooks"
)

// hookReceiver is a program on loopback that is told of changes.
type hookReceiver struct {
	mu     sync.Mutex
	status int    // guarded by mu, as all below
	to     string // where it redirects
	got    []hookRequest
}

type hookRequest struct {
	header http.Header
	body   string
}

func (h *hookReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, hookRequest{r.Header, string(text)})
	if h.to != "" {
		w.Header().Set("Location", h.to)
	}
	w.WriteHeader(h.status)
}

// receivers are the commands about programs that are told of changes:
//
//	receiver NAME                       starts one; $NAME is its address, $NAME_PORT its port
//	receiver NAME answers STATUS [TO]   what it answers from now on, perhaps with a Location
//	receiver NAME got [-secret S] N REGEXP
//	                                    waits for its Nth request, whose body must match and, with
//	                                    a secret, be signed by it; standard output has it
//	receiver NAME last N REGEXP         waits until the Nth request before its end matches: 1 is the last
//	receiver NAME count N               it has had N requests
//	receiver NAME forget                counts from 0 again
func receivers(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 0 && !neg, "receiver NAME [answers STATUS [TO] | got [-secret S] N REGEXP | last N REGEXP | count N | forget]")
	name := args[0]
	if len(args) == 1 {
		h := &hookReceiver{status: http.StatusNoContent}
		srv := httptest.NewServer(h)
		ts.Defer(srv.Close)
		if s.receivers == nil {
			s.receivers = map[string]*hookReceiver{}
		}
		s.receivers[name] = h
		_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
		ts.Check(err)
		ts.Setenv(name, srv.URL)
		ts.Setenv(name+"_PORT", port)
		return
	}
	h := s.receivers[name]
	if h == nil {
		ts.Fatalf("there is no receiver %s", name)
	}
	switch {
	case args[1] == "answers" && len(args) >= 3:
		status, err := strconv.Atoi(args[2])
		ts.Check(err)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.status, h.to = status, strings.Join(args[3:], "")
	case args[1] == "count" && len(args) == 3:
		h.mu.Lock()
		defer h.mu.Unlock()
		if fmt.Sprint(len(h.got)) != args[2] {
			ts.Fatalf("the receiver %s has had %d requests, not %s; the last: %+v", name, len(h.got), args[2], h.got[max(len(h.got)-1, 0):])
		}
	case args[1] == "forget":
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = nil
	case args[1] == "last" && len(args) == 4:
		h.waitLast(ts, args[2], regexp.MustCompile(args[3]))
	case args[1] == "got":
		h.wait(ts, args[2:])
	default:
		ts.Fatalf("receiver: %q is not known", args[1])
	}
}

// wait is "receiver NAME got".
func (h *hookReceiver) wait(ts *testscript.TestScript, args []string) {
	secret := ""
	if len(args) > 2 && args[0] == "-secret" {
		secret, args = args[1], args[2:]
	}
	usage(ts, len(args) == 2, "receiver NAME got [-secret S] N REGEXP")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range 3000 {
		h.mu.Lock()
		if len(h.got) >= n {
			r := h.got[n-1]
			h.mu.Unlock()
			fmt.Fprintln(ts.Stdout(), r.body)
			if !regexp.MustCompile(args[1]).MatchString(r.body) {
				ts.Fatalf("request %d does not match %q:\n%s", n, args[1], r.body)
			}
			if secret != "" && !r.signedBy(secret) {
				ts.Fatalf("request %d is not signed by the secret: %v", n, r.header)
			}
			return
		}
		h.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("request %d does not come; there were %d", n, len(h.got))
}

// waitLast is "receiver NAME last".
func (h *hookReceiver) waitLast(ts *testscript.TestScript, back string, want *regexp.Regexp) {
	n, err := strconv.Atoi(back)
	ts.Check(err)
	for range 3000 {
		h.mu.Lock()
		ok := len(h.got) >= n && want.MatchString(h.got[len(h.got)-n].body)
		h.mu.Unlock()
		if ok {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("request %d from the end does not become %s: %+v", n, want, h.got)
}

func (r hookRequest) signedBy(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	unix, uerr := strconv.ParseInt(r.header.Get("Webhook-Timestamp"), 10, 64)
	want := webhooks.Sign(key, r.header.Get("Webhook-Id"), unix, []byte(r.body))
	return err == nil && uerr == nil && r.header.Get("Webhook-Signature") == want
}

// awaitLog waits until the server's log matches: await-log REGEXP.
func awaitLog(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && !neg, "await-log REGEXP")
	want := regexp.MustCompile(args[0])
	for range 3000 {
		if want.MatchString(s.log.String()) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("the log does not come to match %q:\n%s", args[0], s.log.String())
}
