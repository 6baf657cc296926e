package hooks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/gitstore"
	"wikibot/wiki"
)

const (
	zeros = "0000000000000000000000000000000000000000"
	ones  = "1111111111111111111111111111111111111111"
)

func frameOf(name, value string) string { return fmt.Sprintf("%s %d\n%s\n", name, len(value), value) }

func TestReadRequest(t *testing.T) {
	const hello = "wikibot-hook 1 pre-receive\n"
	main := frameOf("command", zeros+" "+ones+" refs/heads/main")
	for _, tt := range []struct{ in, fault string }{
		{hello + main + "end\n", ""},
		{hello + frameOf("option", "a\nend\nb") + main + "end\n", ""},
		{hello + main, "ended in mid-sentence"},
		{hello + main + "end", "ended in mid-sentence"},
		{hello + "command 5\nshort", "ended in mid-sentence"},
		{hello + "command 3\nlonger\n", "longer than it says"},
		{hello + "command -1\n\n", "not one of at most"},
		{hello + "command 99999999\n", "not one of at most"},
		{hello + frameOf("shell", "x"), "unknown"},
		{hello + frameOf("command", zeros+" "+ones+" refs/heads/a\n"+zeros+" "+ones+" refs/heads/b"), "not the name of a ref"},
		{hello + frameOf("command", zeros+" "+ones+" refs/heads/a b"), "not the name of a ref"},
		{hello + frameOf("command", zeros+" "+ones+" HEAD"), "not the name of a ref"},
		{hello + frameOf("command", zeros+" "+strings.ToUpper("abcdefabcdefabcdefabcdefabcdefabcdefabcd")+" refs/heads/a"), "not \"old new ref\""},
		{hello + frameOf("command", "x"), "not \"old new ref\""},
		{"wikibot-hook 2 pre-receive\nend\n", "began with"},
		{"wikibot-hook 1 post-receive\nend\n", "began with"},
		{strings.Repeat("x", 100_000), "reading a line"},
	} {
		req, err := readRequest(bufio.NewReader(strings.NewReader(tt.in)))
		switch {
		case tt.fault == "" && err != nil:
			t.Errorf("%.200q: %v", tt.in, err)
		case tt.fault == "" && len(req.commands) != 1:
			t.Errorf("%.200q: got %+v", tt.in, req)
		case tt.fault != "" && (err == nil || err == io.EOF || !strings.Contains(err.Error(), tt.fault)):
			t.Errorf("%.200q: got %v, want %q", tt.in, err, tt.fault)
		}
	}
	many := strings.Repeat(frameOf("option", "x"), maxOptions+1)
	if _, err := readRequest(bufio.NewReader(strings.NewReader(hello + many))); err == nil {
		t.Error("too many options were accepted")
	}
}

