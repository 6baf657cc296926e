package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that is measured, in a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string // host:port
	log  bytes.Buffer
}

// serve starts the program on a data folder and waits for the line that says
// where it serves.
func (b *bench) serve(dir string, more ...string) (*process, error) {
	args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, more...)
	for _, rate := range []string{"reads", "writes", "anonymous-reads", "anonymous-writes"} { // counted, and never met
		args = append(args, "--rates-"+rate, "1000000/s burst 1000000")
	}
	return b.spawn(b.binary, args...)
}

// freePort is an address of loopback that nobody listens on.
func freePort() (string, error) {
	l, err := listenLoopback()
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// reachable waits until somebody listens at an address.
func reachable(addr string) error {
	var err error
	for range 500 {
		var c net.Conn
		if c, err = net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

func (b *bench) spawn(program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(b.ctx, program, args...)}
	p.cmd.Stderr = &p.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	for _, word := range strings.Fields(line) {
		if u, e := url.Parse(word); e == nil && u.Host != "" {
			p.addr = u.Host
		}
	}
	if p.addr == "" {
		return nil, errors.Join(err, fmt.Errorf("%s said %q", program, line), p.stop(), errors.New(p.log.String()))
	}
	go r.WriteTo(&bytes.Buffer{})
	return p, nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.AfterFunc(30*time.Second, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	if err != nil && strings.Contains(err.Error(), "signal: terminated") {
		return nil // a bare server does not catch it
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, p.log.String())
	}
	return nil
}

// memory is a field of /proc/<pid>/status in MB: VmRSS now, VmHWM at most.
func (p *process) memory(field string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("the system does not tell %s", field)
}

// resetPeak makes the present memory the peak.
func (p *process) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// bareArg makes this program a server that answers every request with so many
// bytes: what HTTP itself costs on this machine.
const bareArg = "-bare"

func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
