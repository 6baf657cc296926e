package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// daemon is stock git's own server for the same repository.
type daemon struct {
	cmd     *exec.Cmd
	address string // git://host:port
}

func (b *bench) daemon(base string) (*daemon, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	d := &daemon{address: "git://" + addr}
	d.cmd = exec.CommandContext(b.ctx, "git", "daemon", "--reuseaddr", "--listen=127.0.0.1", "--port="+port, "--base-path="+base, "--export-all", base)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // git is a wrapper of git-daemon
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	if err := reachable(addr); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

func (d *daemon) stop() error {
	err := syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
	_ = d.cmd.Wait() // ended by the signal
	return err
}

// network compares clones over the network with those from git daemon, which
// serves the same repository.
func (b *bench) network() error { return b.networkOf("", b.fixture(b.size())) }

func (b *bench) networkOf(prefix, repo string) error {
	st, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	key, err := b.sshKey()
	if err != nil {
		return err
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		return err
	}
	if err := st.AddKey(b.ctx, host(), "carol", strings.TrimSpace(string(public))); err != nil {
		return err
	}
	addr, err := freePort()
	if err != nil {
		return err
	}
	s, err := b.servedFrom(st, "--ssh-listen", addr)
	if err != nil {
		return err
	}
	defer s.remove()
	if err := reachable(addr); err != nil {
		return err
	}
	d, err := b.daemon(filepath.Dir(s.repo))
	if err != nil {
		return err
	}
	defer d.stop()
	dst := b.folder("clone")
	from := func(address string) measure {
		return once(func() error { return os.RemoveAll(dst) }, func() error {
			ssh := "GIT_SSH_COMMAND=ssh -i " + key + " -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
			return gitWith(b.ctx, b.work, []string{ssh}, "clone", "-q", "--bare", address, dst)
		})
	}
	stock := from(d.address + "/" + filepath.Base(s.repo))
	for _, f := range []struct {
		name, address string
		speed         float64 // wanted, of stock git's
	}{
		{"clone.http", s.http(s.reader), 0.9},
		{"clone.ssh", "ssh://git@" + addr + "/" + string(slug) + ".git", 0.8},
	} {
		over := from(f.address)
		if _, err := over(); err != nil { // warm
			return err
		}
		if err := b.compare(prefix+f.name, "ms", atMost(1/f.speed), over, stock); err != nil {
			return err
		}
	}
	return nil
}

// sshKey is the file of a private key, made once.
func (b *bench) sshKey() (string, error) {
	key := filepath.Join(b.work, "key")
	if _, err := os.Stat(key); err == nil {
		return key, nil
	}
	if out, err := exec.CommandContext(b.ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		return "", fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	return key, nil
}

// http is the wiki's clone address with a token.
func (s *served) http(token string) string {
	return fmt.Sprintf("http://git:%s@%s/w/%s.git", token, s.addr, slug)
}

// gitWith is git with more in its environment.
func gitWith(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, append(environment(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

// large pushes and clones a gigabyte that does not compress, and looks at the
// most memory that the server's process takes meanwhile. Its baseline is what it
// took before.
func (b *bench) large() error {
	const most = 64 // MB
	files := 104
	if b.short {
		files = 16
	}
	s, err := b.newServed(b.fixture(200, 200))
	if err != nil {
		return err
	}
	defer s.remove()
	clone := b.folder("large")
	defer os.RemoveAll(clone)
	if err := git(b.ctx, b.work, "clone", "-q", s.http(s.editor), clone); err != nil {
		return err
	}
	if err := fill(filepath.Join(clone, "Large"), files, 9_900_000); err != nil {
		return err
	}
	for _, args := range [][]string{{"config", "core.bigFileThreshold", "1m"}, {"add", "."}, {"commit", "-q", "-m", "Large"}} {
		if err := git(b.ctx, clone, args...); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"push", func() error { return git(b.ctx, clone, "push", "-q", "origin", "HEAD:main") }},
		{"clone", func() error {
			to := b.folder("again")
			defer os.RemoveAll(to)
			return git(b.ctx, b.work, "clone", "-q", "--bare", s.http(s.reader), to)
		}},
	} {
		if err := s.resetPeak(); err != nil {
			return err
		}
		before, err := s.memory("VmRSS")
		if err != nil {
			return err
		}
		if err := step.run(); err != nil {
			return err
		}
		peak, err := s.memory("VmHWM")
		if err != nil {
			return err
		}
		b.print("large."+step.name+".memory", pair{peak, before, peak / before}, "MB", valueMost(most, "MB"))
	}
	return nil
}

// fill makes files of random bytes.
func fill(dir string, files, size int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data := make([]byte, size)
	for i := range files {
		rand.Read(data)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%d.bin", i)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tags pushes many tags at once, beside the same push through the same handler
// without hooks; the benchmark is package server's own.
func (b *bench) tags() error {
	runs, err := b.goBench("wikibot/server", "BenchmarkGitTags$", min(b.rounds, 3), "1x")
	if err != nil {
		return err
	}
	for _, n := range []int{1_000, 5_000} {
		name := fmt.Sprintf("GitTags/%d", n)
		push, plain := runs.median(name, "ms/push"), runs.median(name, "ms/plain")
		wanted := atMost(1.35)
		if n == 1_000 {
			wanted = valueMost(2_000, "ms")
		}
		b.print(fmt.Sprintf("tags.%d", n), pair{push, plain, push / plain}, "ms", wanted)
	}
	return nil
}
