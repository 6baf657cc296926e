package streamable

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	retryAfter       = time.Second // after which a client comes back for a stream that broke off
	keptStreams      = 8           // of calls, in each session
	keptStreamBytes  = 256 << 10   // of all of them together
	keptStreamEvents = 1024        // of each
	keptBytes        = 256 << 20   // of everything that is kept for anybody
)

// budget is the memory that is kept for clients that come back. What finds no
// room is not kept; nothing else depends on it.
type budget struct{ used atomic.Int64 }

func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > keptBytes {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// transcript is what was said on the stream of one call, for a client that lost
// the connection. An event's id is the stream's number, a hyphen, and the event's
// number, from 1; the methods of a nil transcript do nothing.
type transcript struct {
	number uint64
	budget *budget

	mu      sync.Mutex
	events  []event
	first   uint64 // number of events[0]
	size    int
	closed  bool          // nothing is kept any more
	over    bool          // the answer is in it
	changed chan struct{} // closed, and made again, when there is more
}

// newTranscript begins the transcript of a stream, and lets go of the oldest ones
// of the session.
func (s *session) newTranscript() *transcript {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.streams++
	t := &transcript{number: s.streams, budget: &s.h.budget, first: 1, changed: make(chan struct{})}
	s.transcripts = append(s.transcripts, t)
	if len(s.transcripts) > keptStreams {
		s.transcripts[0].drop()
		s.transcripts = append(s.transcripts[:0], s.transcripts[1:]...)
	}
	return t
}

// transcript finds the stream of that number, nil where it is not kept.
func (s *session) transcript(number uint64) *transcript {
	s.guard.Lock()
	defer s.guard.Unlock()
	for _, t := range s.transcripts {
		if t.number == number {
			return t
		}
	}
	return nil
}

// dropTranscripts lets go of everything; the session has ended.
func (s *session) dropTranscripts() {
	s.guard.Lock()
	defer s.guard.Unlock()
	for _, t := range s.transcripts {
		t.drop()
	}
	s.transcripts = nil
}

func (t *transcript) place(n uint64) string {
	if t == nil {
		return ""
	}
	return eventID(t.number, n)
}

// add keeps an event and returns its id. The oldest ones make room.
func (t *transcript) add(b []byte) string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	id := eventID(t.number, t.first+uint64(len(t.events)))
	t.addLocked(event{id: id, data: b})
	close(t.changed)
	t.changed = make(chan struct{})
	return id
}

// finish keeps the answer, the last event.
func (t *transcript) finish(b []byte) string {
	if t == nil {
		return ""
	}
	id := t.add(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	close(t.changed)
	t.changed = make(chan struct{})
	return id
}

func (t *transcript) addLocked(e event) {
	size := len(e.data)
	for len(t.events) > 0 && (t.size+size > keptStreamBytes/keptStreams || len(t.events) >= keptStreamEvents) {
		t.shiftLocked()
	}
	if t.closed || size > keptStreamBytes/keptStreams || !t.budget.take(size) {
		for len(t.events) > 0 {
			t.shiftLocked()
		}
		t.first++
		return
	}
	t.events = append(t.events, e)
	t.size += size
}

func (t *transcript) shiftLocked() {
	t.budget.give(len(t.events[0].data))
	t.size -= len(t.events[0].data)
	t.events[0] = event{}
	t.events = t.events[1:]
	t.first++
}

func (t *transcript) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed, t.over = true, true
	for len(t.events) > 0 {
		t.shiftLocked()
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

// after returns the events behind number n, whether more will come, and a channel
// that is closed when there is more.
func (t *transcript) after(n uint64) (list []event, over bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, e := range t.events {
		if t.first+uint64(i) > n {
			list = append(list, e)
		}
	}
	return list, t.over, t.changed
}

func eventID(streamNumber, n uint64) string {
	return strconv.FormatUint(streamNumber, 10) + "-" + strconv.FormatUint(n, 10)
}

// parseEventID takes an id apart. Stream 0 is the session's own.
func parseEventID(id string) (streamNumber, n uint64, ok bool) {
	a, b, found := strings.Cut(id, "-")
	streamNumber, err1 := strconv.ParseUint(a, 10, 64)
	n, err2 := strconv.ParseUint(b, 10, 64)
	return streamNumber, n, found && err1 == nil && err2 == nil
}
