package gitstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// Packs are joined in two steps. Stock git writes a new one beside the old, while
// everybody goes on; then, in a moment without a push, and in the repository's one
// writer, the old ones are removed, if nobody has begun to use what only they have.
// `git repack -d` does both at once and would keep pushes waiting for all of it: a
// push may build on an object that it finds in an old pack without saying so.

// join makes one pack of the small ones and of the loose objects, so that the sizes
// of the packs grow by at least two from one to the next. Nothing is dropped.
func (r *repo) join(ctx context.Context) error {
	packs, err := r.objects.Packs()
	if err != nil {
		return err
	}
	small, stdin := geometric(packs)
	if len(small) < 2 && r.looseObjects() == 0 {
		return nil
	}
	defer r.holdPacks(small)()
	made, err := r.packObjects(ctx, stdin, "--stdin-packs", "--unpacked")
	if err != nil {
		return err
	}
	gone := lessNames(small, made)
	if only := r.objects.Only(gone); len(only) > 0 {
		return fmt.Errorf("%d objects, such as %s, are not in the new pack; the old ones stay", len(only), only[0])
	}
	if _, err := r.retire(ctx, gone, nil); err != nil {
		return err
	}
	return r.objects.SweepLoose(time.Time{}, time.Time{})
}

// lessNames is what is in names and in no other list.
func lessNames(names []string, others ...[]string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return slices.ContainsFunc(others, func(o []string) bool { return slices.Contains(o, n) })
	})
}

// geometric chooses the small packs: the fewest without which each pack is at least
// twice as large as all that are smaller. It also says what git pack-objects is to be
// told: the packs to join, and, behind a "^", those whose objects need not come along.
func geometric(packs []objects.PackInfo) (small []string, stdin string) {
	var b strings.Builder
	packs = slices.DeleteFunc(slices.Clone(packs), func(p objects.PackInfo) bool {
		if p.Bitmap && !p.Kept {
			fmt.Fprintf(&b, "^%s.pack\n", p.Name) // it stays whole
		}
		return p.Garbage || p.Kept || p.Bitmap
	})
	slices.SortFunc(packs, func(a, b objects.PackInfo) int { return cmp.Compare(a.Bytes, b.Bytes) })
	end, sum := 0, int64(0)
	for i, p := range packs {
		if i > 0 && p.Bytes < 2*sum {
			end = i + 1
		}
		sum += p.Bytes
	}
	for i, p := range packs {
		if i < end {
			small = append(small, p.Name)
			fmt.Fprintf(&b, "%s.pack\n", p.Name)
		} else {
			fmt.Fprintf(&b, "^%s.pack\n", p.Name)
		}
	}
	return small, b.String()
}

// tidy makes one pack, with a bitmap, of all that refs reach, and one of the garbage
// that is younger than garbageGrace. Older garbage is dropped, unless a ref has moved
// meanwhile: it could lead there now.
func (r *repo) tidy(ctx context.Context) error {
	began := time.Now()
	before, err := r.refs.List("")
	if err != nil || len(before) == 0 {
		return err
	}
	packs, err := r.objects.Packs()
	if err != nil {
		return err
	}
	var old []string
	for _, p := range packs {
		if !p.Kept {
			old = append(old, p.Name)
		}
	}
	defer r.holdPacks(old)()
	whole, err := r.packObjects(ctx, "", "--all", "--write-bitmap-index")
	if err != nil {
		return err
	}
	limit := began.Add(-garbageGrace)
	done := false
	for _, drop := range []bool{true, false} {
		args := []string{"--cruft"}
		if drop {
			args = append(args, fmt.Sprintf("--cruft-expiration=%d", limit.Unix()))
		}
		garbage, err := r.packObjects(ctx, garbageInput(whole, old), args...)
		if err != nil {
			return err
		}
		gone := lessNames(old, whole, garbage)
		// Before the packs go: a graph that names a commit which is gone is damaged.
		if err := r.writeGraph(ctx, "--split=replace"); err != nil {
			return err
		}
		if done, err = r.retire(ctx, gone, &restless{r, before, gone, began, limit}); err != nil {
			return err
		}
		if done {
			break
		}
		old = append(old, garbage...)
	}
	if err := r.objects.SweepLoose(time.Time{}, time.Time{}); err != nil || !done {
		return err
	}
	return r.noteTidied()
}

