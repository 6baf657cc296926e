package wiki

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The grammar of names.
//
// A page's path is one or more components joined by "/": "Design/Auth". Each
// component is UTF-8 in NFC, not empty, free of control characters and of
// characters that change the direction of text, does not begin with a dot or an
// invisible character, and does not end in ".md". Everything else may be in it:
// spaces, emoji, right-to-left script, # ? % and quotes.
//
// In the tree the page is the file "Design/Auth.md". So that every checkout
// works on every system, a component's file name percent-encodes (upper-case
// hexadecimal of the UTF-8 bytes)
//
//   - the characters % < > : " | ? * \ wherever they stand,
//   - a dot or a space at its end,
//   - the first letter of a Windows device name (CON, PRN, AUX, NUL, COM0-9,
//     LPT0-9), alone or before a dot.
//
// The page "What? 100%" is the file "What%3F 100%25.md", "aux" is "%61ux.md".
// The encoding has one form for each name: a file whose name is not the encoding
// of what it decodes to is not a page and not an attachment.
//
// An attachment's path has the same grammar, except that its last component may
// not look like a page's.
const (
	// MaxComponent is the most bytes that one component of a path may take as
	// a file name, ".md" included: what Linux, macOS and Windows can hold.
	MaxComponent = 255
	// MaxPath is the most bytes that a whole path may take as a file name.
	MaxPath = 1024
	// PageSuffix ends the file name of a page.
	PageSuffix = ".md"
)

// PagePath is a page's path as people read it, in NFC, without ".md":
// "Design/Auth".
type PagePath string

// FilePath is an attachment's path as people read it: "Design/Auth/flow.png".
type FilePath string

// ParsePagePath checks and normalises (NFC) a page's path. One trailing ".md"
// is dropped, so a file name that needs no encoding is accepted too.
func ParsePagePath(s string) (PagePath, error) {
	s = strings.TrimSuffix(s, PageSuffix)
	clean, err := parseComponents("path", s)
	if err != nil {
		return "", err
	}
	if n := len(PagePath(clean).FileName()); n > MaxPath {
		return "", Invalid("path", "the path is %d bytes long as a file name; at most %d are possible", n, MaxPath)
	}
	if last := encodeComponent(path.Base(clean)); len(last)+len(PageSuffix) > MaxComponent {
		return "", Invalid("path", "the name %q is too long: its file name would take %d bytes, at most %d are possible", path.Base(clean), len(last)+len(PageSuffix), MaxComponent)
	}
	return PagePath(clean), nil
}

// ParseFilePath checks and normalises (NFC) an attachment's path.
func ParseFilePath(s string) (FilePath, error) {
	clean, err := parseComponents("filename", s)
	if err != nil {
		return "", err
	}
	if n := len(FilePath(clean).FileName()); n > MaxPath {
		return "", Invalid("filename", "the path is %d bytes long as a file name; at most %d are possible", n, MaxPath)
	}
	return FilePath(clean), nil
}

func parseComponents(field, s string) (string, error) {
	switch {
	case s == "":
		return "", Invalid(field, "the name is empty; give a path such as Design/Auth")
	case !utf8.ValidString(s):
		return "", Invalid(field, "the name %q is not UTF-8", s)
	case strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/"):
		return "", Invalid(field, "the path %q must not begin or end with \"/\"", s)
	}
	if !ascii(s) {
		s = norm.NFC.String(s)
	}
	for _, c := range strings.Split(s, "/") {
		if err := checkComponent(field, c); err != nil {
			return "", err
		}
	}
	return s, nil
}

func checkComponent(field, c string) error {
	switch {
	case c == "":
		return Invalid(field, "the path has an empty part (\"//\")")
	case c[0] == '.':
		return Invalid(field, "the name %q begins with a dot; leave the dot out", c)
	case len(c) >= len(PageSuffix) && strings.EqualFold(c[len(c)-len(PageSuffix):], PageSuffix):
		return Invalid(field, "the name %q ends in \".md\", which marks the file of a page; leave it out", c)
	case strings.EqualFold(c, "git~1"):
		return Invalid(field, "the name %q is git's own folder on Windows; choose another", c)
	}
	for i, r := range c {
		switch {
		case unicode.IsControl(r):
			return Invalid(field, "the name %q has the control character U+%04X in it", c, r)
		case forbiddenRune(r):
			return Invalid(field, "the name %q has the invisible character U+%04X in it", c, r)
		case i == 0 && unicode.Is(unicode.Cf, r):
			return Invalid(field, "the name %q begins with the invisible character U+%04X", c, r)
		}
	}
	if n := len(encodeComponent(c)); n > MaxComponent {
		return Invalid(field, "the name %q is too long: its file name would take %d bytes, at most %d are possible", c, n, MaxComponent)
	}
	return nil
}

// forbiddenRune is true of what makes one name look like another: embedding,
// override and isolate marks, separators of lines, the byte order mark, tags,
// and code points that are no characters. Joiners stay, emoji and Persian need
// them.
func forbiddenRune(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 ||
		r == 0x2028 || r == 0x2029 || r == 0xFEFF || r == 0x00AD ||
		r >= 0x2060 && r <= 0x2064 || r&0xFFFE == 0xFFFE
}

// FileName is the page's path in the tree: "Design/What%3F.md".
func (p PagePath) FileName() string { return encodePath(string(p)) + PageSuffix }

// FolderName is the tree path of the folder that holds the page's attachments
// and sub-pages: the file name without ".md".
func (p PagePath) FolderName() string { return encodePath(string(p)) }

// Name is the last component.
func (p PagePath) Name() string { return path.Base(string(p)) }

