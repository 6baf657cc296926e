package tests

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// stream is a stream of Server-Sent Events that a person's program reads.
type stream struct {
	events chan string // whole events without comments; closed at the end
	cancel context.CancelFunc
}

// eventWait is how long a story waits for an event before it fails.
const eventWait = 30 * time.Second

// listen opens a stream with the present person's token: listen ADDRESS
// ['Header: value']…. It ends with the story.
func listen(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 1 && !neg, "listen ADDRESS [HEADER]…")
	u, err := s.address(args[0])
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base, nil)
	ts.Check(err)
	r.URL, r.Host = u, u.Host
	r.Header, err = s.headers(append([]string{"Authorization: Bearer " + s.me().token}, args[1:]...))
	ts.Check(err)
	res, err := s.client().Do(r)
	ts.Check(err)
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("listening: status %d", res.StatusCode)
	}
	st := &stream{events: make(chan string, 100), cancel: cancel}
	s.me().stream = st
	begun := make(chan bool)
	go st.read(res, begun)
	<-begun
}

// read passes events on; begun is closed with the first line, or the end.
func (st *stream) read(res *http.Response, begun chan bool) {
	defer close(st.events)
	defer res.Body.Close()
	var lines []string
	first := true
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		if first {
			close(begun)
			first = false
		}
		switch l := in.Text(); {
		case strings.HasPrefix(l, ":"), strings.HasPrefix(l, "retry:"):
		case l != "":
			lines = append(lines, l)
		case lines != nil:
			st.events <- strings.Join(lines, "\n")
			lines = nil
		}
	}
	if first {
		close(begun)
	}
}

// event is the next event of the present person's stream, which must match; it goes
// to standard output. With ! the stream must end without another one.
func event(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, s.me().stream != nil && len(args) == 1 || neg && len(args) == 0, "event REGEXP, or ! event")
	select {
	case text, ok := <-s.me().stream.events:
		fmt.Fprintln(ts.Stdout(), text)
		switch {
		case neg && ok:
			ts.Fatalf("another event came: %s", text)
		case !neg && !ok:
			ts.Fatalf("the stream has ended")
		case !neg && !regexp.MustCompile("(?s)"+args[0]).MatchString(text):
			ts.Fatalf("%s does not match %s", text, args[0])
		}
	case <-time.After(eventWait):
		ts.Fatalf("nothing came")
	}
}
