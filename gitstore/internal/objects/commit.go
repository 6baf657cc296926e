package objects

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Signature is who and when, as a commit has it.
type Signature struct {
	Name, Email string
	When        time.Time // to the second, in the zone of the writer
}

// Commit is a commit object. Parse tolerates what old and foreign tools write
// (odd signatures, unknown headers); Encode writes what `git fsck --strict`
// accepts, or refuses.
type Commit struct {
	Tree      plumbing.Hash
	Parents   []plumbing.Hash
	Author    Signature
	Committer Signature
	Encoding  string   // of Message; empty: UTF-8
	Extra     []Header // every other header in order: gpgsig, mergetag, …
	Message   string   // as it is, with its final newline
}

// Header is a header of a commit beyond those that have a field. Lines of Value
// are joined by newlines, without git's continuation blank.
type Header struct{ Key, Value string }

func badCommit(what string) error { return fmt.Errorf("bad commit: %s: %w", what, ErrDamaged) }

// ParseCommit reads a commit object.
func ParseCommit(data []byte) (Commit, error) {
	var c Commit
	stage := 0 // 0 tree, 1 parents, 2 after the author
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			if len(data) == 0 && stage == 2 {
				return c, nil // headers alone, no blank line: git takes it
			}
			return c, badCommit("a header without an end")
		}
		line := data[:end]
		data = data[end+1:]
		if len(line) == 0 {
			break
		}
		if len(data) > 0 && data[0] == ' ' {
			line, data = continued(line, data)
		}
		if err := c.header(line, &stage); err != nil {
			return c, err
		}
	}
	if stage == 0 {
		return c, badCommit("no tree")
	}
	c.Message = string(data)
	return c, nil
}

// continued joins the continuation lines in data to line, newlines kept.
func continued(line, data []byte) (whole, rest []byte) {
	whole = line[:len(line):len(line)]
	for len(data) > 0 && data[0] == ' ' {
		l, more, _ := bytes.Cut(data, []byte("\n"))
		whole = append(append(whole, '\n'), l...)
		data = more
	}
	return whole, data
}

// header takes one header; line may hold continuation lines, each begun by the
// blank that git puts there.
func (c *Commit) header(line []byte, stage *int) (err error) {
	key, value, ok := bytes.Cut(line, []byte(" "))
	if *stage == 0 {
		if !ok || string(key) != "tree" {
			return badCommit("it does not begin with its tree")
		}
		*stage = 1
		c.Tree, err = parseOID(value)
		return err
	}
	switch string(key) {
	case "parent":
		if *stage != 1 {
			return badCommit("a parent after the author")
		}
		h, err := parseOID(value)
		c.Parents = append(c.Parents, h)
		return err
	case "author":
		*stage = 2
		c.Author = parseSignature(value)
	case "committer":
		*stage = 2
		c.Committer = parseSignature(value)
	case "encoding":
		c.Encoding = string(value)
	default:
		c.Extra = append(c.Extra, parseHeader(line))
	}
	return nil
}

func parseHeader(line []byte) Header {
	first, rest, more := bytes.Cut(line, []byte("\n"))
	key, value, _ := bytes.Cut(first, []byte(" "))
	text := string(value)
	if more {
		for l := range strings.SplitSeq(string(rest), "\n") {
			text += "\n" + strings.TrimPrefix(l, " ")
		}
	}
	return Header{string(key), text}
}

func parseOID(b []byte) (h plumbing.Hash, err error) {
	if len(b) != 40 {
		return h, badCommit("an object name that has not 40 digits")
	}
	if _, err := hex.Decode(h[:], b); err != nil {
		return h, badCommit("an object name that is not hexadecimal")
	}
	return h, nil
}

// parseSignature reads "Name <email> 1700000000 +0100" and gives what it can
// of anything else: history has worse.
func parseSignature(b []byte) Signature {
	var s Signature
	open := bytes.IndexByte(b, '<')
	closing := bytes.LastIndexByte(b, '>')
	if open < 0 || closing < open {
		s.Name = strings.TrimSpace(string(b))
		return s
	}
	s.Name = strings.TrimSpace(string(b[:open]))
	s.Email = strings.TrimSpace(string(b[open+1 : closing]))
	when := strings.Fields(string(b[closing+1:]))
	if len(when) == 0 {
		return s
	}
	sec, err := strconv.ParseInt(when[0], 10, 64)
	if err != nil || sec < 0 || sec > 1<<40 {
		return s
	}
	zone := time.UTC
	if len(when) > 1 {
		zone = parseZone(when[1])
	}
	s.When = time.Unix(sec, 0).In(zone)
	return s
}

func parseZone(z string) *time.Location {
	n, err := strconv.Atoi(z)
	if err != nil || len(z) != 5 || n == 0 {
		return time.UTC
	}
	hours, minutes := n/100, n%100
	return time.FixedZone("", (hours*60+minutes)*60)
}

// Encode makes the commit object. Names are cleaned as git cleans them (no
// newline, "<", ">" or NUL); a NUL in the message is an error.
func (c *Commit) Encode() ([]byte, error) {
	if c.Tree.IsZero() {
		return nil, fmt.Errorf("a commit needs a tree")
	}
	if strings.IndexByte(c.Message, 0) >= 0 {
		return nil, fmt.Errorf("git cannot keep a commit message with a NUL byte")
	}
	b := make([]byte, 0, 256+48*len(c.Parents)+len(c.Message))
	b = appendLine(b, "tree", c.Tree.String())
	for _, p := range c.Parents {
		b = appendLine(b, "parent", p.String())
	}
	b = appendLine(b, "author", c.Author.String())
	b = appendLine(b, "committer", c.Committer.String())
	if c.Encoding != "" {
		b = appendLine(b, "encoding", c.Encoding)
	}
	for _, h := range c.Extra {
		if h.Key == "" || strings.ContainsAny(h.Key, " \n\x00") || strings.IndexByte(h.Value, 0) >= 0 {
			return nil, fmt.Errorf("git cannot keep a commit header %q", h.Key)
		}
		b = appendLine(b, h.Key, strings.ReplaceAll(h.Value, "\n", "\n "))
	}
	b = append(b, '\n')
	return append(b, c.Message...), nil
}

func appendLine(b []byte, key, value string) []byte {
	b = append(append(b, key...), ' ')
	return append(append(b, value...), '\n')
}

// String is the signature as a commit has it.
func (s Signature) String() string {
	_, offset := s.When.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	minutes := offset / 60
	sec := s.When.Unix()
	if s.When.IsZero() || sec < 0 {
		sec = 0
	}
	return fmt.Sprintf("%s <%s> %d %c%02d%02d", cleanIdent(s.Name, "unknown"), cleanIdent(s.Email, ""), sec, sign, minutes/60, minutes%60)
}

// cleanIdent drops what would end the field, and the crud that git drops at
// both ends (ident.c).
func cleanIdent(s, empty string) string {
	s = strings.Map(func(r rune) rune {
		if r == '<' || r == '>' || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`,:;"\'`, r) })
	if s == "" {
		return empty
	}
	return s
}
