package history

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// logArgs make git print what parser reads: for each commit its header lines
// and message, ended by NUL, then for each file ":modes blobs kind" NUL path
// NUL. Changes are against the first parent, for merges too.
func logArgs(head plumbing.Hash) []string {
	return []string{"-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "log.follow=false", "log",
		"--raw", "-z", "--no-abbrev", "--no-renames", "--diff-merges=first-parent", "--ignore-submodules=none",
		"--no-decorate", "--no-notes", "--no-color", "--no-mailmap", "--encoding=UTF-8", "--date=raw",
		"--format=tformat:%H%n%P%n%an%n%ae%n%ad%n%cn%n%ce%n%cd%n%B", head.String(), "--"}
}

// maxToken is the longest message or path that is read; git itself warns from
// half a gigabyte on.
const maxToken = 64 << 20

// parser reads the output of `git log` with logArgs.
type parser struct {
	in    *bufio.Reader
	long  []byte // scratch for a token longer than in's buffer
	paths names
	who   names
	zones map[int]*time.Location
	ahead []byte // a token read too far
	have  bool
}

func newParser(r io.Reader) *parser {
	return &parser{in: bufio.NewReaderSize(r, 256<<10), zones: map[int]*time.Location{}}
}

// token is the bytes up to the next NUL, good until the next call.
func (p *parser) token() ([]byte, error) {
	if p.have {
		p.have = false
		return p.ahead, nil
	}
	b, err := p.in.ReadSlice(0)
	if err == bufio.ErrBufferFull {
		p.long = append(p.long[:0], b...)
		for err == bufio.ErrBufferFull {
			b, err = p.in.ReadSlice(0)
			if p.long = append(p.long, b...); len(p.long) > maxToken {
				return nil, fmt.Errorf("an entry in the output of git log is longer than %d bytes", maxToken)
			}
		}
		b = p.long
	}
	switch {
	case err == io.EOF && len(b) > 0:
		return nil, fmt.Errorf("the output of git log ends in mid-entry: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return nil, err
	}
	return b[:len(b)-1], nil
}

// next is the next commit, io.EOF after the last.
func (p *parser) next() (*entry, error) {
	b, err := p.token()
	if err != nil {
		return nil, err
	}
	e := &entry{}
	if err := p.header(e, b); err != nil {
		return nil, err
	}
	for {
		b, err := p.token()
		if err == io.EOF {
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		if len(b) > 0 && b[0] == '\n' {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != ':' {
			p.ahead, p.have = b, true
			return e, nil
		}
		if err := p.change(e, b); err != nil {
			return nil, err
		}
	}
}

func (p *parser) header(e *entry, b []byte) error {
	var lines [8][]byte
	for i := range lines {
		line, rest, ok := bytes.Cut(b, []byte{'\n'})
		if !ok {
			return errors.New("git log printed a commit without all its header lines")
		}
		lines[i], b = line, rest
	}
	if !parseHash(&e.OID, lines[0]) {
		return fmt.Errorf("git log printed %q where a commit's name was due", lines[0])
	}
	for f := range bytes.FieldsSeq(lines[1]) {
		var h plumbing.Hash
		if !parseHash(&h, f) {
			return fmt.Errorf("git log printed %q where a parent's name was due", f)
		}
		e.Parents = append(e.Parents, h)
	}
	e.Author = p.signature(lines[2], lines[3], lines[4])
	e.Committer = p.signature(lines[5], lines[6], lines[7])
	e.Message = string(b)
	return nil
}

func (p *parser) signature(name, email, date []byte) Signature {
	return Signature{p.who.get(name), p.who.get(email), p.date(date)}
}

// get is the interned string of b.
func (t *names) get(b []byte) string {
	if id, ok := t.ids[string(b)]; ok {
		return t.list[id]
	}
	return t.list[t.id(string(b))]
}

// date reads "1795357837 +0100"; an unreadable date is the beginning of 1970,
// as git takes it.
func (p *parser) date(b []byte) time.Time {
	sec, zone, _ := bytes.Cut(b, []byte{' '})
	s, err := strconv.ParseInt(string(sec), 10, 64)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	z, err := strconv.Atoi(string(zone))
	if err != nil || z == 0 || z < -9959 || z > 9959 {
		return time.Unix(s, 0).UTC()
	}
	loc := p.zones[z]
	if loc == nil {
		loc = time.FixedZone("", (z/100*60+z%100)*60)
		p.zones[z] = loc
	}
	return time.Unix(s, 0).In(loc)
}

// change reads ":100644 100644 <old> <new> M" and, as the next token, the path.
func (p *parser) change(e *entry, b []byte) error {
	const form = len(":100644 100644 ") + 40 + 1 + 40 + 1 + 1
	var c Change
	if len(b) != form || !parseHash(&c.Old, b[15:55]) || !parseHash(&c.New, b[56:96]) {
		return fmt.Errorf("git log printed %q where a change was due", b)
	}
	switch b[97] {
	case 'A', 'D', 'M':
		c.Kind = wiki.ChangeKind(b[97])
	case 'T':
		c.Kind = wiki.Modified
	default:
		return fmt.Errorf("git log printed a change of the unknown kind %q", b[97])
	}
	path, err := p.token()
	if err != nil {
		return fmt.Errorf("reading the path of a change: %w", err)
	}
	if len(path) == 0 {
		return errors.New("git log printed a change without a path")
	}
	c.File = p.paths.get(path)
	e.Changes = append(e.Changes, c)
	return nil
}

func parseHash(h *plumbing.Hash, b []byte) bool {
	if len(b) != 2*len(h) {
		return false
	}
	n, err := hex.Decode(h[:], b)
	return err == nil && n == len(h)
}

// trimError keeps the end of what a child printed, for an error message.
func trimError(b []byte) string {
	s := strings.TrimSpace(string(b))
	if len(s) > 1000 {
		s = "…" + s[len(s)-1000:]
	}
	return s
}
