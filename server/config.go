package server

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"wikibot/limit"
	"wikibot/wiki"
)

// Config is everything that can be set: config.toml is its commented twin, key
// by key (the tag toml), and each key is also a flag and an environment
// variable (see Load). Default gives the values that are documented here.
type Config struct {
	// Listen is the address for browsers, git and agents. Default
	// "127.0.0.1:8080": this machine alone, so that nothing is open to a
	// network before somebody decides it. Port 0 takes a free one.
	Listen string `toml:"listen" help:"address for browsers, git and agents"`

	// SSHListen is the address for git over SSH. Default "": SSH is off. "auto"
	// is 127.0.0.1:2222 where that port is free and off where it is not, which
	// is what `make run` uses; any other address that cannot be had is an
	// error. Port 0 takes a free one.
	SSHListen string `toml:"ssh_listen" help:"address for git over SSH, such as :2222; auto: 127.0.0.1:2222 where it is free; empty: off"`

	// BaseURL is the address under which people reach the site. Default "":
	// taken from Listen. Without it behind a proxy, clone addresses and
	// sign-in links would name a port that nobody can reach, and cookies
	// would not be Secure.
	BaseURL string `toml:"base_url" help:"address under which people reach the site, e.g. https://wiki.example.org; empty: from listen"`

	// Layout is "path" ({base}/w/{slug}/…) or "subdomain" ({slug}.{domain}/…).
	// Default "path": it needs neither DNS nor a wildcard certificate. The
	// other layout redirects, so links survive a change.
	Layout wiki.Layout `toml:"layout" help:"how wikis are addressed: path or subdomain"`

	// Data is the folder that holds everything. Default "./data". It must be
	// on a local disk: git's locks are not safe on most network file systems.
	Data string `toml:"data" help:"folder that holds everything"`

	// Git is the git program. Default "git", found by PATH; at least 2.38. A
	// full path protects from a PATH that differs under a service manager.
	Git string `toml:"git" help:"the git program, 2.38 or newer"`

	// Grace is how long requests and pushes in flight may take to end after
	// the server was told to stop. Default "30s". Shorter cuts off large
	// pushes; longer than the service manager waits, and it kills the server
	// instead.
	Grace Duration `toml:"shutdown_grace" help:"time that requests in flight have to end at shutdown"`

	HTTP     HTTPConfig     `toml:"http"`
	SSH      SSHConfig      `toml:"ssh"`
	Logging  LogConfig      `toml:"log"`
	Limits   LimitsConfig   `toml:"limits"`
	Rates    RatesConfig    `toml:"rates"`
	Agents   AgentsConfig   `toml:"agents"`
	Webhooks WebhooksConfig `toml:"webhooks"`
	Cache    CacheConfig    `toml:"cache"`
	Search   SearchConfig   `toml:"search"`
	Markdown MarkdownConfig `toml:"markdown"`
	Sessions SessionsConfig `toml:"sessions"`

	// Log receives what happens. Default: slog.Default(). It is no key of the
	// file; NewLog makes one after Logging.
	Log *slog.Logger `toml:"-"`
}

// HTTPConfig is about connections.
type HTTPConfig struct {
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is
	// believed. Default none. Trusting everybody would let anyone choose the
	// address that limits and logs see.
	TrustedProxies []Network `toml:"trusted_proxies" help:"addresses or networks of reverse proxies, whose X-Forwarded-For is believed"`

	// HeaderTimeout is how long a client may take to send a request's header.
	// Default "10s". Without it, slow clients hold connections for ever.
	HeaderTimeout Duration `toml:"header_timeout" help:"time that a client has to send a request's header"`

	// IdleTimeout is how long an unused connection stays open. Default "2m".
	// Longer than the proxy's own, so that the proxy closes first and no
	// request meets a connection that is just being closed.
	IdleTimeout Duration `toml:"idle_timeout" help:"time after which an unused connection is closed"`
}

