package gitstore

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"wikibot/acl"
	"wikibot/markdown"
	"wikibot/record"
	"wikibot/wiki"
)

// The records below are the TOML files of admin.git and of refs/wikibot/*.
// Reading is strict: an unknown key is a fault with file, line and the nearest
// key, because a key that is silently ignored is a permission that is silently
// lost.

type wikiRecord struct {
	Schema       int    `toml:"schema"`
	Name         string `toml:"name"`
	Purpose      string `toml:"purpose"`
	Home         string `toml:"home"`
	LinkStyle    string `toml:"link_style"`
	Redirects    *bool  `toml:"redirects"`
	RemoteImages bool   `toml:"remote_images"`
	ForcePush    bool   `toml:"force_push"`
}

type siteRecord struct {
	Schema      int                   `toml:"schema"`
	Name        string                `toml:"name"`
	DefaultTier string                `toml:"default_tier"`
	Tiers       map[string]tierRecord `toml:"tiers"`
}

type userRecord struct {
	Schema    int       `toml:"schema"`
	DID       string    `toml:"did"`
	CreatedAt time.Time `toml:"created_at"`
	Admin     bool      `toml:"admin"`
	Suspended bool      `toml:"suspended"`
	Deleted   bool      `toml:"deleted"`
	SSHKeys   []string  `toml:"ssh_keys"`
}

type registryRecord struct {
	Schema    int       `toml:"schema"`
	ID        string    `toml:"id"`
	CreatedAt time.Time `toml:"created_at"`

	Tier     string      `toml:"tier,omitempty"`  // empty: the site's default_tier
	Owner    string      `toml:"owner,omitempty"` // who pays; it gives no right
	Payment  acl.Payment `toml:"payment_status"`
	Archived bool        `toml:"archived"`

	Suspended bool `toml:"suspended"`
	Deleted   bool `toml:"deleted"`
}

type tokenRecord struct {
	Schema    int       `toml:"schema"`
	Name      string    `toml:"name"`
	Hash      string    `toml:"hash"`
	Role      string    `toml:"role,omitempty"`
	Maker     string    `toml:"maker,omitempty"`
	Parent    string    `toml:"parent,omitempty"`
	CreatedAt time.Time `toml:"created_at"`
	ExpiresAt time.Time `toml:"expires_at,omitempty"`
	Last4     string    `toml:"last_four"`
}

type redirectsRecord struct {
	Schema    int               `toml:"schema"`
	Redirects map[string]string `toml:"redirects"`
}

// decode reads one record strictly and checks its schema.
func decode[T any](file string, data []byte, into *T, version func(*T) int) wiki.Faults {
	if faults := record.Decode(file, data, into); len(faults) > 0 {
		if v := schemaOf(data); v > schema { // the keys that are not known are that program's
			return wiki.Faults{newerFault(file, data, v)}
		}
		return faults
	}
	switch v := version(into); {
	case v > schema:
		return wiki.Faults{newerFault(file, data, int64(v))}
	case v < schema-1 || v < 1:
		return wiki.Faults{faultAt(file, data, []string{"schema"}, "schema = %d is missing or not known; write schema = %d", v, schema)}
	}
	return nil
}

func newerFault(file string, data []byte, v int64) wiki.Fault {
	return faultAt(file, data, []string{"schema"}, "schema = %d was written by a newer wikibot than this one, which reads up to %d: run the newer program", v, schema)
}

// faultAt is a fault of the value at a path of a record; of the file's first
// line where there is none.
func faultAt(file string, data []byte, path []string, format string, args ...any) wiki.Fault {
	if doc, faults := record.Scan(file, data); faults == nil {
		if e, ok := doc.Lookup(path...); ok {
			return e.FaultAtValue(format, args...)
		}
	}
	return wiki.Fault{File: file, Line: 1, Text: fmt.Sprintf(format, args...)}
}

// schemaOf is the schema that a record says it has, whatever else is in it; 0
// where it says none.
func schemaOf(data []byte) int64 {
	doc, faults := record.Scan("", data)
	if faults != nil {
		return 0
	}
	e, _ := doc.Lookup("schema")
	n, _ := e.Int()
	return n
}

func parseSettings(slug wiki.Slug, data []byte) (Settings, wiki.Faults) {
	var r wikiRecord
	faults := decode(fileWiki, data, &r, func(r *wikiRecord) int { return r.Schema })
	if more := settingsFaults(data); len(faults)+len(more) > 0 {
		return Settings{}, append(faults, more...)
	}
	set := defaultSettings(slug)
	if r.Name != "" {
		set.Name = r.Name
	}
	set.Purpose, set.RemoteImages, set.ForcePush = r.Purpose, r.RemoteImages, r.ForcePush
	if r.Redirects != nil {
		set.Redirects = *r.Redirects
	}
	if r.Home != "" {
		set.Home, _ = wiki.ParsePagePath(r.Home) // settingsFaults has seen it
	}
	if r.LinkStyle != "" {
		set.LinkStyle = markdown.Style(r.LinkStyle)
	}
	return set, nil
}

