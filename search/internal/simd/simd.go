// Package simd has the inner loops over float32 that searching by vectors spends its
// time in: in assembly for AVX2 and FMA, which practically every amd64 machine since
// 2013 has, and in Go for the others. Which of them runs is decided at run time.
//
// The assembly is written by the program in gen, a module of its own, so that the
// server does not depend on the generator:
//
//	cd search/internal/simd/gen && go run . -out ../simd_amd64.s -stubs ../stubs_amd64.go -pkg simd
package simd

// Lanes is how many float32 go into one AVX2 register. Rows are padded with zeros to
// a multiple of it.
const Lanes = 8

// Dots sets out[i] to the dot product of q with row i of rows, for each i of out.
// len(q) is a multiple of Lanes, and rows holds len(out) rows of that length; it
// panics otherwise. A row's result depends on q and the row alone, not on the rows
// beside it. Results of different machines differ in the last bits.
func Dots(q, rows, out []float32) {
	if len(q)%Lanes != 0 || len(rows) < len(q)*len(out) {
		panic("simd: rows do not fit")
	}
	if len(q) == 0 || len(out) == 0 {
		clear(out)
		return
	}
	dots(q, rows, out)
}

// dotsGo is Dots in Go. Eight sums run side by side, because each addition waits for
// the one before it.
func dotsGo(q, rows, out []float32) {
	for i := range out {
		row := rows[i*len(q) : (i+1)*len(q)]
		var s0, s1, s2, s3, s4, s5, s6, s7 float32
		for j := 0; j+Lanes <= len(q); j += Lanes {
			a, b := (*[Lanes]float32)(q[j:]), (*[Lanes]float32)(row[j:])
			s0 += a[0] * b[0]
			s1 += a[1] * b[1]
			s2 += a[2] * b[2]
			s3 += a[3] * b[3]
			s4 += a[4] * b[4]
			s5 += a[5] * b[5]
			s6 += a[6] * b[6]
			s7 += a[7] * b[7]
		}
		out[i] = ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
	}
}

// Add adds f·x to y, of the same length, a multiple of Lanes; it panics otherwise.
// The product is rounded before it is added, so every machine gets the same bits.
func Add(y []float32, f float32, x []float32) {
	if len(y)%Lanes != 0 || len(x) != len(y) {
		panic("simd: lengths do not fit")
	}
	if len(y) > 0 {
		add(y, f, x)
	}
}

// addGo is Add in Go. The conversion forbids the compiler to fuse.
func addGo(y []float32, f float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += float32(f * x[i])
	}
}
