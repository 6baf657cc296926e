//go:build !linux

package gitstore

import "errors"

// swapFolders is for systems that can exchange two folders in one step.
func swapFolders(string, string) error { return errors.ErrUnsupported }
