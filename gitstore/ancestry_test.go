package gitstore

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
	"wikibot/gitstore/internal/objects"
)

// TestMergeBase compares with stock git on random histories with merges, in
// which whole runs of commits carry one second, as on a busy wiki.
func TestMergeBase(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		run(t, dir, "", "init", "-q", "--bare")
		const n = 80
		parents := make([][]int, n)
		var stream strings.Builder
		for i := range n {
			fmt.Fprintf(&stream, "commit refs/heads/b%d\nmark :%d\ncommitter x <x@y> %d +0000\ndata 1\nx\n", i, i+1, 1_700_000_000+i/int(1+r.IntN(25)))
			if i > 0 {
				parents[i] = []int{max(0, i-1-r.IntN(3))}
				if q := r.IntN(i); r.IntN(4) == 0 && q != parents[i][0] {
					parents[i] = append(parents[i], q)
				}
				fmt.Fprintf(&stream, "from :%d\n", parents[i][0]+1)
				for _, p := range parents[i][1:] {
					fmt.Fprintf(&stream, "merge :%d\n", p+1)
				}
			}
			fmt.Fprintf(&stream, "M 644 inline f\ndata 3\n%03d\n", i)
		}
		run(t, dir, stream.String(), "fast-import", "--quiet")
		names := strings.Fields(run(t, dir, "", "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"))
		oids := map[string]plumbing.Hash{}
		for i := 0; i < len(names); i += 2 {
			oids[names[i]] = plumbing.NewHash(names[i+1])
		}
		db, err := objects.Open(disk.OS{}, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		// Without a ranking, and with one that knows an older part: ranks are
		// in the order in which the commits were made.
		var rank ranking
		known := map[plumbing.Hash]int{}
		tip := r.IntN(n)
		for i, line := range strings.Split(strings.TrimSpace(run(t, dir, "", "rev-list", "--topo-order", "--reverse", fmt.Sprintf("b%d", tip))), "\n") {
			known[plumbing.NewHash(line)] = i
		}
		for i := range 300 {
			if i == 150 {
				rank = func(oid plumbing.Hash) (int, bool) { k, ok := known[oid]; return k, ok }
			}
			a, b := oids[fmt.Sprintf("b%d", r.IntN(n))], oids[fmt.Sprintf("b%d", r.IntN(n))]
			all := run(t, dir, "", "merge-base", "--all", a.String(), b.String())
			got, err := mergeBase(db, a, b, rank)
			if err != nil || !strings.Contains(all, got.String()) {
				t.Fatalf("seed %d: merge base of %s and %s is %s, %v; git says %q", seed, a, b, got, err, all)
			}
			want := strings.TrimSpace(all) == a.String()
			if is, err := isAncestor(db, a, b, rank); err != nil || is != want {
				t.Fatalf("seed %d: isAncestor(%s, %s) = %v, %v; git says %v", seed, a, b, is, err, want)
			}
		}
	}
}

func run(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return string(out)
}
