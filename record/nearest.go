package record

import (
	"fmt"
	"strings"
)

// Nearest is the word of from that is most like word: fewest letters to insert,
// remove, replace or swap with their neighbour (optimal string alignment), case
// counting half, and a word that differs in nothing else at once. It is empty where none is near enough to be meant: more than a
// third of the longer word's letters differ.
func Nearest(word string, from []string) string {
	best, least := "", 1<<30
	for _, w := range from {
		if strings.EqualFold(word, w) {
			return w
		}
		if d := distance(word, w); d < least {
			best, least = w, d
		}
	}
	if longer := max(len(word), len(best)); least > 2*max(1, longer/3) {
		return ""
	}
	return best
}

// DidYouMean is ` (did you mean "owner"?)` for a message, or nothing where no
// word is near.
func DidYouMean(word string, from []string) string {
	if best := Nearest(word, from); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// distance is twice the edit distance of two words, capped for long ones.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1 << 20
	}
	la, lb := strings.ToLower(a), strings.ToLower(b)
	var before, above, row [65]int
	for j := range len(b) + 1 {
		above[j] = 2 * j
	}
	for i := range len(a) {
		row[0] = 2 * (i + 1)
		for j := range len(b) {
			cost := 2
			switch {
			case a[i] == b[j]:
				cost = 0
			case i < len(la) && j < len(lb) && la[i] == lb[j]:
				cost = 1
			}
			row[j+1] = min(above[j]+cost, above[j+1]+2, row[j]+2)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+2)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
