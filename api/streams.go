package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"wikibot/api/rest"
	"wikibot/notes"
	"wikibot/wiki"
)

// streams counts the event streams that are open.
type streams struct {
	most, each int

	mu  sync.Mutex
	all int            // guarded by mu, as of
	of  map[string]int // by credential
}

// enter takes a place, or says that there is none.
func (s *streams) enter(who string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.of[who] >= s.each:
		return nil, &rest.Status{Status: http.StatusTooManyRequests, Code: "rate_limited", RetryAfter: 30,
			Err: wiki.Invalid("", "%d event streams of this credential are open already: close one, or follow several pages with one stream", s.each)}
	case s.all >= s.most:
		return nil, wiki.Unavailable("too many event streams are open on this site; try again later")
	}
	s.all++
	s.of[who]++
	return func() { s.leave(who) }, nil
}

func (s *streams) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[who]--; s.of[who] <= 0 {
		delete(s.of, who)
	}
}

// bucket is what a stream is counted by: a credential over all wikis; visitors
// without one together, by wiki.
func (k *call) bucket() string {
	switch c := k.caller; {
	case c.Credential != "":
		return "credential " + c.Credential
	case !c.Anonymous():
		return "user " + c.Name()
	}
	return "wiki " + string(k.slug)
}

type changeEvent struct {
	Revision string     `json:"revision"`
	Author   string     `json:"author"`
	Actor    string     `json:"actor,omitempty"`
	Agent    string     `json:"agent,omitempty"`
	Via      string     `json:"via,omitempty" enum:"web,api,mcp,https,ssh,cli"`
	Date     time.Time  `json:"date"`
	Message  string     `json:"message"`
	Pages    []fileItem `json:"pages"`
	Files    []fileItem `json:"files" doc:"Attachments."`
}

type resetEvent struct {
	Revision string `json:"revision" doc:"The newest commit: read what you need anew, and go on from here."`
}

// writeWait bounds how long a client may take to receive one event.
const writeWait = 30 * time.Second

// events is the stream of a wiki's changes (the HTML Living Standard, "Server-sent
// events").
func (k *call) events() (reply, error) {
	after, err := wiki.ParseRevision(or(k.r.Header.Get("Last-Event-ID"), k.query.Get("after")))
	if err != nil {
		return reply{}, err
	}
	if k.r.Method == http.MethodHead {
		k.w.Header().Set("Content-Type", "text/event-stream")
		return reply{sent: true}, nil
	}
	leave, err := k.streams.enter(k.bucket())
	if err != nil {
		return reply{}, err
	}
	defer leave()
	h := k.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	s := &stream{call: k, ctl: http.NewResponseController(k.w)}
	_ = s.ctl.SetReadDeadline(time.Time{}) // the request has been read; not supported in some tests
	if err := s.write(": follow\nretry: 3000\n\n"); err != nil {
		return reply{sent: true}, nil
	}
	s.run(after)
	return reply{sent: true}, nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// stream is one client's stream. Events are written by Follow and comments by the
// heartbeat, both in the one goroutine that Follow runs in: its Check is asked
// before each event and at each heartbeat.
type stream struct {
	*call
	ctl  *http.ResponseController
	last time.Time // of the last write
}

// run follows the wiki until the client, the grant or the server ends it. Nothing
// is sent after a refusal.
func (s *stream) run(after wiki.Revision) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(s.running, cancel)()
	_ = s.Notes.Follow(ctx, notes.FollowRequest{
		Slug: s.slug, After: after, Prefix: s.query.Get("prefix"), Every: s.Heartbeat, Check: s.check,
	}, s.event)
}

func (s *stream) event(e notes.Event) error {
	if e.Reset {
		return s.send("reset", e.Commit.Revision, resetEvent{Revision: string(e.Commit.Revision)})
	}
	c := e.Commit
	pages, files := changesOf(c.Changes)
	return s.send("change", c.Revision, changeEvent{
		Revision: string(c.Revision), Author: c.Author, Actor: string(c.Actor), Agent: c.Agent, Via: string(c.Via),
		Date: c.Date, Message: message(c), Pages: pages, Files: files,
	})
}

func (s *stream) send(kind string, id wiki.Revision, v any) error {
	data, err := json.Marshal(v) // one line
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", kind, id, data))
}

func (s *stream) write(text string) error {
	_ = s.ctl.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	s.last = time.Now()
	err := s.ctl.Flush()
	_ = s.ctl.SetWriteDeadline(time.Time{}) // HTTP/2 resets a stream whose deadline passes, also while nothing is written
	return err
}

// check gives the caller as their credential says now. Where nothing was written for
// a while it writes a comment, once credential and policy have held.
func (s *stream) check(ctx context.Context) (wiki.Caller, error) {
	c, err := s.Caller(s.r)
	if err != nil {
		return c, err
	}
	c.Via, c.Agent = s.caller.Via, s.caller.Agent
	if time.Since(s.last) < s.Heartbeat*9/10 {
		return c, nil
	}
	if _, err := s.Store.View(ctx, c, s.slug); err != nil {
		return c, err
	}
	return c, s.write(": still here\n\n")
}
