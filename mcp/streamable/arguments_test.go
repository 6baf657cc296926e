package streamable

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// Large arguments are the same to a handler as small ones, and mcp-go does not get
// them.
func TestLargeArguments(t *testing.T) {
	for _, from := range []int{0, 1 << 10} {
		p := newPlace(t, func(c *Config) { c.LargeArguments = from })
		p.mcp.AddTool(mcp.NewTool("show", mcp.WithString("text"), mcp.WithReadOnlyHintAnnotation(true)),
			func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				b, err := json.Marshal(Arguments(ctx, r))
				return mcp.NewToolResultText(fmt.Sprintf("%d %s", len(r.GetArguments()), b)), err
			})
		c := p.begin("alice", "2025-11-25")
		for i, text := range []string{"small", strings.Repeat("größer \\\" ", 500)} {
			args := fmt.Sprintf(`{"n":1.5,"list":[1,{"a":null}],"text":"%s"}`, text)
			var want any
			if err := json.Unmarshal([]byte(args), &want); err != nil {
				t.Fatal(err)
			}
			b, _ := json.Marshal(want)
			members := 3
			if from > 0 && i == 1 {
				members = 0
			}
			if got, want := c.call(i+1, "show", args).text(t), fmt.Sprintf("%d %s", members, b); got != want {
				t.Errorf("from %d: got %.80s, want %.80s", from, got, want)
			}
		}
		for _, args := range []string{`"` + strings.Repeat("x", 3000) + `"`, "[" + strings.Repeat("1,", 999) + "1]", "null"} {
			g := c.call(9, "show", args)
			if from == 0 {
				continue
			}
			if g.status != 200 || g.code(t) == mcp.INTERNAL_ERROR {
				t.Errorf("%.20s: %d %s", args, g.status, g.body)
			}
		}
		g := p.client("bob", "").modern(7, "tools/call", "show", `"name":"show","arguments":{"text":"`+strings.Repeat("m", 3000)+`"}`)
		if !strings.Contains(g.text(t), "mmm") {
			t.Errorf("2026-07-28: %.200s", g.body)
		}
	}
}
