package streamable

import (
	"fmt"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxSubscriptions is how many resources one session or stream follows.
const maxSubscriptions = 512

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

func (s *state) SetClientInfo(i mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = i
}

func (s *state) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.can
}

func (s *state) SetClientCapabilities(c mcp.ClientCapabilities) {
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
	stop, err := s.follow(uri)
	if err != nil {
		return err
	}
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
	stop := s.follows[uri]
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