func TestIsRef(t *testing.T) {
	for _, r := range []string{"refs/heads/main", "refs/merge/main", "refs/wikibot/config", "refs/heads/ünï-😀", "refs/x"} {
		if !isRef(r) {
			t.Errorf("%q is refused", r)
		}
	}
	for _, r := range []string{"", "HEAD", "refs/", "refs", "heads/main", "refs//a", "refs/heads/", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a..b",
		"refs/heads/a.", "refs/heads/a\nb", "refs/heads/a\x7f", "refs/heads/a b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?",
		"refs/heads/a*", "refs/heads/a[", "refs/heads/a\\b", "refs/heads/a@{1}", "refs/" + strings.Repeat("a", 2000)} {
		if isRef(r) {
			t.Errorf("%q is accepted", r)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add("wikibot-hook 1 pre-receive\n" + frameOf("option", "a\nb") + frameOf("command", zeros+" "+ones+" refs/heads/main") + "end\n")
	f.Add("wikibot-hook 1 proc-receive\nend\n0014version=1\x00atomic0000")
	f.Fuzz(func(t *testing.T, in string) {
		req, err := readRequest(bufio.NewReader(strings.NewReader(in)))
		if err != nil {
			return
		}
		for _, c := range req.commands {
			if strings.ContainsAny(c.Ref, "\n\x00 ") || !isObjectName(c.Old) || !isObjectName(c.New) {
				t.Errorf("accepted %+v", c)
			}
		}
		// What was understood can be said again.
		out := greeting + req.hook + "\n" + frameOf("objects", req.objects)
		for _, o := range req.options {
			out += frameOf("option", o)
		}
		for _, c := range req.commands {
			out += frameOf("command", c.Old+" "+c.New+" "+c.Ref)
		}
		again, err := readRequest(bufio.NewReader(strings.NewReader(out + "end\n")))
		if err != nil || len(again.commands) != len(req.commands) || len(again.options) != len(req.options) {
			t.Errorf("%q: %v", out, err)
		}
	})
}

func FuzzReadPacket(f *testing.F) {
	f.Add("000eversion=1\x00")
	f.Add("0000")
	f.Add("fff1")
	f.Fuzz(func(t *testing.T, in string) {
		line, err := readPacket(strings.NewReader(in))
		if err != nil {
			return
		}
		if len(line) > maxPacket || len(line) > len(in)-4 {
			t.Errorf("%q gives %d bytes", in, len(line))
		}
		if strings.ContainsRune(string(line), '\n') {
			return
		}
		if back, err := readPacket(strings.NewReader(formatPacket(string(line)))); err != nil || string(back) != string(line) {
			t.Errorf("%q comes back as %q, %v", line, back, err)
		}
	})
}

func TestWriteResult(t *testing.T) {
	c := gitstore.RefCommand{Old: zeros, New: ones, Ref: "refs/merge/main"}
	for _, tt := range []struct {
		result gitstore.RefResult
		want   string
	}{
		{gitstore.RefResult{OK: true}, "> 0016ok refs/merge/main\n"},
		{gitstore.RefResult{OK: true, Landed: "refs/heads/main", Old: ones, New: zeros, Merged: true},
			"> 0016ok refs/merge/main\n> 0022option refname refs/heads/main\n> 003boption old-oid " + ones + "\n"},
		{gitstore.RefResult{Reason: "no\n> 0000\x1b[31m"}, "> 0027ng refs/merge/main no > 0000\uFFFD[31m\n"},
		{gitstore.RefResult{}, "> 001eng refs/merge/main refused\n"},
	} {
		var b strings.Builder
		writeResult(&b, c, tt.result)
		if got := b.String(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.result, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	long := strings.Repeat("word ", 40)
	lines, hidden := report(wiki.Faults{{File: "A\x1b[2J.md", Line: 7, Text: long}, {File: "B.md", Text: "gone"}})
	if hidden != nil || len(lines) < 4 || !strings.HasPrefix(lines[1], "A\uFFFD[2J.md:7: word") || !strings.HasPrefix(lines[2], "    word") || lines[len(lines)-1] != "B.md: gone" {
		t.Errorf("got %q, %v", lines, hidden)
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > lineWidth {
			t.Errorf("%d characters: %q", n, l)
		}
	}
	lines, hidden = report(errors.New("open /secret/path: no"))
	if text := strings.Join(lines, " "); strings.Contains(text, "secret") || hidden == nil || !strings.Contains(text, "internal error") {
		t.Errorf("got %q, %v", lines, hidden)
	}
	lines, hidden = report(fmt.Errorf("in /secret: %w", wiki.Forbidden("only owners may")))
	if text := strings.Join(lines, " "); strings.Contains(text, "secret") || hidden == nil || !strings.Contains(text, "only owners may") {
		t.Errorf("got %q, %v", lines, hidden)
	}
	if lines, _ := report(make(wiki.Faults, 5000)); len(lines) != maxFaults+2 {
		t.Errorf("%d lines of 5,000 faults", len(lines))
	}
}

func TestInstallRefusesPaths(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ binary, socket string }{
		{"wikibot", "/s"}, {"/bin/wikibot", "s"}, {"/bin/wiki\nbot", "/s"}, {"/bin/wikibot", "/" + strings.Repeat("s", MaxSocket)},
	} {
		if err := Install(dir, tt.binary, tt.socket); !errors.Is(err, wiki.ErrUnavailable) {
			t.Errorf("%q, %q: got %v", tt.binary, tt.socket, err)
		}
	}
}

func TestVerifyRepository(t *testing.T) {
	const hooksDir = "/srv/hooks"
	good := "[core]\n\tbare = true\n\thooksPath = /srv/hooks\n[receive]\n\tprocReceiveRefs = refs\n"
	for _, tt := range []struct{ config, fault string }{
		{good, ""},
		{strings.ToLower(good), ""},
		{strings.Replace(good, "hooksPath", "HOOKSPATH", 1), ""},
		{good + "[core]\n\thooksPath = /elsewhere\n", "core.hooksPath"},
		{strings.Replace(good, "/srv/hooks", "/srv/other", 1), "core.hooksPath"},
		{strings.Replace(good, "hooksPath", "# hooksPath", 1), "core.hooksPath"},
		{strings.Replace(good, "= refs", "= refs/heads", 1), "receive.procReceiveRefs"},
		{good + "[receive]\n\tprocReceiveRefs = !refs/heads\n", "receive.procReceiveRefs"},
		{good + "[include]\n\tpath = /x\n", "includes another file"},
		{good + "[includeIf \"gitdir:/\"]\n\tpath = /x\n", "includes another file"},
		{good + "[extensions]\n\tworktreeConfig = true\n", "worktreeConfig"},
		{strings.Replace(good, "bare = true", "bare = false", 1), "core.bare"},
		{"[core\n", "cannot be understood"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config"), []byte(tt.config), 0o644); err != nil {
			t.Fatal(err)
		}
		err := VerifyRepository(dir, hooksDir)
		if tt.fault == "" && err != nil || tt.fault != "" && (!errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%q: got %v, want %q", tt.config, err, tt.fault)
		}
	}
	if err := VerifyRepository(t.TempDir(), hooksDir); !errors.Is(err, wiki.ErrUnavailable) {
		t.Errorf("no config: %v", err)
	}
}
