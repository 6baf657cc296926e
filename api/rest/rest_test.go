package rest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"wikibot/api/rest"
	"wikibot/limit"
	"wikibot/wiki"
)

type form struct {
	Text  string   `json:"text"`
	Count int      `json:"count"`
	List  []string `json:"list"`
	Maybe *bool    `json:"maybe"`
}

func TestDecode(t *testing.T) {
	c := rest.NewCodec(rest.Options{MaxBody: 1000, MaxDepth: 4})
	for _, tt := range []struct{ body, want, field string }{
		{``, "", ""},
		{` {} `, "", ""},
		{`{"text":"a","other":{"x":1}}`, "", ""},
		{`{"text":"\ud83d\ude00 \\ud800 \"["}`, "", ""},
		{`{"x":[[[1]]]}`, "", ""},
		{`{"x":[[[[1]]]]}`, "nested too deeply", ""},
		{strings.Repeat(`{"a":`, 100), "nested too deeply", ""},
		{`[]`, "must be a JSON object", ""},
		{`null`, "must be a JSON object", ""},
		{`{"text":1}`, "text must be a string, not number", "text"},
		{`{"count":"1"}`, "count must be a whole number, not string", "count"},
		{`{"count":1.5}`, "count must be a whole number", "count"},
		{`{"list":[1]}`, "must be a string", "list"},
		{`{"maybe":"yes"}`, "maybe must be true or false", "maybe"},
		{`{} {}`, "no JSON", ""},
		{`{}x`, "no JSON", ""},
		{`{"text":"a`, "no JSON", ""},
		{"{\"text\":\"\xff\"}", "not UTF-8", ""},
		{`{"text":"\ud83d"}`, "half of a surrogate pair", ""},
		{`{"text":"\ude00"}`, "half of a surrogate pair", ""},
		{`{"text":"\ud83dA"}`, "half of a surrogate pair", ""},
	} {
		err := c.Decode([]byte(tt.body), &form{})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.body, err)
		case tt.want == "":
		case !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: got %v, want ErrInvalid with %q", tt.body, err, tt.want)
		default:
			if _, p := rest.ProblemOf(err); !strings.HasPrefix(p.Field, tt.field) {
				t.Errorf("%s: field %q, want %q", tt.body, p.Field, tt.field)
			}
		}
	}
}

