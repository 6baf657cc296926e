package chunks

import (
	"bytes"
	"strings"
)

// breaks say how well a text can be cut before a unit.
const (
	noBreak = iota
	sentenceBreak
	paragraphBreak
	sectionBreak
)

type unit struct {
	start int
	brk   uint8
}

// cut appends the chunks of a group of segments.
func (c *cutter) cut(group []segment) {
	words, start, end := 0, group[0].start, group[len(group)-1].end
	for _, s := range group {
		words += s.words
	}
	if words < maxSection {
		c.add(group, start, start, end, words)
		return
	}
	all := c.units(group)
	pieces := pack(atoms(all), len(all))
	for i, p := range pieces {
		from, to := start, end
		first := p[0]
		if i > 0 {
			first = overlapped(all, pieces[i-1][0], p[0])
			from = all[first].start
		}
		if i+1 < len(pieces) {
			to = all[p[1]].start
		}
		fresh := start
		if i > 0 {
			fresh = all[p[0]].start
		}
		c.add(group, from, fresh, to, p[1]-first)
	}
}

// overlapped is the unit at which a piece that is cut at a unit begins: some words
// before, but in the same section and not before least.
func overlapped(all []unit, least, cut int) int {
	i := cut
	for i > least && cut-i < overlap && all[i].brk < sectionBreak {
		i--
	}
	return i
}

// units are the words of a group with the breaks before them.
func (c *cutter) units(group []segment) []unit {
	var all []unit
	for _, s := range group {
		brk := uint8(sectionBreak)
		fence := ""
		u := units{src: c.src, at: s.start, gap: s.start}
		last := s.start // where the unit before this one begins
		for at := s.start; at < s.end; {
			stop := s.end
			if i := bytes.IndexByte(c.src[at:s.end], '\n'); i >= 0 {
				stop = at + i + 1
			}
			brk = max(brk, lineBreak(c.src[at:stop], &fence))
			u.end = stop
			for first := true; ; {
				from, _, ok := u.next()
				if !ok {
					break
				}
				if brk == noBreak && endsSentence(c.src[last:from]) {
					brk = sentenceBreak
				}
				if first {
					from, first = at, false // with the "- ", "## " or "> " before it
				}
				all = append(all, unit{from, brk})
				last, brk = from, noBreak
			}
			at = stop
		}
	}
	return all
}

// lineBreak is the break before what follows the beginning of a line, and keeps
// track of fences, within which an empty line is no end of a paragraph.
func lineBreak(line []byte, fence *string) uint8 {
	line = bytes.TrimSpace(line)
	switch {
	case *fence != "":
		if bytes.HasPrefix(line, []byte(*fence)) {
			*fence = ""
		}
		return sentenceBreak
	case len(line) == 0:
		return paragraphBreak
	case bytes.HasPrefix(line, []byte("```")) || bytes.HasPrefix(line, []byte("~~~")):
		*fence = string(line[:3])
		return sentenceBreak
	case strings.IndexByte("|-*+>#", line[0]) >= 0, line[0] >= '0' && line[0] <= '9':
		return sentenceBreak // a row, an item
	}
	return noBreak
}

// endsSentence reports whether a word and what follows it ends a sentence.
func endsSentence(word []byte) bool {
	word = bytes.TrimRight(word[max(0, len(word)-maxUnit):], " \t\r\n")
	if len(word) == 0 || classes[word[len(word)-1]] == isWord {
		return false
	}
	s := strings.TrimRight(string(word), "\"')]}*_”’»」』）")
	for _, end := range [...]string{".", "!", "?", "…", "。", "！", "？", "｡", "؟", "।", "။", "។"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// atoms are the units at which a text may be cut: paragraphs, sentences of large
// paragraphs, and pieces of large sentences.
func atoms(all []unit) []int {
	var cuts []int
	for from := 0; from < len(all); {
		to := nextBreak(all, from, paragraphBreak)
		cuts = append(cuts, from)
		if to-from > maxParagraph {
			for s := from; s < to; {
				if s = nextBreak(all[:min(to, s+target)], s, sentenceBreak); s < to {
					cuts = append(cuts, s)
				}
			}
		}
		from = to
	}
	return cuts
}

func nextBreak(all []unit, from int, least uint8) int {
	for i := from + 1; i < len(all); i++ {
		if all[i].brk >= least {
			return i
		}
	}
	return len(all)
}

// pack puts atoms together into pieces of about the target: [from, to) in units.
func pack(cuts []int, n int) (pieces [][2]int) {
	from := 0
	for i := 1; i < len(cuts); i++ {
		end := n
		if i+1 < len(cuts) {
			end = cuts[i+1]
		}
		have, more := cuts[i]-from, end-cuts[i]
		if have+more > target && (have >= target/2 || have+more > maxSection) {
			pieces = append(pieces, [2]int{from, cuts[i]})
			from = cuts[i]
		}
	}
	if last := len(pieces) - 1; last >= 0 && n-from < minSection {
		pieces[last][1] = n
		return pieces
	}
	return append(pieces, [2]int{from, n})
}
