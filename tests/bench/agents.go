package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wikibot/api"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// Agents at work, through the faces that they use and the real binary. Sixteen
// read, one or sixty-four write.
const agentClients = 16

// face is one way by which an agent speaks: it makes requests to be sent as they
// are, on connections that are kept.
type face interface {
	name() string
	read(p wiki.PagePath) []byte
	list() []byte
	write(p wiki.PagePath, text string) []byte
	fine(body []byte) error // whether an answer says that the call was done
}

// agents measures the fixture.
func (b *bench) agents() error { return b.agentsOf("", b.fixture(b.size())) }

func (b *bench) agentsOf(prefix, repo string) error {
	s, err := b.newServed(repo)
	if err != nil {
		return err
	}
	defer s.remove()
	for _, open := range []func(*served) (face, error){openMCP, openREST} {
		f, err := open(s)
		if err != nil {
			return err
		}
		if err := b.agentsBy(prefix+"agents."+f.name(), s, f, open); err != nil {
			return err
		}
	}
	peak, err := s.memory("VmHWM")
	if err != nil {
		return err
	}
	b.print(prefix+"agents.memory", pair{peak, float64(len(s.pages)), peak / float64(len(s.pages))}, "MB", valueMost(600, "MB"))
	return nil
}

func (b *bench) agentsBy(name string, s *served, f face, open func(*served) (face, error)) error {
	if err := b.agentsRead(name, s, f); err != nil {
		return fmt.Errorf("%s: reading: %w", name, err)
	}
	if err := b.agentsServerTime(name, s, open); err != nil {
		return fmt.Errorf("%s: the time in the server: %w", name, err)
	}
	if err := b.agentsList(name, s, f); err != nil {
		return fmt.Errorf("%s: listing: %w", name, err)
	}
	if err := b.agentsWrite(name, s, f); err != nil {
		return fmt.Errorf("%s: writing: %w", name, err)
	}
	return nil
}

// reads are requests for many pages, the first of which was answered.
func (s *served) reads(f face) ([][]byte, error) {
	var requests [][]byte
	for _, e := range s.pages[:min(1000, len(s.pages))] {
		requests = append(requests, f.read(e.Page))
	}
	a, err := ask(s.addr, requests[0], http.StatusOK)
	if err == nil {
		err = f.fine(a.body)
	}
	return requests, err
}

// agentsRead is how many pages sixteen agents read; the baseline is a server that
// does nothing but answer with as many bytes.
func (b *bench) agentsRead(name string, s *served, f face) error {
	requests, err := s.reads(f)
	if err != nil {
		return err
	}
	size := 0
	for _, r := range requests[:20] {
		a, err := ask(s.addr, r, http.StatusOK)
		if err != nil {
			return err
		}
		size += len(a.body) / 20
	}
	bare, err := b.spawn(os.Args[0], bareArg, fmt.Sprint(size))
	if err != nil {
		return err
	}
	defer bare.stop()
	rate := func(addr string, requests [][]byte) measure {
		return func() (float64, error) {
			l, err := drive(b.ctx, addr, agentClients, b.window, requests, http.StatusOK)
			return l.rate, err
		}
	}
	ours := rate(s.addr, requests)
	if _, err := ours(); err != nil { // warm
		return err
	}
	return b.compare(name+".read.rate", "1/s", valueLeast(3000, "/s"), ours, rate(bare.addr, [][]byte{get(bare.addr, "/", "")}))
}

// tookForm is what the server's log says of a request by these faces.
var tookForm = regexp.MustCompile(`msg=request .*path=\S*/(?:mcp|api/v1/pages/\S*) .*took=(\S+)`)

// agentsServerTime is the time that the server has a read for, from its header to
// the answer's end, as its own log tells it while sixteen agents read. The baseline is one
// agent alone, so the ratio is what waiting for the others costs.
func (b *bench) agentsServerTime(name string, from *served, open func(*served) (face, error)) error {
	clone := *from
	round := func(clients int) measure {
		return func() (float64, error) {
			p, err := b.serve(from.dir+"-logged", "--log-level", "debug")
			if err != nil {
				return 0, err
			}
			s := clone
			s.process = p
			l, err := logged(b.ctx, &s, open, clients, b.window)
			if err = errors.Join(err, p.stop()); err != nil {
				return 0, err
			}
			return l(p.log.String())
		}
	}
	if err := copyTree(from.dir, from.dir+"-logged"); err != nil {
		return err
	}
	defer os.RemoveAll(from.dir + "-logged")
	return b.compare(name+".read.p50", "ms", valueMost(1, "ms"), round(agentClients), round(1))
}

