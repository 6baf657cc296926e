package wiki

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Layout is how a wiki's addresses are formed.
type Layout string

// The layouts. Both are always understood; the configured one serves content
// and the other redirects to it.
const (
	LayoutPath      Layout = "path"      // {base}/w/{slug}/…
	LayoutSubdomain Layout = "subdomain" // {slug}.{domain}/…
)

// Addresses builds and parses every URL of the site. Base has a scheme and a
// host and no path.
type Addresses struct {
	Base   url.URL
	Layout Layout

	// SSHHost is where git over SSH is reached: a host, in brackets where it is
	// an IPv6 address, and the port where it is not 22. Empty: SSH is off.
	SSHHost string
}

// ParseAddresses checks a base URL: http or https, a host, perhaps a port, no
// path, query or fragment.
func ParseAddresses(base string, layout Layout) (Addresses, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return Addresses{}, Invalid("base_url", "the base URL %q must read like https://wiki.example.org", base)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return Addresses{}, Invalid("base_url", "the base URL %q must have no path, query or user: a wiki site is the root of its host", base)
	case layout != LayoutPath && layout != LayoutSubdomain:
		return Addresses{}, Invalid("layout", "the layout %q is not one of path, subdomain", string(layout))
	case layout == LayoutSubdomain && net.ParseIP(u.Hostname()) != nil:
		return Addresses{}, Invalid("layout", "the layout subdomain needs a base URL with a host name; %q has an IP address: use the layout path", base)
	}
	return Addresses{Base: url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, Layout: layout}, nil
}

