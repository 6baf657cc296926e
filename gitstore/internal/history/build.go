package history

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"

	"github.com/go-git/go-git/v5/plumbing"
)

// Build makes the index of everything that head reaches from one `git log`,
// read as it is printed. git makes the command from arguments that begin after
// "git"; the caller gives it the repository, the environment, the context that
// ends it. A zero head gives an empty index.
func Build(head plumbing.Hash, git func(args ...string) *exec.Cmd, o Options) (*Index, error) {
	x := New(o)
	if head.IsZero() {
		return x, nil
	}
	entries, err := readLog(git(logArgs(head)...))
	if err != nil {
		return nil, fmt.Errorf("building the history index of %s: %w", head, err)
	}
	byOID := make(map[plumbing.Hash]*entry, len(entries))
	for _, e := range entries {
		byOID[e.OID] = e
	}
	if byOID[head] == nil {
		return nil, fmt.Errorf("building the history index of %s: git log did not print that commit", head)
	}
	if len(entries) >= mostCommits {
		return nil, fmt.Errorf("building the history index of %s: %d commits are too many", head, len(entries))
	}
	x.commits = make([]commitRow, 0, len(entries))
	x.oids.grow(nil, 2*len(entries))
	order(head, byOID, x.append)
	return x, nil
}

func readLog(cmd *exec.Cmd) (entries []*entry, err error) {
	var stderr bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	cmd.Env = append(cmd.Environ(), "GIT_FLUSH=0") // git flushes after each commit otherwise, and both of us wake for it
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := newParser(out)
	for err == nil {
		var e *entry
		if e, err = p.next(); err == nil {
			entries = append(entries, e)
		}
	}
	if err == io.EOF {
		err = nil
	} else if cmd.Process != nil {
		_ = cmd.Process.Kill() // it may be blocked on a pipe that nobody reads
	}
	if e := cmd.Wait(); e != nil && err == nil {
		err = fmt.Errorf("git log: %w: %s", e, trimError(stderr.Bytes()))
	}
	return entries, err
}

// order gives the commits that head reaches within the set, each once, in the
// index's order (see the package). Commits outside the set are there already.
func order(head plumbing.Hash, set map[plumbing.Hash]*entry, emit func(*entry)) {
	for e := set[head]; e != nil && !e.spine; {
		e.spine = true
		if len(e.Parents) == 0 {
			break
		}
		e = set[e.Parents[0]]
	}
	type frame struct {
		e    *entry
		next int // the parent to look at next
	}
	seen := make(map[plumbing.Hash]bool, len(set))
	stack := []frame{{e: set[head]}}
	seen[head] = true
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next == len(f.e.Parents) {
			emit(f.e)
			stack = stack[:len(stack)-1]
			continue
		}
		p := f.e.Parents[f.next]
		f.next++
		if e := set[p]; e != nil && !seen[p] {
			seen[p] = true
			stack = append(stack, frame{e: e})
		}
	}
}
