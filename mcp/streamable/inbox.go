package streamable

import "sync"

// maxInbox is how many notifications a session keeps for its stream.
const maxInbox = 1024

// inbox has what the server says in a session by itself, for the stream that the
// client opens with GET: the last maxInbox notifications, whether sent (a client
// that lost the connection may ask for them again) or not (it has no stream at
// the moment). A notification that says the same as one that was not sent yet is
// left out. With at most 512 subscriptions and three lists nothing unsent is ever
// pushed out.
//
// A client may have several streams; the protocol wants each message on one of
// them: the one that was opened last.
type inbox struct {
	mu      sync.Mutex
	items   []item
	first   uint64 // number of items[0]; numbers begin at 1
	sent    uint64 // up to here everything has been handed to some stream
	readers []*reader
	changed chan struct{} // closed, and made again, when a reader should look
}

type item struct {
	key  string // what it says
	data []byte
}

// reader is one open stream of the session.
type reader struct {
	at    uint64 // handed out up to here
	again uint64 // what was sent before the stream was opened, up to here, is handed out again
}

func newInbox() *inbox { return &inbox{first: 1, changed: make(chan struct{})} }

func (b *inbox) wakeLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// put adds a notification; key is the same for those that say the same.
func (b *inbox) put(key string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.items) - 1; i >= 0 && b.first+uint64(i) > b.sent; i-- {
		if b.items[i].key == key {
			return
		}
	}
	if len(b.items) == maxInbox {
		b.items[0] = item{}
		b.items = b.items[1:]
		b.first++
	}
	b.items = append(b.items, item{key, data})
	b.wakeLocked()
}

// open begins a stream: at what was not sent yet, or, resumed, after the event of
// number after.
func (b *inbox) open(after uint64, resumed bool) *reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &reader{at: b.sent, again: b.sent}
	if resumed {
		r.at = min(after, b.sent)
	}
	b.readers = append(b.readers, r)
	b.wakeLocked()
	return r
}

func (b *inbox) close(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.readers {
		if other == r {
			b.readers = append(b.readers[:i], b.readers[i+1:]...)
			break
		}
	}
	b.wakeLocked()
}

// take returns the next event for a stream, or else a channel that is closed when
// it should look again.
func (b *inbox) take(r *reader) (event, bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.at = max(r.at, b.first-1)
	if r.at >= r.again {
		if b.readers[len(b.readers)-1] != r {
			return event{}, false, b.changed
		}
		r.at = max(r.at, b.sent)
	}
	if r.at >= b.first-1+uint64(len(b.items)) {
		return event{}, false, b.changed
	}
	data := b.items[r.at-(b.first-1)].data
	r.at++
	b.sent = max(b.sent, r.at)
	return event{id: eventID(0, r.at), data: data}, true, nil
}
