package gitstore

import (
	"context"
	"math"

	"wikibot/wiki"
)

// WholeGraph is Graph of all pages whose path begins with a prefix, and of the
// missing pages that they link to, without a limit on nodes: for programs, which do
// not have to draw it. The memory is that of the answer.
func (v *View) WholeGraph(ctx context.Context, prefix string) (g Graph, err error) {
	err = v.linked(ctx, func(x *linkIndex) error {
		b := graphBuilder{
			x: x, o: GraphOptions{Prefix: prefix, Limit: math.MaxInt},
			out: map[wiki.PagePath]map[wiki.PagePath]int{}, spelt: map[string]wiki.PagePath{},
		}
		chosen, err := b.whole(ctx)
		if err != nil {
			return err
		}
		g = b.graph(chosen)
		return ctx.Err()
	})
	return g, err
}
