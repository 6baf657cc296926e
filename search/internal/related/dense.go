package related

import (
	"math"

	"wikibot/search/internal/simd"
)

// dense is a matrix by rows, each padded with zeros to a multiple of simd.Lanes.
type dense struct {
	width, stride int
	data          []float32
}

func newDense(rows, width int) dense {
	stride := (width + simd.Lanes - 1) / simd.Lanes * simd.Lanes
	return dense{width, stride, make([]float32, rows*stride)}
}

// row is row i with its padding.
func (d dense) row(i int) []float32 { return d.data[i*d.stride : (i+1)*d.stride] }

func (d dense) rows() int {
	if d.stride == 0 {
		return 0
	}
	return len(d.data) / d.stride
}

// piece is how many rows are worked on at a time: about a millisecond.
const piece = 256

// gram is aᵀ·b, width×width. Products are summed in float32 within a piece and in
// float64 over the pieces.
func gram(w worker, a, b dense) ([]float64, error) {
	g := make([]float64, a.width*b.width)
	part := newDense(a.width, b.width)
	for r := 0; r < a.rows(); r++ {
		ar, br := a.row(r), b.row(r)
		for i, x := range ar[:a.width] {
			simd.Add(part.row(i), x, br)
		}
		if r%piece != piece-1 && r != a.rows()-1 {
			continue
		}
		for i := range a.width {
			for j, x := range part.row(i)[:b.width] {
				g[i*b.width+j] += float64(x)
			}
		}
		clear(part.data)
		if err := w.next(); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// times sets out to d·right. An upper triangular right takes half the time.
func (d dense) times(w worker, right, out dense, upper bool) error {
	for r := range d.rows() {
		if r%piece == 0 {
			if err := w.next(); err != nil {
				return err
			}
		}
		o := out.row(r)
		clear(o)
		for k, x := range d.row(r)[:d.width] {
			from := 0
			if upper {
				from = k / simd.Lanes * simd.Lanes
			}
			simd.Add(o[from:], x, right.row(k)[from:])
		}
	}
	return nil
}

// orthonormalise makes the columns of d orthonormal, up to rounding times their
// condition, by Cholesky QR (Fukaya et al., "CholeskyQR2", ScalA 2014): d·R⁻¹ with
// Rᵀ·R = dᵀ·d. Doing it twice gives full precision. A column that depends on earlier
// ones becomes zero. spare has the shape of d and is overwritten.
func (d *dense) orthonormalise(w worker, spare dense) error {
	g, err := gram(w, *d, *d)
	if err != nil {
		return err
	}
	n := d.width
	r := inverseFactor(g, n)
	right := newDense(n, n)
	for i := range n {
		for j := i; j < n; j++ {
			right.row(i)[j] = float32(r[i*n+j])
		}
	}
	if err := d.times(w, right, spare, true); err != nil {
		return err
	}
	copy(d.data, spare.data)
	return nil
}

// inverseFactor is R⁻¹, upper triangular, of the Cholesky factor Rᵀ·R = g. Where g
// is singular, up to rounding, its column is zero.
func inverseFactor(g []float64, n int) []float64 {
	l := make([]float64, n*n) // Rᵀ
	for j := range n {
		d := g[j*n+j]
		for k := range j {
			d -= l[j*n+k] * l[j*n+k]
		}
		if !(d > 1e-6*g[j*n+j]) {
			continue
		}
		l[j*n+j] = math.Sqrt(d)
		for i := j + 1; i < n; i++ {
			sum := g[i*n+j]
			for k := range j {
				sum -= l[i*n+k] * l[j*n+k]
			}
			l[i*n+j] = sum / l[j*n+j]
		}
	}
	inv := make([]float64, n*n)
	for j := range n {
		if l[j*n+j] == 0 {
			continue
		}
		inv[j*n+j] = 1 / l[j*n+j]
		for i := j - 1; i >= 0; i-- { // R·x = e_j, upwards
			if l[i*n+i] == 0 {
				continue
			}
			var sum float64
			for k := i + 1; k <= j; k++ {
				sum += l[k*n+i] * inv[k*n+j]
			}
			inv[i*n+j] = -sum / l[i*n+i]
		}
	}
	return inv
}

// eigen is the eigenvalues of a symmetric n×n matrix and, in the columns, its
// eigenvectors, by cyclic Jacobi rotations (Golub and Van Loan §8.5), about 0.1 s for
// n = 216. a is overwritten.
func eigen(w worker, a []float64, n int) (values, vectors []float64, err error) {
	v := make([]float64, n*n) // eigenvectors in the rows
	for i := range n {
		v[i*n+i] = 1
		for j := range i {
			m := (a[i*n+j] + a[j*n+i]) / 2
			a[i*n+j], a[j*n+i] = m, m
		}
	}
	for range 30 {
		var off, all float64
		for i, x := range a {
			all += x * x
			if i/n != i%n {
				off += x * x
			}
		}
		if off <= 1e-20*all {
			break
		}
		for p := range n {
			if err := w.next(); err != nil {
				return nil, nil, err
			}
			for q := p + 1; q < n; q++ {
				rotate(a, v, n, p, q)
			}
		}
	}
	values, vectors = make([]float64, n), make([]float64, n*n)
	for i := range n {
		values[i] = a[i*n+i]
		for j := range n {
			vectors[i*n+j] = v[j*n+i]
		}
	}
	return values, vectors, nil
}

// rotate makes a[p,q] zero.
func rotate(a, v []float64, n, p, q int) {
	if a[p*n+q] == 0 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range n {
		x, y := a[k*n+p], a[k*n+q]
		a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
	}
	turn(a[p*n:(p+1)*n], a[q*n:(q+1)*n], c, s)
	turn(v[p*n:(p+1)*n], v[q*n:(q+1)*n], c, s)
}

func turn(p, q []float64, c, s float64) {
	q = q[:len(p)]
	for k, x := range p {
		y := q[k]
		p[k], q[k] = c*x-s*y, s*x+c*y
	}
}
