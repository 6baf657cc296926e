package streamable

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// Bounds of what one session or stream follows: resources, and the bytes of their URIs
// together.
const (
	maxSubscriptions = 512
	maxURIs          = 128 << 10
)

// state is what is known of a client: of a session, or of one request where
// there are no sessions. mcp-go reads and writes it through the optional
// interfaces of server.ClientSession.
type state struct {
	mu      sync.Mutex
	begun   bool
	version string
	level   mcp.LoggingLevel
	info    mcp.Implementation
	can     mcp.ClientCapabilities
	follows map[string]func() // by URI; what ends it
	uris    int               // bytes of the URIs
	closed  bool              // nothing may be followed any more

	// follow begins to follow a resource; set once, before use.
	follow func(uri string) (stop func(), err error)
}

func (s *state) Initialize() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
}

func (s *state) Initialized() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

func (s *state) SetLogLevel(l mcp.LoggingLevel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.level = l
}

// GetLogLevel is the level that the client asked for, at first "info".
func (s *state) GetLogLevel() mcp.LoggingLevel {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.level == "" {
		return mcp.LoggingLevelInfo
	}
	return s.level
}

func (s *state) GetClientInfo() mcp.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// SetClientInfo keeps of what a client says of itself the names: a session stays for
// long, and there may be many.
func (s *state) SetClientInfo(i mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = mcp.Implementation{Name: head(i.Name), Title: head(i.Title), Version: head(i.Version)}
}

// maxName is the most bytes of a client's name, title or version.
const maxName = 1000

// head is the beginning of a text, as a text of its own.
func head(s string) string {
	for n := maxName; n < len(s); n-- {
		if utf8.RuneStart(s[n]) {
			return strings.Clone(s[:n])
		}
	}
	return s
}

func (s *state) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.can
}

// SetClientCapabilities keeps those that the transport knows; the others may be of
// any size.
func (s *state) SetClientCapabilities(c mcp.ClientCapabilities) {
	c.Experimental, c.Extensions = nil, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.can = c
}

func (s *state) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

func (s *state) SetProtocolVersion(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}

// SubscribeToResourceErr follows a resource; the second time is the same as the
// first.
func (s *state) SubscribeToResourceErr(uri string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.follows[uri]; ok {
		return nil
	}
	if s.closed || s.follow == nil {
		return fmt.Errorf("the session has ended; begin a new one")
	}
	if len(s.follows) >= maxSubscriptions {
		return fmt.Errorf("at most %d resources are followed at once; unsubscribe from one first", maxSubscriptions)
	}
	if s.uris+len(uri) > maxURIs {
		return fmt.Errorf("the resources that are followed have names of more than %d bytes together; unsubscribe from one first", maxURIs)
	}
	stop, err := s.follow(uri)
	if err != nil {
		return err
	}
	s.uris += len(uri)
	if s.follows == nil {
		s.follows = make(map[string]func())
	}
	s.follows[uri] = stop
	return nil
}

// SubscribeToResource is what mcp-go calls where a session cannot refuse; it
// never does here.
func (s *state) SubscribeToResource(uri string) { _ = s.SubscribeToResourceErr(uri) }

func (s *state) UnsubscribeFromResource(uri string) {
	s.mu.Lock()
	stop, ok := s.follows[uri]
	if ok {
		s.uris -= len(uri)
	}
	delete(s.follows, uri)
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (s *state) SubscribedResources() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]string, 0, len(s.follows))
	for uri := range s.follows {
		list = append(list, uri)
	}
	return list
}

func (s *state) IsSubscribedToResource(uri string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.follows[uri]
	return ok
}

// unfollow ends every subscription, and lets none begin.
func (s *state) unfollow() {
	s.mu.Lock()
	follows := s.follows
	s.follows, s.closed = nil, true
	s.mu.Unlock()
	for _, stop := range follows {
		stop()
	}
}
