package limit

import (
	"errors"
	"io"
	"sync"
)

// Bytes is memory that may be taken for the bodies of requests while these are read
// and worked on: so much together, and of it so much by one person. Taken is what has
// arrived, not what was announced, so that nobody keeps memory from others by
// promising. It is safe for concurrent use; the nil Bytes refuses nobody.
type Bytes struct {
	most, each int64

	mu   sync.Mutex
	used int64            // guarded by mu, as of
	of   map[string]int64 // by person
}

// NewBytes is memory of so many bytes, each of them so many for one person.
func NewBytes(most, each int64) *Bytes {
	return &Bytes{most: most, each: each, of: map[string]int64{}}
}

// ErrFull is why reading a body failed for which there is no memory now.
var ErrFull = errors.New("too many large requests at once; try again in a moment")

// freeBytes of each body are not counted: most are no larger, and cost no look at
// the others.
const freeBytes = 32 << 10

// Reader reads a body on somebody's account; reading ends with ErrFull where there is
// no room. end gives back what was taken, and is to be called once, when the body and
// what was made of it are done with.
func (b *Bytes) Reader(who string, body io.ReadCloser) (r io.ReadCloser, end func()) {
	if b == nil || body == nil {
		return body, func() {}
	}
	l := &loan{Bytes: b, who: who, body: body}
	return l, l.end
}

// Take is memory that somebody needs at once, such as for an answer: false where there
// is no room. end gives it back, and is to be called once.
func (b *Bytes) Take(who string, n int64) (end func(), ok bool) {
	if b == nil {
		return func() {}, true
	}
	l := &loan{Bytes: b, who: who}
	return l.end, l.take(n)
}

// Used is how much is taken just now.
func (b *Bytes) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// loan is what one body has taken.
type loan struct {
	*Bytes
	who  string
	body io.ReadCloser

	read int64 // bytes that have arrived
	n    int64 // of them counted; guarded by Bytes.mu
}

func (l *loan) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	l.read += int64(n)
	if l.read > freeBytes && !l.take(l.read) {
		return 0, ErrFull
	}
	return n, err
}

func (l *loan) Close() error { return l.body.Close() }

// take raises the loan to n bytes.
func (l *loan) take(n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	more := n - l.n
	if l.used+more > l.most || l.of[l.who]+more > l.each {
		return false
	}
	l.n = n
	l.used += more
	l.of[l.who] += more
	return true
}

func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used -= l.n
	if l.of[l.who] -= l.n; l.of[l.who] <= 0 {
		delete(l.of, l.who)
	}
	l.n = 0
}
