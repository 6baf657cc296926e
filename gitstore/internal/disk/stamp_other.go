//go:build !linux

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// StampOf takes a file's stamp; a missing file has the zero Stamp. Here it
// knows size and time of modification alone.
func StampOf(name string) (Stamp, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil:
		t := info.ModTime().UnixNano()
		return Stamp{Size: info.Size(), Mtime: t, Ctime: t, Exists: true}, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return Stamp{}, nil
	}
	return Stamp{}, err
}
