package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// git archive --remote (git-upload-archive(1)). The client sends its arguments,
// each a pkt-line "argument …", and a flush packet. git itself lets it name any
// ref, hidden ones too, so the arguments are read here and given to git anew: only
// options that change the form of the archive, a branch or tag spelt in full, and
// paths in it.

const (
	maxArchiveArguments = 60       // git takes 63
	maxArchiveRequest   = 64 << 10 // bytes
)

// errTold says that the client knows already why nothing was done.
var errTold = errors.New("the client was told")

// archive reads what the client wants and gives it as git is to get it. errTold
// where it cannot be had.
func (s *sshSession) archive(repo *gitstore.Repository, body io.Reader) ([]byte, error) {
	args, err := readArguments(body)
	if err == nil {
		args, err = archiveArguments(args, repo.HasRef)
	}
	var told *wiki.Error
	if errors.As(err, &told) {
		// Shown as "fatal: git archive: NACK …".
		_ = pktline.NewEncoder(s.stdout()).Encodef("NACK %s\n", told.Text) // the client has left
		return nil, errTold
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := pktline.NewEncoder(&b)
	for _, a := range args {
		if err := e.Encodef("argument %s\n", a); err != nil {
			return nil, err
		}
	}
	err = e.Flush()
	return b.Bytes(), err
}

// readArguments reads the arguments that a client sends.
func readArguments(r io.Reader) ([]string, error) {
	var args []string
	lines := pktline.NewScanner(io.LimitReader(r, maxArchiveRequest))
	for lines.Scan() {
		if len(lines.Bytes()) == 0 { // the flush packet
			return args, nil
		}
		arg, ok := strings.CutPrefix(strings.TrimSuffix(string(lines.Bytes()), "\n"), "argument ")
		if !ok || len(args) == maxArchiveArguments || strings.ContainsAny(arg, "\n\x00") {
			break
		}
		args = append(args, arg)
	}
	return nil, wiki.Invalid("arguments", "the request is no list of up to %d arguments as git archive sends it", maxArchiveArguments)
}

var (
	archiveSwitch = regexp.MustCompile(`^(?:-[0-9]|-v|--verbose|-l|--list)$`)
	archiveOption = []string{"--format", "--prefix", "--mtime"}
)

// archiveArguments are the arguments for git, given the client's. exists tells
// whether a ref is there.
func archiveArguments(args []string, exists func(ref string) (bool, error)) ([]string, error) {
	var options, names []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, _, hasValue := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			names = append(names, args[i+1:]...)
			i = len(args)
		case !strings.HasPrefix(arg, "-"):
			names = append(names, arg)
		case archiveSwitch.MatchString(arg):
			options = append(options, arg)
		case slices.Contains(archiveOption, name) && hasValue:
			options = append(options, arg)
		case slices.Contains(archiveOption, name) && i+1 < len(args):
			i++
			options = append(options, name+"="+args[i])
		default:
			return nil, wiki.Invalid("arguments", "the option %q is not taken here; use --format, --prefix, --mtime, --list, -v, -0 to -9, and git's options in full", arg)
		}
	}
	if len(names) == 0 {
		if slices.Contains(options, "-l") || slices.Contains(options, "--list") {
			return options, nil
		}
		return nil, wiki.Invalid("arguments", "say which branch or tag, such as main")
	}
	name, path, inside := strings.Cut(names[0], ":")
	ref, err := archiveRef(name, exists)
	if err != nil {
		return nil, err
	}
	if inside {
		ref += ":" + path
	}
	return append(append(options, "--", ref), names[1:]...), nil
}

// archiveRef is the full name of the branch or tag that a client means, by git's
// own order (gitrevisions(7)). Object names and everything with an operator
// ("main^{tree}", "@{1}") mean no ref.
func archiveRef(name string, exists func(string) (bool, error)) (string, error) {
	if name == "HEAD" {
		return name, nil
	}
	var candidates []string
	switch {
	case strings.HasPrefix(name, "refs/heads/"), strings.HasPrefix(name, "refs/tags/"):
		candidates = []string{name}
	case strings.HasPrefix(name, "refs/"):
	case strings.HasPrefix(name, "heads/"), strings.HasPrefix(name, "tags/"):
		candidates = []string{"refs/" + name, "refs/tags/" + name, "refs/heads/" + name}
	default:
		candidates = []string{"refs/tags/" + name, "refs/heads/" + name}
	}
	for _, ref := range candidates {
		there, err := exists(ref)
		if err != nil {
			return "", fmt.Errorf("looking for %s: %w", ref, err)
		}
		if there {
			return ref, nil
		}
	}
	return "", wiki.NotFound("there is no branch or tag %q", name)
}
