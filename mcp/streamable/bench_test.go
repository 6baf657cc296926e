package streamable

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/server"
)

// BenchmarkCalls is a tools/call over loopback, 16 clients at once, by our
// transport and, as the baseline, by mcp-go's own.
func BenchmarkCalls(b *testing.B) {
	b.Run("ours", func(b *testing.B) { calls(b, newPlace(b, nil).URL) })
	b.Run("mcp-go", func(b *testing.B) {
		p := newPlace(b, nil)
		s := httptest.NewServer(server.NewStreamableHTTPServer(p.mcp))
		defer s.Close()
		calls(b, s.URL)
	})
}

func calls(b *testing.B, url string) {
	const clients = 16
	jobs := make(chan int, clients)
	var all sync.WaitGroup
	for range clients {
		session := begun(b, url)
		all.Go(func() {
			for i := range jobs {
				r, _ := http.NewRequest("POST", url, strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}`, i)))
				if err := ask(r, session); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		jobs <- i
	}
	close(jobs)
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func begun(b *testing.B, url string) string {
	r, _ := http.NewRequest("POST", url, strings.NewReader(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"b","version":"1"}}}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Mcp-Session-Id")
}

func ask(r *http.Request, session string) error {
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Mcp-Session-Id", session)
	resp, err := http.DefaultTransport.(*http.Transport).RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && !strings.Contains(string(body), "hello for") {
		err = fmt.Errorf("%d %s", resp.StatusCode, body)
	}
	return err
}
