package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"wikibot/oauth"
	"wikibot/wiki"
)

// sshSite is a gitSite that is served over SSH; each of its people has one key.
type sshSite struct {
	*gitSite
	server *sshServer
	addr   string
	keys   map[string]ssh.Signer
}

func newSSHSite(t testing.TB, change func(*sshConfig)) *sshSite {
	t.Helper()
	s := &sshSite{gitSite: newGitSite(t, nil), keys: map[string]ssh.Signer{}}
	base, err := url.Parse("http://wiki.test")
	if err != nil {
		t.Fatal(err)
	}
	addresses := wiki.Addresses{Base: *base, Layout: wiki.LayoutPath, SSHHost: "wiki.test"}
	who, err := oauth.Open(oauth.Config{Dir: t.TempDir(), Token: s.store.Token, User: s.store.User, KeyOwner: s.store.KeyOwner, Addresses: addresses, Log: s.handler.Log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { who.Close() })
	keys, err := openHostKeys(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := sshConfig{Store: s.store, Who: who, Git: s.handler, Addresses: addresses, Limits: Default().SSH, Keys: keys, Log: s.handler.Log}
	if change != nil {
		change(&cfg)
	}
	for _, name := range []string{"alice", "bob", "carol", "mallory", "stranger"} {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if s.keys[name], err = ssh.NewSignerFromKey(key); err != nil {
			t.Fatal(err)
		}
		if name != "stranger" {
			s.addKey(t, name)
		}
	}
	s.server = newSSHServer(cfg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.server.serve(l) }()
	t.Cleanup(func() {
		l.Close()
		<-served
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // at once
		_ = s.server.drain(ctx)
	})
	return s
}

func (s *sshSite) addKey(t testing.TB, name string) {
	t.Helper()
	line := string(ssh.MarshalAuthorizedKey(s.keys[name].PublicKey()))
	if err := s.store.AddKey(context.Background(), wiki.Caller{Host: true, Via: wiki.ViaCLI}, wiki.Username(name), line); err != nil {
		t.Fatal(err)
	}
}

// config is a client's that offers keys and knows the server's own.
func (s *sshSite) config(user string, keys ...ssh.Signer) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)},
		HostKeyCallback:   ssh.FixedHostKey(s.server.Keys[0].PublicKey()),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}
}

