package lexical

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSpellings(t *testing.T) {
	x := index(t, Options{},
		"revision revision revision division precision",
		"merge merges merged emerge", "the then than", "Ångström", "GitStore storage", "ab", "北京", "gone")
	x.Apply([]uint32{7}, nil)
	for _, c := range []struct{ word, want string }{
		{"revison", "[revision]"},
		{"Revisoin", "[revision]"},
		{"revision", "[division precision]"},
		{"mrege", "[merge merged merges]"},
		{"teh", "[the]"},
		{"thn", "[than the then]"},
		{"tha", "[than the]"},
		{"angstrom", "[ångström]"},
		{"gitstor", "[gitstore]"},
		{"git-stor", "[gitstore]"},
		{"stoarge", "[storage store]"},
		{"gome", "[]"},
		{"gone", "[]"},
		{"zzzzzz", "[]"},
		{"a", "[]"},
		{"", "[]"},
		{"two words", "[]"},
		{strings.Repeat("x", 90), "[]"},
	} {
		if got := fmt.Sprint(x.Spellings(c.word, 3)); got != c.want {
			t.Errorf("%s: %s, want %s", c.word, got, c.want)
		}
	}
	if got := x.Spellings("thn", 1); len(got) != 1 {
		t.Errorf("one: %v", got)
	}
}

func TestWords(t *testing.T) {
	x := index(t, Options{}, "store Stores storing storing", "star gone", "Été")
	x.Apply([]uint32{1}, []Entry{{5, x.Prepare(Text{Body: "store start"})}})
	for prefix, want := range map[string]string{"sto": "[store storing stores]", "STO": "[store storing stores]", "sta": "[start]", "ét": "[été]", "x": "[]", "": "[]", "g": "[]"} {
		if got := fmt.Sprint(x.Words(prefix, 5)); got != want {
			t.Errorf("%s: %s, want %s", prefix, got, want)
		}
	}
	if got := x.Words("st", 2); fmt.Sprint(got) != "[store storing]" {
		t.Errorf("two: %v", got)
	}
}

// Words that come after the vocabulary was sorted are found as well.
func TestWordsInALargeVocabulary(t *testing.T) {
	x := New(Options{Language: "none"})
	for i := range 3 * unsorted {
		x.Apply(nil, []Entry{{uint32(i), x.Prepare(Text{Body: fmt.Sprintf("w%07d", i*7919%1000003)})}})
		if i%1000 != 0 {
			continue
		}
		if got := x.Words(fmt.Sprintf("w%07d", i*7919%1000003), 5); len(got) != 1 {
			t.Fatalf("word %d: %v", i, got)
		}
		if got := len(x.Words("w", 1<<20)); got != i+1 {
			t.Fatalf("%d words of %d", got, i+1)
		}
	}
}

// distance by the definition of optimal string alignment.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0:
				d[i][j] = j
			case j == 0:
				d[i][j] = i
			default:
				cost := 1
				if a[i-1] == b[j-1] {
					cost = 0
				}
				d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d[i][j] = min(d[i][j], d[i-2][j-2]+1)
				}
			}
		}
	}
	return d[len(a)][len(b)]
}

// What is within two changes is found, and nothing else.
func FuzzSpellings(f *testing.F) {
	f.Add("revision", "revison divisoin 北京 été")
	f.Add("abcde", "abced abdce bacde abc abcdefg")
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		var near []string
		for range 10 {
			w := []byte("letters")
			for range 1 + r.IntN(3) {
				w[r.IntN(len(w))] = "letrsx"[r.IntN(6)]
			}
			near = append(near, string(w[r.IntN(2):]))
		}
		f.Add("letters", strings.Join(near, " "))
	}
	f.Fuzz(func(t *testing.T, word, text string) {
		x := index(t, Options{Language: "none"}, text)
		word = x.foldPrefix(word)
		got := x.Spellings(word, 1<<20)
		n := utf8.RuneCountInString(word)
		var want []string
		for i := range x.vocab.lexemes {
			w := x.vocab.lexemes[i].word
			most := 2
			if n < 5 {
				most = 1
			}
			if n >= 2 && n <= longestSpelt && w != word && distance([]rune(word), []rune(w)) <= most {
				want = append(want, w)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, slices.Compact(want)) && x.foldPrefix(word) == word {
			t.Errorf("%q among %q: %q, want %q", word, text, got, want)
		}
	})
}
