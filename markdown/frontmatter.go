package markdown

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of frontmatter; beyond them it is an error and shown as text.
const (
	maxFrontmatter = 64 << 10
	maxProperties  = 200
	maxValues      = 1000
	maxYAMLDepth   = 20
)

// Frontmatter splits a page into its properties and its body. Frontmatter begins
// with a first line "---" and ends with a line "---" or "..."; without the end
// there is none. Its keys keep their order. Where it is no YAML mapping, props is
// nil and err says why; body is right all the same. body shares src's memory.
func Frontmatter(src []byte) (props []Property, body []byte, err error) {
	head, off := frontmatter(src)
	if off == 0 {
		return nil, src, nil
	}
	props, err = parseProperties(head)
	return props, src[off:], err
}

// frontmatter finds the YAML between the fences and where the body begins (0:
// there is no frontmatter). A byte order mark does not belong to the body.
func frontmatter(src []byte) (head []byte, off int) {
	bom := len(src) - len(bytes.TrimPrefix(src, []byte("\ufeff")))
	first, n := cutLine(src[bom:])
	if string(first) != "---" {
		return nil, bom
	}
	n += bom
	start := n
	for n < len(src) {
		line, size := cutLine(src[n:])
		if string(line) == "---" || string(line) == "..." {
			return src[start:n], n + size
		}
		n += size
	}
	return nil, bom
}

// cutLine is the first line, without white space at its end, and its length with
// the line break.
func cutLine(src []byte) ([]byte, int) {
	n := bytes.IndexByte(src, '\n')
	if n < 0 {
		return bytes.TrimRight(src, " \t\r"), len(src)
	}
	return bytes.TrimRight(src[:n], " \t\r"), n + 1
}

func parseProperties(head []byte) ([]Property, error) {
	if len(head) > maxFrontmatter {
		return nil, fmt.Errorf("the frontmatter is %d bytes long; at most %d are read", len(head), maxFrontmatter)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(head, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("the frontmatter is not a list of \"key: value\" lines")
	}
	if len(root.Content)/2 > maxProperties {
		return nil, fmt.Errorf("the frontmatter has %d keys; at most %d are read", len(root.Content)/2, maxProperties)
	}
	props := make([]Property, 0, len(root.Content)/2)
	budget := maxFrontmatter // output bytes: aliases cannot make it explode
	for i := 0; i+1 < len(root.Content); i += 2 {
		values, err := propertyValues(root.Content[i+1], &budget)
		if err != nil {
			return nil, err
		}
		key := root.Content[i].Value
		if root.Content[i].Kind != yaml.ScalarNode {
			if key, err = flow(root.Content[i], 0, &budget); err != nil {
				return nil, err
			}
		}
		props = append(props, Property{Key: key, Values: values})
	}
	return props, nil
}

func propertyValues(n *yaml.Node, budget *int) ([]string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		s, err := flow(n, 0, budget)
		if err != nil || s == "" {
			return nil, err
		}
		return []string{s}, nil
	}
	if len(n.Content) > maxValues {
		return nil, fmt.Errorf("a list in the frontmatter has %d values; at most %d are read", len(n.Content), maxValues)
	}
	values := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		s, err := flow(c, 0, budget)
		if err != nil {
			return nil, err
		}
		values = append(values, s)
	}
	return values, nil
}

// flow writes a value on one line. Aliases are followed, and every byte is
// counted, so that "&a [*b, *b]" towers end early.
func flow(n *yaml.Node, depth int, budget *int) (string, error) {
	if depth > maxYAMLDepth {
		return "", errors.New("the frontmatter is nested too deeply")
	}
	*budget -= len(n.Value) + 2
	if *budget < 0 {
		return "", errors.New("the frontmatter is too large once its aliases are followed")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return flow(n.Alias, depth+1, budget)
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", nil
		}
		return strings.TrimSpace(n.Value), nil
	}
	parts := make([]string, 0, len(n.Content))
	for i := 0; i < len(n.Content); i++ {
		s, err := flow(n.Content[i], depth+1, budget)
		if err != nil {
			return "", err
		}
		if n.Kind == yaml.MappingNode && i+1 < len(n.Content) {
			i++
			v, err := flow(n.Content[i], depth+1, budget)
			if err != nil {
				return "", err
			}
			s += ": " + v
		}
		parts = append(parts, s)
	}
	if n.Kind == yaml.MappingNode {
		return "{" + strings.Join(parts, ", ") + "}", nil
	}
	return "[" + strings.Join(parts, ", ") + "]", nil
}
