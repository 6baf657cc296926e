package rewrite

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// replacer takes one text out of bytes. The nil one takes nothing.
type replacer struct {
	text  string
	names []string // as it may stand in names of files and refs
	// The text as editors and programs write it, and what takes its place.
	forms []form
}

type form struct{ from, to []byte }

func newReplacer(text string) *replacer {
	if text == "" {
		return nil
	}
	r := &replacer{text: text}
	if !strings.ContainsAny(text, "\n\x00") {
		r.names = slices.Compact([]string{text, percent(text)})
	}
	spellings := []string{text}
	if crlf := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"); crlf != text {
		spellings = append(spellings, crlf)
	}
	if lf := strings.ReplaceAll(text, "\r\n", "\n"); lf != text {
		spellings = append(spellings, lf)
	}
	for _, s := range spellings {
		r.forms = append(r.forms, form{[]byte(s), []byte(Mark)})
		if utf8.ValidString(s) {
			r.forms = append(r.forms, form{wide(s, binary.LittleEndian), wide(Mark, binary.LittleEndian)}, form{wide(s, binary.BigEndian), wide(Mark, binary.BigEndian)})
		}
	}
	return r
}

// wide is a text in UTF-16.
func wide(s string, order binary.AppendByteOrder) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

// content takes the text out of a file, in UTF-8 and in UTF-16.
func (r *replacer) content(data []byte) ([]byte, bool) {
	if r == nil {
		return data, false
	}
	changed := false
	for _, f := range r.forms {
		if bytes.Contains(data, f.from) {
			data, changed = bytes.ReplaceAll(data, f.from, f.to), true
		}
	}
	return data, changed
}

// message takes the text out of a message, or of any header, that is written in an
// encoding; "" is UTF-8.
func (r *replacer) message(s, encoding string) string {
	if r == nil {
		return s
	}
	s = strings.ReplaceAll(s, r.text, Mark)
	if encoding == "" {
		return s
	}
	enc, err := htmlindex.Get(encoding)
	if err != nil {
		return s
	}
	if in, err := enc.NewEncoder().String(r.text); err == nil && in != "" {
		s = strings.ReplaceAll(s, in, Mark)
	}
	return s
}

// plainMark stands in names, where Mark's asterisks may not.
const plainMark = "removed"

// name takes the text out of a name, which may hold it percent-encoded as names of
// pages do.
func (r *replacer) name(s string) string {
	if r == nil {
		return s
	}
	for _, n := range r.names {
		s = strings.ReplaceAll(s, n, plainMark)
	}
	return s
}

// percent encodes the characters that a page's file name encodes; see
// docs/format.md.
func percent(s string) string {
	return strings.NewReplacer("%", "%25", "<", "%3C", ">", "%3E", ":", "%3A", `"`, "%22", "|", "%7C", "?", "%3F", "*", "%2A", `\`, "%5C").Replace(s)
}
