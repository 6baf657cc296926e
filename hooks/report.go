package hooks

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/wiki"
)

const (
	lineWidth = 72  // git puts "remote: " in front
	maxFaults = 200 // shown of one push; the rest is counted
)

// report is what a pusher is told about an error, in lines of at most lineWidth
// characters where words allow it. Errors that are not made for readers become a
// number; hidden is then the error with that number, for the log, else nil.
func report(err error) (lines []string, hidden error) {
	var (
		faults   wiki.Faults
		conflict *wiki.Conflict
		spoken   *wiki.Error
	)
	switch {
	case errors.As(err, &faults):
		return reportFaults(faults), nil
	case errors.As(err, &conflict):
		return wrap("wikibot refused this push: "+conflict.Error(), ""), nil
	case errors.As(err, &spoken):
		lines = wrap("wikibot refused this push: "+spoken.Text, "")
		if err.Error() != spoken.Text {
			hidden = err // there is more to it for the operator
		}
		return lines, hidden
	case errors.Is(err, wiki.ErrForbidden), errors.Is(err, wiki.ErrUnauthenticated):
		return wrap("wikibot refused this push: you may not do this here; ask an owner of the wiki for the right", ""), nil
	}
	number := reportNumber()
	return wrap("wikibot refused this push: internal error "+number+"; nothing was changed. Push again, and if that does not help, give this number to the operator, who finds it in the log.", ""),
		fmt.Errorf("internal error %s: %w", number, err)
}

func reportFaults(faults wiki.Faults) []string {
	count := "1 fault"
	if len(faults) != 1 {
		count = fmt.Sprintf("%d faults", len(faults))
	}
	lines := []string{"wikibot refused this push: " + count + "; nothing was changed."}
	for i, f := range faults {
		if i == maxFaults {
			lines = append(lines, fmt.Sprintf("… and %d more", len(faults)-i))
			break
		}
		lines = append(lines, wrap(f.String(), "    ")...)
	}
	return lines
}

// reportNumber is a random number by which a pusher's message and the log can be
// brought together.
func reportNumber() string {
	var b [4]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

// wrap breaks each line of s between words; what follows the first line begins
// with indent. A word longer than the line stays whole, so that paths and commands
// can be copied.
func wrap(s, indent string) (lines []string) {
	for _, text := range strings.Split(s, "\n") {
		line, width := "", 0
		for _, word := range strings.Split(printable(text), " ") {
			n := utf8.RuneCountInString(word)
			switch {
			case line == "" && width == 0:
				line, width = word, n
			case width+1+n > lineWidth:
				lines = append(lines, line)
				line, width = indent+word, len(indent)+n
			default:
				line, width = line+" "+word, width+1+n
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// printable replaces what a terminal would obey (control characters, and marks
// that change the direction of text) and what is no text: file names come from the
// pusher (CWE-150).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 {
			return utf8.RuneError
		}
		return r
	}, s)
}
