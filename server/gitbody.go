package server

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"wikibot/wiki"
)

const (
	// maxFetchBody bounds what a client may say in one round of a fetch over HTTP,
	// after decompression, or in one fetch over SSH: a million wants and haves.
	maxFetchBody = 64 << 20
	// maxPreamble bounds a push's commands and options, which git keeps in
	// memory; the pack comes after them.
	maxPreamble = 16 << 20
)

func tooMuch(format string, args ...any) error {
	return &wiki.Error{Kind: wiki.ErrTooLarge, Text: fmt.Sprintf(format, args...)}
}

// body is what a client says over HTTP, decompressed as it comes and bounded. Its
// errors are *httpFault or *wiki.Error where the client is at fault.
func (g *gitHandler) body(r *http.Request, req *gitRequest, control *http.ResponseController) (io.Reader, error) {
	var body io.Reader = &idleReader{r.Body, control}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, &httpFault{http.StatusBadRequest, "the body is not gzip as its Content-Encoding says", ""}
		}
		body = unzipped
	default:
		return nil, &httpFault{http.StatusUnsupportedMediaType, "the Content-Encoding is not one of gzip, identity", ""}
	}
	return g.bounded(body, req), nil
}

// bounded bounds what a client says for a service, however it comes. Its errors
// are wiki.ErrTooLarge where that is too much.
func (g *gitHandler) bounded(body io.Reader, req *gitRequest) io.Reader {
	if req.service != receivePack {
		return &boundedReader{body, maxFetchBody, maxFetchBody}
	}
	most := g.MaxPush + maxPreamble
	return &preambleReader{r: &boundedReader{body, most, most}, left: maxPreamble}
}

// idleReader gives up on a client that says nothing for gitIdle.
type idleReader struct {
	r       io.Reader
	control *http.ResponseController
}

func (i *idleReader) Read(p []byte) (int, error) {
	_ = i.control.SetReadDeadline(time.Now().Add(gitIdle)) // not supported only in tests without a connection
	n, err := i.r.Read(p)
	if err != nil {
		// The server goes on listening for the client's leaving, for as
		// long as the answer takes.
		_ = i.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// boundedReader refuses what goes beyond a bound, which io.LimitReader would cut
// off silently.
type boundedReader struct {
	r          io.Reader
	left, most int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, tooMuch("the request is larger than the %d bytes that this server takes; push in parts", b.most)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	if b.left < 0 {
		return n, nil // the next call says so
	}
	return n, err
}

// preambleReader bounds the pkt-lines in front of a push's pack
// (gitprotocol-pack(5), "Pushing Data"). It looks only at the lengths, and stops
// looking at the first four bytes that are none: "PACK", usually.
type preambleReader struct {
	r    io.Reader
	left int64 // bytes that the pkt-lines may still have
	skip int64 // bytes to the next length
	head []byte
	over bool // the pkt-lines have ended
}

func (p *preambleReader) Read(buf []byte) (int, error) {
	n, err := p.r.Read(buf)
	if p.over {
		return n, err
	}
	p.look(buf[:n])
	if p.left < 0 {
		return 0, tooMuch("the push names more refs and options than %d bytes can hold; push in parts", maxPreamble)
	}
	return n, err
}

func (p *preambleReader) look(b []byte) {
	for len(b) > 0 && !p.over {
		if p.skip > 0 {
			n := min(p.skip, int64(len(b)))
			p.skip, p.left, b = p.skip-n, p.left-n, b[n:]
			continue
		}
		n := min(4-len(p.head), len(b))
		p.head, b = append(p.head, b[:n]...), b[n:]
		if len(p.head) < 4 {
			return
		}
		length, err := strconv.ParseUint(string(p.head), 16, 16)
		if err != nil {
			p.over = true // these four bytes are the pack's
			return
		}
		p.left -= 4
		p.skip = max(0, int64(length)-4)
		p.head = p.head[:0]
	}
}
