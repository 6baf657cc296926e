package mcp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	proto "github.com/mark3labs/mcp-go/mcp"

	"wikibot/gitstore"
	"wikibot/mcp/streamable"
	"wikibot/notes"
	"wikibot/wiki"
)

// news tells clients what changes in the wikis that they use. A wiki of which
// somebody follows a resource has one follower here, however many they are; it
// begins with the first and ends with the last of them. That pages came or went is
// told to every client of the wiki, at most once in listEvery. Each client's right
// to know is looked at by the transport before every message that leaves
// (Peer.Check).
type news struct {
	h    *Handler
	ctx  context.Context
	stop context.CancelFunc

	mu    sync.Mutex
	wikis map[wiki.Slug]*follower // guarded by mu
	done  sync.WaitGroup
}

type follower struct {
	users int // guarded by news.mu
	stop  context.CancelFunc
}

func newNews(h *Handler) *news {
	n := &news{h: h, wikis: map[wiki.Slug]*follower{}}
	n.ctx, n.stop = context.WithCancel(context.Background())
	return n
}

// begin starts to listen, once the transport is there to tell it to.
func (n *news) begin() {
	n.done.Add(1)
	go n.lists()
}

// listEvery is the time in which changes of lists are told once, of all wikis
// together: telling costs a look at every session.
const listEvery = 250 * time.Millisecond

// lists tells clients that pages or attachments of their wiki came, went or moved.
// The Store's events are hints; one that is lost is made up for by the next.
func (n *news) lists() {
	defer n.done.Done()
	events, cancel := n.h.Store.Subscribe(1024)
	defer cancel()
	changed := map[wiki.Slug]bool{}
	var tell <-chan time.Time
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			if cameOrWent(e) {
				changed[e.Wiki] = true
				if tell == nil {
					tell = time.After(listEvery)
				}
			}
		case <-tell:
			n.h.wikis.ListChanged(in(changed), proto.MethodNotificationResourcesListChanged)
			clear(changed)
			tell = nil
		case <-n.ctx.Done():
			return
		}
	}
}

// cameOrWent reports whether an event changed which resources there are; what is not
// known counts as a change.
func cameOrWent(e wiki.Event) bool {
	if e.Ref != gitstore.Main {
		return false
	}
	if e.Files == nil || e.Rewritten {
		return true
	}
	return slices.ContainsFunc(e.Files, func(f wiki.FileChange) bool { return f.Kind != wiki.Modified })
}

// in is true of the clients of some wikis.
func in(wikis map[wiki.Slug]bool) func(streamable.Peer) bool {
	return func(p streamable.Peer) bool { return wikis[wiki.Slug(p.Scope)] }
}

func (n *news) close() {
	n.stop()
	n.done.Wait()
}

// subscribe begins to follow a resource for a peer. It must be one of the peer's
// wiki; it need not exist, since a client may wait for it.
func (n *news) subscribe(p streamable.Peer, uri string) (func(), error) {
	k, ok := p.Value.(*call)
	if !ok || k.slug == "" {
		return nil, errors.New("nothing can be followed here")
	}
	if _, err := unescapeResource(uri); err != nil {
		return nil, err
	}
	// What is saved from here on is told, however late the follower begins.
	v, err := k.view(n.ctx)
	if err != nil {
		return nil, err
	}
	return n.follow(k.slug, v.Head()), nil
}

// follow counts one more who follows a wiki, from a revision on; the result is to be
// called once.
func (n *news) follow(slug wiki.Slug, from wiki.Revision) (leave func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.wikis[slug]
	if f == nil {
		f = &follower{}
		var ctx context.Context
		ctx, f.stop = context.WithCancel(n.ctx)
		n.wikis[slug] = f
		n.done.Add(1)
		go n.run(ctx, slug, from, f)
	}
	f.users++
	var once sync.Once
	return func() { once.Do(func() { n.leave(slug, f) }) }
}

func (n *news) leave(slug wiki.Slug, f *follower) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f.users--; f.users == 0 {
		f.stop()
		if n.wikis[slug] == f {
			delete(n.wikis, slug)
		}
	}
}

// again is after what time a follower that failed begins again.
const again = 5 * time.Second

// run passes on what happens in one wiki until nobody follows it any more, or until
// there is no such wiki.
func (n *news) run(ctx context.Context, slug wiki.Slug, from wiki.Revision, f *follower) {
	defer n.done.Done()
	for {
		// The follower itself reads nothing for anybody: it goes by the operator's own
		// right, and what leaves is checked for each client.
		err := n.h.Notes.Follow(ctx, notes.FollowRequest{Slug: slug, After: from, Check: func(context.Context) (wiki.Caller, error) {
			return wiki.Caller{Host: true}, nil
		}}, func(e notes.Event) error {
			n.tell(slug, e)
			from = e.Commit.Revision
			return nil
		})
		if ctx.Err() != nil || errors.Is(err, wiki.ErrNotFound) {
			break
		}
		n.h.Log.Warn("mcp: following a wiki failed and begins again", "wiki", string(slug), "err", err)
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.wikis[slug] == f {
		delete(n.wikis, slug) // the next who asks begins anew
	}
}

// tell passes on one commit: which resources it changed. After a rewriting of the
// history nobody knows, and clients that hear that the list has changed look again.
func (n *news) tell(slug wiki.Slug, e notes.Event) {
	seen := map[string]bool{}
	for _, f := range e.Commit.Changes {
		for _, uri := range changedResources(f) {
			if !seen[uri] {
				seen[uri] = true
				n.h.wikis.Updated(string(slug), nil, uri)
			}
		}
	}
	if e.Reset {
		n.h.wikis.ListChanged(in(map[wiki.Slug]bool{slug: true}), proto.MethodNotificationResourcesListChanged)
	}
}

// changedResources are the addresses of what a change of a file touched: of a rename
// both.
func changedResources(f wiki.FileChange) []string {
	var out []string
	add := func(file string) {
		if p, ok := wiki.PageOfFile(file); ok {
			out = append(out, resourceOf(p))
		} else if a, ok := wiki.PathOfFile(file); ok {
			out = append(out, resourceOfFile(a))
		}
	}
	add(f.File)
	if f.Kind == wiki.Renamed {
		add(f.From)
	}
	return out
}
