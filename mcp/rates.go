package mcp

import (
	"net/http"
	"sync/atomic"

	"wikibot/limit"
)

// rates is what the caller's bucket held when it was last asked. The transport
// writes an answer's headers when it pleases, from whatever goroutine, so they are
// added at that moment.
type rates struct{ last atomic.Pointer[[2]string] }

func (r *rates) tell(a limit.Action, left limit.State) {
	if r == nil {
		return
	}
	if policy, left := left.Header(a.Name()); policy != "" {
		r.last.Store(&[2]string{policy, left})
	}
}

// rated adds the headers of rate limits to an answer.
type rated struct {
	http.ResponseWriter
	rates *rates
	told  bool
}

func (w *rated) WriteHeader(status int) {
	w.tell()
	w.ResponseWriter.WriteHeader(status)
}

func (w *rated) Write(p []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(p)
}

func (w *rated) tell() {
	if w.told {
		return
	}
	w.told = true
	if last := w.rates.last.Load(); last != nil {
		w.Header().Set("RateLimit-Policy", last[0])
		w.Header().Set("RateLimit", last[1])
	}
}

// Flush and Unwrap keep streams possible.
func (w *rated) Flush() {
	w.tell()
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *rated) Unwrap() http.ResponseWriter { return w.ResponseWriter }
