//go:build !amd64

package simd

func dots(q, rows, out []float32) { dotsGo(q, rows, out) }

func add(y []float32, f float32, x []float32) { addGo(y, f, x) }
