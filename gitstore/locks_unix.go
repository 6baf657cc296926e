//go:build unix

package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wikibot/wiki"
)

// takeLocks makes this process the only one that serves the data folder, and
// waits until the git children of the one before it have ended: each holds a
// shared lock for as long as it lives, so none is still writing when the
// cleaner begins.
func (s *Store) takeLocks(ctx context.Context) error {
	lock, err := openLock(filepath.Join(s.cfg.Dir, "lock"))
	if err != nil {
		return folderError(s.cfg.Dir, err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(lock.Name())
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("%w: %w", ErrInUse, wiki.Unavailable("another server (process %s) is running on %s: stop it first, or choose another data folder with --data", strings.TrimSpace(string(pid)), s.cfg.Dir))
		}
		return folderError(s.cfg.Dir, err)
	}
	s.lock = lock
	if err := writePid(lock); err != nil {
		return folderError(s.cfg.Dir, err)
	}
	children, err := openLock(filepath.Join(s.cfg.Dir, "children.lock"))
	if err != nil {
		return folderError(s.cfg.Dir, err)
	}
	if err := waitForChildren(ctx, children); err != nil {
		children.Close()
		return err
	}
	s.children = children
	return nil
}

// ErrInUse is wrapped by Open's error when another process serves the folder.
var ErrInUse = errors.New("data folder in use")

func openLock(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// childWait is how long a start waits for git children of a server that died.
const childWait = 30 * time.Second

func waitForChildren(ctx context.Context, f *os.File) error {
	deadline := time.Now().Add(childWait)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			// Shared from now on: children that inherit the descriptor keep
			// it when this process dies.
			return syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return wiki.Unavailable("git processes of a former server are still at work on the data (they hold %s): wait for them or end them, then start again", f.Name())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// ChildrenLock is the descriptor that every git child must inherit; see
// takeLocks.
func (s *Store) ChildrenLock() *os.File { return s.children }
