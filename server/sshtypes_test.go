package server

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"wikibot/wiki"
)

// hardware is an sk-ssh-ed25519 key in software (PROTOCOL.u2f of OpenSSH). What is
// signed is SHA-256 of the application, flags, a counter and SHA-256 of the data.
type hardware struct {
	key    ed25519.PrivateKey
	public ssh.PublicKey
	flags  byte // 1: the person was there
}

func newHardware(t *testing.T, flags byte) hardware {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.ParsePublicKey(text(ssh.KeyAlgoSKED25519, string(pub), "ssh:"))
	if err != nil {
		t.Fatal(err)
	}
	return hardware{key, public, flags}
}

func (h hardware) PublicKey() ssh.PublicKey { return h.public }

func (h hardware) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	app, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	rest := []byte{h.flags, 0, 0, 0, 7}
	signed := append(append(app[:], rest...), message[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(h.key, signed), Rest: rest}, nil
}

// oldRSA says that it signs with SHA-2 and signs with SHA-1.
type oldRSA struct{ ssh.AlgorithmSigner }

func (o oldRSA) SignWithAlgorithm(r io.Reader, data []byte, _ string) (*ssh.Signature, error) {
	return o.AlgorithmSigner.SignWithAlgorithm(r, data, ssh.KeyAlgoRSA)
}

// TestSSHKeyTypes: each kind of key that may sign in does, and no weaker signature.
func TestSSHKeyTypes(t *testing.T) {
	s := newSSHSite(t, nil)
	signer := func(key crypto.PrivateKey, err error) ssh.Signer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		made, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	rsa3072 := signer(rsa.GenerateKey(rand.Reader, 3072)).(ssh.AlgorithmSigner)
	only := func(algorithm string) ssh.Signer {
		made, err := ssh.NewSignerWithAlgorithms(rsa3072, []string{algorithm})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	certified := signer(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	cert := &ssh.Certificate{Key: certified.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"git"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, certified); err != nil {
		t.Fatal(err)
	}
	withCert, err := ssh.NewCertSigner(cert, certified)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		add  ssh.PublicKey
		use  ssh.Signer
		ok   bool
	}{
		{name: "ecdsa 256", use: signer(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), ok: true},
		{name: "ecdsa 384", use: signer(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), ok: true},
		{name: "ecdsa 521", use: signer(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)), ok: true},
		{name: "rsa, SHA-256", use: only(ssh.KeyAlgoRSASHA256), ok: true},
		{name: "rsa, SHA-512", use: only(ssh.KeyAlgoRSASHA512), ok: true},
		{name: "rsa, SHA-1", use: only(ssh.KeyAlgoRSA)},
		{name: "rsa, SHA-1 that is called SHA-2", use: oldRSA{rsa3072}},
		{name: "hardware that was touched", use: newHardware(t, 1), ok: true},
		{name: "hardware that was not touched", use: newHardware(t, 0)},
		{name: "a certificate of a known key", add: certified.PublicKey(), use: withCert},
	} {
		if c.add == nil {
			c.add = c.use.PublicKey()
		}
		if err := s.store.AddKey(context.Background(), wiki.Caller{Host: true, Via: wiki.ViaCLI}, "carol", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c.add)))); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		client, err := ssh.Dial("tcp", s.addr, s.config("git", c.use))
		switch {
		case (err == nil) != c.ok:
			t.Errorf("%s: %v", c.name, err)
		case err == nil:
			if a := say(t, client, "whoami"); a.out != "carol\n" {
				t.Errorf("%s: %+v", c.name, a)
			}
		}
		if client != nil {
			client.Close()
		}
	}
}
