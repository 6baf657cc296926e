package gitstore

import (
	"bytes"
	"encoding/hex"
	"fmt"
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
		return faults
	}
	switch v := version(into); {
	case v > schema:
		return wiki.Faults{{File: file, Text: fmt.Sprintf("schema = %d was written by a newer wikibot than this one, which reads up to %d: run the newer program", v, schema)}}
	case v < schema-1 || v < 1:
		return wiki.Faults{{File: file, Text: fmt.Sprintf("schema = %d is missing or not known; write schema = %d", v, schema)}}
	}
	return nil
}

func parseSettings(slug wiki.Slug, data []byte) (Settings, wiki.Faults) {
	var r wikiRecord
	faults := decode(fileWiki, data, &r, func(r *wikiRecord) int { return r.Schema })
	if len(faults) > 0 {
		return Settings{}, faults
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
		p, err := wiki.ParsePagePath(r.Home)
		if err != nil {
			faults = append(faults, fault(data, "home", "%v", err))
		}
		set.Home = p
	}
	switch markdown.Style(r.LinkStyle) {
	case "":
	case markdown.TargetFirst, markdown.TextFirst:
		set.LinkStyle = markdown.Style(r.LinkStyle)
	default:
		faults = append(faults, fault(data, "link_style", "link_style = %q is not one of %q, %q", r.LinkStyle, markdown.TargetFirst, markdown.TextFirst))
	}
	for _, t := range []struct{ key, text string }{{"name", r.Name}, {"purpose", r.Purpose}} {
		if len(t.text) > 500 || strings.ContainsAny(t.text, "\n\r\x00") {
			faults = append(faults, fault(data, t.key, "%s must be one line of at most 500 bytes", t.key))
		}
	}
	return set, faults
}

func fault(data []byte, key, format string, args ...any) wiki.Fault {
	line, column, _ := record.Position(data, []string{key})
	return wiki.Fault{File: fileWiki, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
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
	t := Token{ID: id, Name: r.Name, User: wiki.Username(r.Maker), Created: r.CreatedAt, Expires: r.ExpiresAt, Last4: r.Last4}
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
	r := tokenRecord{Schema: schema, Name: t.Name, Hash: "sha256:" + hex.EncodeToString(t.Hash[:]), Maker: string(t.User), CreatedAt: t.Created, ExpiresAt: t.Expires, Last4: t.Last4}
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
