package gitstore

import (
	"iter"
	"maps"
)

// table is a map of which the next version shares all but what was changed: a
// change among 10,000 people copies some 40 entries. The zero table is empty. A
// version that readers see is not changed any more; next begins another.
type table[K ~string, V any] struct {
	shards [tableShards]map[K]V
	own    [tableShards]bool // made by this version, so that nobody else reads it
	count  int
}

const tableShards = 256

// next is a version to be changed.
func (t *table[K, V]) next() table[K, V] {
	return table[K, V]{shards: t.shards, count: t.count}
}

func (t *table[K, V]) get(k K) V { return t.shards[shard(k)][k] }

func (t *table[K, V]) has(k K) bool {
	_, ok := t.shards[shard(k)][k]
	return ok
}

func (t *table[K, V]) len() int { return t.count }

// all goes through the entries in no order.
func (t *table[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for i := range t.shards {
			for k, v := range t.shards[i] {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

func (t *table[K, V]) set(k K, v V) {
	m := t.mine(shard(k))
	if _, there := m[k]; !there {
		t.count++
	}
	m[k] = v
}

func (t *table[K, V]) drop(k K) {
	if t.has(k) {
		delete(t.mine(shard(k)), k)
		t.count--
	}
}

// mine is a shard that may be changed.
func (t *table[K, V]) mine(i uint8) map[K]V {
	if !t.own[i] {
		t.own[i] = true
		if t.shards[i] = maps.Clone(t.shards[i]); t.shards[i] == nil {
			t.shards[i] = map[K]V{}
		}
	}
	return t.shards[i]
}

// shard is FNV-1a (draft-eastlake-fnv), folded to a byte.
func shard[K ~string](k K) uint8 {
	h := uint32(2166136261)
	for i := range len(k) {
		h = (h ^ uint32(k[i])) * 16777619
	}
	return uint8(h ^ h>>8 ^ h>>16 ^ h>>24)
}
