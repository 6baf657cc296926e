package streamable

import "context"

// Peer is who asks: one person or program with one credential at one place.
type Peer struct {
	// Key names the peer: what may be done with a session that was begun under one
	// Key is nobody else's; under every other Key the session does not exist.
	// Bounds are counted by Key as well.
	Key string
	// Who is counted for the memory that the peer's messages take: the person behind
	// several credentials, say. Empty: the Key.
	Who string
	// Scope is the place in which the peer's URIs of resources mean something: the
	// same URI in two scopes is two resources.
	Scope string
	// Value is handed to the handlers; they get it with PeerFrom.
	Value any
	// Check says whether the peer may still listen. It is asked before each
	// notification that leaves and at each heartbeat; an error ends the stream,
	// and the context of the call that it belongs to. nil: always.
	Check func() error
}

func (p Peer) check() error {
	if p.Check == nil {
		return nil
	}
	return p.Check()
}

func (p Peer) owner() string {
	if p.Who == "" {
		return p.Key
	}
	return p.Who
}

type peerKey struct{}

// PeerFrom returns the Value of the Peer whose request is being served. mcp-go
// hands its handlers nothing but a context, so this is the one thing that travels
// in one; false: the context is not of a request that came by this transport.
func PeerFrom(ctx context.Context) (any, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p.Value, ok
}

func withPeer(ctx context.Context, p Peer) context.Context {
	return context.WithValue(ctx, peerKey{}, p)
}
