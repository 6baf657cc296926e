package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	glider "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/oauth"
	"wikibot/wiki"
)

// Git over SSH. gliderlabs/ssh carries a connection through its handshake and
// hands out its channels; everything else is decided here, because it has no
// bounds of its own, lets a panic end the server, and answers requests (agent
// forwarding, any variable) that nobody asked for:
//
//	ssh.go          the listener, authentication, shutdown
//	sshgate.go      how many connections and commands there may be
//	sshconn.go      one connection: its times, its keepalives
//	sshsession.go   one session: which requests are answered
//	sshcommand.go   what a command line means
//	sshgit.go       git for a session; ssharchive.go what it may archive
//	sshhello.go     the other commands
//	sshkeys.go      the server's own keys
//
// Who is calling is the key that authenticated, and only that: it is put into the
// permissions of the connection after its signature was verified, where a key that
// was merely offered never comes, and no handler looks at the user's name.

// sshConfig says how SSH is served.
type sshConfig struct {
	Store     *gitstore.Store
	Who       *oauth.Authority
	Git       *gitHandler // runs git, within the bounds that it shares with HTTP
	Door      *limit.Door // how often somebody may ask, shared with every face; nil for no limits
	Addresses wiki.Addresses
	Limits    SSHConfig
	Keys      []ssh.Signer // by which clients recognise the server
	Log       *slog.Logger
}

// sshServer serves SSH.
type sshServer struct {
	sshConfig
	gate    *sshGate
	running sync.WaitGroup // connections
}

func newSSHServer(cfg sshConfig) *sshServer {
	return &sshServer{sshConfig: cfg, gate: newSSHGate(cfg.Limits)}
}

const (
	sshVersion  = "wikibot" // after "SSH-2.0-"
	sshAuthMost = 10        // keys that one connection may try: agents hold many

	// keyExtension is where a connection's permissions name the key that
	// authenticated it, by its fingerprint.
	keyExtension = "wikibot-key"
)

// serve accepts connections until the listener is closed.
func (s *sshServer) serve(l net.Listener) error {
	pause := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // too many open files, or a client that left already
			s.Log.Warn("no connection could be accepted over ssh", "error", err)
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		c := newSSHConn(s, conn)
		err = s.gate.admit(c) // here, so that the order is the one in which they came
		s.running.Go(func() { s.handle(c, err) })
	}
}

// handle serves one connection to its end, or tells its client why it is not
// admitted. A panic ends the connection alone.
func (s *sshServer) handle(c *sshConn, refused error) {
	defer c.end() // gliderlabs does not wait for sessions
	defer c.Close()
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("an ssh connection panicked", "id", c.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	if refused != nil {
		c.refuse(refused)
		return
	}
	// One value for each connection, so that what belongs to the connection is
	// in a field and nothing is looked for in a context.
	conn := &glider.Server{
		Version:                  sshVersion,
		PublicKeyHandler:         func(_ glider.Context, key glider.PublicKey) bool { return c.mayTry(key) },
		ServerConfigCallback:     func(glider.Context) *ssh.ServerConfig { return c.config() },
		ConnectionFailedCallback: func(_ net.Conn, err error) { c.failed(err) },
		ChannelHandlers: map[string]glider.ChannelHandler{
			"session": func(_ *glider.Server, conn *ssh.ServerConn, ch ssh.NewChannel, _ glider.Context) { c.session(conn, ch) },
		},
	}
	for _, k := range s.Keys {
		conn.HostSigners = append(conn.HostSigners, k)
	}
	conn.HandleConn(c)
}

// fingerprints are those of the server's keys, for the log and for people who
// compare them.
func (s *sshServer) fingerprints() (list []string) {
	for _, k := range s.Keys {
		list = append(list, ssh.FingerprintSHA256(k.PublicKey()))
	}
	return list
}

// config are the algorithms and rules of a handshake. gliderlabs adds the host
// keys and, for PublicKeyHandler, public keys as the one method; without that
// handler it would let everybody in (NoClientAuth).
func (c *sshConn) config() *ssh.ServerConfig {
	cfg := &ssh.ServerConfig{
		MaxAuthTries: sshAuthMost,
		// No ssh-rsa, whose signatures are SHA-1, and no DSA.
		PublicKeyAuthAlgorithms: []string{
			ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
			ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
		},
		// Called when the signature was good, with the key that made it:
		// PublicKeyHandler is asked about every key that is only offered.
		VerifiedPublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey, _ *ssh.Permissions, _ string) (*ssh.Permissions, error) {
			fingerprint := ssh.FingerprintSHA256(key)
			c.server.Door.Tried(fingerprint, c.from, true)
			return &ssh.Permissions{Extensions: map[string]string{keyExtension: fingerprint}}, nil
		},
		AuthLogCallback: func(_ ssh.ConnMetadata, _ string, err error) {
			if err == nil {
				c.authenticated()
			}
		},
	}
	cfg.KeyExchanges = []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521}
	cfg.Ciphers = []string{ssh.CipherChaCha20Poly1305, ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR}
	cfg.MACs = []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM}
	return cfg
}

// mayTry reports whether a key that a client offers signs anybody in. It decides
// nothing but whether the client is asked to prove that it has the key. Agents
// offer all keys that they hold, so a connection counts as one failure, however
// many were refused (failed).
func (c *sshConn) mayTry(key ssh.PublicKey) bool {
	fingerprint := ssh.FingerprintSHA256(key)
	c.offered.Store(true)
	if err := c.server.Door.Try(fingerprint, c.from); err != nil {
		c.server.Log.Debug("an ssh key is not looked at", "id", c.id, "client", c.address, "error", err)
		return false
	}
	_, err := c.server.Who.ByKey(context.Background(), fingerprint)
	if err != nil && !errors.Is(err, wiki.ErrUnauthenticated) {
		c.server.Log.Error("an ssh key cannot be looked up", "id", c.id, "error", err)
	}
	if err != nil {
		return false
	}
	c.proving()
	return true
}

// drain lets the commands under way end and refuses new ones; connections without
// one are closed. When ctx ends, all are. The listener is closed already.
func (s *sshServer) drain(ctx context.Context) error {
	s.gate.drain()
	ended := make(chan struct{})
	go func() { s.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.gate.closeAll()
	<-ended
	return ctx.Err()
}
