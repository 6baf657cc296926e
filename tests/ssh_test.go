package tests

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"wikibot/server"
)

// Over SSH the site is called wiki.test too: the client's configuration in the
// story's home leads there, knows the server's real keys and asks nobody
// anything. $SSH is what stands before a repository's name. The key that a person
// offers is $HOME/.ssh/NAME (use-key).

const sshBase = "ssh://git@wiki.test"

func (s *site) sshDir() string { return filepath.Join(s.work, ".home", ".ssh") }

// setupSSH is the part of setup about SSH.
func (s *site) setupSSH(env *testscript.Env) error {
	env.Setenv("SSH", sshBase)
	env.Setenv("SSHCONFIG", filepath.Join(s.sshDir(), "config"))
	env.Setenv("GIT_SSH_COMMAND", "ssh -F "+filepath.Join(s.sshDir(), "config"))
	env.Setenv("SSHKEY", "nobody")
	return os.Mkdir(s.sshDir(), 0o700)
}

// pinSSH leads the client to the address that the server has opened, and pins its
// keys.
func (s *site) pinSSH(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	known, told := "", ""
	for _, name := range []string{"ssh_host_ed25519_key", "ssh_host_ecdsa_key"} {
		text, err := os.ReadFile(filepath.Join(s.data, "secrets", name))
		if err != nil {
			return err
		}
		key, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return err
		}
		line := "wiki.test " + string(ssh.MarshalAuthorizedKey(key.PublicKey()))
		known += line
		told += "# " + ssh.FingerprintSHA256(key.PublicKey()) + " " + key.PublicKey().Type() + "\n" + line
	}
	config := strings.Join([]string{
		"Host wiki.test", "HostName " + host, "Port " + port, "HostKeyAlias wiki.test", "User git",
		"IdentityFile " + s.sshDir() + "/${SSHKEY}", "IdentitiesOnly yes", "IdentityAgent none",
		"UserKnownHostsFile " + s.sshDir() + "/known_hosts", "GlobalKnownHostsFile /dev/null",
		"StrictHostKeyChecking yes", "UpdateHostKeys no", "BatchMode yes", "RequestTTY no", "ConnectTimeout 20", "",
	}, "\n")
	return errors.Join(
		os.WriteFile(filepath.Join(s.sshDir(), "known_hosts"), []byte(known), 0o600),
		os.WriteFile(filepath.Join(s.sshDir(), "fingerprints"), []byte(told), 0o600),
		os.WriteFile(filepath.Join(s.sshDir(), "config"), []byte(config), 0o600),
	)
}

// makeKey makes an SSH key in the story's home, where there is none of the name,
// and gives the line of its public half.
func (s *site) makeKey(name string) (string, error) {
	path := filepath.Join(s.sshDir(), name)
	if text, err := os.ReadFile(path + ".pub"); !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(key, name)
	if err != nil {
		return "", err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + name + "@laptop\n"
	return line, errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600), os.WriteFile(path+".pub", []byte(line), 0o644))
}

// sshKeys gives everybody an SSH key and enters it into their file in admin.git;
// the visitor's is in nobody's. "ssh-keys NAME" makes one more key of the present
// person's. $KEY_<name> is a key's fingerprint, $HOME/.ssh/<name> its file.
func sshKeys(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) <= 1, "ssh-keys [NAME]")
	add := func(user, key string) {
		line, err := s.makeKey(key)
		ts.Check(err)
		public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		ts.Check(err)
		ts.Setenv("KEY_"+key, ssh.FingerprintSHA256(public))
		if user != "" {
			must(ts, neg, s.host(ts, server.Command{Do: "key add", User: user, Input: line}))
		}
	}
	if len(args) == 1 {
		add(s.who, args[0])
		return
	}
	for _, name := range []string{"alice", "bob", "carol", "mallory", "operator"} {
		add(name, name)
	}
	add("", "visitor")
}

// useKey has the present person offer another key from here on: use-key NAME.
func useKey(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "use-key NAME")
	s.me().sshKey = args[0]
	must(ts, neg, nil)
}

// sshKey is the name of the key that the present person offers.
func (s *site) sshKey() string { return or(s.me().sshKey, s.who) }

// sshClient runs the stock client as the present person: ssh ARGUMENT…, where the
// site is called wiki.test.
func sshClient(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 0, "ssh ARGUMENT…")
	ts.Setenv("SSHKEY", s.sshKey())
	outcome(ts, neg, ts.Exec("ssh", append([]string{"-F", filepath.Join(s.sshDir(), "config")}, args...)...))
}

// sshStatus gives a command over SSH and compares its exit status.
func sshStatus(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2, "ssh-status STATUS COMMAND")
	ts.Setenv("SSHKEY", s.sshKey())
	status, err := 0, ts.Exec("ssh", "-F", filepath.Join(s.sshDir(), "config"), "wiki.test", args[1])
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	if got := strconv.Itoa(status); (got == args[0]) == neg {
		ts.Fatalf("the exit status is %s", got)
	}
}

// sftp asks for a subsystem.
func sftp(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0, "sftp")
	ts.Setenv("SSHKEY", s.sshKey())
	outcome(ts, neg, ts.Exec("sftp", "-F", filepath.Join(s.sshDir(), "config"), "-b", "-", "wiki.test"))
}
