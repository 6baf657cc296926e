package objects

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
)

// Cache keeps the content of objects, bounded in bytes, the least recently used
// leaving first. Many repositories may share one: the key holds the repository
// too, so that none can read through it what only another one has. A hit costs
// below 100 ns and allocates nothing.
type Cache struct {
	shards  [cacheShards]cacheShard
	bases   [cacheShards]cacheShard // delta bases, by pack and offset
	ids     atomic.Uint32
	packs   atomic.Uint64
	largest int
}

const (
	cacheShards = 64
	// entryOverhead is what an entry costs beside its content, in bytes.
	entryOverhead = 160
	// baseShare is the part of the cache for delta bases, as 1/baseShare.
	baseShare = 4
)

// NewCache makes a cache of about so many bytes, its own bookkeeping included.
// An object above 1/64 of them is not kept.
func NewCache(bytes int64) *Cache {
	c := &Cache{largest: int(bytes / 64)}
	for i := range c.shards {
		c.shards[i].init((bytes - bytes/baseShare) / cacheShards)
		c.bases[i].init(bytes / baseShare / cacheShards)
	}
	return c
}

// nextID numbers the repositories that share the cache.
func (c *Cache) nextID() uint32 { return c.ids.Add(1) }

// cacheKey is an object's name and its repository's number, or a pack's number
// and an offset in it.
type cacheKey struct{ a, b, c uint64 }

func oidKey(id uint32, oid plumbing.Hash) cacheKey {
	return cacheKey{
		binary.LittleEndian.Uint64(oid[0:]),
		binary.LittleEndian.Uint64(oid[8:]),
		uint64(binary.LittleEndian.Uint32(oid[16:]))<<32 | uint64(id),
	}
}

func (k cacheKey) shard() int { return int((k.a ^ k.b>>7) * 0x9e3779b97f4a7c15 >> 58) }

// Stats are counts since the start, and what is held now.
type Stats struct {
	Hits, Misses int64
	Entries      int
	Bytes        int64
}

// Stats sums up the content cache (delta bases apart).
func (c *Cache) Stats() Stats {
	var s Stats
	for i := range c.shards {
		sh := &c.shards[i]
		sh.mu.Lock()
		s.Hits += sh.hits
		s.Misses += sh.misses
		s.Entries += len(sh.entries)
		s.Bytes += sh.used
		sh.mu.Unlock()
	}
	return s
}

func (c *Cache) get(k cacheKey) (plumbing.ObjectType, []byte, bool) {
	return c.shards[k.shard()].get(k)
}

func (c *Cache) put(k cacheKey, t plumbing.ObjectType, data []byte) {
	if len(data) <= c.largest {
		c.shards[k.shard()].put(k, t, data)
	}
}

func (c *Cache) getBase(pack uint64, off int64) (plumbing.ObjectType, []byte, bool) {
	k := cacheKey{uint64(off), pack, 0}
	return c.bases[k.shard()].get(k)
}

func (c *Cache) putBase(pack uint64, off int64, t plumbing.ObjectType, data []byte) {
	if len(data) <= c.largest {
		k := cacheKey{uint64(off), pack, 0}
		c.bases[k.shard()].put(k, t, data)
	}
}

type cacheEntry struct {
	prev, next *cacheEntry
	key        cacheKey
	data       []byte
	kind       plumbing.ObjectType
}

type cacheShard struct {
	mu           sync.Mutex
	entries      map[cacheKey]*cacheEntry // guarded by mu, as all below
	head         cacheEntry               // ring: head.next is the newest
	used, limit  int64
	hits, misses int64
	_            [64]byte // keeps neighbours off one cache line
}

func (s *cacheShard) init(limit int64) {
	s.entries = map[cacheKey]*cacheEntry{}
	s.head.prev, s.head.next = &s.head, &s.head
	s.limit = limit
}

func (s *cacheShard) get(k cacheKey) (plumbing.ObjectType, []byte, bool) {
	s.mu.Lock()
	e := s.entries[k]
	if e == nil {
		s.misses++
		s.mu.Unlock()
		return 0, nil, false
	}
	s.hits++
	if s.head.next != e {
		e.unlink()
		s.pushFront(e)
	}
	t, data := e.kind, e.data
	s.mu.Unlock()
	return t, data, true
}

func (s *cacheShard) put(k cacheKey, t plumbing.ObjectType, data []byte) {
	cost := int64(len(data)) + entryOverhead
	if cost > s.limit {
		return
	}
	e := &cacheEntry{key: k, data: data[:len(data):len(data)], kind: t}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[k] != nil {
		return
	}
	s.entries[k] = e
	s.pushFront(e)
	s.used += cost
	for s.used > s.limit {
		old := s.head.prev
		old.unlink()
		delete(s.entries, old.key)
		s.used -= int64(len(old.data)) + entryOverhead
	}
}

func (e *cacheEntry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}

func (s *cacheShard) pushFront(e *cacheEntry) {
	e.prev, e.next = &s.head, s.head.next
	e.prev.next, e.next.prev = e, e
}

// forget drops everything whose key is matched by this.
func (s *cacheShard) forget(match func(cacheKey) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, e := range s.entries {
		if match(k) {
			e.unlink()
			delete(s.entries, k)
			s.used -= int64(len(e.data)) + entryOverhead
		}
	}
}

// Forget drops what the shared cache holds of this repository: contents, and the
// delta bases of its packs. It is for contents that nobody may keep; readers that
// are at it at this moment may put something back.
func (db *DB) Forget() {
	c := db.cache
	if c == nil {
		return
	}
	packs := map[uint64]bool{}
	for _, p := range db.packs.Load().packs {
		packs[p.id] = true
	}
	for i := range c.shards {
		c.shards[i].forget(func(k cacheKey) bool { return uint32(k.c) == db.id })
		c.bases[i].forget(func(k cacheKey) bool { return packs[k.b] })
	}
}
