package api

import "wikibot/limit"

// OperationOf is the id of the operation that a method and an escaped path after
// /v1 name, and the page's path that was read from it.
func (h *Handler) OperationOf(method, path string) (id, page, file, rev string, allow []string) {
	r := match(h.table, method, path)
	if r.op != nil {
		id = r.op.id
	}
	return id, r.path, r.file, r.rev, r.allow
}

// Operations are all ids.
func (h *Handler) Operations() (ids []string) {
	for _, op := range h.table {
		ids = append(ids, op.id)
	}
	return ids
}

// OpenStreams is how many event streams are open.
func (h *Handler) OpenStreams() int {
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	return h.streams.all
}

// FrontmatterOf is frontmatter, for tests.
var FrontmatterOf = frontmatter

// Bodies is the memory that requests' bodies take.
func (h *Handler) Bodies() *limit.Bytes { return h.bodies }
