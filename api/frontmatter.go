package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"

	"go.yaml.in/yaml/v3"

	"wikibot/markdown"
)

// Bounds of frontmatter as JSON; beyond them its values are texts, as
// markdown.Frontmatter reads them.
const (
	mostYAMLDepth = 20
	mostYAMLBytes = 64 << 10
)

// frontmatter is a page's frontmatter as a JSON object, with the types that YAML
// gives its values and its keys in their order; dates are texts as they are written.
// null where the page has none, or none that can be read. Aliases are followed while
// the result stays within 64 KB.
func frontmatter(src []byte, props []markdown.Property) json.RawMessage {
	if props == nil {
		return json.RawMessage("null")
	}
	_, body, _ := markdown.Frontmatter(src)
	var doc yaml.Node
	if yaml.Unmarshal(inner(src[:len(src)-len(body)]), &doc) == nil && len(doc.Content) == 1 {
		c := converter{left: mostYAMLBytes}
		if c.value(doc.Content[0], 0) == nil && json.Valid(c.out.Bytes()) {
			return c.out.Bytes()
		}
	}
	return plainProperties(props)
}

// inner is what stands between the fences.
func inner(head []byte) []byte {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		head = head[i+1:]
	}
	head = bytes.TrimRight(head, " \t\r\n")
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
		return head[:i+1]
	}
	return nil
}

func plainProperties(props []markdown.Property) json.RawMessage {
	c := converter{left: 4 * mostYAMLBytes}
	c.out.WriteByte('{')
	seen := map[string]bool{}
	for _, p := range props {
		if seen[p.Key] {
			continue
		}
		c.key(p.Key, len(seen) > 0)
		seen[p.Key] = true
		var v any = p.Values
		switch len(p.Values) {
		case 0:
			v = nil
		case 1:
			v = p.Values[0]
		}
		c.put(v)
	}
	c.out.WriteByte('}')
	return c.out.Bytes()
}

var errTooMuch = errors.New("too large or too deep")

// converter writes YAML nodes as JSON.
type converter struct {
	out  bytes.Buffer
	left int // bytes of values that may still be written
}

func (c *converter) key(s string, comma bool) {
	if comma {
		c.out.WriteByte(',')
	}
	c.put(s)
	c.out.WriteByte(':')
}

func (c *converter) put(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte("null")
	}
	c.out.Write(b)
}

func (c *converter) value(n *yaml.Node, depth int) error {
	if c.left -= len(n.Value) + 4; c.left < 0 || depth > mostYAMLDepth {
		return errTooMuch
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		c.out.WriteByte('[')
		for i, e := range n.Content {
			if i > 0 {
				c.out.WriteByte(',')
			}
			if err := c.value(e, depth+1); err != nil {
				return err
			}
		}
		c.out.WriteByte(']')
		return nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	c.put(scalar(n))
	return nil
}

// mapping writes a mapping; of a key that is there twice the first counts.
func (c *converter) mapping(n *yaml.Node, depth int) error {
	c.out.WriteByte('{')
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			return errTooMuch // a key that JSON cannot have
		}
		if seen[k.Value] {
			continue
		}
		c.left -= len(k.Value) + 4
		c.key(k.Value, len(seen) > 0)
		seen[k.Value] = true
		if err := c.value(n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	c.out.WriteByte('}')
	return nil
}

// scalar is a value as JSON knows it; what it does not know stays a text.
func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		var i int64
		if n.Decode(&i) == nil && i < 1<<53 && i > -1<<53 { // what every reader of JSON holds exactly
			return i
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return n.Value
}
