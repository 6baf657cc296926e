package gitstore_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// line is a public key as a .pub file has it, without a comment.
func line(t testing.TB, key any) string {
	t.Helper()
	pub, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
}

func newEd25519(t testing.TB) (string, ed25519.PrivateKey) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return line(t, pub), priv
}

func newECDSA(t testing.TB, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return line(t, key.Public())
}

// newRSA is a key of a size; only its form matters, so that no prime is looked for.
func newRSA(t testing.TB, bits int) string {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return line(t, &rsa.PublicKey{N: n.Add(n, big.NewInt(12345)), E: 65537})
}

// Public keys of hardware, of the application "ssh:" (PROTOCOL.u2f of OpenSSH).
const (
	skED25519 = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJRqn5pW1J3xKEI1kIRqb3F5+PkRkFcSpd3DsVcyu6qNAAAABHNzaDo="
	skECDSA   = "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBIELQJ2DgvaX1yQlKFokfWM2suuaCFI2qp0eJodHyg6O4ifxc3XpRKd1OS8dNYQtE/YjdXSrA+AOnMF5ns2Nkx4AAAAEc3NoOg=="
)

func TestSSHKeysThatSignIn(t *testing.T) {
	ed, _ := newEd25519(t)
	for _, c := range []struct{ name, in, kind, comment string }{
		{"ed25519", ed, "ssh-ed25519", ""},
		{"comment", "  " + strings.Replace(ed, " ", "\t ", 1) + "  alice@laptop,  home\n", "ssh-ed25519", "alice@laptop, home"},
		{"a comment that looks like a key", ed + " ssh-rsa", "ssh-ed25519", "ssh-rsa"},
		{"nistp256", newECDSA(t, elliptic.P256()), "ecdsa-sha2-nistp256", ""},
		{"nistp384", newECDSA(t, elliptic.P384()), "ecdsa-sha2-nistp384", ""},
		{"nistp521", newECDSA(t, elliptic.P521()), "ecdsa-sha2-nistp521", ""},
		{"rsa 3072", newRSA(t, 3072) + " b@x", "ssh-rsa", "b@x"},
		{"rsa 16384", newRSA(t, 16384), "ssh-rsa", ""},
		{"sk-ed25519", skED25519, "sk-ssh-ed25519@openssh.com", ""},
		{"sk-ecdsa", skECDSA, "sk-ecdsa-sha2-nistp256@openssh.com", ""},
	} {
		k, err := gitstore.ParseSSHKey(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := strings.Join(strings.Fields(c.in), " ")
		if k.Type != c.kind || k.Comment != c.comment || k.Line != want || !strings.HasPrefix(k.Fingerprint, "SHA256:") || len(k.Fingerprint) != 50 {
			t.Errorf("%s: got %+v", c.name, k)
		}
	}
}

func TestSSHKeysThatAreRefused(t *testing.T) {
	ed, priv := newEd25519(t)
	_, blob, _ := strings.Cut(ed, " ")
	private, err := ssh.MarshalPrivateKey(crypto.PrivateKey(priv), "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	weak := ssh.Marshal(struct {
		Name       string
		P, Q, G, Y *big.Int
	}{"ssh-dss", new(big.Int).Lsh(big.NewInt(1), 1023), new(big.Int).Lsh(big.NewInt(1), 159), big.NewInt(2), big.NewInt(4)})
	for _, c := range []struct{ name, in, want string }{
		{"nothing", " \n", "ssh-keygen -t ed25519"},
		{"private", string(private.Bytes), "key"},
		{"private PEM", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n", "must stay where it is"},
		{"SSH2", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "ssh-keygen -i"},
		{"two", ed + "\n" + ed, "one key at a time"},
		{"comment line", "# mine\n" + ed, "one key at a time"},
		{"carriage return inside", ed + "\r" + ed, "one key at a time"},
		{"NUL", ed + " a\x00b", "cannot be printed"},
		{"bidi", ed + " a\u202eb", "cannot be printed"},
		{"no UTF-8", ed + " \xff", "cannot be printed"},
		{"command", `command="rm -rf /" ` + ed, "options"},
		{"restrict", "restrict " + ed, "options"},
		{"options with a key inside", `from="10.0.0.1",no-pty ` + ed + " x", "options"},
		{"certificate", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(cert))), "certificate"},
		{"authority", "cert-authority " + ed, "options"},
		{"certificate called a key", "ssh-ed25519 " + strings.Fields(string(ssh.MarshalAuthorizedKey(cert)))[1], "damaged or of another type"},
		{"dsa", "ssh-dss " + base64.StdEncoding.EncodeToString(weak), "DSA"},
		{"rsa 2048", newRSA(t, 2048), "has 2048 bits, at least 3072"},
		{"rsa 1024", newRSA(t, 1024), "ssh-keygen -t ed25519"},
		{"rsa 3071", newRSA(t, 3071), "has 3071 bits"},
		{"rsa 16385", newRSA(t, 16385), "damaged"},
		{"rsa by its signature", "rsa-sha2-512 " + strings.Fields(newRSA(t, 3072))[1], "no public SSH key"},
		{"ssh-rsa1", "ssh-rsa1 AAAA", "version 1"},
		{"protocol 1", "2048 65537 1234567 a@b", "version 1"},
		{"type alone", "ssh-ed25519", "missing"},
		{"wrong type", "ssh-rsa " + blob, "damaged or of another type"},
		{"half", "ssh-ed25519 " + blob[:len(blob)-8], "damaged"},
		{"not base64", "ssh-ed25519 AAAA*", "base64"},
		{"unpadded", "ssh-ed25519 " + blob + "A", "base64"},
		{"more behind", "ssh-ed25519 " + strings.TrimRight(blob, "=") + "AAAA", "key"},
		{"base64 alone", blob, "no public SSH key"},
		{"words", "my key is at home", "no public SSH key"},
		{"long", ed + " " + strings.Repeat("x", 20_000), "longer"},
		{"long comment", ed + " " + strings.Repeat("x", 201), "at most 200"},
	} {
		_, err := gitstore.ParseSSHKey(c.in)
		if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzSSHKey: a key that is accepted is one line of a known type that reads as
// itself.
func FuzzSSHKey(f *testing.F) {
	for _, s := range []string{skED25519, skECDSA, "ssh-rsa AAAA x", "ssh-ed25519", "restrict ssh-rsa A", "1 2 3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		k, err := gitstore.ParseSSHKey(in)
		if err != nil {
			if !errors.Is(err, wiki.ErrInvalid) {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		again, err := gitstore.ParseSSHKey(k.Line)
		if err != nil || again != k {
			t.Fatalf("%q reads as %+v, and its line as %+v, %v", in, k, again, err)
		}
		pub, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(k.Line))
		if err != nil || ssh.FingerprintSHA256(pub) != k.Fingerprint || len(options) > 0 || len(rest) > 0 {
			t.Fatalf("%q is %+v here and %v, %v to x/crypto", in, k, options, err)
		}
	})
}
