package rewrite

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

var errCommit = errors.New("a damaged commit")

// header is one header of a commit or a tag, with its continuation lines.
type header struct{ key, value string }

// split takes a commit or a tag apart. Joined again it is the same, byte for byte.
func split(data []byte) (headers []header, message string, err error) {
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			if len(data) == 0 && len(headers) > 0 {
				return headers, "", errNoMessage
			}
			return nil, "", errCommit
		}
		if len(line) == 0 {
			return headers, string(rest), nil
		}
		data = rest
		if line[0] == ' ' && len(headers) > 0 {
			headers[len(headers)-1].value += "\n" + string(line)
			continue
		}
		key, value, ok := strings.Cut(string(line), " ")
		if !ok {
			return nil, "", errCommit
		}
		headers = append(headers, header{key, value})
	}
}

// errNoMessage: git takes a commit that ends with its headers.
var errNoMessage = errors.New("no message")

func join(headers []header, message string, bare bool) []byte {
	var b bytes.Buffer
	for _, h := range headers {
		b.WriteString(h.key)
		b.WriteByte(' ')
		b.WriteString(h.value)
		b.WriteByte('\n')
	}
	if !bare {
		b.WriteByte('\n')
		b.WriteString(message)
	}
	return b.Bytes()
}

func parentsOf(data []byte) ([]plumbing.Hash, error) {
	headers, _, err := split(data)
	if err != nil && err != errNoMessage {
		return nil, err
	}
	var out []plumbing.Hash
	for _, h := range headers {
		if h.key == "parent" {
			oid, err := parseOID(h.value)
			if err != nil {
				return nil, err
			}
			out = append(out, oid)
		}
	}
	return out, nil
}

func parseOID(s string) (plumbing.Hash, error) {
	if len(s) != 40 || !plumbing.IsHash(s) {
		return plumbing.ZeroHash, errCommit
	}
	return plumbing.NewHash(s), nil
}

// commit rewrites one commit whose parents are rewritten.
func (w *Rewriter) commit(k key, data []byte) error {
	headers, message, err := split(data)
	bare := err == errNoMessage
	if err != nil && !bare {
		return err
	}
	encoding := ""
	for _, h := range headers {
		if h.key == "encoding" {
			encoding = h.value
		}
	}
	changed := false
	for i := range headers {
		was := headers[i].value
		if headers[i].value, err = w.header(headers[i], k, encoding); err != nil {
			return err
		}
		changed = changed || headers[i].value != was
	}
	next := w.people(w.text.message(message, encoding))
	if next != message {
		w.out.Messages++
		changed = true
	}
	if k.kind == Audit || changed {
		next = w.renamed(next)
	}
	if k.kind == Audit && w.Entry != nil {
		next = w.Entry(next)
	}
	if next == message && !changed {
		w.memo[k] = k.oid
		return nil
	}
	if _, err := w.write(k, plumbing.CommitObject, join(w.unsigned(headers), next, bare)); err != nil {
		return err
	}
	w.out.Commits++
	w.renames(k.oid)
	return nil
}

// renames notes that a commit or a tag has a new name.
func (w *Rewriter) renames(old plumbing.Hash) {
	w.out.Old = append(w.out.Old, old)
	short := old.String()[:minShort]
	w.changed[short] = append(w.changed[short], old)
}

// header is the new value of one header.
func (w *Rewriter) header(h header, k key, encoding string) (string, error) {
	switch h.key {
	case "tree":
		oid, err := parseOID(h.value)
		if err != nil {
			return "", err
		}
		to, err := w.tree(key{oid: oid, rule: k.rule}, "", 0)
		return to.String(), err
	case "parent":
		oid, err := parseOID(h.value)
		if err != nil {
			return "", err
		}
		return w.memo[key{oid, k.rule, k.kind}].String(), nil
	case "author", "committer", "tagger":
		return w.ident(h.value, encoding), nil
	case "encoding":
		return h.value, nil
	}
	return w.text.message(h.value, encoding), nil
}

