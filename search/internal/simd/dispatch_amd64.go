package simd

import "golang.org/x/sys/cpu"

func fast() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

func dots(q, rows, out []float32) {
	if fast() {
		dotsAVX2(&q[0], &rows[0], &out[0], len(q), len(out))
		return
	}
	dotsGo(q, rows, out)
}

func add(y []float32, f float32, x []float32) {
	if fast() {
		addAVX2(&y[0], f, &x[0], len(y))
		return
	}
	addGo(y, f, x)
}
