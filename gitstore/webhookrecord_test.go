package gitstore

import (
	"testing"
)

// FuzzWebhooks: what is read can be written, and reads the same again.
func FuzzWebhooks(f *testing.F) {
	for _, s := range []string{
		"", "schema = 1\n", "schema = 1\n[webhooks.a]\nurl = 'https://a.example/'\nmaker = 'alice'\n",
		"schema = 1\nwebhooks = {a = {url = 'https://a.example', maker = 'alice', active = false}}\n",
		"schema = 1\n[webhooks]\na.url = 'https://a.example'\na.maker = 'alice'\n[webhooks.b]\n", "schema = 1\nwebhooks = 3\n", "schema = 1\n[[webhooks]]\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, faults := parseWebhooks(data)
		if len(faults) > 0 || len(list) == 0 {
			return
		}
		if len(list) > maxWebhooks {
			t.Fatalf("%d webhooks", len(list))
		}
		w := list[0]
		w.Active, w.Name, w.Generation = !w.Active, w.Name+"x", w.Generation%1000+1
		if len(w.check()) > 0 {
			return
		}
		out, err := writeWebhook(data, w)
		if err != nil {
			return // a form that is not edited, such as a webhook made of dotted keys in an inline table
		}
		again, faults := parseWebhooks(out)
		if len(faults) > 0 || len(again) != len(list) || again[0] != w {
			t.Fatalf("%q becomes %q: %+v, %v, want %+v", data, out, again, faults, w)
		}
	})
}
