package mcp

import (
	"net/url"
	"strings"

	"wikibot/wiki"
)

// resourceScheme begins the address of a page or an attachment as a resource:
// wiki:///Design/Auth. Its path is percent-encoded as in a URL (RFC 3986).
const resourceScheme = "wiki:///"

// resourceOf is a page's address as a resource.
func resourceOf(p wiki.PagePath) string { return resourceScheme + wiki.EscapePath(string(p)) }

// resourceOfFile is an attachment's address as a resource.
func resourceOfFile(f wiki.FilePath) string { return resourceScheme + wiki.EscapePath(string(f)) }

// unescapeResource is the path within the wiki that a resource's address names.
func unescapeResource(uri string) (string, error) {
	rest, ok := strings.CutPrefix(uri, resourceScheme)
	if !ok {
		return "", wiki.Invalid("uri", "%q is no resource of a wiki: they read like wiki:///Design/Auth", lineOf(uri, 200))
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return "", wiki.Invalid("uri", "the percent-encoding of %q is wrong", lineOf(uri, 200))
	}
	return path, nil
}

func pathOfResource(uri string) (wiki.PagePath, error) {
	path, err := unescapeResource(uri)
	if err != nil {
		return "", err
	}
	return wiki.ParsePagePath(path)
}

// pathOfURL is the page that an address of this wiki's pages shows.
func (k *call) pathOfURL(s string) (wiki.PagePath, error) {
	no := wiki.Invalid("path", "%q is no page of this wiki; give its path, such as Design/Auth. Nothing is fetched from addresses", lineOf(s, 200))
	u, err := url.Parse(s)
	if err != nil {
		return "", no
	}
	slug, rest, _ := k.h.Addresses.Locate(u.Host, u.EscapedPath())
	base := k.h.Addresses.Base
	ours := u.Host == base.Host || strings.HasSuffix(u.Host, "."+base.Host)
	if !ours || slug == "" || slug != k.slug || u.Scheme != base.Scheme {
		return "", no
	}
	rest = strings.TrimPrefix(rest, "/-/page")
	path, err := url.PathUnescape(strings.TrimPrefix(rest, "/"))
	if err != nil || strings.HasPrefix(rest, "/-/") {
		return "", no
	}
	return wiki.ParsePagePath(path)
}

// url is the address of a page for browsers.
func (k *call) url(p wiki.PagePath) string {
	page := k.h.Addresses.Page(k.slug, p)
	if strings.HasPrefix(page, "/") {
		return k.h.Addresses.Site(page)
	}
	return page
}
