package web

import (
	"container/list"
	"sync"
)

// lru is a cache bounded by the bytes that its values say they take. It is safe
// for concurrent use.
type lru[K comparable, V interface{ size() int64 }] struct {
	mu    sync.Mutex
	limit int64
	used  int64               // guarded by mu
	order *list.List          // guarded by mu; front is the latest used; of *lruItem
	items map[K]*list.Element // guarded by mu
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

// entryCost is what an entry takes beside its value: key, list element, map slot.
const entryCost = 300

func newLRU[K comparable, V interface{ size() int64 }](limit int64) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), items: map[K]*list.Element{}}
}

func (c *lru[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).value, true
}

// put keeps v under k; a value over an eighth of the limit is not kept.
func (c *lru[K, V]) put(k K, v V) {
	n := v.size() + entryCost
	if n > c.limit/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[k]; ok {
		c.drop(e)
	}
	c.items[k] = c.order.PushFront(&lruItem[K, V]{k, v, n})
	c.used += n
	for c.used > c.limit {
		c.drop(c.order.Back())
	}
}

// dropIf removes every entry whose key matches.
func (c *lru[K, V]) dropIf(match func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if match(k) {
			c.drop(e)
		}
	}
}

// drop removes e; the caller holds mu.
func (c *lru[K, V]) drop(e *list.Element) {
	it := c.order.Remove(e).(*lruItem[K, V])
	delete(c.items, it.key)
	c.used -= it.size
}
