package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Embed sends texts in batches. Of a text that is too long for the model the first
// half is sent instead, once.
func (h *HTTP) Embed(ctx context.Context, k Kind, texts []string) ([][]float32, error) {
	prefix := h.c.DocumentPrefix
	if k == Query {
		prefix = h.c.QueryPrefix
	}
	vectors := make([][]float32, 0, len(texts))
	for from := 0; from < len(texts); from += h.c.Batch {
		some, err := h.batch(ctx, prefix, texts[from:min(from+h.c.Batch, len(texts))], from)
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, some...)
	}
	return vectors, nil
}

// batch embeds texts, of which the first has the index at. A refused batch is
// halved until the text at fault is alone: at most 2·len requests, and three more
// for that text.
func (h *HTTP) batch(ctx context.Context, prefix string, texts []string, at int) ([][]float32, error) {
	vectors, err := h.send(ctx, prefix, texts)
	if err == nil || !refused(err) {
		return vectors, err
	}
	if len(texts) == 1 {
		return h.alone(ctx, prefix, texts[0], at, err)
	}
	half := len(texts) / 2
	a, err := h.batch(ctx, prefix, texts[:half], at)
	if err != nil {
		return nil, err
	}
	b, err := h.batch(ctx, prefix, texts[half:], at+half)
	if err != nil {
		return nil, err
	}
	return append(a, b...), nil
}

// refused says whether the service would not take these texts: too many of them,
// one of them too long, or something else about the request.
func refused(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// alone sends the first half of a text that was refused. If that is refused too, one
// word tells whether it is the text or every request (a wrong model, a parameter that
// the service does not know).
func (h *HTTP) alone(ctx context.Context, prefix, text string, at int, err error) ([][]float32, error) {
	if short := firstHalf(text); short != "" {
		vectors, err := h.send(ctx, prefix, []string{short})
		if err == nil || !refused(err) {
			return vectors, err
		}
	}
	if _, probe := h.send(ctx, prefix, []string{"word"}); probe != nil {
		return nil, probe
	}
	return nil, &TextError{Index: at, Err: err}
}

// firstHalf is the first half of a text in bytes, back to the end of a word.
func firstHalf(text string) string {
	n := len(text) / 2
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	if space := strings.LastIndexFunc(text[:n], unicode.IsSpace); space > n/2 {
		n = space
	}
	return strings.TrimSpace(text[:n])
}

type request struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Dimensions int      `json:"dimensions,omitempty"`
}

// send embeds one batch, trying again where that may help.
func (h *HTTP) send(ctx context.Context, prefix string, texts []string) ([][]float32, error) {
	r := request{Model: h.c.Model, Dimensions: h.c.Dimensions, Input: make([]string, len(texts))}
	for i, t := range texts {
		r.Input[i] = prefix + t
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding a request for embeddings: %w", err)
	}
	for try := 1; ; try++ {
		vectors, wait, err := h.try(ctx, body, len(texts))
		if err == nil {
			return vectors, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if wait < 0 || try == h.c.Tries {
			return nil, err
		}
		wait = max(wait, backoff(try))
		if end, ok := ctx.Deadline(); wait > maxWait || ok && time.Until(end) < wait {
			return nil, fmt.Errorf("not tried again for %s: %w", wait.Round(time.Second), err)
		}
		if err := h.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

const maxWait = 2 * time.Minute

// backoff is the pause after a failed try: up to 0.5, 1, 2, … 32 s, at least half of
// it, by chance, so that many who failed together do not come again together.
func backoff(try int) time.Duration {
	d := 500 * time.Millisecond << min(try-1, 6)
	return d/2 + rand.N(d/2)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// never is the wait after which a request can be tried again if it cannot.
const never = -1

// try makes one request. wait is how long the service wants to be left alone, or never.
func (h *HTTP) try(ctx context.Context, body []byte, texts int) (vectors [][]float32, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, never, fmt.Errorf("making a request for embeddings: %w", err)
	}
	key, err := h.c.key()
	if err != nil {
		return nil, never, h.failed(0, "%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := h.client.Do(req)
	switch {
	case errors.Is(err, errPublic):
		return nil, never, h.failed(0, "%v", errPublic)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, 0, h.failed(0, "no answer within %s; is it overloaded? Raise timeout or lower batch", h.c.Timeout)
	case err != nil:
		return nil, 0, h.failed(0, "it cannot be reached: %s", clean(err.Error(), key))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 16<<10))
		wait, err := h.fault(answer, complaint(text, key))
		return nil, wait, err
	}
	limit := h.limit(texts)
	text, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, 0, h.failed(200, "no whole answer within %s; is it overloaded? Raise timeout or lower batch", h.c.Timeout)
	case err != nil:
		return nil, 0, h.failed(200, "its answer broke off: %s", clean(err.Error(), key))
	case int64(len(text)) > limit:
		return nil, never, h.failed(200, "its answer is over %d bytes, more than %d vectors can be; is url that of an embedding service?", limit, texts)
	}
	vectors, err = h.decode(text, texts)
	if err != nil {
		return nil, never, h.failed(200, "%v", err)
	}
	return vectors, never, nil
}

// limit is the most bytes that a right answer can have.
func (h *HTTP) limit(texts int) int64 {
	dim := int64(h.c.Dimensions)
	if dim == 0 {
		dim = h.dim.Load()
	}
	if dim == 0 {
		dim = maxDimensions
	}
	return 64<<10 + int64(texts)*(dim*32+256)
}

// fault is the error of an answer that is not 200, and how long to wait.
func (h *HTTP) fault(a *http.Response, said string) (time.Duration, error) {
	code := a.StatusCode
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		// What it said is left out: services quote parts of a key.
		return never, h.failed(code, "it refuses the key (%d): %s", code, h.c.keyPlace())
	case code >= 300 && code < 400:
		return never, h.failed(code, "it redirects (%d), and texts are not sent on to another address: set url to where the service is", code)
	case code == http.StatusNotFound:
		return never, h.failed(code, "not found (404): check url and model %q (with Ollama: ollama pull)%s", h.c.Model, said)
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return retryAfter(a.Header.Get("Retry-After"), time.Now()), h.failed(code, "busy or failing (%d)%s", code, said)
	}
	return never, h.failed(code, "it refuses the request (%d)%s", code, said)
}

// keyPlace says where the key comes from.
func (c HTTPConfig) keyPlace() string {
	switch {
	case c.KeyFile != "":
		return "check the key in " + c.KeyFile + " (key_file)"
	case c.KeyEnv != "":
		return "check the key in the environment variable " + c.KeyEnv + " (key_env)"
	}
	return "no key is configured; set key_file or key_env"
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110 §10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

func (h *HTTP) failed(code int, format string, args ...any) error {
	return &ServiceError{Endpoint: h.endpoint, Status: code, Text: fmt.Sprintf(format, args...)}
}

// complaint is what a service says about a failure, as OpenAI has it
// ({"error":{"message":…}}) or Ollama ({"error":…}); empty if it says it otherwise.
func complaint(body []byte, key string) string {
	var a struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &a) != nil {
		return ""
	}
	said := a.Message
	var inner struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(a.Error, &said) != nil && json.Unmarshal(a.Error, &inner) == nil {
		said = inner.Message
	}
	if said = clean(said, key); said == "" {
		return ""
	}
	return ": " + said
}

// clean makes a stranger's text fit for one line of a log: short, printable, and
// without the key.
func clean(s, key string) string {
	if key != "" {
		s = strings.ReplaceAll(s, key, "[key]")
	}
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
