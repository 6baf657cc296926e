package webhooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// keyFile is in the secrets folder; what it is for is in docs/format.md.
const keyFile = "webhooks.key"

// openKey reads the key from which signing secrets are made, and makes it if it is
// missing. A file that is there is never replaced: every receiver would refuse what
// it signs.
func openKey(dir string) ([]byte, error) {
	name := filepath.Join(dir, keyFile)
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(dir, name); err != nil {
			return nil, fmt.Errorf("making the webhooks' key %s: %w", name, err)
		}
	}
	info, err := os.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("looking at the webhooks' key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != 32 {
		return nil, wiki.Unavailable("the webhooks' key %s must be a file of 32 bytes; put it back from a backup, or move it away: a new one is made, and the webhooks' owners must give their receivers new secrets", name)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, wiki.Unavailable("the webhooks' key %s has mode %04o: others can read or change it. If nobody did, run: chmod 600 %s; else move it away: a new one is made", name, info.Mode().Perm(), name)
	}
	key, err := os.ReadFile(name)
	if err != nil {
		return nil, wiki.Unavailable("the webhooks' key %s cannot be read by user %d: %v", name, os.Getuid(), err)
	}
	if len(key) != 32 {
		return nil, wiki.Unavailable("the webhooks' key %s has changed while it was read; start again", name)
	}
	return key, nil
}

// makeKey writes a new key: whole, with mode 0600 and on the disk, or not at all.
func makeKey(dir, name string) error {
	key := make([]byte, 32)
	rand.Read(key)
	f, err := os.CreateTemp(dir, ".webhooks-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// secret is a webhook's signing secret of a generation, 32 bytes.
func (e *Engine) secret(wikiID, id string, generation int) []byte {
	m := hmac.New(sha256.New, e.key)
	m.Write([]byte("wikibot webhook v1\x00" + wikiID + "\x00" + id + "\x00" + strconv.Itoa(generation)))
	return m.Sum(nil)
}

// showSecret is the form in which receivers are given a secret.
func (e *Engine) showSecret(wikiID string, w gitstore.Webhook) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(e.secret(wikiID, w.ID, w.Generation))
}

// Sign is the signature of a message, as Standard Webhooks defines it: of
// "id.timestamp.body" with HMAC-SHA256. unix is in seconds.
func Sign(secret []byte, id string, unix int64, body []byte) string {
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%s.%d.", id, unix)
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}
