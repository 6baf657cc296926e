package streamable

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// event is one Server-Sent Event (WHATWG HTML, 9.2.6).
type event struct {
	id    string        // empty: none; a client may ask for what came after it
	data  []byte        // a JSON-RPC message; empty: an event that only carries its id
	retry time.Duration // how long a client should wait before it comes back; 0: nothing said
}

// appendEvent writes an event in the wire format. Each line of the data gets a
// line of its own, whichever of the three line ends it has, so that no data can
// end an event or begin a field; an id with a line end or NUL is left out, as
// readers would drop it.
func appendEvent(b []byte, e event) []byte {
	if e.id != "" && !strings.ContainsAny(e.id, "\r\n\x00") {
		b = append(append(append(b, "id: "...), e.id...), '\n')
	}
	if e.retry > 0 {
		b = strconv.AppendInt(append(b, "retry: "...), e.retry.Milliseconds(), 10)
		b = append(b, '\n')
	}
	if len(e.data) > 0 {
		b = append(b, "event: message\n"...)
	}
	data := e.data
	for {
		end := bytes.IndexAny(data, "\r\n")
		b = append(b, "data: "...)
		if end < 0 {
			b = append(b, data...)
			break
		}
		b = append(append(b, data[:end]...), '\n')
		if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
			end++
		}
		data = data[end+1:]
	}
	return append(b, '\n', '\n')
}

// stream is a response that is being written as Server-Sent Events. Only the
// goroutine that serves the request uses it.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	limit   time.Duration // of one write, beside the time for its bytes: a reader that takes longer is gone
	started bool
	buf     []byte
}

func newStream(w http.ResponseWriter, limit time.Duration) *stream {
	return &stream{w: w, rc: http.NewResponseController(w), limit: limit}
}

// begin sends the header of the stream, once.
func (s *stream) begin() {
	if s.started {
		return
	}
	s.started = true
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	s.deadline(0)
	s.w.WriteHeader(http.StatusOK)
}

// send writes one event and lets it go; it fails where the client is gone or
// has not read for the write's limit.
func (s *stream) send(e event) error {
	s.begin()
	s.buf = appendEvent(s.buf[:0], e)
	return s.flush(s.buf)
}

// beat writes a comment, which readers skip: it keeps proxies from ending a
// silent connection and finds out whether somebody is there.
func (s *stream) beat() error {
	s.begin()
	return s.flush([]byte(": \n\n"))
}

func (s *stream) flush(b []byte) error {
	s.deadline(len(b))
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}

// deadline gives the next write of so many bytes its time. A writer without
// deadlines is one of a test.
func (s *stream) deadline(size int) {
	_ = s.rc.SetWriteDeadline(time.Now().Add(patience(s.limit, size)))
}

// slowest is how many bytes a second a client reads at least.
const slowest = 64 << 10

// patience is how long a client may take to read so many bytes: an attachment of
// 10 MB is not read in the time that is enough for an event.
func patience(limit time.Duration, size int) time.Duration {
	return limit + time.Duration(size)*time.Second/slowest
}
