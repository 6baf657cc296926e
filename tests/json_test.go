package tests

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// sendJSON calls a REST interface with the present person's token, as a program
// does: json METHOD STATUS ADDRESS [BODY | @FILE] ['Header: value']…. Who has no
// token sends none, and no cookie either, unless a header Cookie or Authorization
// says otherwise; 'Authorization:' alone leaves it out, for the browser's session.
func sendJSON(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 3 && !neg, "json METHOD STATUS ADDRESS [BODY | @FILE] [HEADER]…")
	method, status, address := args[0], args[1], args[2]
	isHeader := regexp.MustCompile(`^[A-Z][A-Za-z-]*: ?`)
	lines := []string{"Content-Type: application/json", "Origin:", "Sec-Fetch-Site:"}
	if s.me().token != "" {
		lines = append(lines, "Authorization: Bearer "+s.me().token)
	}
	var body []byte
	for _, a := range args[3:] {
		switch file, isFile := strings.CutPrefix(a, "@"); {
		case isHeader.MatchString(a):
			lines = append(lines, a)
		case isFile:
			body = []byte(ts.ReadFile(file))
		default:
			body = []byte(a)
		}
	}
	header, err := s.headers(lines)
	ts.Check(err)
	if body == nil && (method == http.MethodGet || method == http.MethodHead || method == http.MethodDelete) {
		header["Content-Type"] = []string{""}
	}
	if s.me().token == "" && header.Get("Authorization") == "" && header.Get("Cookie") == "" && !asksForCookie(args[3:]) {
		header["Cookie"] = []string{""}
	}
	must(ts, neg, s.request(ts, method, address, body, header))
	must(ts, neg, s.expect(status))
}

// asksForCookie reports whether a story wants the session of the browser to count.
func asksForCookie(args []string) bool {
	for _, a := range args {
		if a == "Authorization:" {
			return true
		}
	}
	return false
}