var sshHostForm = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$`)

// ParseSSHHost checks a host name or address with perhaps a port, as
// Addresses.SSHHost is.
func ParseSSHHost(s string) (string, error) {
	m := sshHostForm.FindStringSubmatch(s)
	port, err := 0, error(nil)
	if m != nil && m[1] != "" {
		port, err = strconv.Atoi(m[1])
	}
	if m == nil || err != nil || port > 65535 {
		return "", Invalid("ssh_host", "%q is no host name: it reads like git.example.org or git.example.org:2222, without a scheme, user or path", s)
	}
	return s, nil
}

// Domain is the host without its port; it ends the noreply addresses.
func (a Addresses) Domain() string { return a.Base.Hostname() }

// Secure reports whether the site is served over TLS, so that cookies are
// Secure.
func (a Addresses) Secure() bool { return a.Base.Scheme == "https" }

// Site is the absolute URL of a path of the apex: Site("/auth/login").
func (a Addresses) Site(path string) string { return a.Base.String() + path }

// Root is what stands before a wiki's own paths, without a final slash: a path
// ("/w/notes") where the wiki shares the apex's host, else an absolute URL.
func (a Addresses) Root(s Slug) string {
	if a.Layout == LayoutSubdomain {
		return a.Base.Scheme + "://" + string(s) + "." + a.Base.Host
	}
	return "/w/" + string(s)
}

// Absolute is Root as an absolute URL.
func (a Addresses) Absolute(s Slug) string {
	if a.Layout == LayoutSubdomain {
		return a.Root(s)
	}
	return a.Base.String() + a.Root(s)
}

// Prefix is the path part of Root: what a handler inside one wiki puts before
// its own links.
func (a Addresses) Prefix(s Slug) string {
	if a.Layout == LayoutSubdomain {
		return ""
	}
	return "/w/" + string(s)
}

// Page is the path of a page's URL within its wiki's host.
func (a Addresses) Page(s Slug, p PagePath) string {
	if Reserved(string(p)) {
		return a.View(s, "page", p)
	}
	return a.Prefix(s) + "/" + EscapePath(string(p))
}

// File is the path of an attachment's URL within its wiki's host.
func (a Addresses) File(s Slug, f FilePath) string {
	if Reserved(string(f)) {
		return a.Prefix(s) + "/-/file/" + EscapePath(string(f))
	}
	return a.Prefix(s) + "/" + EscapePath(string(f))
}

// View is the path of another view of a page ("history", "edit", …), or, with
// an empty page, of a view of the wiki ("changelog", "search").
func (a Addresses) View(s Slug, view string, p PagePath) string {
	if p == "" {
		return a.Prefix(s) + "/-/" + view
	}
	return a.Prefix(s) + "/-/" + view + "/" + EscapePath(string(p))
}

// Git is the absolute URL from which the wiki is cloned.
func (a Addresses) Git(s Slug) string {
	if a.Layout == LayoutSubdomain {
		return a.Root(s) + "/repo.git"
	}
	return a.Absolute(s) + ".git"
}

// SSH is the address from which the wiki is cloned over SSH; with an empty slug,
// admin.git. Empty where SSH is off. The user name in it means nothing: the key
// says who it is.
func (a Addresses) SSH(s Slug) string {
	switch {
	case a.SSHHost == "":
		return ""
	case s == "":
		s = "admin"
	}
	return "ssh://git@" + a.SSHHost + "/" + string(s) + ".git"
}

// SSHCommand is the command line that gives a command to the server over SSH:
// "ssh -p 2222 git@wiki.example.org login". Empty where SSH is off.
func (a Addresses) SSHCommand(command string) string {
	if a.SSHHost == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(a.SSHHost)
	line := "ssh "
	if err != nil {
		host = strings.Trim(a.SSHHost, "[]")
	} else {
		line += "-p " + port + " "
	}
	return strings.TrimSpace(line + "git@" + host + " " + command)
}

// MCP is the absolute URL of the wiki's MCP endpoint.
func (a Addresses) MCP(s Slug) string { return a.Absolute(s) + "/mcp" }

// API is the absolute URL of the wiki's REST interface.
func (a Addresses) API(s Slug) string { return a.Absolute(s) + "/api/v1" }

// Locate finds the wiki that a request is for. rest is the escaped path within
// the wiki ("/Design/Auth"; "/repo.git/info/refs" for git, in both layouts), or
// the whole path for the apex (then slug is empty). elsewhere is true where the
// request came by the layout that is not configured and should be redirected.
func (a Addresses) Locate(host, escapedPath string) (slug Slug, rest string, elsewhere bool) {
	if s, ok := a.subdomain(host); ok {
		return s, escapedPath, a.Layout != LayoutSubdomain
	}
	after, ok := strings.CutPrefix(escapedPath, "/w/")
	if !ok {
		return "", escapedPath, false
	}
	name, rest, found := strings.Cut(after, "/")
	if found {
		rest = "/" + rest
	}
	if s, isGit := strings.CutSuffix(name, ".git"); isGit {
		name, rest = s, "/repo.git"+rest
	}
	s, err := ParseSlug(name)
	if err != nil {
		return "", escapedPath, false
	}
	return s, rest, a.Layout != LayoutPath
}

func (a Addresses) subdomain(host string) (Slug, bool) {
	host = strings.ToLower(host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	sub, ok := strings.CutSuffix(host, "."+a.Base.Hostname())
	if !ok {
		return "", false
	}
	s, err := ParseSlug(sub)
	return s, err == nil
}

// Elsewhere is the absolute URL, in the configured layout, of a path within a
// wiki as Locate returned it.
func (a Addresses) Elsewhere(s Slug, rest string) string {
	if git, ok := strings.CutPrefix(rest, "/repo.git"); ok && a.Layout == LayoutPath {
		return a.Git(s) + git
	}
	return a.Absolute(s) + rest
}

// reservedFirst are the first segments of a wiki's URLs that are not pages.
var reservedFirst = words(`- mcp api repo.git robots.txt favicon.ico sitemap.xml health auth assets`)

// Reserved reports whether a path's first component means something else in
// URLs; the page then lives at /-/page/<path>.
func Reserved(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return reservedFirst[Fold(first)]
}

// EscapePath percent-encodes each component for a URL path (RFC 3986).
func EscapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, c := range parts {
		parts[i] = url.PathEscape(c)
	}
	return strings.Join(parts, "/")
}