// logged drives a server; what it gives finds the middle time in the server's log.
func logged(ctx context.Context, s *served, open func(*served) (face, error), clients int, window time.Duration) (func(log string) (float64, error), error) {
	f, err := open(s)
	if err != nil {
		return nil, err
	}
	requests, err := s.reads(f)
	if err != nil {
		return nil, err
	}
	if _, err := drive(ctx, s.addr, clients, window/3, requests, http.StatusOK); err != nil { // links are read
		return nil, err
	}
	l, err := drive(ctx, s.addr, clients, window, requests, http.StatusOK)
	if err != nil {
		return nil, err
	}
	n := int(l.rate * window.Seconds() * 0.9)
	return func(log string) (float64, error) {
		var took []float64
		for _, m := range tookForm.FindAllStringSubmatch(log, -1) {
			d, err := time.ParseDuration(m[1])
			if err != nil {
				return 0, err
			}
			took = append(took, millis(d))
		}
		if len(took) < n || n == 0 {
			return 0, fmt.Errorf("the log has %d requests, want %d", len(took), n)
		}
		return quantile(took[len(took)-n:], 0.5), nil
	}, nil
}

// agentsList is the first page of a list of all pages. Baseline: git ls-tree of them.
func (b *bench) agentsList(name string, s *served, f face) error {
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	request := f.list()
	return b.compare(name+".list.p50", "ms", valueMost(5, "ms"), func() (float64, error) {
		t, err := times(100, func(int) error {
			a, err := c.do(request, true)
			if err == nil {
				err = f.fine(a.body)
			}
			return err
		})
		return quantile(t, 0.5) / 1000, err
	}, func() (float64, error) {
		v, err := p50(10, func(int) error { return git(b.ctx, s.repo, "ls-tree", "-r", "--name-only", "main") })()
		return v / 1000, err
	})
}

// agentsWrite is one agent that writes, and sixty-four at once, of whose writes each
// must be a commit.
func (b *bench) agentsWrite(name string, s *served, f face) error {
	loop, err := b.newCommitLoop(b.fixture(b.size())) // any wiki: the loop does not get slower with more pages
	if err != nil {
		return err
	}
	defer os.RemoveAll(loop.dir)
	var n atomic.Int64
	write := func(c *client) error {
		i := n.Add(1)
		a, err := c.do(f.write(wiki.PagePath(fmt.Sprintf("Agents/%s/%d/Page %d", f.name(), i%64, i)), gitstoretest.Page(int(i), int(i))), true)
		switch {
		case err != nil:
			return err
		case a.status/100 != 2:
			return fmt.Errorf("status %d: %.400q", a.status, a.body)
		}
		return f.fine(a.body)
	}
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	commits := func() (float64, error) {
		v, err := p50(15, func(int) error { return loop.commit(b.ctx) })()
		return v / 1000, err
	}
	err = b.compare(name+".write.p50", "ms", valueMost(6, "ms"), func() (float64, error) {
		v, err := p50(100, func(int) error { return write(c) })()
		return v / 1000, err
	}, commits)
	if err != nil {
		return err
	}
	before, err := countCommits(s.repo)
	if err != nil {
		return err
	}
	began := n.Load()
	err = b.compare(name+".writers.64", "1/s", valueLeast(2000, "/s"), func() (float64, error) {
		return writers(s.addr, 64, b.window, write)
	}, func() (float64, error) { return loop.rate(b.ctx, b.window) })
	if err != nil {
		return err
	}
	after, err := countCommits(s.repo)
	if lost := int(n.Load()-began) - (after - before); err == nil && lost != 0 {
		err = fmt.Errorf("%d of %d acknowledged writes are no commits", lost, n.Load()-began)
	}
	return err
}

