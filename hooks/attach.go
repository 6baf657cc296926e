package hooks

import (
	"errors"
	"os"
	"os/exec"
)

// Channel is the server's end of the descriptors of one push.
type Channel struct {
	From *os.File // what the hooks say
	To   *os.File // what they are answered
	// The hooks' ends, which git inherits.
	childTo, childFrom *os.File
}

// Attach gives git, which has not been started yet, the two descriptors of its
// hooks (3 to the server, 4 from it) and the variable that announces them. Files
// that cmd has for its child already keep their order behind those two.
func Attach(cmd *exec.Cmd) (*Channel, error) {
	from, childTo, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	childFrom, to, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, from.Close(), childTo.Close())
	}
	cmd.ExtraFiles = append([]*os.File{childTo, childFrom}, cmd.ExtraFiles...)
	cmd.Env = append(cmd.Env, "WIKIBOT_PUSH=1")
	return &Channel{From: from, To: to, childTo: childTo, childFrom: childFrom}, nil
}

// Started closes the hooks' ends in the server, after git was started or has
// failed to: only then does From end when the last process of the push is gone.
func (c *Channel) Started() error { return errors.Join(c.childTo.Close(), c.childFrom.Close()) }

// Close closes the server's ends. Hooks that still wait for an answer refuse
// their push.
func (c *Channel) Close() error { return errors.Join(c.From.Close(), c.To.Close()) }
