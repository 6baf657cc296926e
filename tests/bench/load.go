package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// The load: some clients, each with one connection that is kept, each sending
// its next request when the last one is answered. Requests are made beforehand
// and answers are read with little more than their length, so that the load
// takes as little as possible of the machine it shares with the server.

// client is one kept connection.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

// answer is what a server said; the body is nil unless it was asked for.
type answer struct {
	status int
	etag   string
	place  string // Location
	body   []byte
}

// do sends one request and reads its answer to the end.
func (c *client) do(request []byte, keep bool) (a answer, err error) {
	if _, err = c.conn.Write(request); err != nil {
		return a, err
	}
	length, chunked := 0, false
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
				return a, fmt.Errorf("%q is no answer", line)
			}
			if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return a, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Etag")):
			if keep {
				a.etag = string(value)
			}
		case bytes.EqualFold(name, []byte("Location")):
			a.place = string(value)
		}
	}
	switch {
	case a.status == http.StatusNotModified:
		return a, nil
	case chunked:
		return a, c.chunks(&a, keep)
	case keep:
		a.body = make([]byte, length)
		_, err = io.ReadFull(c.in, a.body)
	default:
		_, err = c.in.Discard(length)
	}
	return a, err
}

func (c *client) chunks(a *answer, keep bool) error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(c.in, chunk); err != nil || n == 0 {
			return err
		}
		if keep {
			a.body = append(a.body, chunk[:n]...)
		}
	}
}

// load is what a number of clients saw.
type load struct {
	rate   float64 // answers a second
	p50    float64 // ms
	p99    float64 // ms
	status map[int]int
}

// drive has so many clients send requests in turn until the window is over. want
// is the status that each answer must have, 0 for any.
func drive(ctx context.Context, addr string, clients int, window time.Duration, requests [][]byte, want int) (load, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []float64
	var failed error
	l := load{status: map[int]int{}}
	began := time.Now()
	for i := range clients {
		wg.Go(func() {
			t, status, err := driveOne(ctx, addr, i, began.Add(window), requests, want)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, t...), errors.Join(failed, err)
			for s, n := range status {
				l.status[s] += n
			}
		})
	}
	wg.Wait()
	l.rate = float64(len(all)) / time.Since(began).Seconds()
	l.p99, l.p50 = quantile(all, 0.99), quantile(all, 0.5)
	return l, failed
}

func driveOne(ctx context.Context, addr string, i int, end time.Time, requests [][]byte, want int) (t []float64, status map[int]int, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, nil, err
	}
	defer c.conn.Close()
	status = map[int]int{}
	t = make([]float64, 0, 1<<16)
	for n := i * len(requests) / 8; ctx.Err() == nil; n++ {
		began := time.Now()
		if began.After(end) {
			break
		}
		a, err := c.do(requests[n%len(requests)], false)
		if err != nil {
			return t, status, err
		}
		t = append(t, millis(time.Since(began)))
		status[a.status]++
		if want != 0 && a.status != want {
			return t, status, fmt.Errorf("status %d, want %d", a.status, want)
		}
	}
	return t, status, nil
}

// get is a request as a browser with a token sends it.
func get(addr, path, token string, header ...string) []byte {
	r := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nAccept-Encoding: gzip\r\n"
	if token != "" {
		r += "Authorization: Bearer " + token + "\r\n"
	}
	for _, h := range header {
		r += h + "\r\n"
	}
	return []byte(r + "\r\n")
}

// post sends a form.
func post(addr, path, token, form string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		path, addr, token, len(form), form)
}

// serveBare answers every request with so many bytes and their ETag.
func serveBare(bytes string) int {
	n, err := strconv.Atoi(bytes)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	l, err := listenLoopback()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("a bare server on http://%s\n", l.Addr())
	body := make([]byte, n)
	err = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"bare"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Length", bytes)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(body)
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}
