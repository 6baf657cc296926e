package server

import (
	"context"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"wikibot/wiki"
)

func sshOperations() []Operation {
	return []Operation{
		{Name: "ssh-fingerprint", run: (*Host).sshFingerprint,
			Help: "the server's SSH keys, as lines for people's known_hosts"},
	}
}

// sshFingerprint prints the server's SSH keys: for each its fingerprint as a
// comment and a line of a known_hosts file (sshd(8)).
func (h *Host) sshFingerprint(context.Context, Command) (string, error) {
	keys, err := readHostKeys(h.Store.SecretsDir())
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", wiki.NotFound("there are no SSH keys of this server yet: they are made when it is first started with ssh_listen set")
	}
	var lines []string
	for _, k := range keys {
		public := k.PublicKey()
		lines = append(lines, "# "+ssh.FingerprintSHA256(public)+" "+public.Type(), knownHost(h.Addresses, public))
	}
	return strings.Join(lines, "\n"), nil
}

// knownHost is the line of a known_hosts file for one key of the server.
func knownHost(a wiki.Addresses, key ssh.PublicKey) string {
	name := a.Domain()
	if a.SSHHost != "" {
		name = strings.Trim(a.SSHHost, "[]")
		if host, port, err := net.SplitHostPort(a.SSHHost); err == nil {
			name = fmt.Sprintf("[%s]:%s", host, port)
		}
	}
	return name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