// garbageInput tells git pack-objects --cruft which packs stay and which will go.
func garbageInput(stay, leave []string) string {
	var b strings.Builder
	for _, n := range stay {
		fmt.Fprintf(&b, "%s.pack\n", n)
	}
	for _, n := range lessNames(leave, stay) {
		fmt.Fprintf(&b, "-%s.pack\n", n)
	}
	return b.String()
}

// restless tells whether somebody may have begun to use garbage since a moment: a
// ref has moved, or an object was written again that was there already, of which
// only the pack's new time tells.
type restless struct {
	repo  *repo
	refs  []refs.Ref
	packs []string
	since time.Time
	limit time.Time // garbage from before it is dropped
}

func (q *restless) moved() (bool, error) {
	now, err := q.repo.refs.List("")
	if err != nil || !slices.EqualFunc(now, q.refs, func(a, b refs.Ref) bool { return a.Name == b.Name && a.Hash == b.Hash }) {
		return true, err
	}
	for _, n := range q.packs {
		info, err := os.Stat(filepath.Join(q.repo.dir, "objects", "pack", n+".pack"))
		if err != nil || info.ModTime().After(q.since) {
			return true, err
		}
	}
	return false, nil
}

// retire removes packs in a moment without a push. Where some of their objects are
// nowhere else, it does so only if nobody has begun to use them (nil: never). done is
// false where nothing was removed: somebody may have, or there is no quiet moment.
func (r *repo) retire(ctx context.Context, names []string, q *restless) (done bool, err error) {
	if err := r.objects.Sync(); err != nil {
		return false, err
	}
	only := r.objects.Only(names)
	if !r.quiet(ctx) {
		return false, nil // pushes all the time; the next upkeep tries again
	}
	defer r.packing.Unlock()
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	err = r.do(&job{ctx: ctx, caller: host, run: func(*batch) error {
		if done {
			return nil // an earlier run of this function
		}
		if q != nil {
			moved, err := q.moved()
			if err != nil || moved && len(only) > 0 {
				return err
			}
			if !moved {
				if err := r.objects.SweepLoose(q.since, q.limit); err != nil {
					return err
				}
			}
		}
		if err := r.objects.Retire(names); err != nil {
			return err
		}
		done = true
		return nil
	}})
	return done, err
}

// holdPacks keeps fold away from packs that are being joined.
func (r *repo) holdPacks(names []string) (release func()) {
	u := &r.upkeep
	u.mu.Lock()
	defer u.mu.Unlock()
	u.working = map[string]bool{}
	for _, n := range names {
		u.working[n] = true
	}
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.working = nil
	}
}

var packHash = regexp.MustCompile(`(?m)^[0-9a-f]{40}$`)

// packObjects lets stock git write a pack into the repository, and returns the names
// of what it wrote; none where there was nothing to write.
func (r *repo) packObjects(ctx context.Context, stdin string, args ...string) ([]string, error) {
	all := append([]string{"pack-objects", "-q", "--delta-base-offset", "--non-empty"}, args...)
	out, err := r.gitNicely(ctx, stdin, append(all, filepath.Join(r.dir, "objects", "pack", "pack"))...)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, h := range packHash.FindAllString(string(out), -1) {
		names = append(names, "pack-"+h)
	}
	return names, r.objects.Refresh()
}

// gitNicely runs git at the lowest priority, with one thread.
func (r *repo) gitNicely(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	cmd := r.store.GitCommand(ctx, r.dir, args...)
	cmd.Env = GitEnv(r.dir, "pack.threads=1", "pack.windowMemory=64m", "core.bigFileThreshold=32m", "pack.writeBitmapLookupTable=true", "pack.writeReverseIndex=true")
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := runGitNicely(cmd); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}
