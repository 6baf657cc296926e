package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"wikibot/imports"
	"wikibot/wiki"
)

// The control socket carries the operator's commands to a running server: HTTP
// over a Unix socket of mode 0600, so whoever reaches it may read the data
// folder anyway. POST /command with a Command as JSON is answered with lines of
// JSON, each a Message; the last one holds the answer or the error.

// Message is one line of the answer.
type Message struct {
	Progress *imports.Progress `json:"progress,omitempty"`
	Answer   *Answer           `json:"answer,omitempty"`
	Error    *Failure          `json:"error,omitempty"`
}

// Failure is an error on its way through the socket.
type Failure struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// kinds are the kinds of error by their names on the socket, the narrower
// before the wider.
func kinds() []struct {
	name string
	kind error
} {
	return []struct {
		name string
		kind error
	}{
		{"exists", wiki.ErrExists}, {"too_large", wiki.ErrTooLarge}, {"not_found", wiki.ErrNotFound},
		{"limit", wiki.ErrLimit}, {"payment", wiki.ErrPayment}, {"forbidden", wiki.ErrForbidden}, {"conflict", wiki.ErrConflict}, {"invalid", wiki.ErrInvalid},
		{"unauthenticated", wiki.ErrUnauthenticated}, {"unavailable", wiki.ErrUnavailable},
	}
}

func failure(err error) *Failure {
	for _, k := range kinds() {
		if errors.Is(err, k.kind) {
			return &Failure{Kind: k.name, Text: err.Error()}
		}
	}
	return &Failure{Kind: "internal", Text: err.Error()}
}

func (f *Failure) err() error {
	for _, k := range kinds() {
		if f.Kind == k.name {
			return &wiki.Error{Kind: k.kind, Text: f.Text}
		}
	}
	return errors.New(f.Text)
}

// maxCommand bounds a command; the largest part of one is an SSH key.
const maxCommand = 1 << 20

// handler serves the control socket.
func (h *Host) handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /command", func(w http.ResponseWriter, r *http.Request) {
		var cmd Command
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&cmd); err != nil {
			http.Error(w, "the command cannot be read, it may come from another version of wikibot: "+err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := &lines{enc: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
		answer, err := h.safely(r.Context(), cmd, log, func(p imports.Progress) { out.send(Message{Progress: &p}) })
		if err != nil {
			out.send(Message{Error: failure(err)})
			return
		}
		out.send(Message{Answer: &answer})
	})
	return mux
}

// safely turns a panic of a command into an error: the server goes on.
func (h *Host) safely(ctx context.Context, cmd Command, log *slog.Logger, progress func(imports.Progress)) (a Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a command panicked", "command", cmd.Do, "panic", fmt.Sprint(p))
			err = fmt.Errorf("internal error; the server's log has more")
		}
	}()
	return h.Do(ctx, cmd, progress)
}

// lines sends messages one by one. Its errors are those of a client that has
// left, whose context ends the command.
type lines struct {
	mu    sync.Mutex
	enc   *json.Encoder
	flush func() error
}

func (l *lines) send(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.enc.Encode(m) == nil {
		_ = l.flush() // see lines
	}
}

// Ask gives a command to the server that runs on a data folder. asked is false
// where none does; the caller then opens the data itself.
func Ask(ctx context.Context, data string, cmd Command, progress func(imports.Progress)) (a Answer, asked bool, err error) {
	conn := dial(ctx, data)
	if conn == nil {
		return Answer{}, false, nil
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	body, err := json.Marshal(cmd)
	if err != nil {
		return Answer{}, true, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://wikibot/command", bytes.NewReader(body))
	if err != nil {
		return Answer{}, true, err
	}
	res, err := client.Do(req)
	if err != nil {
		return Answer{}, true, fmt.Errorf("asking the running server: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<12))
		return Answer{}, true, fmt.Errorf("the running server refused the command: %s", bytes.TrimSpace(text))
	}
	a, err = receive(res.Body, progress)
	return a, true, err
}

// receive reads the lines of an answer up to its last.
func receive(r io.Reader, progress func(imports.Progress)) (Answer, error) {
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var m Message
		if err := dec.Decode(&m); err != nil {
			return Answer{}, fmt.Errorf("the running server went away before the command ended; start it again and look whether the command took effect (%w)", err)
		}
		switch {
		case m.Progress != nil:
			progress(*m.Progress)
		case m.Error != nil:
			return Answer{}, m.Error.err()
		case m.Answer != nil:
			return *m.Answer, nil
		}
	}
}
