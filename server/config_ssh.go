package server

import (
	"fmt"
	"net"
	"strings"

	"wikibot/wiki"
)

const (
	sshAuto     = "auto"           // as Config.SSHListen
	sshAutoAddr = "127.0.0.1:2222" // what it stands for
	sshPort     = "22"             // left out of addresses (RFC 4253, 4)
)

// sshHost is under which name and port people reach git over SSH, given the
// site's own host; empty where SSH is off. For "auto" and port 0 the caller
// replaces SSHListen by what was opened.
func (c Config) sshHost(site string) string {
	if c.SSHListen == "" {
		return ""
	}
	listen := c.SSHListen
	if listen == sshAuto {
		listen = sshAutoAddr
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	host := site
	if c.SSH.Host != "" {
		host = c.SSH.Host
		if h, p, err := net.SplitHostPort(host); err == nil {
			host, port = h, p
		}
	}
	host = strings.Trim(host, "[]")
	switch {
	case port != sshPort:
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// sshProblems are the values about SSH that cannot be right.
func (c Config) sshProblems() (list []problem) {
	add := func(key, format string, args ...any) { list = append(list, problem{key, fmt.Sprintf(format, args...)}) }
	if c.SSHListen != "" && c.SSHListen != sshAuto {
		_, port, err := net.SplitHostPort(c.SSHListen)
		switch {
		case err != nil || port == "":
			add("ssh_listen", "%q is no address: it reads like 127.0.0.1:2222, or :2222 for every address of the machine; auto for 127.0.0.1:2222 where it is free", c.SSHListen)
		case c.SSHListen == c.Listen && port != "0":
			add("ssh_listen", "%q is the address of listen too: choose another port, such as 2222", c.SSHListen)
		}
	}
	if c.SSH.Host != "" {
		if _, err := wiki.ParseSSHHost(c.SSH.Host); err != nil {
			add("ssh.host", "%v", err)
		}
	}
	for _, n := range []struct {
		key string
		n   int
	}{{"ssh.max_connections", c.SSH.MaxConnections}, {"ssh.per_address", c.SSH.PerAddress}, {"ssh.per_key", c.SSH.PerKey}} {
		if n.n < 1 {
			add(n.key, "%d: at least 1 is needed, or nobody could use SSH; turn SSH off with ssh_listen = \"\"", n.n)
		}
	}
	return list
}
