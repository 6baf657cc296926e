package server

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// median of durations, in milliseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

// BenchmarkGitPush pushes one file with a stock client, in turn through the whole
// path (policy, validation, hooks, audit) and through the same handler to a copy
// of the repository without hooks, with the same core.fsync.
func BenchmarkGitPush(b *testing.B) {
	s := newGitSite(b, nil)
	clone := s.clone("bob")
	s.servePlain(b, clone)
	s.alternate(b, clone, s.url("bob", "/w/notes.git"), s.url("", "/plain.git"))
}

// alternate pushes one file, in turn to a repository with hooks and to one without.
func (s *gitSite) alternate(b *testing.B, clone, hooked, plain string) {
	var with, without []time.Duration
	push := func(to string) time.Duration {
		start := time.Now()
		s.must(clone, "push", "-q", to, "HEAD:refs/heads/main")
		return time.Since(start)
	}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		s.commit(clone, fmt.Sprintf("F/P%d.md", i%50), fmt.Sprintf("text %d\n", i))
		b.StartTimer()
		with = append(with, push(hooked))
		without = append(without, push(plain))
	}
	b.ReportMetric(median(with), "ms/push")
	b.ReportMetric(median(without), "ms/plain")
	b.ReportMetric(median(with)/median(without), "ratio")
}

// servePlain serves, at /plain.git and through the same handler, a copy of a
// clone without hooks.
func (s *gitSite) servePlain(b *testing.B, clone string) {
	plain := filepath.Join(b.TempDir(), "plain.git")
	s.must("/", "clone", "-q", "--bare", clone, plain)
	bare := *s.handler
	bare.settings = func(req *gitRequest) []string { return withoutHooks(s.handler.settings(req)) }
	mux := http.NewServeMux()
	mux.HandleFunc("/plain.git/", func(w http.ResponseWriter, r *http.Request) {
		req, fault := parseGitRequest(r, strings.TrimPrefix(r.URL.EscapedPath(), "/plain.git"))
		if fault != nil {
			fault.answer(w)
			return
		}
		req.dir = plain
		if err := bare.run(r.Context(), w, r, req); err != nil {
			b.Error(err)
		}
	})
	mux.HandleFunc("/", s.serveHTTP)
	s.web.Config.Handler = mux
}

// withoutHooks are a transport's settings less those that name the hooks.
func withoutHooks(settings []string) []string {
	return slices.DeleteFunc(settings, func(v string) bool {
		return strings.HasPrefix(v, "core.hooksPath=") || strings.HasPrefix(v, "receive.procReceiveRefs=")
	})
}