// SSHConfig is about connections over SSH.
type SSHConfig struct {
	// Host is the name, perhaps with a port, under which people reach
	// ssh_listen: "git.example.org", "git.example.org:22". Default "": the base
	// URL's host and ssh_listen's port. Where another port leads here and this
	// is not set, the clone addresses that are shown lead nowhere.
	Host string `toml:"host" help:"name, perhaps with a port, under which people reach ssh_listen; empty: from base_url and ssh_listen"`

	// HandshakeTimeout is how long a client has to offer a key that signs
	// somebody in; to prove that it has it, the person has two minutes, since
	// keys have passphrases and are touched. Default "10s". Without it,
	// half-open connections take all places for ever.
	HandshakeTimeout Duration `toml:"handshake_timeout" help:"time that a client has to offer a key that signs somebody in"`

	// IdleTimeout ends a connection that does nothing, and a clone or push in
	// which neither side sends anything, for so long. Default "5m". Much
	// shorter cuts off pushes while the client compresses.
	IdleTimeout Duration `toml:"idle_timeout" help:"time after which a silent connection, clone or push is ended"`

	// Keepalive is how often a client is asked whether it is still there; one
	// that does not answer for three times as long is gone. Default "30s". A
	// client whose machine went away holds a git process until then.
	Keepalive Duration `toml:"keepalive" help:"how often clients are asked whether they are still there"`

	// MaxConnections is how many connections there may be at once. Default
	// 500. When all are taken one that does nothing gives way to a new one,
	// first of all one that has not authenticated.
	MaxConnections int `toml:"max_connections" help:"connections over SSH at once"`

	// PerAddress is how many of them one address may have (in IPv6, one /64).
	// Default 100. Smaller than max_connections, or one machine could take
	// them all.
	PerAddress int `toml:"per_address" help:"connections over SSH at once from one address"`

	// PerKey is how many commands (clones, pushes) one SSH key may have under
	// way or waiting at once. Default 64.
	PerKey int `toml:"per_key" help:"commands over SSH at once with one key"`
}

// LogConfig is about the log on standard error.
type LogConfig struct {
	// Level is the least that is logged: debug, info, warn or error. Default
	// "info". "debug" writes a line for every request.
	Level LogLevel `toml:"level" help:"the least that is logged: debug, info, warn or error"`

	// Format is "text" for people or "json" for machines. Default "text".
	Format LogFormat `toml:"format" help:"text or json"`
}

// LimitsConfig bounds what one request can cost.
type LimitsConfig struct {
	// Page is the most bytes of a page's text. Default "1MB", about
	// 1,000,000 characters: what an agent may write at once. It is checked
	// where a page grows, never on reading.
	Page Size `toml:"page" help:"largest page"`

	// Attachment is the most bytes of an attachment that is uploaded.
	// Default "10MB". Every version stays in history for ever.
	Attachment Size `toml:"attachment" help:"largest attachment that can be uploaded"`

	// Push is the most bytes that one push may send. Default "2GB". Without a
	// limit one push can fill the disk.
	Push Size `toml:"push" help:"largest push"`

	// GitProcesses is how many git programs run at once for clones, fetches
	// and pushes; more wait. Default 16. A clone of a large wiki takes about
	// 150 MB of memory, so the product must fit into the machine.
	GitProcesses int `toml:"git_processes" help:"git programs that run at once for clones and pushes; more wait"`
}

