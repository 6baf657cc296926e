package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"wikibot/wiki"
)

// hostKey is one of the keys by which clients recognise this server.
type hostKey struct {
	file string // in the secrets folder, in OpenSSH's notation (PROTOCOL.key)
	kind string // its format
	make func() (crypto.PrivateKey, error)
}

// hostKeys are the server's keys, the preferred one first. Two kinds, because
// some clients know no Ed25519.
func hostKeys() []hostKey {
	return []hostKey{
		{"ssh_host_ed25519_key", ssh.KeyAlgoED25519, func() (crypto.PrivateKey, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}},
		{"ssh_host_ecdsa_key", ssh.KeyAlgoECDSA256, func() (crypto.PrivateKey, error) {
			return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		}},
	}
}

// maxHostKey bounds the file of a host key.
const maxHostKey = 64 << 10

// openHostKeys reads the server's keys from the secrets folder and makes those
// that are missing. A file that is there is never replaced: clients would see
// another server, and their users would learn to wave that through.
func openHostKeys(dir string) ([]ssh.Signer, error) {
	signers, err := readHostKeys(dir)
	if err != nil {
		return nil, err
	}
	if len(signers) == len(hostKeys()) {
		return signers, nil
	}
	for _, k := range hostKeys() {
		if err := k.create(filepath.Join(dir, k.file)); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("making the SSH host key %s: %w", k.file, err)
		}
	}
	return readHostKeys(dir)
}

// readHostKeys reads the server's keys that are there.
func readHostKeys(dir string) ([]ssh.Signer, error) {
	var signers []ssh.Signer
	for _, k := range hostKeys() {
		signer, err := k.read(filepath.Join(dir, k.file))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			signers = append(signers, signer)
		}
	}
	return signers, nil
}

func (k hostKey) read(path string) (ssh.Signer, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, wiki.Unavailable("the SSH host key %s is no regular file; put the key itself there", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, wiki.Unavailable("the SSH host key %s has mode %04o: others can read or change it. If nobody did, run: chmod 600 %s; else move it away: a new one is made, which every client must then be told", path, info.Mode().Perm(), path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, wiki.Unavailable("the SSH host key %s cannot be read by user %d: %v", path, os.Getuid(), err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHostKey))
	if err != nil {
		return nil, fmt.Errorf("reading the SSH host key %s: %w", path, err)
	}
	// The parser's own error is left out: it could quote what it read.
	signer, err := ssh.ParsePrivateKey(text)
	encrypted := (*ssh.PassphraseMissingError)(nil)
	switch {
	case errors.As(err, &encrypted):
		return nil, wiki.Unavailable("the SSH host key %s has a passphrase, which nobody could type in; take it away with: ssh-keygen -p -N '' -f %s", path, path)
	case err != nil:
		return nil, wiki.Unavailable("the SSH host key %s is damaged; put it back from a backup, or move it away and a new one is made, which every client must then be told", path)
	case signer.PublicKey().Type() != k.kind:
		return nil, wiki.Unavailable("the SSH host key %s is of the type %s where %s belongs; move it away", path, signer.PublicKey().Type(), k.kind)
	}
	return signer, nil
}

// create writes a new key. The file appears whole, with mode 0600, or not at all;
// fs.ErrExist where there is one.
func (k hostKey) create(path string) error {
	key, err := k.make()
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "wikibot")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(pem.EncodeToMemory(block))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike rename, replaces nothing
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
