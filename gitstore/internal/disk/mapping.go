package disk

import (
	"fmt"
	"math"
	"os"
)

// smallFile is the size in bytes up to which a file is read and not mapped: a
// mapping costs a page fault and a place in the kernel's table (65,530 for a
// process), and most packs of a busy repository are smaller.
const smallFile = 32 << 10

// Mapping is the content of a file that never changes, in memory. It is
// released when it can no longer be reached, never before: a reader keeps the
// Mapping reachable (runtime.KeepAlive) for as long as it uses Bytes.
type Mapping struct {
	data []byte
}

// Map reads or maps a file. The caller must not let slices of Bytes outlive
// the Mapping.
func Map(name string) (*Mapping, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if !info.Mode().IsRegular() || size > math.MaxInt/2 {
		return nil, fmt.Errorf("mapping %s: not a regular file that fits into memory", name)
	}
	if size <= smallFile {
		return readFile(f, int(size))
	}
	return mapFile(f, int(size))
}

func readFile(f *os.File, size int) (*Mapping, error) {
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if n < size {
		return nil, fmt.Errorf("reading %s: %d of %d bytes: %w", f.Name(), n, size, err)
	}
	return &Mapping{data: data}, nil
}

// Memory is a Mapping of bytes that are in memory already. They must not
// change afterwards.
func Memory(data []byte) *Mapping { return &Mapping{data: data} }

// Bytes is the file's content. It must not be written to.
func (m *Mapping) Bytes() []byte { return m.data }