// RatesConfig bounds how often somebody may ask, over all faces. A rate is
// "200/s burst 2000": so many in each second (or /m, /h), and so many at once
// after a rest; "0" is no limit. Whoever shows a good credential is counted by
// that credential, wherever they come from; everybody else by network address,
// IPv6 by /64.
type RatesConfig struct {
	// Reads are the requests of one credential that change nothing. Default
	// "200/s burst 2000": a busy browser, or an agent that reads a wiki
	// through, stays far below.
	Reads limit.Rate `toml:"reads" help:"reads of one credential, or 0"`

	// Writes are the changes of one credential: saves, uploads, pushes.
	// Default "50/s burst 500": what an agent that writes all day never meets.
	Writes limit.Rate `toml:"writes" help:"changes of one credential, or 0"`

	// AnonymousReads are the reads of one address without a credential.
	// Default "50/s burst 500". Many people may share an address.
	AnonymousReads limit.Rate `toml:"anonymous_reads" help:"reads of one address without a credential, or 0"`

	// AnonymousWrites are the changes of one address without a credential.
	// Default "5/s burst 50".
	AnonymousWrites limit.Rate `toml:"anonymous_writes" help:"changes of one address without a credential, or 0"`

	// Failures are the tokens, sessions, keys and sign-in links of one address
	// that do not hold. Default "20/m burst 60". Above it an address may use
	// credentials that were good before, and try no others. Off, and nothing
	// bounds guessing.
	Failures limit.Rate `toml:"failures" help:"wrong tokens and sign-ins of one address, or 0"`
}

func (c RatesConfig) limits() limit.Config {
	return limit.Config{
		Reads: c.Reads, Writes: c.Writes,
		AnonymousReads: c.AnonymousReads, AnonymousWrites: c.AnonymousWrites, Failures: c.Failures,
	}
}

// CacheConfig bounds memory. Everything cached is rebuilt when it is needed.
type CacheConfig struct {
	// Content is the memory for pages and trees as git has them. Default
	// "64MB". Smaller than the pages in use, and each read inflates again
	// (about 20 µs instead of 0.1).
	Content Size `toml:"content" help:"memory for pages as git has them"`

	// Rendered is the memory for pages as HTML. Default "64MB".
	Rendered Size `toml:"rendered" help:"memory for pages as HTML"`
}

// MarkdownConfig is about how pages are shown.
type MarkdownConfig struct {
	// RemoteImages lets pages load images from other hosts, in the wikis whose
	// owners set remote_images too. Default false:
	// such an image tells its host who reads which page and when.
	RemoteImages bool `toml:"remote_images" help:"let pages load images from other hosts"`
}

// SessionsConfig is about people who are signed in in a browser.
type SessionsConfig struct {
	// Idle ends a session that was not used for so long. Default "30d". A
	// forgotten browser stays signed in until then.
	Idle Duration `toml:"idle" help:"a session that was not used for so long ends"`

	// Lifetime ends a session however busy it is. Default "365d". It bounds
	// what a stolen cookie is worth.
	Lifetime Duration `toml:"lifetime" help:"a session ends after so long, however busy it is"`
}

// Default is the configuration of a start without file, variables or flags.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		Layout: wiki.LayoutPath,
		Data:   "./data",
		Git:    "git",
		Grace:  Duration(30 * time.Second),
		HTTP: HTTPConfig{
			TrustedProxies: []Network{},
			HeaderTimeout:  Duration(10 * time.Second),
			IdleTimeout:    Duration(2 * time.Minute),
		},
		SSH: SSHConfig{
			HandshakeTimeout: Duration(10 * time.Second),
			IdleTimeout:      Duration(5 * time.Minute),
			Keepalive:        Duration(30 * time.Second),
			MaxConnections:   500,
			PerAddress:       100,
			PerKey:           64,
		},
		Logging: LogConfig{Level: LogLevel(slog.LevelInfo), Format: LogText},
		Limits:  LimitsConfig{Page: 1 * MB, Attachment: 10 * MB, Push: 2 * GB, GitProcesses: 16},
		Rates: RatesConfig{
			Reads: limit.Rate{Events: 200, Per: time.Second, Burst: 2000}, Writes: limit.Rate{Events: 50, Per: time.Second, Burst: 500},
			AnonymousReads: limit.Rate{Events: 50, Per: time.Second, Burst: 500}, AnonymousWrites: limit.Rate{Events: 5, Per: time.Second, Burst: 50},
			Failures: limit.Rate{Events: 20, Per: time.Minute, Burst: 60},
		},
		Agents:   defaultAgents(),
		Webhooks: defaultWebhooks(),
		Cache:    CacheConfig{Content: 64 * MB, Rendered: 64 * MB},
		Search:   defaultSearch(),
		Sessions: SessionsConfig{Idle: Duration(30 * 24 * time.Hour), Lifetime: Duration(365 * 24 * time.Hour)},
	}
}

