package objects

import (
	"bytes"
	"testing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// TestForget: of one repository nothing is left in the cache that two share, delta
// bases included, and of the other one everything.
func TestForget(t *testing.T) {
	cache := NewCache(16 << 20)
	var dbs []*DB
	for range 2 {
		db, err := Open(disk.OS{}, gitstoretest.Repo(t, 100, 100), cache)
		if err != nil {
			t.Fatal(err)
		}
		all, err := db.All()
		if err != nil {
			t.Fatal(err)
		}
		for _, oid := range all {
			if _, _, err := db.Get(oid); err != nil {
				t.Fatal(err)
			}
		}
		dbs = append(dbs, db)
	}
	before, bases := cache.Stats(), 0
	for i := range cache.bases {
		bases += len(cache.bases[i].entries)
	}
	dbs[0].Forget()
	after, left := cache.Stats(), 0
	for i := range cache.bases {
		left += len(cache.bases[i].entries)
	}
	if after.Entries*2 != before.Entries || after.Bytes*2 != before.Bytes || after.Entries == 0 || left*2 != bases || bases == 0 {
		t.Errorf("%d entries and %d bases became %d and %d", before.Entries, bases, after.Entries, left)
	}
	for i := range cache.shards {
		for k := range cache.shards[i].entries {
			if uint32(k.c) != dbs[1].id {
				t.Fatal("an entry of the repository that was forgotten")
			}
		}
	}
	// What comes back is read from the disk, and is the same.
	all, err := dbs[0].All()
	if err != nil {
		t.Fatal(err)
	}
	for _, oid := range all[:10] {
		_, a, err := dbs[0].Get(oid)
		if err != nil {
			t.Fatal(err)
		}
		if _, b, err := dbs[1].Get(oid); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs, %v", oid, err)
		}
	}
}
