package objects

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// Reading zlib streams (RFC 1950 and 1951) from memory into memory of known
// size, by readers that are used again: making one costs more than most objects
// take to inflate.

// scratch is memory that is used again.
type scratch struct{ b []byte }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func getScratch(n int) *scratch {
	s := scratches.Get().(*scratch)
	if cap(s.b) < n {
		s.b = make([]byte, n, n+n/4)
	}
	s.b = s.b[:n]
	return s
}

// putScratch gives memory back; the very large is left to the collector.
func putScratch(s *scratch) {
	if cap(s.b) <= 1<<20 {
		scratches.Put(s)
	}
}

// inflater is a reader with its source. The library reads a source that has
// ReadByte no further than the stream goes, so what is left tells its length.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func badStream(what string) error { return fmt.Errorf("inflating: %s: %w", what, ErrDamaged) }

func (f *inflater) reset(src []byte) error {
	f.src.Reset(src)
	var err error
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.src)
	} else {
		err = f.z.(zlib.Resetter).Reset(&f.src, nil)
	}
	if err != nil {
		return badStream(err.Error())
	}
	return nil
}

// release gives the reader back without holding on to what it read from.
func (f *inflater) release() {
	f.src.Reset(nil)
	inflaters.Put(f)
}

// inflateZlib fills dst from the zlib stream at the beginning of src, which
// must have just so many bytes, and says how many bytes of src it took.
func inflateZlib(dst, src []byte) (int, error) {
	f := inflaters.Get().(*inflater)
	defer f.release()
	if err := f.reset(src); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(f.z, dst); err != nil {
		return 0, badStream(err.Error())
	}
	// The end of the stream and its checksum are behind the last byte.
	var one [1]byte
	switch n, err := f.z.Read(one[:]); {
	case n > 0:
		return 0, badStream("more than the size says")
	case !errors.Is(err, io.EOF):
		return 0, badStream(fmt.Sprint(err))
	}
	return len(src) - f.src.Len(), nil
}

// inflateSome fills as much of dst as the stream has.
func inflateSome(dst, src []byte) ([]byte, error) {
	f := inflaters.Get().(*inflater)
	defer f.release()
	if err := f.reset(src); err != nil {
		return nil, err
	}
	n := 0
	for n < len(dst) {
		m, err := f.z.Read(dst[n:])
		n += m
		if errors.Is(err, io.EOF) { // the stream's own end; one that is cut is another error
			break
		}
		if err != nil {
			return dst[:n], badStream(err.Error())
		}
	}
	return dst[:n], nil
}

// inflatePrefix fills dst from the beginning of a zlib stream that may go on.
func inflatePrefix(dst, src []byte) error {
	got, err := inflateSome(dst, src)
	if err == nil && len(got) < len(dst) {
		return badStream("too short")
	}
	return err
}
