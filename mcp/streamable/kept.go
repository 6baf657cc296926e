package streamable

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	keptAnswers     = 32        // in each session
	keptAnswerBytes = 128 << 10 // of all of them together
	keptFor         = 10 * time.Minute
)

// kept has the answers of the last calls of a session that may have changed
// something. A client that lost an answer with its connection sends the request
// again, with the same id and the same bytes; doing it twice would be wrong, and
// so it gets the answer of the first time. Calls that failed are done again.
type kept struct {
	now    func() time.Time
	budget *budget

	mu   sync.Mutex
	list []*keeping // oldest first
	size int
}

// keeping is one call. The methods of a nil keeping do nothing.
type keeping struct {
	k      *kept
	id     string
	hash   [sha256.Size]byte
	at     time.Time
	done   chan struct{} // closed when answer is there, or will never be
	answer []byte
}

func newKept(b *budget, now func() time.Time) *kept { return &kept{now: now, budget: b} }

// keeps says whether the answer of a request is kept: of calls of tools that do
// not say that they only read.
func (h *Handler) keeps(m *message) bool {
	if m.method != string(mcp.MethodToolsCall) {
		return false
	}
	var p struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(m.params, &p) != nil {
		return false
	}
	tool := h.cfg.Server.GetTool(p.Name)
	return tool != nil && (tool.Tool.Annotations.ReadOnlyHint == nil || !*tool.Tool.Annotations.ReadOnlyHint)
}

// begin looks for a request of the same id and bytes; where there is one, it
// waits for its answer and returns it. Else the caller answers the request and
// tells keeping.end.
func (k *kept) begin(ctx context.Context, keep bool, id json.RawMessage, body []byte) (*keeping, []byte) {
	if !keep {
		return nil, nil
	}
	hash := sha256.Sum256(body)
	for {
		mine, other := k.look(string(id), hash)
		if other == nil {
			return mine, nil
		}
		select {
		case <-other.done:
			if other.answer != nil {
				return nil, other.answer
			}
			// It failed, and has left the list.
		case <-ctx.Done():
			return nil, fault(id, mcp.INTERNAL_ERROR, "the client is gone", nil).body
		}
	}
}

// look returns the call that is the same, or else puts a new one on the list.
func (k *kept) look(id string, hash [sha256.Size]byte) (mine, other *keeping) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.list) > 0 && k.now().Sub(k.list[0].at) > keptFor {
		k.dropLocked(k.list[0])
	}
	for _, e := range k.list {
		if e.id == id && e.hash == hash {
			return nil, e
		}
	}
	if len(k.list) >= keptAnswers {
		k.dropLocked(k.list[0])
	}
	mine = &keeping{k: k, id: id, hash: hash, at: k.now(), done: make(chan struct{})}
	k.list = append(k.list, mine)
	return mine, nil
}

// end says how the call went.
func (e *keeping) end(a answer) {
	if e == nil {
		return
	}
	k := e.k
	k.mu.Lock()
	defer k.mu.Unlock()
	size := len(a.body)
	defer close(e.done)
	if a.failed || size > keptAnswerBytes || !k.hasLocked(e) || !k.budget.take(size) {
		k.dropLocked(e)
		if !a.failed {
			e.answer = a.body // for those that wait already
		}
		return
	}
	e.answer = a.body
	k.size += size
	for k.size > keptAnswerBytes {
		k.dropLocked(k.list[0])
	}
}

func (k *kept) hasLocked(e *keeping) bool {
	for _, other := range k.list {
		if other == e {
			return true
		}
	}
	return false
}

func (k *kept) dropLocked(e *keeping) {
	for i, other := range k.list {
		if other == e {
			k.list = append(k.list[:i], k.list[i+1:]...)
			k.size -= len(e.answer)
			k.budget.give(len(e.answer))
			return
		}
	}
}

// drop lets go of everything; the session has ended.
func (k *kept) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.list) > 0 {
		k.dropLocked(k.list[0])
	}
}
