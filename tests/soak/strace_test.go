package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// event is one system call of a trace. A call that others ran beside counts as
// done at its end and as begun at its beginning.
type event struct {
	call       string
	from, to   string // of fsync and mkdir: from alone
	begun, end int    // lines of the trace
}

var (
	syncForm    = regexp.MustCompile(`^(fsync|fdatasync)\(\d+<([^>]*)>\) += 0`)
	renameForm  = regexp.MustCompile(`^(rename|link)\("([^"]*)", "([^"]*)"\) += 0`)
	renameAt    = regexp.MustCompile(`^(rename|link)at2?\((?:AT_FDCWD|\d+)(?:<([^>]*)>)?, "([^"]*)", (?:AT_FDCWD|\d+)(?:<([^>]*)>)?, "([^"]*)".*\) += 0`)
	mkdirForm   = regexp.MustCompile(`^mkdir(?:at)?\((?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)", .*\) += 0`)
	resumedForm = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
)

// readTrace reads what strace -f -y wrote. Relative names are in dir: git works
// in the repository.
func readTrace(name, dir string) (list []event, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	type half struct {
		text string
		line int
	}
	pending := map[string]half{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for line := 0; in.Scan(); line++ {
		pid, text, _ := strings.Cut(in.Text(), " ")
		text = strings.TrimSpace(text)
		begun := line
		if head, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			pending[pid] = half{head, line}
			continue
		}
		if m := resumedForm.FindStringSubmatch(text); m != nil {
			text, begun = pending[pid].text+m[1], pending[pid].line
		}
		if e, ok := parseCall(text, dir); ok {
			e.begun, e.end = begun, line
			list = append(list, e)
		}
	}
	return list, in.Err()
}

func parseCall(text, dir string) (event, bool) {
	at := func(base, name string) string {
		switch {
		case filepath.IsAbs(name):
			return filepath.Clean(name)
		case base != "":
			return filepath.Join(base, name)
		}
		return filepath.Join(dir, name)
	}
	if m := syncForm.FindStringSubmatch(text); m != nil {
		return event{call: "fsync", from: m[2]}, true
	}
	if m := renameForm.FindStringSubmatch(text); m != nil {
		return event{call: m[1], from: at("", m[2]), to: at("", m[3])}, true
	}
	if m := renameAt.FindStringSubmatch(text); m != nil {
		return event{call: m[1], from: at(m[2], m[3]), to: at(m[4], m[5])}, true
	}
	if m := mkdirForm.FindStringSubmatch(text); m != nil {
		return event{call: "mkdir", from: at("", m[1])}, true
	}
	return event{}, false
}

// durable follows a trace up to a line: which files' bytes are on the disk, and
// which names.
type durable struct {
	synced map[string]bool // files, by their present name
	named  map[string]bool // files and folders whose name is on the disk; false: not yet
}

func replay(list []event, line int) durable {
	d := durable{map[string]bool{}, map[string]bool{}}
	for _, e := range list {
		if e.end >= line {
			break
		}
		switch e.call {
		case "fsync":
			d.synced[e.from] = true
			for name := range d.named {
				if filepath.Dir(name) == e.from {
					d.named[name] = true
				}
			}
		case "mkdir":
			d.named[e.from] = false
		default:
			d.synced[e.to] = d.synced[e.from]
			d.named[e.to] = false
			delete(d.named, e.from)
			for name := range d.synced { // a folder takes what is in it along
				if rest, ok := strings.CutPrefix(name, e.from+"/"); ok {
					d.synced[e.to+"/"+rest] = d.synced[name]
				}
			}
		}
	}
	return d
}

// check looks whether a file is on the disk with all that leads to it, as far
// as the trace saw it being made.
func (d durable) check(file, repo string) error {
	if !d.synced[file] {
		return fmt.Errorf("%s was not synced", file)
	}
	for name := file; len(name) > len(repo); name = filepath.Dir(name) {
		if on, seen := d.named[name]; seen && !on {
			return fmt.Errorf("the folder of %s was not synced after it was made", name)
		}
	}
	return nil
}