// BenchmarkSSHPush is BenchmarkGitPush over SSH, through the same listener: the
// wiki "plain" is in truth a copy of the repository without hooks.
func BenchmarkSSHPush(b *testing.B) {
	s := newSSHSite(b, nil)
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	key := filepath.Join(b.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		b.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(
		s.store.AddKey(b.Context(), host, "bob", strings.TrimSpace(string(public))),
		s.store.CreateWiki(b.Context(), host, gitstore.NewWiki{Slug: "plain", Owner: "bob"}),
	); err != nil {
		b.Fatal(err)
	}
	clone := s.clone("bob")
	plain := filepath.Join(b.TempDir(), "plain.git")
	s.must("/", "clone", "-q", "--bare", clone, plain)
	whole := s.handler.settings
	s.handler.settings = func(req *gitRequest) []string {
		if req.slug != "plain" {
			return whole(req)
		}
		req.dir = plain
		return withoutHooks(whole(req))
	}
	b.Setenv("GIT_SSH_COMMAND", "ssh -i "+key+" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR")
	s.alternate(b, clone, "ssh://git@"+s.addr+"/notes.git", "ssh://git@"+s.addr+"/plain.git")
}

// BenchmarkGitClone clones a wiki of 2,000 pages, in turn through the handler and
// from git upload-pack alone, and looks at what the server's memory grew by.
func BenchmarkGitClone(b *testing.B) {
	s := newGitSite(b, nil)
	s.must("/", "--git-dir="+s.dir, "fetch", "-q", gitstoretest.Repo(b, 2_000, 2_000), "main:refs/heads/big")
	dst := filepath.Join(b.TempDir(), "dst")
	clone := func(from string, config ...string) time.Duration {
		if err := os.RemoveAll(dst); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		s.must("/", append(append([]string{"clone", "-q", "--bare"}, config...), from, dst)...)
		return time.Since(start)
	}
	var through, alone []time.Duration
	clone(s.url("carol", "/w/notes.git"))
	before, grown := resident(b), 0
	for b.Loop() {
		through = append(through, clone(s.url("carol", "/w/notes.git")))
		grown = max(grown, resident(b)-before)
		alone = append(alone, clone("file://"+s.dir, "-c", "safe.directory=*"))
	}
	b.ReportMetric(median(through), "ms/clone")
	b.ReportMetric(median(alone), "ms/alone")
	b.ReportMetric(median(through)/median(alone), "ratio")
	b.ReportMetric(float64(grown)/1024, "MB-more")
}

var hwm = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// resident is the most memory that this process has ever had, in kB.
func resident(b *testing.B) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatalf("the system does not tell memory: %v", err)
	}
	m := hwm.FindSubmatch(status)
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// BenchmarkGitTags pushes many tags at once, in turn through the whole path and
// through the same handler to a copy without hooks. Over HTTP the stock client
// itself takes the square of their number: its helper names each tag by itself,
// and send-pack compares every name with every other.
func BenchmarkGitTags(b *testing.B) {
	for _, n := range []int{1_000, 5_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := newGitSite(b, nil)
			clone := s.clone("bob")
			s.servePlain(b, clone)
			round := 0
			push := func(to string) time.Duration {
				start := time.Now()
				s.must(clone, "push", "-q", to, "refs/tags/*")
				return time.Since(start)
			}
			var with, without []time.Duration
			for b.Loop() {
				b.StopTimer()
				round++
				s.tags(clone, round, n)
				b.StartTimer()
				with = append(with, push(s.url("bob", "/w/notes.git")))
				without = append(without, push(s.url("", "/plain.git")))
			}
			b.ReportMetric(median(with), "ms/push")
			b.ReportMetric(median(without), "ms/plain")
			b.ReportMetric((median(with)-median(without))*1000/float64(n), "µs-more/tag")
		})
	}
}

// tags replaces the tags of a clone by n others on its head.
func (s *gitSite) tags(clone string, round, n int) {
	s.tb.Helper()
	head := s.must(clone, "rev-parse", "HEAD")
	var packed strings.Builder
	packed.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range n {
		fmt.Fprintf(&packed, "%s refs/tags/r%d-v%05d\n", head, round, i)
	}
	if err := os.WriteFile(filepath.Join(clone, ".git", "packed-refs"), []byte(packed.String()), 0o600); err != nil {
		s.tb.Fatal(err)
	}
}

// BenchmarkGitPushBesideTags pushes one file into a wiki with 5,000 tags, each a file
// of its own or all in packed-refs.
func BenchmarkGitPushBesideTags(b *testing.B) {
	for _, packed := range []bool{false, true} {
		b.Run(fmt.Sprintf("packed=%t", packed), func(b *testing.B) {
			s := newGitSite(b, nil)
			clone := s.clone("bob")
			head := s.must(s.dir, "rev-parse", "main")
			for i := range 5_000 {
				if err := os.WriteFile(filepath.Join(s.dir, "refs", "tags", fmt.Sprintf("v%05d", i)), []byte(head+"\n"), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			if packed {
				if err := s.store.Maintain(b.Context(), wiki.Caller{Host: true}, "notes"); err != nil {
					b.Fatal(err)
				}
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				s.commit(clone, fmt.Sprintf("F/P%d.md", i%50), fmt.Sprintf("text %d\n", i))
				b.StartTimer()
				start := time.Now()
				s.must(clone, "push", "-q", s.url("bob", "/w/notes.git"), "HEAD:refs/heads/main")
				took = append(took, time.Since(start))
			}
			b.ReportMetric(median(took), "ms/push")
		})
	}
}
