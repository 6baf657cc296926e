package gitstore

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// historyReady reports whether the index of history is there, and has it made
// in the background if it is not.
func (r *repo) historyReady() bool {
	h := &r.history
	if h.ready.Load() {
		return true
	}
	if h.making.CompareAndSwap(false, true) {
		r.store.background(func(ctx context.Context) {
			defer h.making.Store(false)
			st, err := r.current()
			if err == nil {
				_, err = r.historyAt(ctx, st)
			}
			if err != nil && ctx.Err() == nil {
				r.store.log.Error("the index of history cannot be made", "wiki", r.name, "error", err)
			}
		})
	}
	return false
}

// ranking is the order of main's history, if the index is at hand; a walk
// without it goes by dates.
func (r *repo) ranking(st *state) ranking {
	if r.name == admin || !r.historyReady() {
		return nil
	}
	index, err := r.historyAt(r.store.ctx, st)
	if err != nil {
		return nil
	}
	return index.Rank
}

// historySoon waits a moment for the index: that of a small wiki is made at once.
func (r *repo) historySoon(ctx context.Context) bool {
	const moment = 50 * time.Millisecond
	for deadline := time.Now().Add(moment); !r.historyReady(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
	}
	return true
}

// askGitForLast is the commit that last touched a file, from stock git: a walk
// that the commit-graph's changed-path filters make short.
func (r *repo) askGitForLast(ctx context.Context, at plumbing.Hash, file string) (wiki.Commit, error) {
	out, err := r.store.git(ctx, r.dir, "log", "-1", "--format=%H", at.String(), "--", ":(literal)"+file)
	if err != nil {
		return wiki.Commit{}, err
	}
	name := string(bytes.TrimSpace(out))
	if !plumbing.IsHash(name) {
		return wiki.Commit{}, fmt.Errorf("git found no commit that touched %q", file)
	}
	c, err := r.commit(plumbing.NewHash(name))
	if err != nil {
		return wiki.Commit{}, err
	}
	return plainCommit(plumbing.NewHash(name), c), nil
}

// plainCommit is a commit as it describes itself; trailers count only where the
// server made it.
func plainCommit(oid plumbing.Hash, c objects.Commit) wiki.Commit {
	out := wiki.Commit{Revision: revision(oid), Author: c.Author.Name, AuthorEmail: c.Author.Email, Date: c.Author.When}
	for _, p := range c.Parents {
		out.Parents = append(out.Parents, revision(p))
	}
	subject, body, _ := strings.Cut(c.Message, "\n")
	own := c.Committer.Email == ServerEmail
	var kept []string
	// The space before a line that a person wrote sets it apart from the server's own.
	for _, l := range strings.Split(strings.Trim(body, "\n"), "\n") {
		if key, value, ok := strings.Cut(l, ": "); own && ok && trailerLine(l) {
			switch key {
			case trailerActor:
				out.Actor = wiki.Username(value)
			case trailerVia:
				out.Via = wiki.Via(value)
			case trailerAgent:
				out.Agent = value
			}
			continue
		}
		kept = append(kept, l)
	}
	out.Subject, out.Body = subject, strings.TrimSpace(strings.Join(kept, "\n"))
	return out
}