func (s *sshSite) dial(t *testing.T, name string) *ssh.Client {
	t.Helper()
	c, err := ssh.Dial("tcp", s.addr, s.config("git", s.keys[name]))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// told is what a command answered.
type told struct {
	out, errs string
	status    int
}

// say gives a command on a connection.
func say(t *testing.T, c *ssh.Client, line string) (a told) {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var out, errs bytes.Buffer
	session.Stdout, session.Stderr = &out, &errs
	err = session.Run(line)
	exit := (*ssh.ExitError)(nil)
	if errors.As(err, &exit) {
		a.status = exit.ExitStatus()
	} else if err != nil {
		a.status = -1
		fmt.Fprint(&errs, err)
	}
	a.out, a.errs = out.String(), errs.String()
	return a
}

// shifting is a key that says, when it is sent for the third time, to be another:
// a client asks about the first one, and signs with the second.
type shifting struct {
	ssh.PublicKey
	then ssh.PublicKey
	sent *int
}

func (k shifting) Marshal() []byte {
	if *k.sent++; *k.sent >= 3 {
		return k.then.Marshal()
	}
	return k.PublicKey.Marshal()
}

type shiftingSigner struct {
	ssh.Signer
	key shifting
}

func (s shiftingSigner) PublicKey() ssh.PublicKey { return s.key }

// TestSSHOfferedIsNotAuthenticated: the identity is the key that signed, whatever
// was offered before (CVE-2024-45337).
func TestSSHOfferedIsNotAuthenticated(t *testing.T) {
	s := newSSHSite(t, nil)
	victim, own := s.keys["alice"], s.keys["mallory"]
	for _, c := range []struct {
		name string
		keys []ssh.Signer
		want string // "" for nobody
	}{
		{"offers the victim's key, signs with her own", []ssh.Signer{shiftingSigner{own, shifting{victim.PublicKey(), own.PublicKey(), new(int)}}}, "mallory"},
		{"offers her own, says to be the victim, signs with her own", []ssh.Signer{shiftingSigner{own, shifting{own.PublicKey(), victim.PublicKey(), new(int)}}}, ""},
		{"has the victim's public key alone", []ssh.Signer{shiftingSigner{own, shifting{victim.PublicKey(), victim.PublicKey(), new(int)}}}, ""},
		{"offers a stranger's first", []ssh.Signer{s.keys["stranger"], own}, "mallory"},
		{"is a stranger", []ssh.Signer{s.keys["stranger"]}, ""},
	} {
		client, err := ssh.Dial("tcp", s.addr, s.config("alice", c.keys...))
		switch {
		case err != nil && c.want != "":
			t.Errorf("%s: %v", c.name, err)
		case err == nil:
			if a := say(t, client, "whoami"); a.out != c.want+"\n" || c.want == "" {
				t.Errorf("%s: is %q, want %q", c.name, a.out, c.want)
			}
			client.Close()
		}
	}
}

// TestSSHMethods: there is one way in, and no user name opens another.
func TestSSHMethods(t *testing.T) {
	s := newSSHSite(t, nil)
	for name, method := range map[string][]ssh.AuthMethod{
		"none": nil, "password": {ssh.Password("alice")},
		"keyboard-interactive": {ssh.KeyboardInteractive(func(_, _ string, q []string, _ []bool) ([]string, error) { return make([]string, len(q)), nil })},
	} {
		cfg := s.config("alice")
		cfg.Auth = method
		if c, err := ssh.Dial("tcp", s.addr, cfg); err == nil {
			c.Close()
			t.Errorf("%s lets somebody in", name)
		}
	}
	for _, cfg := range []ssh.Config{
		{KeyExchanges: []string{ssh.InsecureKeyExchangeDH14SHA1}}, {KeyExchanges: []string{ssh.KeyExchangeDH14SHA256}},
		{Ciphers: []string{ssh.InsecureCipherAES128CBC}}, {Ciphers: []string{ssh.InsecureCipherTripleDESCBC}}, {Ciphers: []string{ssh.InsecureCipherRC4}},
		{Ciphers: []string{ssh.CipherAES128CTR}, MACs: []string{ssh.HMACSHA1}}, {Ciphers: []string{ssh.CipherAES128CTR}, MACs: []string{ssh.HMACSHA256}},
	} {
		client := s.config("git", s.keys["bob"])
		client.Config = cfg
		if c, err := ssh.Dial("tcp", s.addr, client); err == nil {
			c.Close()
			t.Errorf("%+v is spoken", cfg)
		}
	}
	client := s.config("git", s.keys["bob"])
	client.KeyExchanges = []string{ssh.KeyExchangeMLKEM768X25519}
	c, err := ssh.Dial("tcp", s.addr, client)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// text is strings as a request carries them.
func text(all ...string) (b []byte) {
	for _, s := range all {
		b = append(b, ssh.Marshal(struct{ S string }{s})...)
	}
	return b
}

// TestSSHRequests: a session does one command; whatever else is asked for is
// refused.
func TestSSHRequests(t *testing.T) {
	s := newSSHSite(t, nil)
	c := s.dial(t, "bob")
	for _, name := range []string{"tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com", "hostkeys-prove-00@openssh.com", "no-more-sessions@openssh.com"} {
		if ok, _, err := c.SendRequest(name, true, nil); ok || err != nil {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "forwarded-tcpip", "x11", "auth-agent@openssh.com", "tun@openssh.com"} {
		ch, _, err := c.OpenChannel(kind, nil)
		refused := (*ssh.OpenChannelError)(nil)
		if !errors.As(err, &refused) {
			t.Errorf("a channel %s: %v, %v", kind, ch, err)
		}
	}
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		name    string
		payload []byte
	}{
		{"pty-req", ssh.Marshal(struct {
			Term       string
			W, H, X, Y uint32
			Modes      string
		}{Term: "xterm"})},
		{"x11-req", nil}, {"auth-agent-req@openssh.com", nil}, {"subsystem", text("sftp")},
		{"env", text("GIT_DIR", "/")}, {"env", text("LD_PRELOAD", "/x")}, {"env", text("GIT_PROTOCOL ", "version=2")}, {"env", text("GIT_PROTOCOL")},
		{"signal", text("KILL")}, {"exec", nil}, {"exec", []byte{0, 0, 0, 9, 'x'}}, {"shel", nil}, {"break", []byte{0, 0, 0, 1}}, {"window-change", nil},
	} {
		if ok, err := session.SendRequest(r.name, true, r.payload); ok || err != nil {
			t.Errorf("%s: %t, %v", r.name, ok, err)
		}
	}
	if ok, err := session.SendRequest("env", true, text("GIT_PROTOCOL", "version=2")); !ok || err != nil {
		t.Errorf("GIT_PROTOCOL: %t, %v", ok, err)
	}
	var out bytes.Buffer
	session.Stdout = &out
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	if ok, err := session.SendRequest("exec", true, text("whoami")); ok || err != nil && err != io.EOF {
		t.Errorf("a second command in one session: %t, %v", ok, err)
	}
	if err := session.Wait(); err != nil || !strings.HasPrefix(out.String(), "Hello bob.") {
		t.Errorf("a shell: %q, %v", out.String(), err)
	}
}

// TestSSHStanding: who may what is asked for each command, on a connection that
// was made before.
func TestSSHStanding(t *testing.T) {
	s := newSSHSite(t, nil)
	ctx, host := context.Background(), wiki.Caller{Host: true, Via: wiki.ViaCLI}
	c := s.dial(t, "carol")
	if a := say(t, c, "wikis"); a.out != "notes\tviewer\tssh://git@wiki.test/notes.git\n" {
		t.Errorf("got %+v", a)
	}
	if a := say(t, c, "git-receive-pack 'notes.git'"); a.status != 1 || !strings.Contains(a.errs, "role editor") {
		t.Errorf("a viewer pushes: %+v", a)
	}
	if err := s.store.SetGrant(ctx, host, "notes", "carol", wiki.NoRole); err != nil {
		t.Fatal(err)
	}
	gone, missing := say(t, c, "git-upload-pack 'notes.git'"), say(t, c, "git-upload-pack 'nothere.git'")
	if gone != missing || gone.status != 1 || gone.out != "" {
		t.Errorf("a wiki that may not be read: %+v, one that is not there: %+v", gone, missing)
	}
	for _, line := range []string{"git-upload-pack ''", "git-upload-pack '../notes.git'", "git-receive-pack 'notes.git'", "git-upload-archive notes", "git-upload-pack 'admin.git'", "git-receive-pack /admin", "git-upload-pack 'é'", "git-upload-pack '" + strings.Repeat("a", 3000) + "'"} {
		if a := say(t, c, line); a != missing {
			t.Errorf("%.40q: %+v", line, a)
		}
	}
}

// TestSSHUnknownOwner: a key that was taken away, or whose person was suspended,
// holds no longer on a connection that it has made.
func TestSSHUnknownOwner(t *testing.T) {
	var mu sync.Mutex
	var gone error
	s := newSSHSite(t, nil)
	who, err := oauth.Open(oauth.Config{Dir: t.TempDir(), Token: s.store.Token, User: s.store.User, Addresses: s.server.Addresses, Log: s.handler.Log,
		KeyOwner: func(ctx context.Context, fingerprint string) (wiki.Username, error) {
			mu.Lock()
			defer mu.Unlock()
			if gone != nil {
				return "", gone
			}
			return s.store.KeyOwner(ctx, fingerprint)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { who.Close() })
	s.server.Who = who
	c := s.dial(t, "bob")
	if a := say(t, c, "whoami"); a.out != "bob\n" {
		t.Fatalf("got %+v", a)
	}
	for _, why := range []struct {
		err  error
		want string
	}{{wiki.NotFound("nobody"), "signs in nobody"}, {errors.New("disk on fire"), "internal error; the server's log has more under the id "}} {
		mu.Lock()
		gone = why.err
		mu.Unlock()
		for _, line := range []string{"whoami", "wikis", "login", "", "git-upload-pack 'notes.git'"} {
			if a := say(t, c, line); a.status != 1 || a.out != "" || !strings.Contains(a.errs, why.want) || strings.Contains(a.errs, "fire") {
				t.Errorf("%q after %v: %+v", line, why.err, a)
			}
		}
	}
}

// TestSSHPanic: one broken session is told so, and nobody else.
func TestSSHPanic(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) { cfg.Store = nil })
	c := s.dial(t, "bob")
	if a := say(t, c, "wikis"); a.status != 1 || !strings.Contains(a.errs, "internal error") {
		t.Errorf("got %+v", a)
	}
	if a := say(t, c, "whoami"); a.out != "bob\n" {
		t.Errorf("the connection after that: %+v", a)
	}
	if a := say(t, s.dial(t, "carol"), "whoami"); a.out != "carol\n" {
		t.Errorf("another one: %+v", a)
	}
}

// TestSSHHooksNotInPlace: no transport starts where git would skip its hooks.
func TestSSHHooksNotInPlace(t *testing.T) {
	s := newSSHSite(t, nil)
	hook := filepath.Join(s.handler.HooksDir, "pre-receive")
	if err := os.Chmod(hook, 0o644); err != nil {
		t.Fatal(err)
	}
	c := s.dial(t, "bob")
	for _, line := range []string{"git-upload-pack notes.git", "git-receive-pack notes.git", "git-upload-archive notes.git"} {
		if a := say(t, c, line); a.status != 1 || a.out != "" || !strings.Contains(a.errs, "pre-receive has mode 0644") || strings.Contains(a.errs, s.handler.HooksDir) {
			t.Errorf("%s: %+v", line, a)
		}
	}
	if err := os.Chmod(hook, 0o755); err != nil {
		t.Fatal(err)
	}
	if a := say(t, c, "git-upload-pack notes.git"); !strings.Contains(a.out, "refs/heads/main") {
		t.Errorf("mended: %+v", a)
	}
}

// TestSSHStatus: what git says of its own, and its status, come through; where the
// repository lies on the machine does not.
func TestSSHStatus(t *testing.T) {
	s := newSSHSite(t, nil)
	session := newSession(t, s.dial(t, "bob"))
	session.Stdin = strings.NewReader("zzzz")
	var errs bytes.Buffer
	session.Stderr = &errs
	exit := (*ssh.ExitError)(nil)
	if err := session.Run("git-upload-pack notes.git"); !errors.As(err, &exit) || exit.ExitStatus() != 128 || !strings.Contains(errs.String(), "fatal: protocol error") {
		t.Errorf("%v, %s", err, errs.String())
	}
	var b bytes.Buffer
	w := &withoutPath{&b, "/data/wikis/notes.git", "notes.git"}
	line := "fatal: '/data/wikis/notes.git' is odd, /data/wikis/notes.git/x too\n"
	if n, err := io.WriteString(w, line); err != nil || n != len(line) || b.String() != "fatal: 'notes.git' is odd, notes.git/x too\n" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
}

// TestSSHTooMuch: what a client may say is bounded, also before git bounds it.
func TestSSHTooMuch(t *testing.T) {
	s := newSSHSite(t, nil)
	s.handler.MaxPush = 1 << 20
	c := s.dial(t, "bob")
	line := fmt.Sprintf("%040d %040d refs/heads/x", 0, 1)
	commands := strings.Repeat(fmt.Sprintf("%04x%s", len(line)+4, line), maxPreamble/len(line)+1)
	for name, test := range map[string]struct{ line, in, want string }{
		"refs":   {"git-receive-pack notes.git", commands, "names more refs and options"},
		"a pack": {"git-receive-pack notes.git", "0000PACK" + strings.Repeat("x", 20<<20), ""},
	} {
		session := newSession(t, c)
		session.Stdin = strings.NewReader(test.in)
		var errs bytes.Buffer
		session.Stderr = &errs
		// A pack without a command may be more than git waits for: it ends well then.
		if err := session.Run(test.line); err == nil && test.want != "" || !strings.Contains(errs.String(), test.want) {
			t.Errorf("%s: %v, %s", name, err, errs.String())
		}
	}
	waitFor(t, "no process", func() bool { return len(s.handler.slots.running) == 0 && children(t) == 0 })
	if a := say(t, c, "whoami"); a.out != "bob\n" {
		t.Errorf("the connection after that: %+v", a)
	}
}

// TestSSHListen: an address that was asked for and cannot be had is an error that
// names the flag; "auto" goes on without.
func TestSSHListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := testConfig(t)
	cfg.SSHListen = taken.Addr().String()
	if _, err := New(t.Context(), cfg); !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), "--ssh-listen") {
		t.Errorf("a taken address: %v", err)
	}
	if usual, err := net.Listen("tcp", sshAutoAddr); err == nil { // else somebody else has it, which is as good
		defer usual.Close()
	}
	cfg.SSHListen = sshAuto
	s := start(t, cfg)
	if s.SSHAddr() != nil || s.Addresses().SSHHost != "" {
		t.Errorf("auto: %v, %q", s.SSHAddr(), s.Addresses().SSHHost)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if keys, err := readHostKeys(filepath.Join(cfg.Data, "secrets")); err != nil || len(keys) > 0 {
		t.Errorf("keys of a server without SSH: %d, %v", len(keys), err)
	}
	cfg.SSHListen = "127.0.0.1:0"
	s = start(t, cfg)
	if got, want := s.Addresses().SSH("notes"), "ssh://git@"+s.SSHAddr().String()+"/notes.git"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(cfg.Data, "secrets", "ssh_host_ed25519_key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), cfg); !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
}

// TestSSHHostKeys: they are made once, private, and never replaced.
func TestSSHHostKeys(t *testing.T) {
	dir := t.TempDir()
	first, err := openHostKeys(dir)
	if err != nil || len(first) != 2 {
		t.Fatalf("%d keys, %v", len(first), err)
	}
	again, err := openHostKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range hostKeys() {
		path := filepath.Join(dir, k.file)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", k.file, info.Mode(), err)
		}
		if !bytes.Equal(first[i].PublicKey().Marshal(), again[i].PublicKey().Marshal()) {
			t.Errorf("%s is another one at the second start", k.file)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left behind: %v", files)
	}
	path := filepath.Join(dir, hostKeys()[0].file)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(dir, hostKeys()[1].file))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		damage func() error
		want   string
	}{
		{"readable", func() error { return os.Chmod(path, 0o640) }, "chmod 600"},
		{"cut off", func() error { return os.WriteFile(path, good[:100], 0o600) }, "is damaged"},
		{"empty", func() error { return os.WriteFile(path, nil, 0o600) }, "is damaged"},
		{"of another type", func() error { return os.WriteFile(path, other, 0o600) }, "of the type ecdsa-sha2-nistp256"},
		{"a link", func() error {
			return errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path))
		}, "no regular file"},
	} {
		if err := c.damage(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		if _, err := openHostKeys(dir); !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: it was replaced", c.name)
		}
		if err := errors.Join(os.Remove(path), os.WriteFile(path, good, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, hostKeys()[1].file)); err != nil {
		t.Fatal(err)
	}
	third, err := openHostKeys(dir)
	if err != nil || !bytes.Equal(first[0].PublicKey().Marshal(), third[0].PublicKey().Marshal()) {
		t.Errorf("with one key gone: %v", err)
	}
}
