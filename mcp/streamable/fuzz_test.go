package streamable

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// What passes is JSON of bounded depth and width, and says one thing only.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{ping, modern(1, "tools/call", `"name":"a","arguments":{"x":[1,{"y":"\"]"}]}`), `{"jsonrpc":"2.0","id":"x","result":{}}`,
		`[]`, `{"id":1,"id":2}`, `{"a":"\\","method":"x"}`, `{"ſ":1,"METHOD":"K"}`, strings.Repeat("[", 100), `{"params":{"_meta":{"a":1}},"method":"m","jsonrpc":"2.0"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parse(body)
		if err != nil {
			if _, ok := err.(*badMessage); !ok {
				t.Fatalf("an error of kind %T", err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(body))
		depth, tokens := 0, 0
		keys := map[string]int{}
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			tokens++
			switch v := token.(type) {
			case json.Delim:
				if v == '{' || v == '[' {
					depth++
				} else {
					depth--
				}
			case string:
				if depth == 1 {
					keys[strings.ToLower(v)]++ // values of the outer object as well: they only count too much
				}
			}
			if depth > maxDepth {
				t.Fatalf("nested %d deep", depth)
			}
		}
		if tokens > 4*maxValues {
			t.Fatalf("%d tokens", tokens)
		}
		// The dispatcher decodes the same bytes by itself and must see the same.
		var other struct {
			ID     any    `json:"id"`
			Method string `json:"method"`
		}
		if json.Unmarshal(body, &other) == nil && other.Method != m.method {
			t.Fatalf("the method is %q here and %q there", m.method, other.Method)
		}
		if m.request() && other.ID == nil {
			t.Fatalf("a request here, a notification there: %s", body)
		}
	})
}

// Whatever an event holds, a reader gets one event, with these bytes but for the
// line ends.
func FuzzEvent(f *testing.F) {
	f.Add("1-2", []byte(`{"a":1}`))
	f.Add("x\ny", []byte("a\r\nb\rc\n\nevent: x\ndata: y\n\n"))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, id string, data []byte) {
		wire := appendEvent(nil, event{id: id, data: data})
		if !bytes.HasSuffix(wire, []byte("\n\n")) || bytes.Contains(wire[:len(wire)-2], []byte("\n\n")) || bytes.ContainsRune(wire, '\r') {
			t.Fatalf("the wire has %q", wire)
		}
		in := newEvents(bytes.NewReader(wire))
		e, ok := in.next()
		if !ok {
			t.Fatalf("no event in %q", wire)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		if string(e.data) != want {
			t.Fatalf("got %q, want %q", e.data, want)
		}
		if !strings.ContainsAny(id, "\r\n\x00") && e.id != id {
			t.Fatalf("got the id %q, want %q", e.id, id)
		}
		if _, ok := in.next(); ok {
			t.Fatalf("more than one event in %q", wire)
		}
	})
}
