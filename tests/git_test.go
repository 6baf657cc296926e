package tests

import (
	"path/filepath"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// git runs the stock git as the present person: their name on commits, their
// token for http://wiki.test, and dates that are one minute apart from
// 1 February 2026 on, in the order of the story's git commands.
func git(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 0, "git ARGUMENT…")
	s.commits++
	date := time.Date(2026, 2, 1, 12, s.commits, 0, 0, time.UTC).Format(time.RFC3339)
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		ts.Setenv("GIT_"+who+"_NAME", s.who)
		ts.Setenv("GIT_"+who+"_EMAIL", s.who+"@example.org")
		ts.Setenv("GIT_"+who+"_DATE", date)
	}
	ts.Setenv("WHO", s.who)
	ts.Setenv("SSHKEY", s.sshKey())
	ts.Setenv("TOKEN", s.me().token)
	outcome(ts, neg, ts.Exec("git", args...))
}

// told matches what the server told git's user, with the lines that were wrapped
// for the terminal put together again.
func told(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "told REGEXP")
	text := regexp.MustCompile(` *\nremote:     `).ReplaceAllString(ts.ReadFile("stderr"), " ")
	text = regexp.MustCompile(`(?m)^remote: | +$`).ReplaceAllString(text, "")
	if regexp.MustCompile("(?m)"+args[0]).MatchString(text) == neg {
		ts.Fatalf("git was (not) told %q:\n%s", args[0], text)
	}
}

// repo looks into a repository on the host with git: repo WIKI ARGUMENT…, where
// admin is the site's own. It needs nobody's permission.
func repo(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 1, "repo WIKI ARGUMENT…")
	dir := filepath.Join(s.data, "wikis", args[0]+".git")
	if args[0] == "admin" {
		dir = filepath.Join(s.data, "admin.git")
	}
	outcome(ts, neg, ts.Exec("git", append([]string{"-C", dir, "-c", "core.hooksPath=" + filepath.Join(s.data, "hooks")}, args[1:]...)...))
}
