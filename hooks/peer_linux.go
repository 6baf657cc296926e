package hooks

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// peer is the receive-pack process whose hook is at the other end of a socket.
// The start time tells it from a later process with the same number.
type peer struct {
	pid   int
	start string // clock ticks after boot, proc(5) field 22
}

// peerOf asks the kernel who is at the other end (SO_PEERCRED, unix(7)) and whose
// child that is. Only processes of the server's own user and of root are let in.
func peerOf(conn *net.UnixConn) (peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		return peer{}, fmt.Errorf("asking for the peer of the socket: %w", errors.Join(err, credErr))
	}
	if cred.Uid != 0 && int(cred.Uid) != os.Geteuid() {
		return peer{}, fmt.Errorf("a process of user %d asked", cred.Uid)
	}
	parent, _, err := processStat(int(cred.Pid))
	if err != nil {
		return peer{}, err
	}
	_, start, err := processStat(parent)
	if err != nil {
		return peer{}, err
	}
	return peer{parent, start}, nil
}

// alive reports whether the process still runs.
func (p peer) alive() bool {
	_, start, err := processStat(p.pid)
	return err == nil && start == p.start
}

// processStat reads the parent and the start time of a process from proc(5). Its
// name, which may hold anything, stands in the only parentheses.
func processStat(pid int) (parent int, start string, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, "", err
	}
	return parseStat(string(data))
}

func parseStat(s string) (parent int, start string, err error) {
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 20 {
		return 0, "", fmt.Errorf("%q is not a line of /proc/<pid>/stat", s)
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, fields[19], err
}
