package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

const (
	// maxGroup is the most changes that become one pack.
	maxGroup = 256
	// maxStale is how often a batch is made again because someone moved a
	// ref with git itself; pushes do not count, they come through the queue.
	maxStale = 50
	// idleWriter is how long a writer without work stays before its
	// goroutine ends.
	idleWriter = 30 * time.Second
)

// job is one change on its way through a repository's writer.
type job struct {
	ctx    context.Context
	caller wiki.Caller
	run    func(b *batch) error // may run again on a newer batch
	err    error
	dry    bool // what run did is rolled back
	done   chan struct{}
	moved  map[string][2]tip // refs that this change moved, from and to
}

// writer is the queue in front of a repository's one writing goroutine.
type writer struct {
	mu      sync.Mutex
	queue   []*job // guarded by mu
	running bool   // guarded by mu
	busy    bool   // a batch is being written; guarded by mu
	closed  bool   // guarded by mu
	why     error  // what those are told who come when it is closed; nil: the server is shutting down; guarded by mu
	wake    chan struct{}
}

// do puts a change into the queue and waits until it is on the disk or refused.
// A caller who gives up while the change is still queued withdraws it; once the
// writer has begun, the answer is worth waiting for and comes soon.
func (r *repo) do(j *job) error {
	j.done = make(chan struct{})
	w := &r.writer
	w.mu.Lock()
	if w.closed {
		why := w.why
		w.mu.Unlock()
		if why != nil {
			return why
		}
		return wiki.Unavailable("the server is shutting down; nothing was changed, try again in a moment")
	}
	w.queue = append(w.queue, j)
	start := !w.running
	w.running = true
	w.mu.Unlock()
	if start {
		go r.writeLoop()
	} else {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	<-j.done
	return j.err
}

func (r *repo) writeLoop() {
	idle := time.NewTimer(idleWriter)
	defer idle.Stop()
	for {
		jobs := r.takeJobs()
		if jobs != nil {
			began := time.Now()
			moved := r.write(jobs)
			took := time.Since(began)
			r.afterWrite(moved)
			r.writer.rest()
			r.writer.gather(len(jobs), took/8)
			continue
		}
		idle.Reset(idleWriter)
		select {
		case <-r.writer.wake:
		case <-idle.C:
			if r.stopWriting() {
				return
			}
		}
	}
}

// gather waits a moment for as many changes as the last batch had. Its callers
// have just been answered: whoever goes on writing is back at once, and the first
// of them would otherwise have a batch, and its syncs, alone. A single caller
// waits for nobody.
func (w *writer) gather(n int, most time.Duration) {
	if n < 2 {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		w.mu.Lock()
		enough := len(w.queue) >= n || w.closed
		w.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-w.wake:
		case <-timer.C:
			return
		}
	}
}

// stopWriting ends the goroutine's claim to be the writer, unless work came in.
func (r *repo) stopWriting() bool {
	r.writer.mu.Lock()
	defer r.writer.mu.Unlock()
	if len(r.writer.queue) > 0 {
		return false
	}
	r.writer.running = false
	return true
}

func (r *repo) takeJobs() []*job {
	w := &r.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxGroup)
	if n == 0 {
		return nil
	}
	w.busy = true
	jobs := w.queue[:n:n]
	w.queue = append([]*job(nil), w.queue[n:]...)
	return jobs
}

// rest tells closeWriter that the batch is done.
func (w *writer) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
}

// idle reports whether nothing is queued or being written.
func (w *writer) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) == 0 && !w.busy
}

