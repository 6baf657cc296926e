package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// Whatever this machine runs gives what the Go loop gives and what float64 gives, for
// every number of rows that the assembly treats differently.
func TestDots(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, dim := range []int{0, 8, 16, 24, 32, 40, 64, 104, 384, 1000} {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 100} {
			q, rows := random(r, dim), random(r, dim*n)
			got, loop := make([]float32, n+1), make([]float32, n)
			got[n] = 42
			Dots(q, rows, got[:n])
			dotsGo(q, rows, loop)
			for i := range n {
				var want, size float64
				for j, x := range q {
					want += float64(x) * float64(rows[i*dim+j])
					size += math.Abs(float64(x) * float64(rows[i*dim+j]))
				}
				for _, x := range []float32{got[i], loop[i]} {
					if math.Abs(float64(x)-want) > 1e-6*size {
						t.Fatalf("%d rows of %d, row %d: got %v, want %v", n, dim, i, x, want)
					}
				}
			}
			if got[n] != 42 {
				t.Fatalf("%d rows of %d: wrote past the end", n, dim)
			}
		}
	}
}

// A row's result does not depend on its place, so neither does a ranking.
func TestDotsOfARowAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, dim := range []int{8, 24, 384} {
		q, row := random(r, dim), random(r, dim)
		out := make([]float32, 11)
		Dots(q, slices.Repeat(row, 11), out)
		if slices.Min(out) != slices.Max(out) {
			t.Errorf("dim %d: got %v", dim, out)
		}
	}
}

func TestDotsOfWhatIsNoNumber(t *testing.T) {
	q := slices.Repeat([]float32{1}, 24)
	rows := slices.Repeat([]float32{1}, 24*5)
	rows[24+23] = float32(math.NaN())
	rows[4*24] = float32(math.Inf(-1))
	out := make([]float32, 5)
	Dots(q, rows, out)
	if out[0] != 24 || out[1] == out[1] || out[2] != 24 || !math.IsInf(float64(out[4]), -1) {
		t.Errorf("got %v", out)
	}
}

// Add gives the very bits of the Go loop.
func TestAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{0, 8, 16, 24, 32, 40, 64, 96, 216, 1000} {
		x, y := random(r, n), append(random(r, n), 42)
		want := slices.Clone(y)
		for range 20 {
			f := float32(r.NormFloat64())
			Add(y[:n], f, x)
			addGo(want[:n], f, x)
			if !slices.Equal(y, want) {
				t.Fatalf("%d: got %v, want %v", n, y, want)
			}
		}
	}
}

func TestWhatDoesNotFitPanics(t *testing.T) {
	v := make([]float32, 32)
	for name, fn := range map[string]func(){
		"odd length":   func() { Dots(v[:7], v, v[:1]) },
		"too few rows": func() { Dots(v[:8], v[:31], v[:4]) },
		"odd sum":      func() { Add(v[:9], 1, v[:9]) },
		"short":        func() { Add(v[:16], 1, v[:8]) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			fn()
		}()
	}
}

func BenchmarkDots(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	q, rows, out := random(r, 384), random(r, 384*1000), make([]float32, 1000)
	for name, fn := range map[string]func(q, rows, out []float32){"machine": Dots, "go": dotsGo} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				fn(q, rows, out)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	x, y := random(r, 216), random(r, 216)
	for name, fn := range map[string]func([]float32, float32, []float32){"machine": Add, "go": addGo} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				fn(y, 1e-9, x)
			}
		})
	}
}
