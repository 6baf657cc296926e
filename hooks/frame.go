package hooks

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"wikibot/gitstore"
)

// Bounds of a conversation: what is beyond them is refused, so that a push takes
// a bounded part of the server's memory.
const (
	maxCommands = 100_000
	maxOptions  = 1_000
	maxValue    = 64 << 10 // bytes of one value
	maxTotal    = 32 << 20 // bytes of all values
)

// request is what a hook says before the server answers.
type request struct {
	hook       string // "pre-receive" or "proc-receive"
	directory  string // of the repository; on the socket only
	objects    string // GIT_OBJECT_DIRECTORY
	alternates string // GIT_ALTERNATE_OBJECT_DIRECTORIES
	quarantine string // GIT_QUARANTINE_PATH
	options    []string
	commands   []gitstore.RefCommand
}

// greeting opens each request; its number is the version of the conversation.
const greeting = "wikibot-hook 1 "

// readRequest reads one request to its "end". io.EOF means that nothing was said
// at all; everything else that is not a whole request is an error.
func readRequest(r *bufio.Reader) (*request, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	hook, ok := strings.CutPrefix(line, greeting)
	if !ok || hook != "pre-receive" && hook != "proc-receive" {
		return nil, fmt.Errorf("the hook began with %q", line)
	}
	req := &request{hook: hook}
	total := 0
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, fmt.Errorf("the hook ended in mid-sentence: %w", noEOF(err))
		}
		if line == "end" {
			return req, nil
		}
		name, value, err := readFrame(r, line)
		if err != nil {
			return nil, err
		}
		if total += len(value); total > maxTotal {
			return nil, fmt.Errorf("the push names more than %d bytes of refs and options", maxTotal)
		}
		if err := req.set(name, value); err != nil {
			return nil, err
		}
	}
}

// readLine reads a short line without its newline.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		return "", io.EOF
	}
	if err != nil || len(line) > 64 {
		return "", fmt.Errorf("reading a line of the hook: %w", firstError(noEOF(err), bufio.ErrTooLong))
	}
	return string(line[:len(line)-1]), nil
}

// readFrame reads the value whose header ("name length") is given.
func readFrame(r *bufio.Reader, header string) (name, value string, err error) {
	name, length, _ := strings.Cut(header, " ")
	n, err := strconv.ParseUint(length, 10, 32)
	if err != nil || n > maxValue {
		return "", "", fmt.Errorf("the hook's value %q is not one of at most %d bytes", header, maxValue)
	}
	buf := make([]byte, n+1)
	if _, err := io.ReadFull(r, buf); err != nil {
		return "", "", fmt.Errorf("the hook ended in mid-sentence: %w", noEOF(err))
	}
	if buf[n] != '\n' {
		return "", "", fmt.Errorf("the hook's value %q is longer than it says", header)
	}
	return name, string(buf[:n]), nil
}

func (req *request) set(name, value string) error {
	switch name {
	case "directory":
		req.directory = value
	case "objects":
		req.objects = value
	case "alternates":
		req.alternates = value
	case "quarantine":
		req.quarantine = value
	case "option":
		if len(req.options) == maxOptions {
			return fmt.Errorf("the push has more than %d push options", maxOptions)
		}
		req.options = append(req.options, value)
	case "command":
		if len(req.commands) == maxCommands {
			return fmt.Errorf("the push names more than %d refs: push them in parts", maxCommands)
		}
		c, err := parseCommand(value)
		if err != nil {
			return err
		}
		req.commands = append(req.commands, c)
	default:
		return fmt.Errorf("the hook's value %q is unknown", name)
	}
	return nil
}

// parseCommand reads "<old> <new> <ref>": two object names of forty lower-case
// hexadecimal digits, and a full ref name.
func parseCommand(s string) (gitstore.RefCommand, error) {
	if len(s) < 83 || s[40] != ' ' || s[81] != ' ' || !isObjectName(s[:40]) || !isObjectName(s[41:81]) {
		return gitstore.RefCommand{}, fmt.Errorf("git gave the command %q, which is not \"old new ref\"", s)
	}
	if !isRef(s[82:]) {
		return gitstore.RefCommand{}, fmt.Errorf("%q is not the name of a ref: push to a branch such as refs/heads/main", s[82:])
	}
	return gitstore.RefCommand{Old: s[:40], New: s[41:81], Ref: s[82:]}, nil
}

func isObjectName(s string) bool {
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return len(s) == 40
}

// isRef is git-check-ref-format(1) for names below refs/, and additionally
// refuses more than 1,024 bytes. Git checks the names of refs only when it moves
// them itself, so those that go to proc-receive may be anything, a newline with a
// second command included.
func isRef(s string) bool {
	if len(s) > 1024 || !strings.HasPrefix(s, "refs/") || strings.HasSuffix(s, ".") ||
		strings.Contains(s, "..") || strings.Contains(s, "@{") ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }) {
		return false
	}
	for _, c := range strings.Split(s, "/") {
		if c == "" || c[0] == '.' || strings.HasSuffix(c, ".lock") {
			return false
		}
	}
	return true
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