// Parent is the path above, or "" for a page at the top.
func (p PagePath) Parent() PagePath {
	if i := strings.LastIndexByte(string(p), '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// Special is true of the pages that shape others and are no content of their own.
func (p PagePath) Special() bool {
	switch p.Name() {
	case "_Sidebar", "_Header", "_Footer", "_Template":
		return true
	}
	return false
}

// Components are the parts between the slashes.
func (p PagePath) Components() []string { return strings.Split(string(p), "/") }

// Fold is the key under which a path is looked up: case folded (Unicode full
// case folding), "_" as space. Two pages of one Fold cannot both exist.
func (p PagePath) Fold() string { return Fold(string(p)) }

// FileName is the attachment's path in the tree.
func (f FilePath) FileName() string { return encodePath(string(f)) }

// Name is the last component.
func (f FilePath) Name() string { return path.Base(string(f)) }

// PageOfFile is the page whose file has this path in the tree; false where the
// file is no page or its name is not canonical.
func PageOfFile(file string) (PagePath, bool) {
	if !strings.HasSuffix(file, PageSuffix) {
		return "", false
	}
	stem := file[:len(file)-len(PageSuffix)]
	if plain(stem) {
		return PagePath(stem), true
	}
	p, err := ParsePagePath(decodePath(stem))
	if err != nil || p.FileName() != file {
		return "", false
	}
	return p, true
}

// plain is the fast path of PageOfFile: ASCII letters, digits, single inner
// slashes, "-" and inner spaces and "_" need no decoding; anything rarer takes
// the long way.
func plain(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	start := true // at the beginning of a component
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-':
			start = false
		case c == ' ' && !start && i+1 < len(s) && s[i+1] != '/':
		case c == '/' && !start && i+1 < len(s):
			if deviceName(lastComponent(s[:i])) {
				return false
			}
			start = true
		default:
			return false
		}
	}
	return !start && !deviceName(lastComponent(s))
}

func lastComponent(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// PathOfFile is the attachment whose file has this path in the tree; false
// where it is a page's file or its name is not canonical.
func PathOfFile(file string) (FilePath, bool) {
	f, err := ParseFilePath(decodePath(file))
	if err != nil || f.FileName() != file {
		return "", false
	}
	return f, true
}

// CheckFile says why a file of this tree path may not be added to a wiki; nil
// means that it is a page or an attachment with a canonical name.
func CheckFile(file string) error {
	if file == ".redirects.toml" {
		return nil
	}
	isPage := strings.HasSuffix(file, PageSuffix)
	var canonical string
	if isPage {
		p, err := ParsePagePath(decodePath(file[:len(file)-len(PageSuffix)]))
		if err != nil {
			return err
		}
		canonical = p.FileName()
	} else {
		f, err := ParseFilePath(decodePath(file))
		if err != nil {
			return err
		}
		canonical = f.FileName()
	}
	if canonical != file {
		return Invalid("path", "the file name %q does not work on every system; name it %q", file, canonical)
	}
	return nil
}

// Fold is the key for looking up names: NFC, Unicode full case folding, "_" as
// space.
func Fold(s string) string {
	if ascii(s) {
		b := []byte(s)
		for i, c := range b {
			switch {
			case c >= 'A' && c <= 'Z':
				b[i] = c + 'a' - 'A'
			case c == '_':
				b[i] = ' '
			}
		}
		return string(b)
	}
	return strings.ReplaceAll(norm.NFC.String(cases.Fold().String(norm.NFC.String(s))), "_", " ")
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func encodePath(p string) string {
	if plain(p) {
		return p
	}
	parts := strings.Split(p, "/")
	for i, c := range parts {
		parts[i] = encodeComponent(c)
	}
	return strings.Join(parts, "/")
}

const hexDigits = "0123456789ABCDEF"

func encodeComponent(c string) string {
	var b strings.Builder
	device := deviceName(c)
	for i := 0; i < len(c); i++ {
		last := i == len(c)-1
		if strings.IndexByte(`%<>:"|?*\`, c[i]) >= 0 || last && (c[i] == '.' || c[i] == ' ') || i == 0 && device {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c[i]>>4])
			b.WriteByte(hexDigits[c[i]&15])
			continue
		}
		b.WriteByte(c[i])
	}
	return b.String()
}

// deviceName is true of the names that Windows keeps for devices, whatever
// follows a dot.
func deviceName(c string) bool {
	if i := strings.IndexByte(c, '.'); i >= 0 {
		c = c[:i]
	}
	c = strings.TrimRight(c, " ")
	switch len(c) {
	case 3:
		return strings.EqualFold(c, "con") || strings.EqualFold(c, "prn") || strings.EqualFold(c, "aux") || strings.EqualFold(c, "nul")
	case 4:
		return c[3] >= '0' && c[3] <= '9' && (strings.EqualFold(c[:3], "com") || strings.EqualFold(c[:3], "lpt"))
	}
	return false
}

// decodePath undoes encodePath; a "%" that begins no escape stays as it is, and
// the caller's comparison with the canonical form then refuses the name.
func decodePath(f string) string {
	if strings.IndexByte(f, '%') < 0 {
		return f
	}
	b := make([]byte, 0, len(f))
	for i := 0; i < len(f); i++ {
		if f[i] == '%' && i+2 < len(f) {
			hi, lo := strings.IndexByte(hexDigits, f[i+1]), strings.IndexByte(hexDigits, f[i+2])
			if hi >= 0 && lo >= 0 && byte(hi<<4|lo) != '/' {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, f[i])
	}
	return string(b)
}
