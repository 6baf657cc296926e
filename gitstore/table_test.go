package gitstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// TestTable: versions of a table are maps that do not see each other's changes.
func TestTable(t *testing.T) {
	type version struct {
		table table[string, int]
		want  map[string]int
	}
	random := rand.New(rand.NewPCG(1, 2))
	versions := []*version{{want: map[string]int{}}}
	for round := range 60 {
		from := versions[random.IntN(len(versions))]
		v := &version{from.table.next(), maps.Clone(from.want)}
		for range random.IntN(50) {
			k := fmt.Sprint("key-", random.IntN(300))
			if random.IntN(3) == 0 {
				v.table.drop(k)
				delete(v.want, k)
			} else {
				v.table.set(k, round)
				v.want[k] = round
			}
		}
		versions = append(versions, v)
	}
	for i, v := range versions {
		if got := maps.Collect(v.table.all()); !maps.Equal(got, v.want) || v.table.len() != len(v.want) {
			t.Errorf("version %d has %d entries, want %d", i, v.table.len(), len(v.want))
		}
		for k := range 300 {
			k := fmt.Sprint("key-", k)
			want, there := v.want[k]
			if got := v.table.get(k); got != want || v.table.has(k) != there {
				t.Errorf("version %d: %s is %d, want %d", i, k, got, want)
			}
		}
	}
}
