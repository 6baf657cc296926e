package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxPacket is the most bytes of a pkt-line's content (gitprotocol-common(5)).
const maxPacket = 65516

// errFlush is a flush packet, which ends a list of pkt-lines.
var errFlush = errors.New("flush packet")

// readPacket reads one pkt-line and drops one newline at its end; errFlush where
// it is a flush packet.
func readPacket(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, noEOF(err)
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not the length of a pkt-line", head)
	case n == 0:
		return nil, errFlush
	case n < 4 || n-4 > maxPacket:
		return nil, fmt.Errorf("the pkt-line length %q is out of place", head)
	}
	line := make([]byte, n-4)
	if _, err := io.ReadFull(r, line); err != nil {
		return nil, noEOF(err)
	}
	return bytes.TrimSuffix(line, []byte{'\n'}), nil
}

// formatPacket is the pkt-line of a text without newlines or NULs, which is
// shortened to what a pkt-line can hold.
func formatPacket(s string) string {
	if len(s) > maxPacket {
		s = s[:maxPacket]
	}
	return fmt.Sprintf("%04x%s", len(s)+4, s)
}

// flushPacket ends a list of pkt-lines.
const flushPacket = "0000"
