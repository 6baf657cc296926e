//go:build linux

package gitstore

import "golang.org/x/sys/unix"

// swapFolders exchanges two folders in one step (renameat2(2), RENAME_EXCHANGE), so
// that there is a repository in each place at any moment.
func swapFolders(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