// ident is who and when, without the text, and by its new name.
func (w *Rewriter) ident(s, encoding string) string {
	open, closing := strings.IndexByte(s, '<'), strings.LastIndexByte(s, '>')
	if open < 0 || closing < open {
		return w.text.message(s, encoding)
	}
	name, email := strings.TrimSpace(s[:open]), s[open+1:closing]
	toName, toEmail := name, email
	for _, p := range w.rules.People {
		if p.is(name, email) {
			toName, toEmail = p.becomes(name, email)
			break
		}
	}
	toName, toEmail = w.text.message(toName, encoding), w.text.message(toEmail, encoding)
	if toName == name && toEmail == email {
		return s
	}
	w.out.People++
	return toName + " <" + toEmail + s[closing:]
}

// signedBy is a line of a message that names a person.
var signedBy = regexp.MustCompile(`(?m)^([A-Za-z][A-Za-z-]*-[Bb]y: *)([^<\n]*?) *<([^>\n]*)>`)

// people gives the people in the lines of a message that name them ("Signed-off-by:")
// their new names.
func (w *Rewriter) people(message string) string {
	if len(w.rules.People) == 0 {
		return message
	}
	return signedBy.ReplaceAllStringFunc(message, func(line string) string {
		m := signedBy.FindStringSubmatch(line)
		for _, p := range w.rules.People {
			if p.is(m[2], m[3]) {
				name, email := p.becomes(m[2], m[3])
				return m[1] + name + " <" + email + ">"
			}
		}
		return line
	})
}

// minShort is the least number of digits by which a message names a commit.
const minShort = 7

var hexWord = regexp.MustCompile(`\b[0-9a-f]{7,40}\b`)

// renamed gives the commits that a message names, in full or by at least seven
// digits, their new names.
func (w *Rewriter) renamed(message string) string {
	return hexWord.ReplaceAllStringFunc(message, func(word string) string {
		found := ""
		for _, old := range w.changed[word[:minShort]] {
			if !strings.HasPrefix(old.String(), word) {
				continue
			}
			to, ok := w.newName(old)
			if !ok || found != "" && found != to[:len(word)] {
				return word
			}
			found = to[:len(word)]
		}
		if found == "" {
			return word
		}
		return found
	})
}

// newName is where a commit went; false where that differs by the ref.
func (w *Rewriter) newName(old plumbing.Hash) (string, bool) {
	found := plumbing.ZeroHash
	for _, k := range w.keys(old) {
		if to, ok := w.memo[k]; ok {
			if !found.IsZero() && found != to {
				return "", false
			}
			found = to
		}
	}
	return found.String(), !found.IsZero()
}

// unsigned leaves out what would be wrong now: signatures, and the tags that a
// merge has a copy of.
func (w *Rewriter) unsigned(headers []header) []header {
	var out []header
	for _, h := range headers {
		switch h.key {
		case "gpgsig", "gpgsig-sha256", "mergetag":
			w.out.Signed++
		default:
			out = append(out, h)
		}
	}
	return out
}

// signature begins the part of a tag's message that signs it.
var signature = regexp.MustCompile(`(?ms)^-----BEGIN (?:PGP|SSH|SIGNED) (?:SIGNATURE|MESSAGE)-----\n.*\z`)

// tag rewrites a tag object and what it leads to.
func (w *Rewriter) tag(k key, data []byte, depth int) (plumbing.Hash, error) {
	headers, message, err := split(data)
	bare := err == errNoMessage
	if err != nil && !bare {
		return plumbing.ZeroHash, err
	}
	changed := false
	for i, h := range headers {
		switch h.key {
		case "object":
			oid, err := parseOID(h.value)
			if err != nil {
				return plumbing.ZeroHash, err
			}
			to, err := w.object(key{oid, k.rule, k.kind}, depth+1)
			if err != nil {
				return plumbing.ZeroHash, err
			}
			headers[i].value = to.String()
		case "tag":
			headers[i].value = w.text.name(h.value)
		case "type":
		default:
			if headers[i].value, err = w.header(h, k, ""); err != nil {
				return plumbing.ZeroHash, err
			}
		}
		changed = changed || headers[i].value != h.value
	}
	next := w.text.message(message, "")
	if next != message {
		w.out.Messages++
		changed = true
	}
	if !changed {
		w.memo[k] = k.oid
		return k.oid, nil
	}
	if stripped := signature.ReplaceAllString(next, ""); stripped != next {
		w.out.Signed++
		next = stripped
	}
	w.out.Tags++
	w.renames(k.oid)
	return w.write(k, plumbing.TagObject, join(w.unsigned(headers), w.renamed(next), bare))
}