// settingsFaults are the values of a wiki.toml that no setting can have, also in
// a file that has other faults.
func settingsFaults(data []byte) (faults wiki.Faults) {
	doc, broken := record.Scan(fileWiki, data)
	if broken != nil {
		return nil
	}
	if e, ok := doc.Lookup("home"); ok {
		if home, isText := e.Text(); isText && home != "" {
			if _, err := wiki.ParsePagePath(home); err != nil {
				faults = append(faults, e.FaultAtValue("%v", err))
			}
		}
	}
	if e, ok := doc.Lookup("link_style"); ok {
		styles := []string{string(markdown.TargetFirst), string(markdown.TextFirst)}
		if style, isText := e.Text(); isText && style != "" && !slices.Contains(styles, style) {
			faults = append(faults, e.FaultAtValue("link_style = %q is not one of %q, %q%s", style, styles[0], styles[1], record.DidYouMean(style, styles)))
		}
	}
	for _, key := range []string{"name", "purpose"} {
		e, _ := doc.Lookup(key)
		if text, _ := e.Text(); len(text) > 500 || strings.ContainsAny(text, "\n\r\x00") {
			faults = append(faults, e.FaultAtValue("%s must be one line of at most 500 bytes", key))
		}
	}
	return faults
}

func defaultSettings(slug wiki.Slug) Settings {
	return Settings{Name: string(slug), Home: "Home", LinkStyle: markdown.TargetFirst, Redirects: true}
}

func formatSettings(set Settings) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "schema = %d\n", schema)
	fmt.Fprintf(&b, "name = %s\n", quote(set.Name))
	fmt.Fprintf(&b, "purpose = %s\n", quote(set.Purpose))
	fmt.Fprintf(&b, "home = %s\n", quote(string(set.Home)))
	fmt.Fprintf(&b, "link_style = %s  # target-first: [[Page|text]]; text-first: [[text|Page]]\n", quote(string(set.LinkStyle)))
	fmt.Fprintf(&b, "redirects = %t  # a rename leaves a redirect\n", set.Redirects)
	fmt.Fprintf(&b, "remote_images = %t  # pages may show images from other servers\n", set.RemoteImages)
	fmt.Fprintf(&b, "force_push = %t  # owners may rewrite or delete main by push\n", set.ForcePush)
	return b.Bytes()
}

// formatRecord writes a record of the server's own, whose order and comments
// nobody chose.
func formatRecord(v any) []byte {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(v); err != nil {
		panic(fmt.Sprintf("a record that cannot be written: %v", err)) // a type of ours: a programming error
	}
	return b.Bytes()
}

func parseToken(id string, data []byte) (Token, error) {
	var r tokenRecord
	if faults := decode(tokenFile(id), data, &r, func(r *tokenRecord) int { return r.Schema }); len(faults) > 0 {
		return Token{}, faults
	}
	t := Token{ID: id, Name: r.Name, User: wiki.Username(r.Maker), Parent: r.Parent, Created: r.CreatedAt, Expires: r.ExpiresAt, Last4: r.Last4}
	sum, ok := strings.CutPrefix(r.Hash, "sha256:")
	raw, err := hex.DecodeString(sum)
	if !ok || err != nil || len(raw) != len(t.Hash) {
		return Token{}, fmt.Errorf("token %s has no usable hash", id)
	}
	copy(t.Hash[:], raw)
	if r.Role != "" {
		if t.Role, err = wiki.ParseRole(r.Role); err != nil {
			return Token{}, fmt.Errorf("token %s: %w", id, err)
		}
	}
	return t, nil
}

func formatToken(t Token) []byte {
	r := tokenRecord{Schema: schema, Name: t.Name, Hash: "sha256:" + hex.EncodeToString(t.Hash[:]), Maker: string(t.User), Parent: t.Parent, CreatedAt: t.Created, ExpiresAt: t.Expires, Last4: t.Last4}
	if t.Role != wiki.NoRole {
		r.Role = t.Role.String()
	}
	return formatRecord(r)
}

// quote writes a TOML string.
func quote(s string) string {
	text, err := record.FormatValue(strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		panic(fmt.Sprintf("a text that cannot be written: %v", err)) // any UTF-8 can
	}
	return text
}
