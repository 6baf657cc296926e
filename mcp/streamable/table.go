package streamable

import (
	"container/list"
	"sync"
	"time"
)

// table has the sessions, least recently used first, and counts what each peer
// has open.
type table struct {
	max, maxPeer, maxOpen int
	idle                  time.Duration
	now                   func() time.Time

	mu    sync.Mutex
	byID  map[string]*session
	all   *list.List // of *session
	peers map[string]*peerCount
	over  bool
}

// peerCount is there as long as a peer has a session or something open.
type peerCount struct {
	sessions list.List // of *session
	open     int
}

func newTable(c Config) *table {
	return &table{max: c.Sessions, maxPeer: c.PeerSessions, maxOpen: c.PeerRequests, idle: c.IdleAfter, now: c.Now,
		byID: make(map[string]*session), all: list.New(), peers: make(map[string]*peerCount)}
}

func (t *table) peer(key string) *peerCount {
	p := t.peers[key]
	if p == nil {
		p = &peerCount{}
		t.peers[key] = p
	}
	return p
}

func (t *table) forget(key string) {
	if p := t.peers[key]; p != nil && p.open == 0 && p.sessions.Len() == 0 {
		delete(t.peers, key)
	}
}

// enter counts a request of a peer; false: it has too many.
func (t *table) enter(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peer(key)
	if p.open >= t.maxOpen {
		return false
	}
	p.open++
	return true
}

func (t *table) leave(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.peer(key).open--
	t.forget(key)
}

// add takes a new session in. Where the peer has as many as it may, its least
// recently used one ends; where the table is full, that of the peer with the most
// (which takes a look at every peer).
func (t *table) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweepLocked()
	if p := t.peer(s.key); p.sessions.Len() >= t.maxPeer {
		t.removeLocked(p.sessions.Front().Value.(*session))
	}
	if len(t.byID) >= t.max {
		var most *peerCount
		for _, p := range t.peers {
			if most == nil || p.sessions.Len() > most.sessions.Len() {
				most = p
			}
		}
		t.removeLocked(most.sessions.Front().Value.(*session))
	}
	s.used = t.now()
	t.byID[s.id] = s
	s.inAll = t.all.PushBack(s)
	s.inPeer = t.peer(s.key).sessions.PushBack(s)
	if t.over {
		t.removeLocked(s)
	}
}

// find returns the session of that id where it is this peer's, else nil. It is
// then the one that was used last.
func (t *table) find(id string, p Peer) *session {
	t.mu.Lock()
	s := t.byID[id]
	if s == nil || s.key != p.Key {
		t.mu.Unlock()
		return nil
	}
	if t.now().Sub(s.used) > t.idle {
		t.removeLocked(s)
		t.mu.Unlock()
		return nil
	}
	t.touchLocked(s)
	t.mu.Unlock()
	s.cameAs(p)
	return s
}

// touch keeps a session that is in use from being idle.
func (t *table) touch(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.touchLocked(s)
}

func (t *table) touchLocked(s *session) {
	if t.byID[s.id] != s {
		return
	}
	s.used = t.now()
	t.all.MoveToBack(s.inAll)
	t.peer(s.key).sessions.MoveToBack(s.inPeer)
}

func (t *table) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(s)
}

// removeLocked ends a session: what is open of it hears of that by its channel.
func (t *table) removeLocked(s *session) {
	if t.byID[s.id] != s {
		return
	}
	delete(t.byID, s.id)
	t.all.Remove(s.inAll)
	t.peer(s.key).sessions.Remove(s.inPeer)
	t.forget(s.key)
	close(s.ended)
	// Config.Subscribe's stop is somebody else's code: not under the lock.
	go s.end()
}

// sweep ends the sessions that nobody has used for long.
func (t *table) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweepLocked()
}

func (t *table) sweepLocked() {
	for e := t.all.Front(); e != nil; e = t.all.Front() {
		s := e.Value.(*session)
		if t.now().Sub(s.used) <= t.idle {
			return
		}
		t.removeLocked(s)
	}
}

// end ends every session, and each one that begins afterwards.
func (t *table) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for e := t.all.Front(); e != nil; e = t.all.Front() {
		t.removeLocked(e.Value.(*session))
	}
}

// list returns every session.
func (t *table) list() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*session, 0, len(t.byID))
	for e := t.all.Front(); e != nil; e = e.Next() {
		list = append(list, e.Value.(*session))
	}
	return list
}
