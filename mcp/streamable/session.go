package streamable

import (
	"container/list"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// session is what a client of the revisions before 2026-07-28 began with
// initialize. It belongs to one Peer.Key.
type session struct {
	state
	h     *Handler
	id    string
	key   string
	ended chan struct{} // closed by table.remove
	inbox *inbox
	kept  *kept

	// of the table, under its lock
	inAll  *list.Element
	inPeer *list.Element
	used   time.Time

	guard       sync.Mutex // of what follows
	peer        Peer       // of the last request
	transcripts []*transcript
	streams     uint64                       // numbers the streams
	asks        uint64                       // numbers the requests of the server
	waiting     map[string]chan<- clientSays // by the id of a request of the server
}

func (h *Handler) newSession(p Peer) *session {
	// 130 bits that nobody guesses (crypto/rand).
	s := &session{h: h, id: rand.Text(), key: p.Key, peer: p, ended: make(chan struct{}), inbox: newInbox(), kept: newKept(&h.budget, h.cfg.Now)}
	s.state.follow = func(uri string) (func(), error) { return h.watch(s, uri) }
	return s
}

// who is the peer as of its last request.
func (s *session) who() Peer {
	s.guard.Lock()
	defer s.guard.Unlock()
	return s.peer
}

func (s *session) cameAs(p Peer) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.peer = p
}

// end lets go of what the session keeps.
func (s *session) end() {
	s.unfollow()
	s.dropTranscripts()
	s.kept.drop()
}

// clientSays is the client's response to a request of the server.
type clientSays struct{ result, fault json.RawMessage }

// answered hands a response of the client to who waits for it. One that nobody
// waits for, because it came too late, is dropped.
func (s *session) answered(m *message) {
	id, err := strconv.Unquote(string(m.id))
	if err != nil {
		return
	}
	s.guard.Lock()
	waiting := s.waiting[id]
	delete(s.waiting, id)
	s.guard.Unlock()
	if waiting != nil {
		waiting <- clientSays{m.result, m.fault}
	}
}
