package gitstore

import (
	"bytes"
	"fmt"
	"time"

	"wikibot/record"
)

// editSettings changes a wiki.toml in place, so that what its owners wrote
// beside the values stays.
func editSettings(data []byte, set Settings) ([]byte, error) {
	for _, kv := range []struct {
		key   string
		value any
	}{
		{"name", set.Name}, {"purpose", set.Purpose}, {"home", string(set.Home)}, {"link_style", string(set.LinkStyle)},
		{"redirects", set.Redirects}, {"remote_images", set.RemoteImages}, {"force_push", set.ForcePush},
	} {
		var err error
		if data, err = record.Set(data, []string{kv.key}, kv.value); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// setKeys replaces the list of SSH keys in a person's file, in place.
func setKeys(data []byte, keys []string) ([]byte, error) {
	return record.Set(data, []string{"ssh_keys"}, keys)
}

// formatUser writes a new person's file.
func formatUser(u userRecord) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "schema = %d\n", schema)
	if u.DID != "" {
		fmt.Fprintf(&b, "did = %s\n", quote(u.DID))
	}
	fmt.Fprintf(&b, "created_at = %s\n", u.CreatedAt.UTC().Format(time.RFC3339))
	if u.Admin {
		b.WriteString("admin = true\n")
	}
	return b.Bytes()
}
