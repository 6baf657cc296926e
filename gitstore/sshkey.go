package gitstore

import (
	"crypto/rsa"
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"wikibot/wiki"
)

// SSHKey is a public SSH key that may sign somebody in.
type SSHKey struct {
	Line        string // as it is kept: type, base64 and comment, one space between
	Type        string // the key's format, such as "ssh-ed25519"
	Fingerprint string // "SHA256:" and 43 characters, as ssh-keygen -l prints it
	Comment     string // what its maker called it, often user@machine; may be empty
}

const (
	minRSABits    = 3072
	maxKeyLine    = 16 << 10 // the largest key, RSA of 16384 bits, takes 2.8 kB
	maxKeyComment = 200      // bytes

	makeKey = "make one with: ssh-keygen -t ed25519, and give the file that ends in .pub"
)

// sshKeyTypes are the formats of keys that may sign in (RFC 4253, 5656, 8709;
// PROTOCOL.u2f of OpenSSH for the sk- ones, which are kept in hardware).
func sshKeyTypes() []string {
	return []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
	}
}

// ParseSSHKey reads one line of a .pub file, "TYPE BASE64 [COMMENT]", and checks
// that the key is one that may sign in. It is the one rule for every way by which
// a key arrives. wiki.ErrInvalid with the next step where it is none: a private
// key, a certificate, options of an authorized_keys file (they would be ignored,
// and with them the restriction that somebody counts on), DSA, RSA below 3072
// bits.
func ParseSSHKey(line string) (SSHKey, error) {
	line = strings.TrimSpace(line)
	if err := keyForm(line); err != nil {
		return SSHKey{}, err
	}
	fields := strings.Fields(line)
	if err := keyType(fields); err != nil {
		return SSHKey{}, err
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return SSHKey{}, invalidKey("the key after %q is not base64: a part of it is missing or it was broken into lines; copy the whole .pub file", fields[0])
	}
	pub, err := ssh.ParsePublicKey(blob)
	if err != nil || pub.Type() != fields[0] || string(pub.Marshal()) != string(blob) {
		return SSHKey{}, invalidKey("the key after %q is damaged or of another type; copy the whole .pub file", fields[0])
	}
	if err := keyStrength(pub); err != nil {
		return SSHKey{}, err
	}
	comment := strings.Join(fields[2:], " ")
	if len(comment) > maxKeyComment {
		return SSHKey{}, invalidKey("the comment after the key has %d bytes; at most %d are kept", len(comment), maxKeyComment)
	}
	return SSHKey{Line: strings.Join(fields, " "), Type: pub.Type(), Fingerprint: ssh.FingerprintSHA256(pub), Comment: comment}, nil
}

func invalidKey(format string, args ...any) error { return wiki.Invalid("key", format, args...) }

// keyForm refuses what is no single line of text.
func keyForm(line string) error {
	switch {
	case line == "":
		return invalidKey("there is no key here; %s", makeKey)
	case strings.Contains(line, "PRIVATE KEY"):
		return invalidKey("this is a private key, which must stay where it is and never be sent; give the file beside it that ends in .pub")
	case strings.HasPrefix(line, "---- BEGIN SSH2 PUBLIC KEY"):
		return invalidKey("this is a public key in another notation; print it as one line with: ssh-keygen -i -f FILE")
	case len(line) > maxKeyLine:
		return invalidKey("the key is longer than %d bytes, so it is none; %s", maxKeyLine, makeKey)
	case strings.ContainsAny(line, "\r\n"):
		return invalidKey("there is more than one line; add one key at a time, each on one line")
	case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }):
		return invalidKey("the key holds characters that cannot be printed; copy the .pub file as text")
	}
	return nil
}

// keyType refuses lines that do not begin with the name of a format that may
// sign in.
func keyType(fields []string) error {
	known := sshKeyTypes()
	name := fields[0]
	switch {
	case strings.Contains(name, "-cert-v"):
		return invalidKey("this is a certificate, and certificates do not sign in here; give the plain public key, whose file ends in .pub and not in -cert.pub")
	case name == "ssh-dss":
		return invalidKey("DSA keys (ssh-dss) are too weak; %s", makeKey)
	case name == "ssh-rsa1" || strings.Trim(name, "0123456789") == "":
		return invalidKey("keys of version 1 of the SSH protocol are too weak; %s", makeKey)
	case slices.Contains(known, name) && len(fields) < 2:
		return invalidKey("the key after %q is missing; copy the whole .pub file", name)
	case slices.Contains(known, name):
		return nil
	case slices.ContainsFunc(fields[1:], func(f string) bool { return slices.Contains(known, f) }):
		return invalidKey("there are options in front of the key (such as command=, from, restrict), which have no meaning here; give the key alone, beginning with its type, such as ssh-ed25519")
	}
	return invalidKey("this is no public SSH key that can be used: it begins with none of %s; %s", strings.Join(known, ", "), makeKey)
}

// keyStrength refuses RSA keys that are too small or cannot be right.
func keyStrength(pub ssh.PublicKey) error {
	if pub.Type() != ssh.KeyAlgoRSA {
		return nil
	}
	held, ok := pub.(ssh.CryptoPublicKey)
	if !ok {
		return invalidKey("the RSA key cannot be read; %s", makeKey)
	}
	key, ok := held.CryptoPublicKey().(*rsa.PublicKey)
	switch {
	case !ok || key.N.Sign() <= 0 || key.N.Bit(0) == 0:
		return invalidKey("the RSA key is damaged; %s", makeKey)
	case key.N.BitLen() < minRSABits:
		return invalidKey("the RSA key has %d bits, at least %d are needed; %s", key.N.BitLen(), minRSABits, makeKey)
	}
	return nil
}