// TestPushIsSynced watches the system calls of the server and its git children
// during a small push, whose objects stay loose, and a large one, which stays a
// pack: before main moves, every object and its folder are on the disk, and so
// is the audit's entry.
func TestPushIsSynced(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is missing: make test installs it (apt-get install strace)")
	}
	s := newSite(t)
	s.start()
	s.signIn()
	clone := s.clone()
	s.kill()
	trace := filepath.Join(t.TempDir(), "trace")
	s.wrap = []string{"strace", "-f", "-y", "-qq", "-s", "4096", "-o", trace, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdir,mkdirat"}
	s.start()
	old := run(t, clone, "git", "rev-parse", "HEAD")
	for n, size := range []int{1, 150} {
		for i := range size {
			page := fmt.Sprintf("Soak/Push %d/Page %d", n, i)
			if err := write(clone, page, text(page, 1)); err != nil {
				t.Fatal(err)
			}
		}
		run(t, clone, "git", "add", "--sparse", ".")
		run(t, clone, "git", "commit", "-q", "-m", fmt.Sprintf("Push %d", n))
		if out, err := git(context.Background(), clone, "push", "-q", "origin", "HEAD:main"); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	s.stop()
	list, err := readTrace(trace, s.repo())
	if err != nil {
		t.Fatal(err)
	}
	var moves []event
	for _, e := range list {
		if e.call == "rename" && e.to == filepath.Join(s.repo(), "refs/heads/main") {
			moves = append(moves, e)
		}
	}
	if len(moves) != 2 {
		t.Fatalf("main moved %d times, want 2", len(moves))
	}
	// Objects of the first push are loose, those of the second one pack.
	d := replay(list, moves[0].begun)
	objects := strings.Fields(run(t, clone, "git", "rev-list", "--objects", "--no-object-names", old+"..HEAD~"))
	for _, oid := range objects {
		if err := d.check(filepath.Join(s.repo(), "objects", oid[:2], oid[2:]), s.repo()); err != nil {
			t.Error(err)
		}
	}
	d = replay(list, moves[1].begun)
	packs := 0
	for name := range d.named {
		if ext := filepath.Ext(name); filepath.Dir(name) == filepath.Join(s.repo(), "objects/pack") && (ext == ".pack" || ext == ".idx") {
			packs++
			if err := d.check(name, s.repo()); err != nil {
				t.Error(err)
			}
		}
	}
	if len(objects) < 3 || packs < 4 { // the push's own, and those with the audit's entries
		t.Errorf("%d loose objects, %d files of packs: the trace shows too little", len(objects), packs)
	}
	for i, m := range moves {
		d := replay(list, m.begun)
		for _, name := range []string{"refs/wikibot/audit", "refs/heads/main.lock"} {
			err := d.check(filepath.Join(s.repo(), name), s.repo())
			if name == "refs/heads/main.lock" && d.synced[filepath.Join(s.repo(), name)] {
				err = nil // its name goes with the rename
			}
			if err != nil {
				t.Errorf("push %d: before main moved: %v", i, err)
			}
		}
		audits := 0
		for _, e := range list {
			if e.call == "rename" && e.to == filepath.Join(s.repo(), "refs/wikibot/audit") && e.end < m.begun {
				audits++
			}
		}
		if audits != i+1 {
			t.Errorf("push %d: the audit had moved %d times before main did, want %d", i, audits, i+1)
		}
	}
	t.Logf("%d calls, %d loose objects, %d files of packs", len(list), len(objects), packs)
}

func write(clone, page, content string) error {
	file := filepath.Join(clone, filepath.FromSlash(page)+".md")
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644))
}

// stop ends the server as an operator would.
func (s *site) stop() {
	s.Helper()
	pid := s.server.Process.Pid
	if len(s.wrap) > 0 { // strace hands signals on to nobody
		out, err := exec.Command("pgrep", "-P", fmt.Sprint(pid)).Output()
		if err != nil {
			s.Fatalf("the traced server was not found: %v", err)
		}
		if _, err := fmt.Sscan(string(out), &pid); err != nil {
			s.Fatal(err)
		}
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Signal(os.Interrupt)
	}
	if err != nil {
		s.Fatal(err)
	}
	select {
	case <-s.exited:
		s.server = nil
	case <-time.After(30 * time.Second):
		s.Fatalf("the server does not stop:\n%s", s.log)
	}
}
