package server

import (
	"net/netip"
	"time"
)

// WebhooksConfig is about the requests by which wikis tell other programs of their
// changes.
type WebhooksConfig struct {
	// PerWiki is how many webhooks one wiki may have. Default 10. Without a bound
	// one wiki's owner takes the places of all others.
	PerWiki int `toml:"per_wiki" help:"webhooks that one wiki may have"`

	// Site is how many webhooks of all wikis are served. Default 2000: each takes
	// some kilobytes and, while it sends, a commit.
	Site int `toml:"site" help:"webhooks of all wikis that are served"`

	// Parallel is how many requests are under way at once, and half as many more
	// for receivers that failed last or are new. Default 16.
	Parallel int `toml:"parallel" help:"requests of webhooks that are under way at once"`

	// Timeout is how long one request may take in all. Default "15s". A receiver
	// that answers slowly holds a place until then.
	Timeout Duration `toml:"timeout" help:"time that a webhook's receiver has"`

	// Retry is the wait before the second try; each further one is four times as
	// long, at most six hours. Default "5s".
	Retry Duration `toml:"retry" help:"wait before a webhook's second try"`

	// HTTP allows receivers without TLS. Default false: everybody on the way would
	// read the news, and could change it.
	HTTP bool `toml:"http" help:"let webhooks have receivers without TLS"`

	// Allow are networks that may be reached although they are not public. Default
	// none. Owners of wikis choose where their webhooks lead, so this opens a way
	// into these networks: name the receivers' own addresses, "10.1.2.3/32".
	Allow []Network `toml:"allow" help:"addresses that webhooks may reach although they are not public"`

	// Deny are networks that may not be reached although they are public, such as
	// the operator's own machines. Default none. It wins over Allow.
	Deny []Network `toml:"deny" help:"networks that webhooks may not reach although they are public"`
}

func defaultWebhooks() WebhooksConfig {
	return WebhooksConfig{PerWiki: 10, Site: 2000, Parallel: 16, Timeout: Duration(15 * time.Second), Retry: Duration(5 * time.Second), Allow: []Network{}, Deny: []Network{}}
}

// problems are the values that cannot be right.
func (c WebhooksConfig) problems(add func(key, format string, args ...any)) {
	for _, n := range []struct {
		key string
		n   int
	}{{"per_wiki", c.PerWiki}, {"site", c.Site}, {"parallel", c.Parallel}} {
		if n.n < 1 {
			add("webhooks."+n.key, "%d: at least 1 is needed", n.n)
		}
	}
	for _, d := range []struct {
		key string
		d   Duration
	}{{"timeout", c.Timeout}, {"retry", c.Retry}} {
		if d.d <= 0 {
			add("webhooks."+d.key, "%q must be more than nothing, such as \"15s\"", d.d)
		}
	}
}

func prefixes(list []Network) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, n := range list {
		out[i] = n.Prefix
	}
	return out
}