// Addresses is how the site's URLs are formed. Where BaseURL is empty it comes
// from Listen; for a port 0 the caller replaces Listen by the address that was
// opened.
func (c Config) Addresses() (wiki.Addresses, error) {
	base := c.BaseURL
	if base == "" {
		host, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return wiki.Addresses{}, wiki.Invalid("listen", "listen = %q is no address: it reads like 127.0.0.1:8080", c.Listen)
		}
		ip := net.ParseIP(host)
		if host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback() && c.Layout == wiki.LayoutSubdomain) {
			host = "localhost" // its sub-domains lead to this machine in every browser
		}
		base = "http://" + net.JoinHostPort(host, port)
	}
	a, err := wiki.ParseAddresses(base, c.Layout)
	if err != nil {
		return wiki.Addresses{}, err
	}
	a.SSHHost = c.sshHost(a.Domain())
	return a, nil
}

// NewLog makes the log that Logging describes, on standard error.
func (c Config) NewLog() *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.Level(c.Logging.Level)}
	if c.Logging.Format == LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// problem is something wrong with the value of a key.
type problem struct {
	key  string // "limits.page"
	text string // what is wrong and how to mend it
}

// problems are all values that cannot be right.
func (c Config) problems() []problem {
	var list []problem
	add := func(key, format string, args ...any) {
		list = append(list, problem{key, key + ": " + fmt.Sprintf(format, args...)})
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		add("listen", "%q is no address: it reads like 127.0.0.1:8080, or :8080 for every address of the machine", c.Listen)
	} else if _, err := c.Addresses(); err != nil {
		key := "base_url"
		if e, ok := err.(*wiki.Error); ok && e.Field == "layout" {
			key = "layout"
		}
		add(key, "%s", err)
	}
	for _, s := range []struct{ key, value string }{{"data", c.Data}, {"git", c.Git}} {
		if strings.TrimSpace(s.value) == "" {
			add(s.key, "it is empty: leave the line out for the default")
		}
	}
	for _, d := range []struct {
		key string
		d   Duration
	}{{"shutdown_grace", c.Grace}, {"http.header_timeout", c.HTTP.HeaderTimeout}, {"http.idle_timeout", c.HTTP.IdleTimeout},
		{"ssh.handshake_timeout", c.SSH.HandshakeTimeout}, {"ssh.idle_timeout", c.SSH.IdleTimeout}, {"ssh.keepalive", c.SSH.Keepalive}, {"sessions.idle", c.Sessions.Idle}, {"sessions.lifetime", c.Sessions.Lifetime}} {
		if d.d <= 0 {
			add(d.key, "%q must be more than nothing, such as \"30s\"", d.d)
		}
	}
	for _, s := range []struct {
		key   string
		size  Size
		least Size
	}{{"limits.page", c.Limits.Page, 1 * KB}, {"limits.attachment", c.Limits.Attachment, 1 * KB}, {"limits.push", c.Limits.Push, 1 * MB}, {"cache.content", c.Cache.Content, 1 * MB}, {"cache.rendered", c.Cache.Rendered, 1 * MB}} {
		if s.size < s.least {
			add(s.key, "%q is too small: at least %q is needed", s.size, s.least)
		}
	}
	if c.Limits.GitProcesses < 1 {
		add("limits.git_processes", "%d: at least 1 is needed, or nobody could clone", c.Limits.GitProcesses)
	}
	if c.Sessions.Lifetime < c.Sessions.Idle {
		add("sessions.lifetime", "%q is shorter than sessions.idle = %q, which then never counts: make it longer", c.Sessions.Lifetime, c.Sessions.Idle)
	}
	c.Agents.problems(add)
	c.Webhooks.problems(add)
	c.Search.problems(add)
	for _, p := range c.sshProblems() {
		add(p.key, "%s", p.text)
	}
	return list
}
