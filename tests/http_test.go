package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/net/html"

	"wikibot/server"
)

// answer is what the site answered.
type answer struct {
	url    *url.URL
	status int
	header http.Header
	body   []byte
}

// form is a form of a page, with what a browser would send of it.
type form struct {
	action    *url.URL
	multipart bool
	values    url.Values
}

// request sends one request as the present person's browser would: with the
// cookie and, where it changes something, with the headers that say where it
// comes from.
func (s *site) request(ts *testscript.TestScript, method, address string, body []byte, header http.Header) error {
	u, err := s.address(address)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(method, base, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.URL = u
	if r.Host = u.Host; s.me().cookie != "" {
		r.Header.Set("Cookie", s.me().cookie)
	}
	if method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Origin", u.Scheme+"://"+u.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for k, v := range header {
		if r.Header[k] = v; len(v) == 1 && v[0] == "" {
			delete(r.Header, k)
		}
	}
	if h := header.Get("Host"); h != "" {
		r.Host = h
	}
	res, err := s.client().Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	s.last = &answer{url: u, status: res.StatusCode, header: res.Header, body: text}
	for _, c := range res.Cookies() {
		if strings.Contains(c.Name, "wikibot") {
			if s.me().cookie = c.Name + "=" + c.Value; c.MaxAge < 0 {
				s.me().cookie = ""
			}
		}
	}
	ts.Stdout().Write(text)
	fmt.Fprintf(ts.Stderr(), "%s %s\n%d\n", method, u, res.StatusCode)
	for _, k := range sortedKeys(res.Header) {
		fmt.Fprintf(ts.Stderr(), "%s: %s\n", k, strings.Join(res.Header[k], ", "))
	}
	return nil
}

