package mcp

import (
	"context"
	"strings"

	proto "github.com/mark3labs/mcp-go/mcp"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/notes"
	"wikibot/wiki"
)

// maxCompletions is the most values of a completion, as the protocol says.
const maxCompletions = 100

// completions answers what a person is typing into a prompt's argument or a
// resource's path. It implements mcp-go's two interfaces.
type completions struct{ h *Handler }

// CompletePromptArgument completes an argument of a prompt.
func (c completions) CompletePromptArgument(ctx context.Context, prompt string, arg proto.CompleteArgument, with proto.CompleteContext) (*proto.Completion, error) {
	return c.complete(ctx, arg, with)
}

// CompleteResourceArgument completes the path of wiki:///{+path}.
func (c completions) CompleteResourceArgument(ctx context.Context, uri string, arg proto.CompleteArgument, with proto.CompleteContext) (*proto.Completion, error) {
	return c.complete(ctx, arg, with)
}

func (c completions) complete(ctx context.Context, arg proto.CompleteArgument, with proto.CompleteContext) (*proto.Completion, error) {
	k, err := callOf(ctx)
	if err != nil {
		return nil, err
	}
	values, err := k.completions(ctx, arg, with.Arguments)
	if err != nil {
		return nil, k.protocolError(ctx, err)
	}
	out := &proto.Completion{Values: values, Total: len(values)}
	if len(values) > maxCompletions {
		out.Values, out.HasMore = values[:maxCompletions], true
	}
	return out, nil
}

// completions are the values that begin with what was typed, or hold it. The cost
// is a look at each name of its kind.
func (k *call) completions(ctx context.Context, arg proto.CompleteArgument, with map[string]string) ([]string, error) {
	if len(arg.Value) > wiki.MaxPath {
		return []string{}, nil
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	switch norm(arg.Name) {
	case "path", "new_path", "note", "page":
		return k.completePath(ctx, v, arg.Value)
	case "prefix", "folder":
		return k.completePrefix(v, arg.Value)
	case "tag", "tags":
		l, err := k.h.Notes.Tags(ctx, v)
		return fitting(countNames(l), arg.Value), err
	case "category":
		l, err := k.h.Notes.Categories(ctx, v)
		return fitting(countNames(l), arg.Value), err
	case "section":
		return k.completeSection(ctx, v, with["path"], arg.Value)
	}
	return []string{}, nil
}

func countNames(l []notes.Count) []string {
	out := make([]string, len(l))
	for i, c := range l {
		out[i] = c.Name
	}
	return out
}

// fitting are the names that begin with a text, ignoring case, then those that hold
// it, at most one more than are shown.
func fitting(all []string, typed string) []string {
	typed = wiki.Fold(typed)
	begins, holds := []string{}, []string{}
	for _, name := range all {
		switch folded := wiki.Fold(name); {
		case strings.HasPrefix(folded, typed):
			begins = append(begins, name)
		case strings.Contains(folded, typed):
			holds = append(holds, name)
		}
		if len(begins) > maxCompletions {
			break
		}
	}
	out := append(begins, holds...)
	return out[:min(len(out), maxCompletions+1)]
}

// completePath completes a page's path: by the part of it that is typed, and by
// names and titles where search has them at hand.
func (k *call) completePath(ctx context.Context, v *gitstore.View, typed string) ([]string, error) {
	entries, _, err := v.List(gitstore.ListOptions{Prefix: typed, Limit: maxCompletions + 1})
	if err != nil {
		return nil, err
	}
	out, seen := []string{}, map[string]bool{}
	add := func(p wiki.PagePath) {
		if p != "" && !seen[string(p)] && len(out) <= maxCompletions {
			seen[string(p)] = true
			out = append(out, string(p))
		}
	}
	for _, e := range entries {
		add(e.Page)
	}
	if typed == "" || k.h.Find == nil {
		return out, nil
	}
	found, err := k.h.Find.Suggest(ctx, v, typed, 20)
	if err != nil {
		return out, nil // the index is being made; the paths are good alone
	}
	for _, s := range found {
		add(s.Page)
	}
	return out, nil
}

// completePrefix completes folders.
func (k *call) completePrefix(v *gitstore.View, typed string) ([]string, error) {
	entries, _, err := v.List(gitstore.ListOptions{Prefix: typed})
	if err != nil {
		return nil, err
	}
	out, seen := []string{}, map[string]bool{}
	for _, e := range entries {
		rest := strings.TrimPrefix(string(e.Page), typed)
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			continue
		}
		folder := typed + rest[:i+1]
		if !seen[folder] {
			seen[folder] = true
			if out = append(out, folder); len(out) > maxCompletions {
				break
			}
		}
	}
	return out, nil
}

func (k *call) completeSection(ctx context.Context, v *gitstore.View, path, typed string) ([]string, error) {
	p, err := k.pagePath(path)
	if err != nil {
		return []string{}, nil // no page, no sections
	}
	n, err := k.h.Notes.Read(ctx, v, notes.ReadRequest{Path: p, NoLinks: true})
	if err != nil {
		return []string{}, nil
	}
	all := []string{}
	for _, s := range markdown.Sections(n.Content) {
		all = append(all, s.Name())
	}
	return fitting(all, typed), nil
}
