package server

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	keepalivePatience = 3               // intervals without an answer until a client is gone
	lingerTime        = 2 * time.Second // for a client to read the last of an answer when the server stops
	sshChannelsMost   = 10              // sessions of one connection at once, as in sshd_config(5), MaxSessions

	// unlockTime is how long after the beginning somebody may prove to have the
	// key that they have offered: a passphrase is typed, a hardware key touched.
	unlockTime = 2 * time.Minute
)

// sshConn is one connection. As a net.Conn it is what gliderlabs and x/crypto
// read and write.
type sshConn struct {
	net.Conn
	server  *sshServer
	id      string     // names the connection in the log
	from    netip.Addr // of the client
	address string     // what counts as one address, see addressKey
	began   time.Time
	said    atomic.Int64 // bytes that the client has sent
	offered atomic.Bool  // a key
	ready   atomic.Bool  // has authenticated

	closing   sync.Once
	gone      chan struct{} // closed with the connection
	keepalive sync.Once

	sessions sync.WaitGroup // open sessions

	mu       sync.Mutex
	over     bool        // no more sessions; guarded by mu, as all below
	channels int         // open sessions
	running  int         // commands under way
	timer    *time.Timer // closes the connection unless something happens
}

func newSSHConn(s *sshServer, nc net.Conn) *sshConn {
	var b [8]byte
	rand.Read(b[:])
	c := &sshConn{Conn: nc, server: s, id: hex.EncodeToString(b[:]), from: addressOf(nc.RemoteAddr()), began: time.Now(), gone: make(chan struct{})}
	c.address = addressKey(c.from)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(time.Duration(s.Limits.HandshakeTimeout), c.expire)
	return c
}

// expire closes a connection in which nothing happens.
func (c *sshConn) expire() {
	c.mu.Lock()
	busy := c.running > 0 // a command has begun just now
	c.mu.Unlock()
	if busy {
		return
	}
	c.server.Log.Debug("ssh connection timed out", "id", c.id, "client", c.address, "authenticated", c.ready.Load())
	c.Close()
}

// proving gives a client that has offered somebody's key more time than the
// handshake as such has.
func (c *sshConn) proving() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && !c.ready.Load() {
		c.timer.Reset(max(0, time.Until(c.began.Add(max(unlockTime, time.Duration(c.server.Limits.HandshakeTimeout))))))
	}
}

// authenticated ends the time for the handshake.
func (c *sshConn) authenticated() {
	c.ready.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Reset(time.Duration(c.server.Limits.IdleTimeout))
}

// openChannel counts a session in; false where there are too many.
func (c *sshConn) openChannel() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.channels >= sshChannelsMost {
		return false
	}
	c.channels++
	c.sessions.Add(1)
	return true
}

func (c *sshConn) closeChannel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channels--
	c.sessions.Done()
}

// end waits for the sessions of a closed connection, with their git processes.
func (c *sshConn) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.sessions.Wait()
}

// begin counts a command in; while one is under way the connection itself has no
// time limit, the session has (watchdog).
func (c *sshConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running++
	c.timer.Stop() // where it is too late, expire sees the command
}

// done counts a command out.
func (c *sshConn) done() {
	wait := time.Duration(c.server.Limits.IdleTimeout)
	if c.server.gate.stopping() {
		wait = min(wait, lingerTime)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 {
		c.timer.Reset(wait)
	}
}

// closeIdle closes the connection where no command is under way.
func (c *sshConn) closeIdle() {
	if c.stage() < sshAtWork {
		c.Close()
	}
}

// keepAlive asks the client again and again whether it is there, and closes the
// connection when it has not answered for keepalivePatience intervals. Machines
// that went away say nothing, and nothing else would notice.
func (c *sshConn) keepAlive(conn ssh.Conn) {
	every := time.Duration(c.server.Limits.Keepalive)
	for {
		select {
		case <-c.gone:
			return
		case <-time.After(every):
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := conn.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case <-c.gone:
			return
		case err := <-answered: // a refusal is an answer too
			if err == nil {
				continue
			}
		case <-time.After(keepalivePatience * every):
			c.server.Log.Info("an ssh client does not answer any more", "id", c.id, "client", c.address)
		}
		c.Close()
		return
	}
}

// Close closes the connection; its sessions and their git processes end with it.
func (c *sshConn) Close() (err error) {
	c.closing.Do(func() {
		c.mu.Lock()
		c.timer.Stop()
		c.mu.Unlock()
		c.server.gate.leave(c)
		close(c.gone)
		err = c.Conn.Close()
	})
	return err
}

// Read counts what the client says.
func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.said.Add(int64(n))
	return n, err
}

// keyExchange is the bytes from which on a client has begun to exchange keys; its
// version alone is 255 at most (RFC 4253, 4.2), its first packet more than that.
// What goes before costs a client nothing.
const keyExchange = 400

// sshStage is how far a connection has come.
type sshStage int

const (
	sshSilent      sshStage = iota // nothing but its version was said
	sshHandshaking                 // has begun to exchange keys
	sshIdle                        // has authenticated, gives no command now
	sshAtWork
)

func (c *sshConn) stage() sshStage {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.running > 0:
		return sshAtWork
	case c.ready.Load():
		return sshIdle
	case c.said.Load() >= keyExchange:
		return sshHandshaking
	}
	return sshSilent
}

// SetDeadline does nothing, like the two below: gliderlabs takes every deadline
// away at each read and write. The times are kept by closing the connection.
func (c *sshConn) SetDeadline(time.Time) error      { return nil }
func (c *sshConn) SetReadDeadline(time.Time) error  { return nil }
func (c *sshConn) SetWriteDeadline(time.Time) error { return nil }

// refuse tells a client that gets no connection why, in a line before the
// server's version (RFC 4253, 4.2), which clients show at least with -v.
func (c *sshConn) refuse(err error) {
	c.server.Log.Warn("an ssh connection was refused", "client", c.address, "error", err)
	_ = c.Conn.SetWriteDeadline(time.Now().Add(time.Second)) // a TCP connection has deadlines
	_, _ = fmt.Fprintf(c.Conn, "wikibot: %v\r\n", err)       // a courtesy
}

// failed notes a handshake that came to nothing. The user's name is left out: it
// may be a password that was typed in the wrong place.
func (c *sshConn) failed(err error) {
	if c.offered.Load() {
		c.server.Door.Tried("", c.from, false)
	}
	c.server.Log.Debug("ssh handshake failed", "id", c.id, "client", c.address, "error", err)
}