func sortedKeys(h http.Header) []string {
	keys := make([]string, 0, len(h))
	for k := range h {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// address is an absolute URL or a path of the site, sent as it is written:
// nothing in it is cleaned or encoded again.
func (s *site) address(a string) (*url.URL, error) {
	if !strings.HasPrefix(a, "http://") {
		a = base + a
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(a, "http://"), "/")
	path, query, _ := strings.Cut("/"+path, "?")
	path, _, _ = strings.Cut(path, "#")
	if strings.ContainsAny(path, "\" ^`{}<>|\\") || !printable(path) {
		path = encodeRest(path)
	}
	return &url.URL{Scheme: "http", Host: host, Opaque: "//" + host + path, RawQuery: query, Path: path}, nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}

// encodeRest encodes what cannot be in a URL, and nothing else, as browsers do
// with an address that was typed.
func encodeRest(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > 0x7e || strings.IndexByte("\"^`{}<>|\\", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (s *site) client() *http.Client {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		if s.addr == "" {
			return nil, errStopped
		}
		return (&net.Dialer{}).DialContext(ctx, network, s.addr)
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// expect compares the status of the last answer.
func (s *site) expect(want string) error {
	if n, err := strconv.Atoi(want); err != nil || n != s.last.status {
		return fmt.Errorf("%s: status %d, want %s:\n%s", s.last.url, s.last.status, want, text(s.last.body))
	}
	return nil
}

func text(b []byte) string { return string(b[:min(len(b), 4000)]) }

// get reads an address: get STATUS ADDRESS ['Header: value'…]. Standard output
// has the body, standard error the status and the headers. In a header, {{token}}
// is the person's token, and {{Etag}} and the like that header of the last answer.
func get(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 2 && !neg, "get STATUS ADDRESS [HEADER…]")
	header, err := s.headers(args[2:])
	ts.Check(err)
	must(ts, neg, s.request(ts, http.MethodGet, args[1], nil, header))
	must(ts, neg, s.expect(args[0]))
}

func (s *site) headers(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, l := range lines {
		k, v, ok := strings.Cut(l, ":")
		if !ok {
			return nil, fmt.Errorf("%q is no header", l)
		}
		v = regexp.MustCompile(`\{\{(.+?)\}\}`).ReplaceAllStringFunc(v, func(m string) string {
			if m == "{{token}}" {
				return s.me().token
			}
			return s.last.header.Get(strings.Trim(m, "{}"))
		})
		h.Set(k, strings.TrimSpace(v))
	}
	return h, nil
}

// send posts a form that no page offered, as programs and attackers do: send
// STATUS ADDRESS [NAME=VALUE | 'Header: value']…; other methods as
// send METHOD STATUS ADDRESS ….
func send(s *site, ts *testscript.TestScript, neg bool, args []string) {
	method := http.MethodPost
	if len(args) > 0 && strings.ToUpper(args[0]) == args[0] && args[0][0] >= 'A' {
		method, args = args[0], args[1:]
	}
	usage(ts, len(args) >= 2 && !neg, "send [METHOD] STATUS ADDRESS [NAME=VALUE | HEADER]…")
	isHeader := regexp.MustCompile(`^[A-Z][A-Za-z-]*: ?`)
	var lines []string
	f := &form{values: url.Values{}}
	for _, a := range args[2:] {
		if isHeader.MatchString(a) {
			lines = append(lines, a)
			continue
		}
		must(ts, neg, f.fill(ts, a))
	}
	body, kind := f.encode(nil)
	header, err := s.headers(append([]string{"Content-Type: " + kind}, lines...))
	ts.Check(err)
	must(ts, neg, s.request(ts, method, args[1], body, header))
	must(ts, neg, s.expect(args[0]))
}

// fill sets one field: NAME=VALUE, NAME=@FILE for a file's text; "-NAME" takes a
// field away, as clearing a check box does.
func (f *form) fill(ts *testscript.TestScript, a string) error {
	if name, ok := strings.CutPrefix(a, "-"); ok {
		f.values.Del(name)
		return nil
	}
	name, value, ok := strings.Cut(a, "=")
	if !ok {
		return fmt.Errorf("%q is no field", a)
	}
	if file, ok := strings.CutPrefix(value, "@"); ok {
		value = ts.ReadFile(file)
	}
	f.values.Set(name, value)
	return nil
}

// upload is a file of a form: field, the name that the browser tells, content.
type upload struct{ field, name, content string }

func (f *form) encode(files []upload) (body []byte, kind string) {
	if !f.multipart && len(files) == 0 {
		return []byte(f.values.Encode()), "application/x-www-form-urlencoded"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, list := range f.values {
		for _, v := range list {
			_ = w.WriteField(name, v) // a buffer takes everything
		}
	}
	for _, u := range files {
		p, _ := w.CreateFormFile(u.field, u.name)
		io.WriteString(p, u.content)
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// open reads a page and remembers its form for submit: open ADDRESS [REGEXP],
// where the form's address matches the regular expression. Without one it is the
// form that is sent to the page's own address.
func open(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 || len(args) == 2, "open ADDRESS [REGEXP]")
	must(ts, neg, s.request(ts, http.MethodGet, args[0], nil, nil))
	must(ts, neg, s.expect("200"))
	pattern := ""
	if len(args) == 2 {
		pattern = args[1]
	}
	must(ts, neg, s.findForm(pattern))
}

// findForm finds a form on the last answer.
func (s *site) findForm(pattern string) error {
	a := s.last
	doc, err := html.Parse(bytes.NewReader(a.body))
	if err != nil {
		return err
	}
	here := a.url.Path
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || strings.ToLower(attr(n, "method")) != "post" {
			continue
		}
		action := attr(n, "action")
		if action == "" {
			action = here
		}
		fits := action == here || base+action == here
		if pattern != "" {
			fits = regexp.MustCompile(pattern).MatchString(action)
		}
		if fits {
			u, err := s.address(action)
			s.me().form = &form{action: u, multipart: attr(n, "enctype") == "multipart/form-data", values: fields(n)}
			return err
		}
	}
	return fmt.Errorf("the page %s has no such form", here)
}

// fields are the values of a form as it stands on the page. Buttons send nothing
// but where they are pressed, and the first one is pressed.
func fields(f *html.Node) url.Values {
	v := url.Values{}
	pressed := false
	for n := range f.Descendants() {
		if n.Type != html.ElementNode || has(n, "disabled") {
			continue
		}
		name := attr(n, "name")
		switch n.Data {
		case "input":
			switch kind := attr(n, "type"); kind {
			case "checkbox", "radio":
				if has(n, "checked") {
					v.Add(name, or(attr(n, "value"), "on"))
				}
			case "submit", "file", "button":
			default:
				v.Add(name, attr(n, "value"))
			}
		case "textarea":
			v.Add(name, strings.TrimPrefix(textOf(n), "\n"))
		case "select":
			v.Add(name, selected(n))
		case "button":
			if kind := attr(n, "type"); !pressed && kind != "button" && name != "" {
				v.Add(name, attr(n, "value"))
				pressed = true
			}
		}
	}
	v.Del("")
	return v
}

func selected(n *html.Node) string {
	first, found := "", false
	for o := range n.Descendants() {
		if o.Type != html.ElementNode || o.Data != "option" {
			continue
		}
		value := or(attr(o, "value"), textOf(o))
		if has(o, "selected") {
			return value
		}
		if !found {
			first, found = value, true
		}
	}
	return first
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// submit sends the form that open found: submit STATUS [NAME=VALUE | NAME=@FILE |
// -NAME | +FILE[:NAME]]…, where +FILE uploads a file under the name NAME. Where
// the answer shows the form again, that is the form from then on.
func submit(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 1 && s.me().form != nil, "submit STATUS [FIELD…] (after open)")
	f := s.me().form
	var files []upload
	var lines []string
	for _, a := range args[1:] {
		file, ok := strings.CutPrefix(a, "+")
		switch {
		case ok:
			file, name, _ := strings.Cut(file, ":")
			files = append(files, upload{"file", or(name, filepath.Base(file)), ts.ReadFile(file)})
		case regexp.MustCompile(`^[A-Z][A-Za-z-]*: `).MatchString(a):
			lines = append(lines, a)
		default:
			must(ts, neg, f.fill(ts, a))
		}
	}
	body, kind := f.encode(files)
	header, err := s.headers(append([]string{"Content-Type: " + kind}, lines...))
	ts.Check(err)
	must(ts, neg, s.request(ts, http.MethodPost, f.action.String(), body, header))
	must(ts, neg, s.expect(args[0]))
	if s.last.status >= 400 {
		_ = s.findForm("") // the answer need not have one
	}
}

// follow goes where the last answer redirects to: follow STATUS.
func follow(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && s.last != nil, "follow STATUS")
	to := s.last.header.Get("Location")
	if to == "" {
		ts.Fatalf("the last answer does not redirect")
	}
	must(ts, neg, s.request(ts, http.MethodGet, to, nil, nil))
	must(ts, neg, s.expect(args[0]))
}

// header matches one header of the last answer.
func header(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && s.last != nil, "header NAME REGEXP")
	value := strings.Join(s.last.header.Values(args[0]), ", ")
	if regexp.MustCompile(args[1]).MatchString(value) == neg {
		ts.Fatalf("%s: %q does (not) match %q", args[0], value, args[1])
	}
}

// page prints a page's text as the wiki has it, to the present person: page WIKI
// PATH. It fails where there is none or the person may not read it.
func page(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2, "page WIKI PATH")
	ts.Check(s.request(ts, http.MethodGet, "/w/"+args[0]+"/-/source/"+strings.ReplaceAll(url.PathEscape(args[1]), "%2F", "/")+"?raw", nil, nil))
	var err error
	if s.last.status != http.StatusOK {
		err = fmt.Errorf("status %d", s.last.status)
	}
	outcome(ts, neg, err)
}

// save writes a page through the editor's form: save WIKI PATH TEXT, where TEXT
// is @FILE or the text itself.
func save(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 3, "save WIKI PATH TEXT")
	address := "/w/" + args[0] + "/-/edit/" + strings.ReplaceAll(url.PathEscape(args[1]), "%2F", "/")
	err := s.request(ts, http.MethodGet, address, nil, nil)
	if err == nil {
		err = s.expect("200")
	}
	if err == nil {
		err = s.findForm("/-/edit/")
	}
	if err == nil {
		f := s.me().form
		ts.Check(f.fill(ts, "content="+args[2]))
		body, kind := f.encode(nil)
		err = s.request(ts, http.MethodPost, f.action.String(), body, http.Header{"Content-Type": {kind}})
	}
	if err == nil {
		err = s.expect("303")
	}
	outcome(ts, neg, err)
}

// signIn opens a sign-in link of the present person, as wikibot admin
// sign-in-link makes it, and presses its button.
func signIn(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0, "sign-in")
	outcome(ts, neg, s.signIn(ts))
}

func (s *site) signIn(ts *testscript.TestScript) error {
	link, err := s.ask(server.Command{Do: "sign-in-link", User: s.who})
	if err != nil {
		return err
	}
	err = s.request(ts, http.MethodGet, link, nil, nil)
	if err == nil {
		err = s.findForm("/auth/link")
	}
	if err != nil {
		return err
	}
	body, kind := s.me().form.encode(nil)
	if err := s.request(ts, http.MethodPost, "/auth/link", body, http.Header{"Content-Type": {kind}}); err != nil {
		return err
	}
	if s.me().cookie == "" {
		return errors.New("signing in gave no cookie")
	}
	return s.expect("303")
}
