package objects

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

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

// inflater is a reader of zlib streams that is used again.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func (f *inflater) reset(src []byte) error {
	f.src.Reset(src)
	if f.z == nil {
		z, err := zlib.NewReader(&f.src)
		f.z = z
		return err
	}
	return f.z.(zlib.Resetter).Reset(&f.src, nil)
}

// inflateZlib fills dst from the zlib stream (RFC 1950) at the beginning of
// src, which must end just there, and says how many bytes of src it took.
func inflateZlib(dst, src []byte) (int, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if err := f.reset(src); err != nil {
		return 0, fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	if _, err := io.ReadFull(f.z, dst); err != nil {
		return 0, fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	var more [1]byte
	if n, err := f.z.Read(more[:]); n != 0 || err != io.EOF {
		return 0, fmt.Errorf("inflating: more than the size says, or a bad checksum: %w", ErrDamaged)
	}
	return len(src) - f.src.Len(), nil
}

// inflatePrefix fills dst from the beginning of a zlib stream that may go on.
func inflatePrefix(dst, src []byte) error {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if err := f.reset(src); err != nil {
		return fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	if _, err := io.ReadFull(f.z, dst); err != nil {
		return fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	return nil
}

// inflateSome fills as much of dst as the stream has.
func inflateSome(dst, src []byte) ([]byte, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if err := f.reset(src); err != nil {
		return nil, fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	n, err := io.ReadFull(f.z, dst)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("inflating: %w: %w", err, ErrDamaged)
	}
	return dst[:n], nil
}
