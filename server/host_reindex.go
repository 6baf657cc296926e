package server

import (
	"context"
	"fmt"

	"wikibot/imports"
	"wikibot/wiki"
)

// reindex makes the search index of a wiki anew and saves it.
func (h *Host) reindex(ctx context.Context, slug wiki.Slug, progress func(imports.Progress)) (Answer, error) {
	v, err := h.Store.View(ctx, h.caller(), slug)
	if err != nil {
		return Answer{}, err
	}
	if progress == nil {
		progress = func(imports.Progress) {}
	}
	status, err := h.Find.ReindexNow(ctx, v, func(done, total int) {
		progress(imports.Progress{Stage: "reading pages", Done: done, Total: total})
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Line: fmt.Sprintf("indexed %s: %d pages, %d chunks, %.1f MB of memory", slug, status.Pages, status.Chunks, float64(status.Bytes)/1e6)}, nil
}
