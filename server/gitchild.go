package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	killAfter = 5 * time.Second // between asking git to end and ending it
	drainMost = 64 << 20        // bytes
)

// gitChild is one git process of a transport.
type gitChild struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc // of the context that cmd was made with
	body   io.Reader          // what the client says; nil where it says nothing

	// out carries what git says to the client, to its end. The error is one of
	// writing: git may end whenever it likes.
	out func(git io.Reader) error
	// errs gets what git says on standard error, beside the log; may be nil.
	errs io.Writer
	// rest decides, after git has ended, about what the client may still be
	// saying; fed gives the error of reading it once that has come to its end.
	rest func(fed <-chan error) error

	started func() error // called once git was started or has failed to; may be nil

	// fails: git is to fail by itself, which it does when its input and its own
	// children end. receive-pack removes its quarantine then, and not when a
	// signal ends it (since git 2.39).
	fails bool

	stdin io.Closer // set by run; nil where git is told nothing
	ended atomic.Bool
}

// run runs git to its end. If the client leaves or sends what it should not, git
// and its own children are ended.
func (c *gitChild) run() error {
	said := &tail{}
	c.cmd.Stderr = said
	if c.errs != nil {
		c.cmd.Stderr = io.MultiWriter(said, c.errs)
	}
	// Wait may not give up on a slow client who still reads what git said last.
	c.cmd.WaitDelay = 0
	c.cmd.Cancel = c.end
	var stdin io.WriteCloser
	if c.body != nil {
		var err error
		if stdin, err = c.cmd.StdinPipe(); err != nil {
			return err
		}
		c.stdin = stdin
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	wait, err := startGit(c.cmd)
	if c.started != nil {
		err = errors.Join(err, c.started())
	}
	if err != nil {
		return fmt.Errorf("starting git: %w", err)
	}
	fed := make(chan error, 1)
	if stdin == nil {
		fed <- nil
	} else {
		go func() {
			err := feed(stdin, c.body)
			fed <- err // known before git ends because of it
			if err != nil {
				c.cancel()
			}
		}()
	}
	wrote := c.out(stdout)
	if wrote != nil {
		c.cancel()
	}
	err = wait()
	c.ended.Store(true)
	if err != nil {
		err = fmt.Errorf("git: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return errors.Join(c.rest(fed), wrote, err)
}

// carry carries what git says to write as it comes; pause says that git has no more
// to say at the moment. The error is one of writing: git may end whenever it likes.
func carry(git io.Reader, write func(p []byte, pause bool) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, readErr := git.Read(buf)
		if n > 0 {
			if err := write(buf[:n], n < len(buf)); err != nil {
				return err
			}
		}
		if readErr != nil {
			return nil
		}
	}
}

// end asks git and its children to end, so that they remove their temporary files,
// and ends them soon after.
func (c *gitChild) end() error {
	group := -c.cmd.Process.Pid
	time.AfterFunc(killAfter, func() {
		if !c.ended.Load() {
			_ = syscall.Kill(group, syscall.SIGKILL) // gone already is as well
		}
	})
	if c.fails && c.stdin != nil {
		_ = c.stdin.Close() // closed already is as well
		if endChildren(c.cmd.Process.Pid) {
			return nil
		}
	}
	return syscall.Kill(group, syscall.SIGTERM)
}

// startGit starts cmd on a thread that is kept until the child has ended: the
// kernel ends the child when that thread dies, which is when the server does. wait
// must be called once, after all that the child says has been read.
func startGit(cmd *exec.Cmd) (wait func() error, err error) {
	started, finish, ended := make(chan error), make(chan struct{}), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		endWithServer(cmd)
		err := cmd.Start()
		started <- err
		if err == nil {
			<-finish
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return func() error { close(finish); return <-ended }, nil
}

// feed carries the client's body to git. Where git has ended already, the rest is
// read and dropped within bounds, so that the client gets to read why. The error
// is one of the body.
func feed(stdin io.WriteCloser, body io.Reader) error {
	defer stdin.Close()
	buf := make([]byte, 32<<10)
	open, dropped := true, 0
	for dropped < drainMost {
		n, err := body.Read(buf)
		if open {
			if _, werr := stdin.Write(buf[:n]); werr != nil {
				open = false
			}
		} else {
			dropped += n
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tail keeps the last of what git says for the log.
type tail struct{ last []byte }

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last, p...)
	if len(t.last) > 2*maxTail {
		t.last = append([]byte(nil), t.last[len(t.last)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.last[max(0, len(t.last)-maxTail):]) }
