package server

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// AgentsConfig is about programs: the REST interface and MCP. How often they may ask
// is in RatesConfig, how large a page and an attachment may be in LimitsConfig.
type AgentsConfig struct {
	// Origins are other sites whose pages may call the REST interface and MCP from
	// a browser, with a token: "https://app.example.org". Default none. A cookie
	// never counts for them. Without a reason to trust a site, its pages could use
	// what a visitor's token may do.
	Origins []Origin `toml:"origins" help:"other sites whose pages may call the REST interface and MCP"`

	// Visitors lets agents without a token read, by MCP, the wikis that everybody may
	// read. Default true: some connectors can send no token. They are counted by
	// network address.
	Visitors bool `toml:"visitors" help:"let agents without a token read public wikis by MCP"`

	// Body is the largest request, such as a batch of changes. Default "32MB", or
	// what the largest attachment takes in base64 where that is more. A request
	// takes as much memory while it is under way, a few times over.
	Body Size `toml:"body" help:"largest request of the REST interface and MCP"`

	// Streams is how many streams of events of the REST interface may be open.
	// Default 2000. Each takes a connection and a few kilobytes. Those of MCP are
	// bounded for each credential.
	Streams int `toml:"streams" help:"streams of events of the REST interface that may be open"`

	// CredentialStreams is how many of them one credential may have, and for each
	// wiki of those of MCP about four times as many, requests counted in; visitors
	// without a token share such a number for each wiki. Default 64.
	CredentialStreams int `toml:"credential_streams" help:"streams of events that one credential may have open"`

	// Sessions is how many MCP sessions are remembered; above it the one that was
	// not used for the longest time ends, and its client begins another. Default
	// 10000.
	Sessions int `toml:"sessions" help:"MCP sessions that are remembered"`

	// SessionIdle ends an MCP session that was not used for so long. Default "24h".
	SessionIdle Duration `toml:"session_idle" help:"an MCP session that was not used for so long ends"`
}

// Origin is a site as a browser names it in the header Origin: scheme, host and
// perhaps a port (RFC 6454, section 6.2).
type Origin string

// UnmarshalText reads an origin.
func (o *Origin) UnmarshalText(text []byte) error {
	s := strings.TrimSuffix(strings.TrimSpace(string(text)), "/")
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != s {
		return fmt.Errorf("%q is no origin: it reads like https://app.example.org, without a path; \"*\" for every site is not possible", text)
	}
	*o = Origin(strings.ToLower(s))
	return nil
}

// MarshalText is String.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o), nil }

// String is the origin as a browser sends it.
func (o Origin) String() string { return string(o) }

func defaultAgents() AgentsConfig {
	return AgentsConfig{Origins: []Origin{}, Visitors: true, Body: 32 * MB, Streams: 2000, CredentialStreams: 64, Sessions: 10_000, SessionIdle: Duration(24 * time.Hour)}
}

// problems are the values that cannot be right.
func (c AgentsConfig) problems(add func(key, format string, args ...any)) {
	if c.Body < 64*KB {
		add("agents.body", "%q is too small: at least \"64kB\" is needed", c.Body)
	}
	for _, n := range []struct {
		key string
		n   int
	}{{"streams", c.Streams}, {"credential_streams", c.CredentialStreams}, {"sessions", c.Sessions}} {
		if n.n < 1 {
			add("agents."+n.key, "%d: at least 1 is needed", n.n)
		}
	}
	if c.SessionIdle < Duration(time.Minute) {
		add("agents.session_idle", "%q is too short: at least \"1m\" is needed", c.SessionIdle)
	}
}

// body is the largest request, in bytes.
func (c Config) agentsBody() int64 {
	return max(int64(c.Agents.Body), int64(c.Limits.Attachment)*4/3+int64(c.Limits.Page)+64<<10)
}

func (c AgentsConfig) origins() []string {
	list := make([]string, len(c.Origins))
	for i, o := range c.Origins {
		list[i] = string(o)
	}
	return list
}
