package mcp_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/notes"
	"wikibot/wiki"
)

// BenchmarkReadNote calls read_note over HTTP at 16 clients, in this process with
// them. BenchmarkNothing beside it is the same request answered by a handler that
// does nothing: what HTTP itself costs here.
func BenchmarkReadNote(b *testing.B) {
	s := newSite(b)
	path := s.load(b)
	body := message("read_note", text(`{"path":%q}`, path))
	sixteen(b, s.http.URL+notesMCP, "read_note", body, "isError")
}

func BenchmarkListNotes(b *testing.B) {
	s := newSite(b)
	s.load(b)
	s.run("carol", "list_notes", nil)
	sixteen(b, s.http.URL+notesMCP, "list_notes", message("list_notes", `{"limit":50}`), "isError")
}

func BenchmarkNothing(b *testing.B) {
	s := newSite(b)
	sixteen(b, s.http.URL+"/nothing", "read_note", message("read_note", `{"path":"Home"}`), "")
}

// BenchmarkWriteNote appends to one page: each call is on the disk when it is
// answered.
func BenchmarkWriteNote(b *testing.B) {
	s := newSite(b)
	s.load(b)
	var n atomic.Int64
	sixteenOf(b, s.http.URL+notesMCP, "write_note", func() string {
		return message("write_note", text(`{"path":"Written/%d","content":"A new note.\n"}`, n.Add(1)))
	}, "isError")
}

func message(tool, arguments string) string {
	return text(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, tool, arguments)
}

// load fills the wiki with the Markdown files below $WIKIBOT_DATA/tldr, or with 2,000
// made ones, and names a page of usual size.
func (s *site) load(b *testing.B) (path string) {
	b.Helper()
	var ops []notes.Op
	flush := func() {
		if len(ops) == 0 {
			return
		}
		_, err := s.notes.Apply(ctx, alice, "notes", notes.ApplyRequest{Ops: ops})
		must(b, err)
		ops = nil
	}
	add := func(p wiki.PagePath, content []byte) {
		if ops = append(ops, notes.Op{Do: notes.Write, Path: p, Content: content, Overwrite: true}); len(ops) == notes.MaxOps {
			flush()
		}
		if path == "" && len(content) > 800 {
			path = string(p)
		}
	}
	root := filepath.Join(os.Getenv("WIKIBOT_DATA"), "tldr")
	if _, err := os.Stat(root); os.Getenv("WIKIBOT_DATA") == "" || err != nil {
		for i := range 2000 {
			add(wiki.PagePath(fmt.Sprintf("Made/%04d", i)), []byte("# Made\n\n"+strings.Repeat("Words of a made page. ", 40)+"[[Home]]\n"))
		}
		flush()
		return path
	}
	must(b, filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".md") {
			return err
		}
		rel, _ := filepath.Rel(root, file)
		p, err := wiki.ParsePagePath(filepath.ToSlash(rel))
		if err != nil {
			return nil // a name that no page can have
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		add(p, content)
		return nil
	}))
	flush()
	return path
}

func sixteen(b *testing.B, url, tool, body, not string) {
	sixteenOf(b, url, tool, func() string { return body }, not)
}

// sixteenOf sends b.N requests from 16 clients and reports the median and the rate.
func sixteenOf(b *testing.B, url, tool string, body func() string, not string) {
	b.Helper()
	const clients = 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	one := func() time.Duration {
		req, _ := http.NewRequest("POST", url, strings.NewReader(body()))
		req.Header = http.Header{"Authorization": {"Bearer bob"}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
			"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {tool}}
		began := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			b.Error(err)
			return 0
		}
		var got bytes.Buffer
		_, _ = io.Copy(&got, resp.Body)
		resp.Body.Close()
		if not != "" && (resp.StatusCode != 200 || strings.Contains(got.String(), not)) {
			b.Errorf("%d %.300s", resp.StatusCode, got.String())
		}
		return time.Since(began)
	}
	one()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				took[i] = one()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
