package related

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	oversample = 16 // columns more than wanted, Halko et al. §4.3
	iterations = 2  // of the subspace, Halko et al. algorithm 4.4
)

func pow(x, y float64) float64 { return math.Pow(x, y) }

// factor is the truncated singular value decomposition of a symmetric matrix by
// randomised subspace iteration (Halko, Martinsson and Tropp, "Finding structure
// with randomness", SIAM Review 2011) from a fixed seed: row i of the answer is row i
// of U·Σ^power. There are as many columns as wanted or as the matrix has rank,
// whichever is less.
func factor(ctx context.Context, p *sparse, o Options) (vectors []float32, dim int, err error) {
	n := p.rows()
	width := min(o.Dim+oversample, n)
	q := gaussian(n, width)
	y := make([]float32, n*width)
	for range iterations + 1 {
		if err := p.times(ctx, q, y, width, o.Yield); err != nil {
			return nil, 0, err
		}
		q, y = y, q
		orthonormalise(q, n, width)
	}
	if err := p.times(ctx, q, y, width, o.Yield); err != nil {
		return nil, 0, err
	}
	b := gram(q, y, n, width)
	values, s := eigen(b, width)
	order := make([]int, width)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(math.Abs(values[b]), math.Abs(values[a]))
	})
	for dim < min(o.Dim, width) && math.Abs(values[order[dim]]) > 1e-4*math.Abs(values[order[0]]) {
		dim++
	}
	vectors = make([]float32, n*dim)
	for i := range n {
		qi := q[i*width : (i+1)*width]
		for k, from := range order[:dim] {
			var sum float64
			for j, x := range qi {
				sum += float64(x) * s[j*width+from]
			}
			vectors[i*dim+k] = float32(sum * pow(math.Abs(values[from]), o.Power))
		}
	}
	return vectors, dim, ctx.Err()
}

func gaussian(n, width int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	q := make([]float32, n*width)
	for i := range q {
		q[i] = float32(r.NormFloat64())
	}
	return q
}

// times sets y to s·x; x and y have width columns.
func (s *sparse) times(ctx context.Context, x, y []float32, width int, yield func()) error {
	clear(y)
	for i := range s.rows() {
		if i%64 == 0 {
			yield()
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		yi := y[i*width : (i+1)*width]
		for k := s.start[i]; k < s.start[i+1]; k++ {
			c, f := int(s.columns[k]), s.values[k]
			xc := x[c*width : (c+1)*width]
			for j := range yi {
				yi[j] += float32(f * xc[j])
			}
		}
	}
	return nil
}

// gram is aᵀ·b of two matrices with n rows and width columns.
func gram(a, b []float32, n, width int) []float64 {
	g := make([]float64, width*width)
	for r := range n {
		ar, br := a[r*width:(r+1)*width], b[r*width:(r+1)*width]
		for i, x := range ar {
			gi := g[i*width : (i+1)*width]
			for j, y := range br {
				gi[j] += float64(x) * float64(y)
			}
		}
	}
	return g
}

// orthonormalise makes the columns of y orthonormal by Cholesky QR, done twice
// for its precision (Fukaya et al. 2014). A column that depends on earlier ones
// becomes zero.
func orthonormalise(y []float32, n, width int) {
	for range 2 {
		g := gram(y, y, n, width)
		l := cholesky(g, width)
		for r := range n {
			row := y[r*width : (r+1)*width]
			for j := range row { // solves x·Lᵀ = row
				if l[j*width+j] == 0 {
					row[j] = 0
					continue
				}
				sum := float64(row[j])
				for k, x := range row[:j] {
					sum -= float64(x) * l[j*width+k]
				}
				row[j] = float32(sum / l[j*width+j])
			}
		}
	}
}

// cholesky is the lower L with L·Lᵀ = g. Where g is singular, up to rounding, the
// column of L is zero.
func cholesky(g []float64, n int) []float64 {
	l := make([]float64, n*n)
	for j := range n {
		d := g[j*n+j]
		for k := range j {
			d -= l[j*n+k] * l[j*n+k]
		}
		if !(d > 1e-9*g[j*n+j]) {
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
	return l
}

// eigen is the eigenvalues of a symmetric n×n matrix and, in the columns, its
// eigenvectors, by cyclic Jacobi rotations (Golub and Van Loan §8.5).
func eigen(a []float64, n int) (values, vectors []float64) {
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
		for j := range i {
			m := (a[i*n+j] + a[j*n+i]) / 2
			a[i*n+j], a[j*n+i] = m, m
		}
	}
	for range 30 {
		var off, all float64
		for i := range n {
			for j := range n {
				x := a[i*n+j] * a[i*n+j]
				all += x
				if i != j {
					off += x
				}
			}
		}
		if off <= 1e-20*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, n, p, q)
			}
		}
	}
	values = make([]float64, n)
	for i := range values {
		values[i] = a[i*n+i]
	}
	return values, v
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
	ap, aq := a[p*n:(p+1)*n], a[q*n:(q+1)*n]
	for k := range n {
		x, y := ap[k], aq[k]
		ap[k], aq[k] = c*x-s*y, s*x+c*y
		x, y = v[k*n+p], v[k*n+q]
		v[k*n+p], v[k*n+q] = c*x-s*y, s*x+c*y
	}
}
