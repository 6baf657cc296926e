// Command gen writes the assembly of package simd with github.com/mmcloughlin/avo.
// Package simd says how to run it.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	dots()
	add()
	Generate()
}

// dots takes four rows at a time, so that each part of q is loaded once for four,
// and two sums for each row, so that eight chains of additions hide their latency. A
// row of the rest is summed in the same order.
func dots() {
	TEXT("dotsAVX2", NOSPLIT, "func(q, rows, out *float32, dim, n int)")
	Pragma("noescape")
	Doc("dotsAVX2 is dotsGo; dim is a multiple of 8, dim and n are over 0.")
	q := Load(Param("q"), GP64())
	rows := Load(Param("rows"), GP64())
	out := Load(Param("out"), GP64())
	dim := Load(Param("dim"), GP64())
	n := Load(Param("n"), GP64())
	stride, whole := GP64(), GP64()
	MOVQ(dim, stride)
	SHLQ(Imm(2), stride) // in bytes
	MOVQ(stride, whole)
	ANDQ(I32(^63), whole) // in steps of 16 numbers

	Label("four")
	CMPQ(n, Imm(4))
	JLT(LabelRef("one"))
	r := []reg.Register{rows, GP64(), GP64(), GP64()}
	for i := 1; i < 4; i++ {
		LEAQ(Mem{Base: r[i-1], Index: stride, Scale: 1}, r[i])
	}
	sums("four", q, r, stride, whole, out)
	LEAQ(Mem{Base: r[3], Index: stride, Scale: 1}, rows)
	ADDQ(Imm(16), out)
	SUBQ(Imm(4), n)
	JMP(LabelRef("four"))

	Label("one")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	sums("one", q, []reg.Register{rows}, stride, whole, out)
	ADDQ(stride, rows)
	ADDQ(Imm(4), out)
	DECQ(n)
	JMP(LabelRef("one"))

	Label("done")
	VZEROUPPER()
	RET()
}

// sums writes the dot products of the rows r with q to out.
func sums(label string, q reg.Register, r []reg.Register, stride, whole, out reg.Register) {
	a, b := make([]reg.VecVirtual, len(r)), make([]reg.VecVirtual, len(r))
	for i := range r {
		a[i], b[i] = YMM(), YMM()
		VXORPS(a[i], a[i], a[i])
		VXORPS(b[i], b[i], b[i])
	}
	at := GP64()
	XORQ(at, at)
	Label(label + "_steps")
	CMPQ(at, whole)
	JGE(LabelRef(label + "_rest"))
	q0, q1 := YMM(), YMM()
	VMOVUPS(Mem{Base: q, Index: at, Scale: 1}, q0)
	VMOVUPS(Mem{Base: q, Index: at, Scale: 1, Disp: 32}, q1)
	for i := range r {
		VFMADD231PS(Mem{Base: r[i], Index: at, Scale: 1}, q0, a[i])
		VFMADD231PS(Mem{Base: r[i], Index: at, Scale: 1, Disp: 32}, q1, b[i])
	}
	ADDQ(Imm(64), at)
	JMP(LabelRef(label + "_steps"))
	Label(label + "_rest")
	CMPQ(at, stride)
	JGE(LabelRef(label + "_sum"))
	VMOVUPS(Mem{Base: q, Index: at, Scale: 1}, q0)
	for i := range r {
		VFMADD231PS(Mem{Base: r[i], Index: at, Scale: 1}, q0, a[i])
	}
	Label(label + "_sum")
	for i := range r {
		VADDPS(b[i], a[i], a[i])
		high := XMM()
		VEXTRACTF128(Imm(1), a[i], high)
		VADDPS(high, a[i].AsX(), a[i].AsX())
		VMOVHLPS(a[i].AsX(), a[i].AsX(), high)
		VADDPS(high, a[i].AsX(), a[i].AsX())
		VMOVSHDUP(a[i].AsX(), high)
		VADDSS(high, a[i].AsX(), a[i].AsX())
		VMOVSS(a[i].AsX(), Mem{Base: out, Disp: 4 * i})
	}
}

// add does not fuse, so that its bits are those of the Go loop.
func add() {
	TEXT("addAVX2", NOSPLIT, "func(y *float32, f float32, x *float32, n int)")
	Pragma("noescape")
	Doc("addAVX2 is addGo; n is a multiple of 8, over 0.")
	y := Load(Param("y"), GP64())
	f := YMM()
	VBROADCASTSS(NewParamAddr("f", 8), f)
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	SHLQ(Imm(2), n)
	whole, at := GP64(), GP64()
	MOVQ(n, whole)
	ANDQ(I32(^127), whole)
	XORQ(at, at)
	step := func(disp int) {
		t := YMM()
		VMULPS(Mem{Base: x, Index: at, Scale: 1, Disp: disp}, f, t)
		VADDPS(Mem{Base: y, Index: at, Scale: 1, Disp: disp}, t, t)
		VMOVUPS(t, Mem{Base: y, Index: at, Scale: 1, Disp: disp})
	}
	Label("steps")
	CMPQ(at, whole)
	JGE(LabelRef("rest"))
	for disp := 0; disp < 128; disp += 32 {
		step(disp)
	}
	ADDQ(Imm(128), at)
	JMP(LabelRef("steps"))
	Label("rest")
	CMPQ(at, n)
	JGE(LabelRef("done"))
	step(0)
	ADDQ(Imm(32), at)
	JMP(LabelRef("rest"))
	Label("done")
	VZEROUPPER()
	RET()
}
