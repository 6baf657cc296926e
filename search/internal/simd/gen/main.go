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

// dots takes one row after the other: to a processor that fetches ahead they are one
// stream, which a large index reads from memory a third faster than four rows side by
// side. Four sums hide the latency of the additions.
func dots() {
	TEXT("dotsAVX2", NOSPLIT, "func(q, rows, out *float32, dim, n int)")
	Pragma("noescape")
	Doc("dotsAVX2 is dotsGo; dim is a multiple of 8, dim and n are over 0.")
	q := Load(Param("q"), GP64())
	row := Load(Param("rows"), GP64())
	out := Load(Param("out"), GP64())
	stride := Load(Param("dim"), GP64())
	n := Load(Param("n"), GP64())
	SHLQ(Imm(2), stride) // in bytes
	whole, at := GP64(), GP64()
	MOVQ(stride, whole)
	ANDQ(I32(^127), whole) // in steps of 32 numbers

	Label("row")
	sums := []reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}
	for _, s := range sums {
		VXORPS(s, s, s)
	}
	step := func(i int) {
		t := YMM()
		VMOVUPS(Mem{Base: q, Index: at, Scale: 1, Disp: 32 * i}, t)
		VFMADD231PS(Mem{Base: row, Index: at, Scale: 1, Disp: 32 * i}, t, sums[i])
	}
	XORQ(at, at)
	Label("steps")
	CMPQ(at, whole)
	JGE(LabelRef("rest"))
	for i := range sums {
		step(i)
	}
	ADDQ(Imm(128), at)
	JMP(LabelRef("steps"))
	Label("rest")
	CMPQ(at, stride)
	JGE(LabelRef("sum"))
	step(0)
	ADDQ(Imm(32), at)
	JMP(LabelRef("rest"))

	Label("sum")
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	low, high := sums[0].AsX(), XMM()
	VEXTRACTF128(Imm(1), sums[0], high)
	VADDPS(high, low, low)
	VMOVHLPS(low, low, high)
	VADDPS(high, low, low)
	VMOVSHDUP(low, high)
	VADDSS(high, low, low)
	VMOVSS(low, Mem{Base: out})
	ADDQ(stride, row)
	ADDQ(Imm(4), out)
	DECQ(n)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
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