// closeWriter refuses new changes, with the error why, and waits until the queue is
// written.
func (r *repo) closeWriter(ctx context.Context, why error) error {
	w := &r.writer
	w.mu.Lock()
	w.closed, w.why = true, why
	w.mu.Unlock()
	for {
		w.mu.Lock()
		done := len(w.queue) == 0 && !w.busy
		w.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// write makes one batch of the jobs and puts it on the disk. Every job is
// answered: with nil only when its change is durable. It returns the refs that moved.
func (r *repo) write(jobs []*job) (moved []string) {
	answered := false
	defer func() {
		// A panic is a fault in the program; the callers get an answer and
		// the server goes on with the state that is on the disk.
		if p := recover(); p != nil {
			r.store.log.Error("the writer failed", "wiki", r.name, "panic", p, "stack", string(debug.Stack()))
		}
		if !answered {
			for _, j := range jobs {
				j.err = errors.Join(errors.New("the writer failed; nothing was changed"), j.err)
			}
		}
		for _, j := range jobs {
			close(j.done)
		}
	}()
	var err error
	for try := 0; try < maxStale; try++ {
		var stale *refs.StaleError
		if moved, err = r.tryWrite(jobs, try > 0); err == nil || !errors.As(err, &stale) {
			break
		}
	}
	if err != nil {
		r.doubt = true
		err = r.refuse(err)
		for _, j := range jobs {
			j.err = err
		}
	}
	answered = true
	return moved
}

// refuse turns a failure to write into what the callers are told.
func (r *repo) refuse(err error) error {
	r.store.log.Error("a write failed; the repository is as it was", "wiki", r.name, "error", err)
	var stale *refs.StaleError
	if errors.As(err, &stale) {
		return wiki.Unavailable("the repository is being changed by another program all the time: nothing was changed, try again")
	}
	if told := diskTrouble(err); told != nil {
		return told
	}
	return fmt.Errorf("writing to %s: %w", r.name, err)
}

// diskTrouble is what people are told where the disk is why nothing was
// written; nil for any other error.
func diskTrouble(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return wiki.Unavailable("the disk is full: nothing was changed. Make room on the server and try again")
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return wiki.Unavailable("the server may not write to its data folder: nothing was changed. Its operator has to mend the folder's permissions")
	case errors.Is(err, syscall.EIO):
		return wiki.Unavailable("the server's disk fails: nothing was changed. Its operator finds the cause in the server's log and the kernel's")
	}
	return nil
}

func (r *repo) tryWrite(jobs []*job, force bool) (moved []string, err error) {
	st, err := r.refresh(force)
	if err != nil {
		return nil, err
	}
	b := r.newBatch(st)
	if r.doubt {
		if err := b.settleDoubt(); err != nil {
			return nil, err
		}
	}
	for _, j := range jobs {
		b.runJob(j)
	}
	updates := b.updates()
	if len(updates) > 0 {
		r.expect(updates)
		if err := r.Commit(Commit{Refs: updates, Objects: b.objs, Sync: b.sync}); err != nil {
			r.expect(nil)
			return nil, err
		}
		if err := r.adopt(b); err != nil {
			return nil, err
		}
		r.keepGood(b)
		r.tellHistory(b)
		for _, u := range updates {
			moved = append(moved, u.Name)
		}
	}
	r.doubt = false
	for _, j := range jobs {
		for ref, m := range j.moved {
			r.announceRef(ref, m[0], m[1], j.caller)
		}
	}
	return moved, nil
}

// settleDoubt marks audit entries void that a write has left whose refs could
// neither be moved nor moved back: a failing disk does that.
func (b *batch) settleDoubt() error {
	void, _, err := b.repo.unfinished()
	if err != nil || len(void) == 0 {
		return err
	}
	j := b.repo.voiding(void)
	b.runJob(j)
	return j.err
}

func (b *batch) runJob(j *job) {
	at := b.checkpoint()
	j.err = j.ctx.Err()
	if j.err == nil {
		j.err = b.guard(j)
	}
	j.moved = nil
	if j.err != nil || j.dry {
		b.rollback(at)
		return
	}
	j.moved = b.movedSince(at)
}

// guard runs the change and turns a panic of its function into its error.
func (b *batch) guard(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.repo.store.log.Error("a change failed", "wiki", b.repo.name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the change failed: %v", p)
		}
	}()
	return j.run(b)
}

// Commit is one durable change of a repository: new objects, and refs that move
// from a known old value to a new one, all or nothing as far as a reader or a
// crash can see. Audit entries are refs and objects like any other and come
// first in Refs.
//
// This is the seam for running on many machines: what is above it (merge,
// policy, batches) and what is below (packs on a disk, git's lock files) know
// each other only through it, beside refresh, which loads and watches.
type Commit struct {
	Refs    []refs.Update
	Objects *objects.Batch // nil or empty where all objects are there
	Sync    []string       // folders to be synced before a ref moves
}

// Commit writes the objects, syncs them, takes the locks of all refs, compares,
// and moves them. *refs.StaleError: a ref was not where it was expected, nothing
// has moved. Any other error: nothing has moved, or, after a failing disk,
// the next refresh tells.
func (r *repo) Commit(c Commit) error {
	if err := r.settleObjects(c); err != nil {
		return err
	}
	return r.refs.Set(context.Background(), c.Refs...)
}

// settleObjects makes the objects durable. The syncs run side by side: a journal
// takes several in one commit.
func (r *repo) settleObjects(c Commit) error {
	errs := make(chan error, len(c.Sync))
	for _, dir := range c.Sync {
		go func() {
			err := r.store.fs.SyncDir(dir)
			if errors.Is(err, fs.ErrNotExist) {
				// Somebody's git repack was quicker: what was in it is in a pack.
				err = r.store.fs.SyncDir(filepath.Join(r.dir, "objects", "pack"))
			}
			if err != nil {
				err = fmt.Errorf("syncing %s: %w", dir, err)
			}
			errs <- err
		}()
	}
	var err error
	if c.Objects != nil {
		err = c.Objects.WritePack()
	}
	for range c.Sync {
		err = errors.Join(err, <-errs)
	}
	return err
}

// adopt makes what was just committed the published state, without reading any
// of it again.
func (r *repo) adopt(b *batch) error {
	r.load.Lock()
	defer r.load.Unlock()
	r.inflight = nil
	next := &state{heads: make(map[string]tip, len(watched)), config: b.config, site: b.people, loaded: b.loaded, trouble: b.trouble}
	for _, ref := range watched {
		t := b.heads[ref]
		if !t.commit.IsZero() && !t.root.oid.IsZero() && t.root.load == nil {
			// Written by this batch: its folders stay in memory as they are.
			r.roots.put(t.commit, t.root)
		}
		next.heads[ref] = t
	}
	stamp, err := r.refs.Stamp(watched...)
	if err != nil && !errors.Is(err, refs.ErrDamaged) { // the refs have moved; another one is no ref
		return err
	}
	next.setKey()
	// Someone may have moved a ref with git between our rename and the stamp;
	// the stamp is then not believed, and the next look reads the refs.
	known := true
	for _, ref := range watched {
		if oid, _, err := r.refs.Read(ref); err != nil || oid != next.heads[ref].commit {
			known = false
		}
	}
	r.stamp, r.stale = stamp, !known
	r.publish(next)
	r.looked.Store(r.store.ticks())
	return nil
}
