package main

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		p    pair
		unit string
		w    want
		line string
	}{
		{pair{0.981, 44.5, 0.018}, "µs", atMost(0.2), "bench x 0.981 µs baseline 44.5 ratio 0.018 want ≤0.2 ok"},
		{pair{297, 31.8, 9.32}, "1/s", atLeast(12), "bench x 297 1/s baseline 31.8 ratio 9.32 want ≥12 short"},
		{pair{7.25, 5, 1.45}, "ms", valueMost(5, "ms"), "bench x 7.25 ms baseline 5 ratio 1.45 want ≤5ms short"},
		{pair{33087.4, 10, 3308.7}, "1/s", valueLeast(10_000, "/s"), "bench x 33087 1/s baseline 10 ratio 3309 want ≥10000/s ok"},
		{pair{math.NaN(), 1, math.NaN()}, "ms", atMost(1), "bench x NaN ms baseline 1 ratio NaN want ≤1 short"},
	} {
		var out bytes.Buffer
		b := &bench{out: &out}
		b.print("x", c.p, c.unit, c.w)
		if got := strings.TrimSpace(out.String()); got != c.line {
			t.Errorf("got  %s\nwant %s", got, c.line)
		}
		if got, want := b.missed, strings.Count(c.line, "short"); got != want {
			t.Errorf("%s: counted %d as short, want %d", c.line, got, want)
		}
	}
}

func TestVersusTakesTurns(t *testing.T) {
	var order strings.Builder
	side := func(name string, values ...float64) measure {
		return func() (float64, error) {
			order.WriteString(name)
			v := values[0]
			values = values[1:]
			return v, nil
		}
	}
	b := &bench{ctx: t.Context(), rounds: 3}
	p, err := b.versus(side("a", 1, 30, 2), side("b", 10, 100, 10))
	if err != nil {
		t.Fatal(err)
	}
	if want := (pair{2, 10, 0.2}); p != want {
		t.Errorf("got %v, want %v: the middle of each", p, want)
	}
	if got, want := order.String(), "abbaab"; got != want {
		t.Errorf("the order was %s, want %s", got, want)
	}
}

// TestClient reads what net/http writes: bodies with a length, in chunks, none.
func TestClient(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"1"`)
		switch r.URL.Path {
		case "/chunks":
			for i := range 3 {
				fmt.Fprintf(w, "part %d\n", i)
				w.(http.Flusher).Flush()
			}
		case "/same":
			w.WriteHeader(http.StatusNotModified)
		case "/moved":
			w.Header().Set("Location", "/there")
			w.WriteHeader(http.StatusSeeOther)
		default:
			fmt.Fprint(w, "hello "+r.Header.Get("Authorization"))
		}
	}))
	defer s.Close()
	addr := s.Listener.Addr().(*net.TCPAddr).String()
	c, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	for range 2 { // on one connection: each answer is read to its end, no further
		for path, want := range map[string]answer{
			"/":       {status: 200, etag: `"1"`, body: []byte("hello Bearer secret")},
			"/chunks": {status: 200, etag: `"1"`, body: []byte("part 0\npart 1\npart 2\n")},
			"/same":   {status: 304, etag: `"1"`},
			"/moved":  {status: 303, etag: `"1"`, place: "/there"},
		} {
			got, err := c.do(get(addr, path, "secret"), true)
			if err != nil {
				t.Fatal(path, err)
			}
			if got.status != want.status || got.etag != want.etag || got.place != want.place || string(got.body) != string(want.body) {
				t.Errorf("%s: got %+v, want %+v", path, got, want)
			}
		}
	}
	l, err := drive(t.Context(), addr, 2, 50*time.Millisecond, [][]byte{get(addr, "/", "")}, 200)
	if err != nil || l.rate == 0 || l.status[200] == 0 {
		t.Errorf("load %+v, %v", l, err)
	}
	if _, err := drive(t.Context(), addr, 1, time.Second, [][]byte{get(addr, "/same", "")}, 200); err == nil {
		t.Error("a wrong status was no error")
	}
}
