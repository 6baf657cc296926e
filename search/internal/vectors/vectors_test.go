package vectors

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"wikibot/wiki"
)

func random(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// cosine is the reference, in float64.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// A Set, changed at random, answers as a map and a sort do.
func TestAgainstMap(t *testing.T) {
	for _, dim := range []int{1, 2, 7, 8, 9, 31, 33, 100, 384} {
		r := rand.New(rand.NewPCG(uint64(dim), 1))
		s, want := New(dim), map[uint32][]float32{}
		for step := range 600 {
			id := uint32(r.IntN(400))
			if r.IntN(3) == 0 {
				s.Delete(id)
				delete(want, id)
				continue
			}
			v := random(r, dim)
			if err := s.Put(id, v); err != nil {
				t.Fatal(err)
			}
			want[id] = v
			if step%50 != 0 {
				continue
			}
			check(t, r, s, want)
		}
		if s.Len() != len(want) || s.Dim() != dim {
			t.Fatalf("dim %d: got %d vectors of %d, want %d", dim, s.Len(), s.Dim(), len(want))
		}
		check(t, r, s, want)
	}
}

func check(t *testing.T, r *rand.Rand, s *Set, vectors map[uint32][]float32) {
	t.Helper()
	q := random(r, s.Dim())
	odd := func(id uint32) bool { return id%2 == 1 }
	for _, allow := range []func(uint32) bool{nil, odd} {
		var want []Scored
		for id, v := range vectors {
			if allow == nil || allow(id) {
				want = append(want, Scored{id, float32(cosine(q, v))})
			}
		}
		got, err := s.Top(context.Background(), q, 10, allow)
		if err != nil || len(got) != min(10, len(want)) {
			t.Fatalf("got %d results, %v, want %d", len(got), err, min(10, len(want)))
		}
		slices.SortFunc(want, func(a, b Scored) int {
			if worse(b, a) {
				return -1
			}
			return 1
		})
		for i, g := range got {
			if math.Abs(float64(g.Score-want[i].Score)) > 1e-5 {
				t.Fatalf("dim %d, rank %d: got %v, want %v", s.Dim(), i, g, want[i])
			}
			if d := math.Abs(cosine(q, vectors[g.ID]) - float64(g.Score)); d > 1e-5 || allow != nil && !allow(g.ID) {
				t.Fatalf("dim %d, id %d: got %v, off by %g", s.Dim(), g.ID, g.Score, d)
			}
		}
	}
	scores := s.Scores(q, nil)
	for id := range uint32(500) {
		v, there := vectors[id]
		if s.Has(id) != there || (s.Get(id) != nil) != there {
			t.Fatalf("id %d: got %v, want %v", id, s.Has(id), there)
		}
		got := float32(Absent)
		if int(id) < len(scores) {
			got = scores[id]
		}
		want := float64(Absent)
		if there {
			want = cosine(q, v)
		}
		if math.Abs(float64(got)-want) > 1e-5 {
			t.Fatalf("id %d: got score %v, want %v", id, got, want)
		}
	}
}

func TestTiesByID(t *testing.T) {
	s := New(3)
	for _, id := range []uint32{9, 2, 7, 4, 0, 5} {
		if err := s.Put(id, []float32{float32(id + 1), 0, 0}); err != nil { // one direction
			t.Fatal(err)
		}
	}
	got, err := s.Top(context.Background(), []float32{2, 0, 0}, 4, nil)
	want := []Scored{{0, 1}, {2, 1}, {4, 1}, {5, 1}}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
}

func TestRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	s := New(2)
	if err := s.Put(1, []float32{3, 4}); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string][]float32{
		"short": {1}, "long": {1, 2, 3}, "none": nil, "zero": {0, 0}, "NaN": {1, nan}, "infinite": {inf, 1}, "both": {inf, -inf},
	} {
		if err := s.Put(1, v); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("Put %s: got %v, want ErrInvalid", name, err)
		}
		if _, err := s.Top(context.Background(), v, 1, nil); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("Top %s: got %v, want ErrInvalid", name, err)
		}
		if got := s.Scores(v, make([]float32, 9)); len(got) != 0 {
			t.Errorf("Scores %s: got %v", name, got)
		}
	}
	if err := s.Put(MaxID+1, []float32{1, 1}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if got, want := s.Get(1), []float32{.6, .8}; !slices.Equal(got, want) || s.Len() != 1 {
		t.Errorf("a refused vector changed something: got %v, want %v", got, want)
	}
	// What only just has a direction has one.
	if err := s.Put(2, []float32{math.SmallestNonzeroFloat32, math.MaxFloat32}); err != nil {
		t.Error(err)
	}
	if err := s.Put(3, []float32{0, math.SmallestNonzeroFloat32}); err != nil || !slices.Equal(s.Get(3), []float32{0, 1}) {
		t.Error(err, s.Get(3))
	}
}

