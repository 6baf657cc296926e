package server

import (
	"net"
	"net/netip"
	"sync"

	"wikibot/wiki"
)

// sshGate bounds connections and what each key may have under way.
type sshGate struct {
	limits SSHConfig

	mu       sync.Mutex
	conns    map[*sshConn]struct{} // guarded by mu, as all below
	keys     map[string]int        // by fingerprint, the commands under way; only those with one
	draining bool
}

func newSSHGate(limits SSHConfig) *sshGate {
	return &sshGate{limits: limits, conns: map[*sshConn]struct{}{}, keys: map[string]int{}}
}

// admit takes a connection in. Where all places are taken, of its address or in
// all, one there that does nothing gives way: the oldest of those that have said
// nothing yet, else of those that have not authenticated, else of those that have
// and give no command. Whoever opens connections and leaves them so keeps nobody
// out, and cuts off nobody who is at work.
func (g *sshGate) admit(c *sshConn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return errStopping()
	}
	if g.count(c.address) >= g.limits.PerAddress && !g.evict(c.address) {
		return wiki.Unavailable("there are %d connections from your address already; close some and try again", g.limits.PerAddress)
	}
	if len(g.conns) >= g.limits.MaxConnections && !g.evict("") {
		return wiki.Unavailable("the server has too many connections; try again in a moment")
	}
	g.conns[c] = struct{}{}
	return nil
}

func errStopping() error {
	return wiki.Unavailable("the server is stopping; try again in a moment")
}

func (g *sshGate) count(address string) (n int) {
	for c := range g.conns {
		if c.address == address {
			n++
		}
	}
	return n
}

// evict closes a connection without a command, of one address or, with "", of
// all; false where there is none.
func (g *sshGate) evict(address string) bool {
	var least *sshConn
	at := sshAtWork
	for c := range g.conns {
		if address != "" && c.address != address {
			continue
		}
		if stage := c.stage(); stage < at || stage == at && least != nil && c.began.Before(least.began) {
			least, at = c, stage
		}
	}
	if least == nil {
		return false
	}
	delete(g.conns, least)
	go least.Close() // which comes back to the gate
	return true
}

// leave forgets a connection.
func (g *sshGate) leave(c *sshConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}

// enter begins a command of a key; leaveKey ends it.
func (g *sshGate) enter(key string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return errStopping()
	}
	if n := g.keys[key]; n >= g.limits.PerKey {
		return wiki.Unavailable("%d commands are under way with this SSH key already; wait for some to end and try again", n)
	}
	g.keys[key]++
	return nil
}

func (g *sshGate) leaveKey(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keys[key]--; g.keys[key] <= 0 {
		delete(g.keys, key)
	}
}

// drain refuses what is new and closes the connections that have nothing under
// way.
func (g *sshGate) drain() {
	g.mu.Lock()
	g.draining = true
	g.mu.Unlock()
	for _, c := range g.all() {
		c.closeIdle()
	}
}

// closeAll closes every connection, and with it ends its commands.
func (g *sshGate) closeAll() {
	for _, c := range g.all() {
		c.Close()
	}
}

func (g *sshGate) all() []*sshConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]*sshConn, 0, len(g.conns))
	for c := range g.conns {
		list = append(list, c)
	}
	return list
}

func (g *sshGate) stopping() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// addressOf is the address of a connection's other end; the zero Addr where it has
// none.
func addressOf(a net.Addr) netip.Addr {
	at, _ := netip.ParseAddrPort(a.String()) // the zero AddrPort has the zero Addr
	return at.Addr().Unmap().WithZone("")
}

// addressKey is what counts as one address: an IPv4 address, or the /64 that one
// machine usually has in IPv6.
func addressKey(ip netip.Addr) string {
	if p, err := ip.Prefix(64); err == nil && ip.Is6() {
		return p.String()
	}
	return ip.String()
}
