package chunks

import (
	"strings"
	"testing"
)

// A page that is nothing but fences and nothing of the other kind was once searched
// for that other kind from each of them to its end.
func TestOpenFence(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"a\n", ""},
		{"```\na\n", "```"},
		{"a\n```go\nb", "```"},
		{"```\na\n```\n", ""},
		{"```\n```\n", ""}, // an empty block
		{"```\n```\na\n~~~\n", "~~~"},
		{"~~~\n```\n~~~\n", ""},
		{"```\n~~~\n", "```"},
		{"  ```\na\n", "```"}, // as it is cut
		{"a ``` b\n", ""},
		{"\n\n```", "```"},
		{strings.Repeat("```\na\n", 600_000), ""},
		{strings.Repeat("~~~\na\n", 600_001), "~~~"},
	} {
		if got := openFence([]byte(c.text)); got != c.want {
			t.Errorf("openFence(%.40q … %d bytes): got %q, want %q", c.text, len(c.text), got, c.want)
		}
	}
}
