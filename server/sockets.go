package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wikibot/hooks"
	"wikibot/wiki"
)

// sockets is where the Unix sockets of one data folder are: in its cache
// folder, or, where that path is longer than the system allows, in a folder of
// their own among the temporary files, whose name the data folder keeps in
// cache/sockets.
type sockets struct {
	dir  string // holds both sockets
	note string // the file that names dir; empty where dir is in the data folder
}

func (s *sockets) hooks() string   { return filepath.Join(s.dir, "hooks.sock") }
func (s *sockets) control() string { return filepath.Join(s.dir, "control.sock") }

// newSockets chooses the place.
func newSockets(data string) (*sockets, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	cache := filepath.Join(data, "cache")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, fmt.Errorf("making the cache folder: %w", err)
	}
	near := &sockets{dir: cache}
	if len(near.control()) <= hooks.MaxSocket {
		return near, nil
	}
	if found := findSockets(data); found != nil && found.note != "" && private(found.dir) {
		return found, nil // left by the last run, or in use: listen finds out
	}
	dir, err := os.MkdirTemp("", "wikibot-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the sockets: %w", err)
	}
	s := &sockets{dir: dir, note: filepath.Join(cache, "sockets")}
	if err := os.WriteFile(s.note, []byte(dir+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("noting the sockets' folder: %w", err), os.Remove(dir))
	}
	return s, nil
}

// findSockets is where the server of a data folder would have its sockets; nil
// where none can be.
func findSockets(data string) *sockets {
	data, err := filepath.Abs(data)
	if err != nil {
		return nil
	}
	note := filepath.Join(data, "cache", "sockets")
	if text, err := os.ReadFile(note); err == nil {
		return &sockets{dir: strings.TrimSpace(string(text)), note: note}
	}
	near := &sockets{dir: filepath.Join(data, "cache")}
	if len(near.control()) > hooks.MaxSocket {
		return nil
	}
	return near
}

// private reports whether a folder is ours alone. Names among the temporary
// files can be taken by anybody.
func private(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// listen opens one socket with mode 0600. A socket that a killed server left is
// removed; the lock on the data makes sure that nobody listens on it.
func (s *sockets) listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, wiki.Unavailable("the socket %s cannot be made: %v; the data folder must be on a file system that has sockets", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// remove takes the sockets away, and their folder where it is their own.
func (s *sockets) remove() {
	for _, path := range []string{s.hooks(), s.control()} {
		os.Remove(path) // closing the listener removes it already
	}
	if s.note != "" {
		os.Remove(s.dir)
		os.Remove(s.note)
	}
}

// dial reaches the server of a data folder; nil where none answers.
func dial(ctx context.Context, data string) net.Conn {
	s := findSockets(data)
	if s == nil || s.note != "" && !private(s.dir) {
		return nil
	}
	d := net.Dialer{Timeout: 2 * time.Second}
	conn, err := d.DialContext(ctx, "unix", s.control())
	if err != nil {
		return nil
	}
	return conn
}
