package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"wikibot/limit"
	"wikibot/wiki"
)

// room is the ResponseWriter of one call: it takes memory for the answer when that is
// known, and with that gives back the slot in which the answer was made. Both are
// bounded over all calls and for each person, or clients that ask for much and read
// slowly would fill the memory.
type room struct {
	http.ResponseWriter
	h     *Handler
	who   string
	leave func() // of the slot; nil: none
	give  func() // of the memory; nil: none
}

// dearWait is how long a call waits for a slot.
const dearWait = 10 * time.Second

// enter takes a slot for an operation that looks at a whole wiki.
func (m *room) enter(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dearWait)
	defer cancel()
	m.leave, err = m.h.dear.Enter(ctx, m.who)
	if errors.Is(err, limit.ErrFull) {
		return wiki.Unavailable("%v", err)
	}
	return err
}

// smallAnswer is the size up to which an answer needs no room, in bytes.
const smallAnswer = 64 << 10

// Room takes memory for an answer: what is written, and the buffer that grew around
// it.
func (m *room) Room(bytes int) error {
	m.end()
	if bytes <= smallAnswer {
		return nil
	}
	give, ok := m.h.answers.Take(m.who, 2*int64(bytes))
	if !ok {
		return wiki.Unavailable("too many large answers are under way: read those, or ask for less with limit")
	}
	m.give = give
	return nil
}

func (m *room) end() {
	for _, f := range []func(){m.leave, m.give} {
		if f != nil {
			f()
		}
	}
	m.leave, m.give = nil, nil
}

// Flush and Unwrap keep streaming and deadlines possible (http.ResponseController).
func (m *room) Flush() {
	if f, ok := m.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (m *room) Unwrap() http.ResponseWriter { return m.ResponseWriter }
