package history

import (
	"strings"
	"unicode/utf8"
)

// trailers are what the server says at the end of its own messages.
type trailers struct {
	actor, via, agent, key string
	renamed                [][2]string // old and new path in the tree
}

const trailerPrefix = "Wikibot-"

// parseTrailers reads the lines "Wikibot-…: …" of the last paragraph, unless
// that is the subject.
func parseTrailers(message string) trailers {
	var t trailers
	_, block := cutTrailers(message)
	for line := range strings.SplitSeq(block, "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimPrefix(key, trailerPrefix) {
		case "Actor":
			t.actor = value
		case "Via":
			t.via = value
		case "Agent":
			t.agent = value
		case "Key":
			t.key = value
		case "Renamed":
			if old, new, ok := strings.Cut(value, " -> "); ok {
				t.renamed = append(t.renamed, [2]string{old, new})
			}
		}
	}
	return t
}

// cutTrailers divides a message before the server's trailers: the run of lines
// "Wikibot-…" at its end.
func cutTrailers(message string) (text, block string) {
	message = strings.TrimRight(message, "\n")
	start := len(message)
	for start > 0 {
		i := strings.LastIndexByte(message[:max(start-1, 0)], '\n') + 1
		if i == 0 || !strings.HasPrefix(message[i:], trailerPrefix) {
			break
		}
		start = i
	}
	return strings.TrimRight(message[:start], "\n"), message[start:]
}

// cleanMessage is a message as the index keeps it: valid UTF-8 without blank
// lines around it, and nothing from a NUL on, which git does not show either.
func cleanMessage(m string) string {
	if i := strings.IndexByte(m, 0); i >= 0 {
		m = m[:i]
	}
	m = strings.Trim(m, "\n")
	if !utf8.ValidString(m) {
		m = strings.ToValidUTF8(m, "\uFFFD")
	}
	return m
}
