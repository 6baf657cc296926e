package related

import (
	"context"
	"math"
	"testing"
)

// plainPPMI is the weighing as the comment of counter has it, without any cleverness.
func plainPPMI(docs [][]uint32, terms int, o Options) [][]float64 {
	n := make([][]float64, terms)
	for i := range n {
		n[i] = make([]float64, terms)
	}
	for _, d := range docs {
		for i, a := range d {
			for j, b := range d {
				if dist := max(i-j, j-i); dist > 0 && dist <= o.Window {
					n[a][b] += float64(o.Window - dist + 1)
				}
			}
		}
	}
	row := make([]float64, terms)
	var sum float64
	for i := range n {
		for _, x := range n[i] {
			row[i] += x
		}
		sum += math.Pow(row[i], o.Smooth)
	}
	for i := range n {
		for j, x := range n[i] {
			there := math.Log(x*sum/(row[i]*math.Pow(row[j], o.Smooth))) - math.Log(o.Shift)
			back := math.Log(x*sum/(row[j]*math.Pow(row[i], o.Smooth))) - math.Log(o.Shift)
			n[i][j] = max(0, (there+back)/2)
			if x == 0 {
				n[i][j] = 0
			}
		}
	}
	return n
}

func counted(t *testing.T, c Corpus, o Options) (*terms, *counter, sparse) {
	t.Helper()
	w := worker{ctx: context.Background()}
	v, err := vocabulary(w, c, o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := newCounter(w, v, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := n.matrix(w)
	if err != nil {
		t.Fatal(err)
	}
	return v, n, m
}

func TestPPMI(t *testing.T) {
	c := topics(4, 15, 80, 25)
	o := Options{Window: 4, Shift: 1.5}.withDefaults()
	want := plainPPMI(c.Docs, c.Terms, o)
	v, _, m := counted(t, c, o)
	values := 0
	for term := range c.Terms {
		r := v.row[term]
		got := make([]float64, c.Terms)
		for k, col := range m[r].columns {
			got[col] = float64(m[r].values[k])
			values++
		}
		for other := range c.Terms {
			if d := math.Abs(got[v.row[other]] - want[term][other]); d > 1e-5 {
				t.Fatalf("terms %d, %d: got %v, want %v", term, other, got[v.row[other]], want[term][other])
			}
		}
	}
	if values == 0 || values == c.Terms*c.Terms {
		t.Errorf("got %d values, a test of nothing", values)
	}
}

// U is orthonormal, and M·U = U·Λ for the leading part, up to float32.
func TestFactor(t *testing.T) {
	o := Options{Dim: 12}.withDefaults()
	o.Power = 1
	w := worker{ctx: context.Background()}
	_, _, m := counted(t, topics(12, 15, 400, 40), o)
	s, err := factor(w, m, o)
	if err != nil || s.dim != 12 {
		t.Fatalf("got %d dimensions, %v", s.dim, err)
	}
	g, err := gram(w, s.u, s.u)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.dim {
		for j := range s.dim {
			want := 0.
			if i == j {
				want = 1
			}
			if math.Abs(g[i*s.dim+j]-want) > 1e-4 {
				t.Errorf("columns %d, %d: got %v, want %v", i, j, g[i*s.dim+j], want)
			}
		}
	}
	y := newDense(len(m), s.dim)
	if err := m.times(w, s.u, y); err != nil {
		t.Fatal(err)
	}
	var off, all float64
	for r := range len(m) {
		for k := range s.dim {
			lambda := s.scale[k] / s.inverse[k]
			d := float64(y.row(r)[k]) - lambda*float64(s.u.row(r)[k])
			off += d * d
			all += float64(y.row(r)[k]) * float64(y.row(r)[k])
		}
	}
	if off > 1e-3*all {
		t.Errorf("M·U is off U·Λ by %g of its size", math.Sqrt(off/all))
	}
	for k := 1; k < s.dim; k++ {
		if s.scale[k] > s.scale[k-1] {
			t.Errorf("singular values are not descending: %v", s.scale)
		}
	}
}

func TestEigen(t *testing.T) {
	// The second difference matrix has the eigenvalues 2 − 2·cos(kπ/(n+1)).
	const n = 20
	a := make([]float64, n*n)
	for i := range n {
		a[i*n+i] = 2
		if i > 0 {
			a[i*n+i-1], a[(i-1)*n+i] = -1, -1
		}
	}
	keep := append([]float64(nil), a...)
	values, vectors, err := eigen(worker{ctx: context.Background()}, a, n)
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; k <= n; k++ {
		want, found := 2-2*math.Cos(float64(k)*math.Pi/(n+1)), false
		for _, v := range values {
			found = found || math.Abs(v-want) < 1e-10
		}
		if !found {
			t.Errorf("eigenvalue %v is missing of %v", want, values)
		}
	}
	for k := range n {
		for i := range n {
			var got float64
			for j := range n {
				got += keep[i*n+j] * vectors[j*n+k]
			}
			if math.Abs(got-values[k]*vectors[i*n+k]) > 1e-9 {
				t.Fatalf("vector %d: got %v, want %v", k, got, values[k]*vectors[i*n+k])
			}
		}
	}
}

// A matrix without full rank leaves no NaN and no column that is made of noise.
func TestDependentColumns(t *testing.T) {
	d, spare := newDense(50, 6), newDense(50, 6)
	for i := range 50 {
		r := d.row(i)
		r[0], r[1] = float32(i%7)-3, float32(i%5)-2
		r[2], r[3], r[5] = 2*r[0]-r[1], 0, float32(i%3)-1
	}
	w := worker{ctx: context.Background()}
	for range 2 {
		if err := d.orthonormalise(w, spare); err != nil {
			t.Fatal(err)
		}
	}
	g, err := gram(w, d, d)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		for j := range 6 {
			want := 0.
			if i == j && i != 2 && i != 3 && i != 4 {
				want = 1
			}
			if !(math.Abs(g[i*6+j]-want) < 1e-5) {
				t.Errorf("%d, %d: got %v, want %v", i, j, g[i*6+j], want)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	c := topics(19, 20, 600, 40) // the documents that are counted are of all topics
	o := Options{Core: 200, Terms: 300, Pairs: 1000, Tokens: 6000, Dim: 16}
	v, n, m := counted(t, c, o.withDefaults())
	values := 0
	for _, row := range m {
		values += len(row.values)
	}
	if v.core != 200 || len(v.seen) != 300 || len(m) != 200 {
		t.Errorf("got %d core terms of %d", v.core, len(v.seen))
	}
	if len(n.at) > 6000 || len(n.at) < 2000 {
		t.Errorf("got %d tokens, want 6000 at most", len(n.at))
	}
	all := o.withDefaults()
	all.Pairs = math.MaxInt
	_, _, m = counted(t, c, all)
	total := 0
	for _, row := range m {
		total += len(row.values)
	}
	if total < 2000 {
		t.Errorf("got %d pairs without the bound, too few for this test", total)
	}
	if values > 1000 || values < 300 {
		t.Errorf("got %d pairs, want 1000 at most and not much less", values)
	}
	model := fit(t, c, o)
	if model.Len() != 300 || model.Dim() != 16 {
		t.Errorf("got %d terms of %d dimensions", model.Len(), model.Dim())
	}
	least := math.MaxInt
	for _, times := range v.seen[:v.core] {
		least = min(least, times)
	}
	for r, times := range v.seen[v.core:] {
		if times > least {
			t.Errorf("row %d was seen %d times and is not of the core, which has one seen %d times", v.core+r, times, least)
		}
	}
}

// Terms beyond the core stand where the core's terms of their topic stand.
func TestFoldIn(t *testing.T) {
	const n, each = 8, 20
	c := topics(n, each, 400, 30)
	m := fit(t, c, Options{Dim: 30, Core: (n + 1) * each / 2})
	wrong := 0
	for term := range uint32(n * each) {
		for _, o := range m.Near(term, 5) {
			if o/each != term/each {
				wrong++
			}
		}
	}
	if wrong > n*each*5/10 {
		t.Errorf("%d of %d neighbours are of another topic", wrong, n*each*5)
	}
	// The place of a core term, had it been folded in, is its place.
	o := Options{Dim: 30}.withDefaults()
	v, counts, core := counted(t, c, o)
	w := worker{ctx: context.Background()}
	s, err := factor(w, core, o)
	if err != nil {
		t.Fatal(err)
	}
	want := newModel(v, s)
	v.core = v.core - 1 // of counts as well
	got := newModel(v, s)
	if err := got.foldIn(w, counts, s); err != nil {
		t.Fatal(err)
	}
	a, b := want.vectors.row(v.core), got.vectors.row(v.core)
	if cos := float64(dot(a, b)) / math.Sqrt(float64(dot(a, a))*float64(dot(b, b))); cos < .98 {
		t.Errorf("got cosine %v", cos)
	}
}