// counting counts what is read of it.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestBodyIsBounded(t *testing.T) {
	c := rest.NewCodec(rest.Options{MaxBody: 1000})
	for _, announced := range []bool{true, false} {
		body := &counting{Reader: io.LimitReader(endless{}, 10_000_000)}
		r := httptest.NewRequest("POST", "/", body)
		if r.ContentLength = -1; announced {
			r.ContentLength = 10_000_000
		}
		err := c.Read(httptest.NewRecorder(), r, &form{})
		if status, _ := rest.ProblemOf(err); status != 413 {
			t.Errorf("announced %v: %d %v", announced, status, err)
		}
		if body.n > 2000 {
			t.Errorf("announced %v: %d bytes were read", announced, body.n)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAnswerIsCompressed(t *testing.T) {
	c := rest.NewCodec(rest.Options{})
	long := strings.Repeat("<a long text> ", 500)
	for _, tt := range []struct{ accept, want string }{
		{"", ""}, {"gzip", "gzip"}, {"gzip, zstd", "zstd"}, {"zstd;q=0.1, gzip", "gzip"}, {"gzip;q=0", ""}, {"identity", ""}, {"*", "gzip"}, {"br, GZIP", "gzip"}, {"gzip;q=7", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", tt.accept)
		w := httptest.NewRecorder()
		rest.Tag(w.Header(), "abc")
		c.Answer(w, r, 200, map[string]string{"text": long})
		if got := w.Header().Get("Content-Encoding"); got != tt.want {
			t.Errorf("%q: coding %q, want %q", tt.accept, got, tt.want)
		}
		tag := `"abc"`
		if tt.want != "" {
			tag = `"abc-` + tt.want + `"`
		}
		if got := w.Header().Get("ETag"); got != tag {
			t.Errorf("%q: ETag %s, want %s", tt.accept, got, tag)
		}
		if got, want := plain(t, tt.want, w.Body.Bytes()), `{"text":"`+long+`"}`+"\n"; got != want {
			t.Errorf("%q: got %.40q", tt.accept, got)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	c.Answer(w, r, 200, "short")
	if w.Header().Get("Content-Encoding") != "" || w.Body.String() != "\"short\"\n" {
		t.Errorf("a short answer is compressed: %q", w.Body)
	}
}

func plain(t *testing.T, coding string, b []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTags(t *testing.T) {
	r := httptest.NewRequest("PUT", "/", nil)
	r.Header.Set("If-Match", `"abc", W/"def-gzip" , ghi, "jkl-zstd"`)
	got, any := rest.Tags(r, "If-Match")
	if fmt.Sprint(got) != "[abc def ghi jkl]" || any {
		t.Errorf("got %q %v", got, any)
	}
	r.Header.Set("If-Match", "*")
	if _, any := rest.Tags(r, "If-Match"); !any {
		t.Error("* is not any")
	}
	r.Header.Set("If-None-Match", `"x-gzip"`)
	w := httptest.NewRecorder()
	if !rest.NotModified(w, r, "x") || w.Code != http.StatusNotModified || w.Header().Get("ETag") != `"x"` {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if rest.NotModified(httptest.NewRecorder(), r, "y") {
		t.Error("another content is not modified")
	}
}

func TestFail(t *testing.T) {
	c := rest.NewCodec(rest.Options{})
	big := bytes.Repeat([]byte("x"), 800<<10)
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{wiki.NotFound("no page"), 404, `{"error":"no page","code":"not_found"}`},
		{wiki.Invalid("path", "bad"), 422, `{"error":"bad","code":"invalid","field":"path"}`},
		{wiki.PaymentRequired("pay"), 402, `{"error":"pay","code":"payment_required"}`},
		{&wiki.Error{Kind: wiki.ErrTooLarge, Text: "big"}, 413, `{"error":"big","code":"too_large"}`},
		{&wiki.Error{Kind: wiki.ErrLimit, Text: "full"}, 403, `{"error":"full","code":"over_limit"}`},
		{&wiki.Error{Kind: wiki.ErrExists, Text: "there"}, 409, `{"error":"there","code":"exists"}`},
		{wiki.Unavailable("later"), 503, `{"error":"later","code":"unavailable","retry_after":2}`},
		{errors.New("secret path /x"), 500, `{"error":"internal error; the operator finds its cause in the log under the request id","code":"internal","request_id":"r1"}`},
		{&limit.Exceeded{Wait: 2500 * time.Millisecond}, 429, `{"error":"; try again in 3 seconds","code":"rate_limited","retry_after":3}`},
		{&wiki.Conflict{Text: "stale", Current: "abc", Ours: []byte("now"), Theirs: []byte("mine"), Base: []byte("was")}, 409,
			`{"error":"stale","code":"conflict","current_revision":"abc","current":"now","yours":"mine","base":"was"}`},
		{rest.Precondition(&wiki.Conflict{Text: "stale", Current: "abc", Ours: []byte{}}), 412,
			`{"error":"stale","code":"precondition_failed","current_revision":"abc","current":""}`},
		{&wiki.Conflict{Text: "stale", Ours: big, Theirs: big, Base: []byte("was")}, 409,
			`{"error":"stale","code":"conflict","current":"` + string(big) + `","base":"was","omitted":["yours"]}`},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("X-Request-Id", "r1")
		c.Fail(w, httptest.NewRequest("GET", "/", nil), tt.err)
		if got := strings.TrimSpace(w.Body.String()); w.Code != tt.status || got != tt.want {
			t.Errorf("%.60v: got %d %.300s; want %d %.300s", tt.err, w.Code, got, tt.status, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	h := http.Header{}
	rest.Limits(h, "reads", limit.State{Limit: 2000, Remaining: 1999, Window: 10 * time.Second, Reset: 5 * time.Millisecond})
	if got, want := h.Get("RateLimit-Policy"), `"reads";q=2000;w=10`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := h.Get("RateLimit"), `"reads";r=1999;t=1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h = http.Header{}
	if rest.Limits(h, "reads", limit.State{}); len(h) != 0 {
		t.Errorf("a rate that is off tells %v", h)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"text":"\ud83d\ude00"}`, `{"text":"\u`, `{"list":["a"],"count":1}`, `{"x":[[[[[[`, "{\"\\", `{"a":"\ud800\u`} {
		f.Add([]byte(s))
	}
	c := rest.NewCodec(rest.Options{MaxDepth: 8})
	f.Fuzz(func(t *testing.T, body []byte) {
		var v form
		if err := c.Decode(body, &v); err != nil {
			if !errors.Is(err, wiki.ErrInvalid) {
				t.Errorf("%q: %v is no ErrInvalid", body, err)
			}
			return
		}
		if strings.ContainsRune(v.Text, '\ufffd') && !bytes.Contains(body, []byte("\ufffd")) && !bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`)) {
			t.Errorf("%q: the text was changed to %q", body, v.Text)
		}
	})
}

func TestValuesAreCounted(t *testing.T) {
	c := rest.NewCodec(rest.Options{MaxValues: 10})
	for body, good := range map[string]bool{
		`{"list":["a","b","c","d","e","f","g"]}`:                              true, // the object, the list and what is in it
		`{"list":["a","b","c","d","e","f","g","h","i"]}`:                      false,
		`{"text":",,,,,,,,,,{{{[[[,,"}`:                                       true,
		`{"x":[{},{},{},{},{}]}`:                                              false,
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1}`: false,
	} {
		err := c.Decode([]byte(body), &form{})
		if good != (err == nil) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestByHand(t *testing.T) {
	for header, want := range map[string]bool{"": false, "Basic eDp5": false, "basic eDp5": false, "BASIC": false, "Bearer x": true, "Negotiate": true} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", header)
		if got := rest.ByHand(r); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
