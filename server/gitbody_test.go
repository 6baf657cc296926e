package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"wikibot/wiki"
)

func TestProtocol(t *testing.T) {
	for _, tt := range []struct{ header, service, want string }{
		{"version=2", uploadPack, "2"},
		{"version=1", uploadPack, "1"},
		{"version=2", receivePack, ""},
		{"version=1", receivePack, "1"},
		{"version=2", uploadArchive, ""},
		{"version=2:object-format=sha1", uploadPack, "2"},
		{"version=0", uploadPack, ""},
		{"version=22", uploadPack, ""},
		{"version=2\nGIT_DIR=/", uploadPack, ""},
		{"version=2;touch /x", uploadPack, ""},
		{"VERSION=2", uploadPack, ""},
		{strings.Repeat("a:", 200) + "version=2", uploadPack, ""},
		{"", uploadPack, ""},
	} {
		if got := protocol(tt.header, tt.service); got != tt.want {
			t.Errorf("%q to %s: got %q, want %q", tt.header, tt.service, got, tt.want)
		}
	}
}

func TestParseGitRequest(t *testing.T) {
	const kind = "application/x-git-upload-pack-request"
	for _, tt := range []struct {
		method, rest, query, contentType string
		status                           int
	}{
		{"GET", "/info/refs", "service=git-upload-pack", "", 0},
		{"GET", "/info/refs", "service=git-receive-pack", "", 0},
		{"POST", "/git-upload-pack", "", kind, 0},
		{"POST", "/git-upload-pack", "", "text/plain", http.StatusUnsupportedMediaType},
		{"POST", "/git-receive-pack", "", kind, http.StatusUnsupportedMediaType},
		{"GET", "/git-upload-pack", "", "", http.StatusMethodNotAllowed},
		{"POST", "/info/refs", "service=git-upload-pack", "", http.StatusMethodNotAllowed},
		{"GET", "/info/refs", "", "", http.StatusForbidden},
		{"GET", "/info/refs", "service=git-upload-archive", "", http.StatusForbidden},
		{"GET", "/HEAD", "", "", http.StatusNotFound},
		{"GET", "/objects/info/packs", "", "", http.StatusNotFound},
		{"GET", "", "", "", http.StatusNotFound},
		{"POST", "/git-upload-archive", "", "", http.StatusNotFound},
		{"GET", "/../config", "", "", http.StatusNotFound},
	} {
		r := httptest.NewRequest(tt.method, "/x?"+tt.query, nil)
		r.Header.Set("Content-Type", tt.contentType)
		_, fault := parseGitRequest(r, tt.rest)
		if got := fault; tt.status == 0 && got != nil || tt.status != 0 && (got == nil || got.status != tt.status) {
			t.Errorf("%s %s?%s: got %+v, want %d", tt.method, tt.rest, tt.query, got, tt.status)
		}
	}
}

func TestGitBody(t *testing.T) {
	g := newGitHandler(gitConfig{MaxPush: 1 << 20})
	zip := func(n int64) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.CopyN(z, zeroReader{}, n)
		z.Close()
		return b.Bytes()
	}
	for _, tt := range []struct {
		name, service, encoding string
		body                    []byte
		status                  int
	}{
		{"plain", uploadPack, "", []byte("0000"), 0},
		{"gzip", uploadPack, "gzip", zip(1000), 0},
		{"x-gzip", uploadPack, "x-gzip", zip(1000), 0},
		{"bomb", uploadPack, "gzip", zip(maxFetchBody + 1), http.StatusRequestEntityTooLarge},
		{"bomb in a push", receivePack, "gzip", zip(64 << 20), http.StatusRequestEntityTooLarge},
		{"no gzip", uploadPack, "gzip", []byte("hello"), http.StatusBadRequest},
		{"deflate", uploadPack, "deflate", []byte("hello"), http.StatusUnsupportedMediaType},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(tt.body))
		r.Header.Set("Content-Encoding", tt.encoding)
		body, err := g.body(r, &gitRequest{service: tt.service}, http.NewResponseController(httptest.NewRecorder()))
		if err == nil {
			_, err = io.Copy(io.Discard, body)
		}
		var fault *httpFault
		status := 0
		switch {
		case errors.Is(err, wiki.ErrTooLarge):
			status = http.StatusRequestEntityTooLarge
		case errors.As(err, &fault):
			status = fault.status
		}
		if tt.status != status || tt.status == 0 && err != nil {
			t.Errorf("%s: got %v, want %d", tt.name, err, tt.status)
		}
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPreambleReader(t *testing.T) {
	pkt := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	lines := strings.Repeat(pkt("command"), 10) + "0000" + pkt("option") + "0000"
	for _, tt := range []struct {
		in   string
		left int64
		ok   bool
	}{
		{lines + "PACK" + strings.Repeat("x", 1000), int64(len(lines)), true},
		{lines + "PACK", int64(len(lines)) - 1, false},
		{lines, int64(len(lines)), true},
		{strings.Repeat("0000", 100), 10, false},
		{"zzzz" + strings.Repeat("x", 1000), 10, true},
	} {
		for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
			got, err := io.ReadAll(&preambleReader{r: r, left: tt.left})
			if tt.ok != (err == nil) || tt.ok && string(got) != tt.in {
				t.Errorf("%.40q within %d: got %d bytes, %v", tt.in, tt.left, len(got), err)
			}
		}
	}
}

func FuzzPreambleReader(f *testing.F) {
	f.Add("0010some command0000PACKxyz", int64(30), 3)
	f.Fuzz(func(t *testing.T, in string, left int64, step int) {
		if step < 1 || left < 0 {
			return
		}
		whole := &preambleReader{left: left}
		whole.look([]byte(in))
		parts := &preambleReader{left: left}
		for rest := in; rest != ""; {
			n := min(step, len(rest))
			parts.look([]byte(rest[:n]))
			rest = rest[n:]
		}
		if whole.over != parts.over || whole.left != parts.left {
			t.Errorf("%q in parts of %d: %+v, whole %+v", in, step, parts, whole)
		}
	})
}

func TestGitSlots(t *testing.T) {
	s := newGitSlots(1, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := s.take(ctx); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error)
	go func() { waits <- s.take(ctx) }()
	waitFor(t, "a request in the queue", func() bool { return s.waiting.Load() == 1 })
	if err := s.take(ctx); !errors.Is(err, errBusy) {
		t.Errorf("a request beyond the queue: %v", err)
	}
	s.give()
	if err := <-waits; err != nil {
		t.Errorf("the waiting request: %v", err)
	}
	cancel()
	if err := s.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a client who left: %v", err)
	}
}
