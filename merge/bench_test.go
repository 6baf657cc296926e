package merge

import (
	"bytes"
	"fmt"
	"testing"
)

// benchPages is a page of 4.5 kB with an edit at each end.
func benchPages() (base, ours, theirs []byte) {
	var b bytes.Buffer
	for i := range 70 {
		fmt.Fprintf(&b, "This is the line %d of a page of a usual length, with some words.\n", i)
	}
	base = b.Bytes()
	ours = bytes.Replace(base, []byte("line 3 "), []byte("third line "), 1)
	theirs = append(bytes.Replace(base, []byte("line 60 "), []byte("sixtieth line "), 1), "And an end.\n"...)
	return base, ours, theirs
}

func BenchmarkDiff3(b *testing.B) {
	base, ours, theirs := benchPages()
	b.SetBytes(int64(len(base)))
	for b.Loop() {
		if r := Diff3(base, ours, theirs, Labels{}); r.Conflicts != 0 {
			b.Fatal(r.Conflicts)
		}
	}
}

func BenchmarkEdits(b *testing.B) {
	base, ours, _ := benchPages()
	for b.Loop() {
		Edits(base, ours)
	}
}

func BenchmarkLines(b *testing.B) {
	base, _, theirs := benchPages()
	for b.Loop() {
		Lines(base, theirs, 3)
	}
}

func BenchmarkSimilarity(b *testing.B) {
	base, ours, _ := benchPages()
	for b.Loop() {
		Similarity(base, ours)
	}
}