// writers is how many writes a second so many clients have acknowledged.
func writers(addr string, clients int, window time.Duration, write func(*client) error) (float64, error) {
	var all sync.WaitGroup
	var done atomic.Int64
	errs := make(chan error, clients)
	began := time.Now()
	for range clients {
		all.Go(func() {
			c, err := dial(addr)
			if err != nil {
				errs <- err
				return
			}
			defer c.conn.Close()
			for time.Since(began) < window {
				if err := write(c); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

func countCommits(repo string) (int, error) {
	out, err := gitstoretest.TryGit(repo, "", "rev-list", "--count", "main")
	if err != nil {
		return 0, fmt.Errorf("counting commits: %w: %s", err, out)
	}
	return strconv.Atoi(out)
}

// mcpFace speaks MCP 2025-11-25 in one session for each agent.
type mcpFace struct {
	s    *served
	in   []string // sessions
	next atomic.Int64
}

func openMCP(s *served) (face, error) {
	f := &mcpFace{s: s}
	for range agentClients {
		id, err := f.session()
		if err != nil {
			return nil, err
		}
		f.in = append(f.in, id)
	}
	return f, nil
}

func (f *mcpFace) name() string { return "mcp" }

func (f *mcpFace) session() (string, error) {
	body := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1.0"}}}`
	r, err := http.NewRequest(http.MethodPost, "http://"+f.s.addr+"/w/"+string(slug)+"/mcp", bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + f.s.editor, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"} {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if id := res.Header.Get("Mcp-Session-Id"); err == nil && id != "" {
		return id, nil
	}
	return "", fmt.Errorf("no session: status %d: %.400q, %v", res.StatusCode, text, err)
}

// call is one tool call in the next session, with an id of its own.
func (f *mcpFace) call(tool string, arguments map[string]any) []byte {
	n := f.next.Add(1)
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": arguments}})
	if err != nil {
		panic(err) // of strings and numbers
	}
	return sending(http.MethodPost, f.s, "/mcp", body, "Accept: application/json, text/event-stream",
		"Mcp-Session-Id: "+f.in[n%int64(len(f.in))], "Mcp-Protocol-Version: 2025-11-25")
}

func (f *mcpFace) read(p wiki.PagePath) []byte { return f.call("read_note", map[string]any{"path": p}) }
func (f *mcpFace) list() []byte                { return f.call("list_notes", map[string]any{"limit": 50}) }
func (f *mcpFace) write(p wiki.PagePath, text string) []byte {
	return f.call("write_note", map[string]any{"path": p, "content": text})
}

func (f *mcpFace) fine(body []byte) error {
	var a struct {
		Result *struct {
			IsError bool              `json:"isError"`
			Content []json.RawMessage `json:"content"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Result == nil || a.Result.IsError || len(a.Result.Content) == 0 {
		return fmt.Errorf("the call failed: %.400q", body)
	}
	return nil
}

// restFace speaks REST.
type restFace struct{ s *served }

func openREST(s *served) (face, error) { return restFace{s}, nil }

func (restFace) name() string { return "rest" }

func (f restFace) pages(p wiki.PagePath) string {
	return "/api/v1/pages/" + api.PagePath(p)
}

func (f restFace) read(p wiki.PagePath) []byte {
	return sending(http.MethodGet, f.s, f.pages(p), nil)
}

func (f restFace) list() []byte {
	return sending(http.MethodGet, f.s, "/api/v1/pages?limit=50", nil)
}

func (f restFace) write(p wiki.PagePath, text string) []byte {
	body, err := json.Marshal(map[string]string{"content": text})
	if err != nil {
		panic(err) // of strings
	}
	return sending(http.MethodPut, f.s, f.pages(p), body)
}

func (restFace) fine(body []byte) error {
	var a struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Error != "" {
		return fmt.Errorf("the call failed: %.400q", body)
	}
	return nil
}

// sending is a request with the editor's token and a JSON body.
func sending(method string, s *served, path string, body []byte, header ...string) []byte {
	r := fmt.Appendf(nil, "%s /w/%s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n", method, slug, path, s.addr, s.editor)
	if body != nil {
		r = fmt.Appendf(r, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	for _, h := range header {
		r = append(append(r, h...), "\r\n"...)
	}
	return append(append(r, "\r\n"...), body...)
}
