package embed

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"wikibot/wiki"
)

// The protocols that an HTTP embedder speaks.
const (
	OpenAI = "openai" // POST /v1/embeddings, as OpenAI, vLLM, llama.cpp, LocalAI, TEI and many more have it
	Ollama = "ollama" // POST /api/embed
)

// HTTPConfig says where a model is served. Every page's text is sent there, so it
// is for the operator alone to set.
type HTTPConfig struct {
	API   string // OpenAI or Ollama
	URL   string // of the service, https://api.example.org, or of the endpoint itself; https, or http to a private address
	Model string // as the service calls it

	// Dimensions asks the service for shorter vectors, which few models can give; 0
	// takes them as they come.
	Dimensions int

	// KeyFile is a file with the service's key, which nobody else may read; KeyEnv
	// the name of an environment variable with it. At most one of them is set. The
	// file is read again for each request, so a new key needs no restart.
	KeyFile, KeyEnv string

	Batch   int           // texts in a request, 32
	Timeout time.Duration // of one try, 30 s
	Tries   int           // of a request before giving up, 5

	// Put before the texts, where the model was trained so ("search_query: ").
	QueryPrefix, DocumentPrefix string

	// Insecure allows http to any address: who is on the way reads the pages and
	// the key.
	Insecure bool
}

const (
	maxBatch      = 2048
	maxDimensions = 1 << 14
	maxTries      = 20
)

// HTTP is an Embedder behind an HTTP service. Embed sends one request at a time; it
// tries again, with growing pauses, when the service is busy (429), failing (5xx)
// or out of reach, and not when the service says that the request is wrong. An
// answer takes at most about 32 bytes of memory for each number that was to come.
// Its errors are a *ServiceError, a *TextError, or ctx's.
type HTTP struct {
	c        HTTPConfig
	endpoint string
	client   *http.Client
	dim      atomic.Int64 // of the vectors so far; 0 before the first

	pause func(ctx context.Context, d time.Duration) error // for tests
}

// NewHTTP checks a configuration and the key, and sends nothing. An error is an
// ErrInvalid that names the setting.
func NewHTTP(c HTTPConfig) (*HTTP, error) {
	if c.Batch == 0 {
		c.Batch = 32
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Tries == 0 {
		c.Tries = 5
	}
	switch {
	case c.API != OpenAI && c.API != Ollama:
		return nil, wiki.Invalid("api", "api = %q: use %q (most services) or %q", c.API, OpenAI, Ollama)
	case c.Model == "" || len(c.Model) > 200:
		return nil, wiki.Invalid("model", "model is empty or over 200 bytes: name one that the service has")
	case c.Dimensions < 0 || c.Dimensions > maxDimensions:
		return nil, wiki.Invalid("dimensions", "dimensions = %d: use 1 to %d, or 0 for what the model gives", c.Dimensions, maxDimensions)
	case c.Batch < 1 || c.Batch > maxBatch:
		return nil, wiki.Invalid("batch", "batch = %d: use 1 to %d", c.Batch, maxBatch)
	case c.Timeout < 0 || c.Timeout > 10*time.Minute:
		return nil, wiki.Invalid("timeout", "timeout = %s: use up to 10m", c.Timeout)
	case c.Tries < 1 || c.Tries > maxTries:
		return nil, wiki.Invalid("tries", "tries = %d: use 1 to %d", c.Tries, maxTries)
	case c.KeyFile != "" && c.KeyEnv != "":
		return nil, wiki.Invalid("key_file", "key_file and key_env are both set: keep one")
	}
	u, err := endpoint(c)
	if err != nil {
		return nil, err
	}
	if _, err := c.key(); err != nil {
		return nil, err
	}
	allowed := private
	if c.Insecure {
		allowed = anywhere
	}
	return &HTTP{c: c, endpoint: u.String(), client: client(u, allowed), pause: pause}, nil
}

// path is where each protocol has its endpoint.
func path(api string) string {
	if api == Ollama {
		return "/api/embed"
	}
	return "/v1/embeddings"
}

// endpoint is the URL that requests go to: the configured one, with as much of the
// protocol's path as it lacks.
func endpoint(c HTTPConfig) (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "": // err quotes the URL, and what secret it may hold
		return nil, wiki.Invalid("url", "url is not one like https://api.example.org")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, wiki.Invalid("url", "url holds more than a host and a path: leave out user, password, ? and #; a key belongs into key_file")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, wiki.Invalid("url", "url begins with %q: use https://", u.Scheme+"://")
	}
	if u.Scheme == "http" && !c.Insecure {
		if err := privateHost(u.Hostname()); err != nil {
			return nil, err
		}
	}
	want := path(c.API)
	first := want[:strings.LastIndexByte(want, '/')] // "/v1", "/api"
	u.Path = strings.TrimRight(u.Path, "/")
	switch {
	case strings.HasSuffix(u.Path, want):
	case strings.HasSuffix(u.Path, first):
		u.Path += want[len(first):]
	default:
		u.Path += want
	}
	u.RawPath = ""
	return u, nil
}

// ID is a URL: the protocol, the endpoint and, as its query, the settings that
// change vectors.
func (h *HTTP) ID() string {
	q := url.Values{"model": {h.c.Model}}
	if h.c.Dimensions != 0 {
		q.Set("dimensions", strconv.Itoa(h.c.Dimensions))
	}
	if h.c.QueryPrefix != "" {
		q.Set("query", h.c.QueryPrefix)
	}
	if h.c.DocumentPrefix != "" {
		q.Set("document", h.c.DocumentPrefix)
	}
	return h.c.API + "+" + h.endpoint + "?" + q.Encode()
}

// MaxBatch is HTTPConfig.Batch.
func (h *HTTP) MaxBatch() int { return h.c.Batch }

// Earlier is another model at the same endpoint: an id is read from a file, and
// must not lead texts or the key elsewhere.
func (h *HTTP) Earlier(id string) (Embedder, bool) {
	settings, ok := strings.CutPrefix(id, h.c.API+"+"+h.endpoint+"?")
	if !ok {
		return nil, false
	}
	q, err := url.ParseQuery(settings)
	if err != nil {
		return nil, false
	}
	c := h.c
	c.Model, c.QueryPrefix, c.DocumentPrefix = q.Get("model"), q.Get("query"), q.Get("document")
	c.Dimensions, _ = strconv.Atoi(q.Get("dimensions"))
	e, err := NewHTTP(c)
	if err != nil || e.ID() != id {
		return nil, false
	}
	e.client, e.pause = h.client, h.pause
	return e, true
}
