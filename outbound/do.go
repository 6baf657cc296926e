package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// Request is one request.
type Request struct {
	Method string // empty: GET
	URL    string // as somebody gave it; judged by [Client.Check]
	Header http.Header
	Body   []byte

	// MaxBody caps the answer's body for this request; 0: the client's, below 0:
	// the body is not read at all.
	MaxBody int64
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header // at most MaxHeader bytes
	Body   []byte      // whole; a body over the cap is an ErrTooLarge
	URL    *url.URL    // whose answer it is, after redirects
}

// stage is how far a request came, for errors: net/http does not tell.
type stage int32

const (
	dialling stage = iota // name and connection
	shaking               // TLS
	talking               // the request is on its way
)

// Do makes a request. It is over after at most Timeout, with an *Error or an Answer;
// a ctx that is cancelled gives context.Canceled. Nothing is tried twice.
//
// Headers that belong to the connection (Host, Cookie, Accept-Encoding, User-Agent,
// Proxy-…) are the client's own and are not taken from the Request.
func (k *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	u, err := k.Check(r.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, k.Timeout)
	defer cancel()
	var at atomic.Int32
	req, err := k.request(httptrace.WithClientTrace(ctx, trace(&at)), r, u)
	if err != nil {
		return nil, &Error{Kind: ErrAddress, Text: "the request cannot be made", Cause: err}
	}
	resp, err := k.http.Do(req)
	if err != nil {
		if ctx.Err() == context.Canceled {
			return nil, context.Canceled
		}
		return nil, explain(err, stage(at.Load()))
	}
	defer resp.Body.Close()
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, URL: resp.Request.URL}
	if a.Status/100 == 3 && a.Status != http.StatusNotModified {
		return nil, &Error{Kind: ErrRedirect, Status: a.Status, Text: textRedirect}
	}
	if r.MaxBody < 0 {
		return a, nil
	}
	a.Body, err = k.body(resp, r.MaxBody)
	switch {
	case err != nil && ctx.Err() == context.Canceled:
		return nil, context.Canceled
	case err != nil:
		return nil, err
	}
	return a, nil
}

// trace notes how far a request came. A second connection that was tried at the
// same time and loses does not count, so the stage only grows.
func trace(at *atomic.Int32) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeStart: func() { at.CompareAndSwap(int32(dialling), int32(shaking)) },
		GotConn:           func(httptrace.GotConnInfo) { at.Store(int32(talking)) },
	}
}

func (k *Client) request(ctx context.Context, r Request, u *url.URL) (*http.Request, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		name = http.CanonicalHeaderKey(name)
		switch {
		case name == "Host", name == "Cookie", strings.HasPrefix(name, "Proxy-"):
		default:
			req.Header[name] = values
		}
	}
	req.Header.Set("User-Agent", k.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	return req, nil
}

// redirect is asked before a redirect is followed; via begins with our request.
func (k *Client) redirect(next *http.Request, via []*http.Request) error {
	if k.Redirects != SameOrigin {
		return http.ErrUseLastResponse // Do makes it an ErrRedirect with its status
	}
	u, err := k.Check(next.URL.String())
	first := via[0]
	if err != nil || u.Scheme != first.URL.Scheme || u.Host != first.URL.Host || len(via) > 3 ||
		first.Method != http.MethodGet && first.Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	next.Header.Del("Referer") // it would tell the query
	return nil
}

// body reads an answer's body up to the cap, in memory of about its size.
func (k *Client) body(resp *http.Response, most int64) ([]byte, error) {
	if most == 0 {
		most = k.MaxBody
	}
	tooLarge := func() error {
		e := refuse(textBody, most).(*Error)
		e.Kind, e.Status = ErrTooLarge, resp.StatusCode
		return e
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &Error{Kind: ErrAnswer, Status: resp.StatusCode, Text: textEncoding}
	}
	if resp.ContentLength > most && resp.Request.Method != http.MethodHead {
		return nil, tooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case int64(len(b)) > most:
		return nil, tooLarge()
	case errors.Is(err, context.DeadlineExceeded) || err != nil && isTimeout(err):
		return nil, &Error{Kind: ErrTimeout, Status: resp.StatusCode, Text: textTimeout, Cause: err}
	case err != nil:
		return nil, &Error{Kind: ErrAnswer, Status: resp.StatusCode, Text: textBroken, Cause: err}
	}
	return b, nil
}
