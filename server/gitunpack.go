package server

import (
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"time"
)

// What git may take to unpack a push. A pack of a few kilobytes can hold objects
// of gigabytes (zeros compress a thousand times, and a delta of a hundred bytes
// makes 16 MB), so bounds on what is sent bound neither memory nor time.

const (
	// unpackFree is the processor time that any push may take, and unpackRate
	// what each byte of it adds. git checks about 20 MB/s.
	unpackFree = time.Minute
	unpackRate = time.Second / 1_000_000

	// unpackAlloc is the most memory that git may ask for at once, where
	// attachments are not larger. Blobs above unpackStream are never held in
	// memory whole.
	unpackAlloc  = 256 << 20
	unpackStream = 16 << 20

	unpackLook = time.Second // between two looks at the time it took
)

// unpackSettings are the settings and the environment that bound the memory of a
// push. Blobs of the largest attachment may come as deltas, which are held.
func (g *gitConfig) unpackSettings() (settings, env []string) {
	return []string{"core.bigFileThreshold=" + strconv.Itoa(unpackStream)},
		[]string{"GIT_ALLOC_LIMIT=" + strconv.FormatInt(max(unpackAlloc, g.MaxFile+g.MaxFile/4), 10)}
}

// archiveLimit bounds the memory of an archive: a branch may hold a .gitattributes
// with export-subst, by which a placeholder of twenty bytes becomes 16 kB, and a file
// that it is meant for is held whole.
func (g *gitConfig) archiveLimit() (env []string) {
	_, env = g.unpackSettings()
	return env
}

// unpacking watches the processor time of one push.
type unpacking struct {
	child *gitChild
	free  time.Duration
	got   atomic.Int64 // bytes that have come
	over  atomic.Bool
}

// counted is the body, counted.
func (u *unpacking) counted(body io.Reader) io.Reader { return countingReader{body, &u.got} }

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// watch ends the push when it has taken too much; it runs until ctx ends.
func (u *unpacking) watch(ctx context.Context) {
	tick := time.NewTicker(min(unpackLook, u.free))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if processorTime(u.child.cmd.Process.Pid) > u.free+time.Duration(u.got.Load())*unpackRate {
			u.over.Store(true)
			u.child.cancel()
			return
		}
	}
}

// err is what the pusher is told where the push was ended.
func (u *unpacking) err(err error) error {
	if u.over.Load() {
		return tooMuch("unpacking this push takes too much work: it has files that are far larger than what was sent; push less at once, and leave the largest files out")
	}
	return err
}