func TestEmpty(t *testing.T) {
	none := New(0) // a model without a dimension
	if err := none.Put(1, nil); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if back, _, err := Read(none.Append(nil)); err != nil || back.Len() != 0 || len(back.Scores(nil, nil)) != 0 {
		t.Errorf("got %v", err)
	}
	s := New(5)
	s.Delete(3)
	q := []float32{1, 2, 3, 4, 5}
	if got, err := s.Top(context.Background(), q, 10, nil); len(got) != 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got := s.Scores(q, nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if err := s.Put(0, q); err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{0, -1} {
		if got, err := s.Top(context.Background(), q, k, nil); len(got) != 0 || err != nil {
			t.Errorf("k %d: got %v, %v", k, got, err)
		}
	}
	if got, err := s.Top(context.Background(), q, math.MaxInt, nil); len(got) != 1 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTopEndsWithContext(t *testing.T) {
	s := New(4)
	for id := range uint32(3 * block) {
		if err := s.Put(id, []float32{1, 1, 1, float32(id)}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	asked := 0
	_, err := s.Top(ctx, []float32{1, 1, 1, 1}, 3*block, func(uint32) bool { asked++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || asked > block {
		t.Errorf("got %v after %d ids", err, asked)
	}
}

// Readers beside the one writer see whole vectors; run with -race.
func TestReadersBesideTheWriter(t *testing.T) {
	const dim = 16
	s := New(dim)
	q := slices.Repeat([]float32{1}, dim)
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				top, err := s.Top(context.Background(), q, 5, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for _, c := range top {
					if math.Abs(math.Abs(float64(c.Score))-1) > 1e-5 { // each vector is ±q
						t.Errorf("a torn vector: %v", c)
						return
					}
				}
				s.Scores(q, nil)
				s.Bytes()
			}
		})
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		id := uint32(r.IntN(800))
		if r.IntN(3) == 0 {
			s.Delete(id)
		} else if err := s.Put(id, slices.Repeat([]float32{float32(2*r.IntN(2) - 1)}, dim)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
}

func TestSaved(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, dim := range []int{1, 7, 8, 384} {
		a, b := New(dim), New(dim)
		vectors := map[uint32][]float32{}
		for range 50 {
			vectors[uint32(r.IntN(500))] = random(r, dim)
		}
		ids := []uint32{}
		for id := range vectors {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			a.Put(id, vectors[id])
		}
		slices.Reverse(ids)
		for _, id := range ids { // another way to the same vectors
			b.Put(id+1000, random(r, dim))
			b.Put(id, random(r, dim))
			b.Put(id, vectors[id])
			b.Delete(id + 1000)
		}
		saved := a.Append([]byte("before"))
		if !bytes.Equal(saved, b.Append([]byte("before"))) {
			t.Fatal("equal sets are saved differently")
		}
		c, rest, err := Read(append(saved[len("before"):], "after"...))
		if err != nil || string(rest) != "after" {
			t.Fatalf("got %v, rest %q", err, rest)
		}
		check(t, r, c, vectors)
		if c.Len() != len(vectors) || !bytes.Equal(c.Append(nil), a.Append(nil)) {
			t.Fatal("what was read is not what was saved")
		}
	}
	empty, rest, err := Read(New(3).Append(nil))
	if err != nil || len(rest) != 0 || empty.Len() != 0 || empty.Dim() != 3 {
		t.Fatal(empty, rest, err)
	}
}
