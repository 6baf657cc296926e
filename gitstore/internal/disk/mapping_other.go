//go:build !unix

package disk

import "os"

// mapFile reads the file: there is no mmap here.
func mapFile(f *os.File, size int) (*Mapping, error) { return readFile(f, size) }
