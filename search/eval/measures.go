package eval

import (
	"math"
	"slices"
)

// The depths of the measures: how many documents an arm is asked for, and how many
// of them nDCG looks at.
const (
	depth = 100
	first = 10
)

// ndcg is nDCG@10 of a ranking, given the grade of each relevant document. A
// document that comes twice counts once.
func ndcg(found []int, grade map[int]float64) float64 {
	var sum, best float64
	seen := map[int]bool{}
	for i, d := range found[:min(first, len(found))] {
		if !seen[d] {
			sum += grade[d] / math.Log2(float64(i)+2)
		}
		seen[d] = true
	}
	ideal := make([]float64, 0, len(grade))
	for _, g := range grade {
		ideal = append(ideal, g)
	}
	slices.Sort(ideal)
	slices.Reverse(ideal)
	for i, g := range ideal[:min(first, len(ideal))] {
		best += g / math.Log2(float64(i)+2)
	}
	return sum / best
}

// recall is which part of the relevant documents the first hundred have.
func recall(found []int, grade map[int]float64) float64 {
	n := 0
	seen := map[int]bool{}
	for _, d := range found[:min(depth, len(found))] {
		if _, ok := grade[d]; ok && !seen[d] {
			n++
		}
		seen[d] = true
	}
	return float64(n) / float64(len(grade))
}
