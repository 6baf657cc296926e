package refs

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// ErrTooSoon is Pack's error where packed-refs was replaced less than PackPause
// ago.
var ErrTooSoon = errors.New("packed-refs was written a moment ago")

// PackPause is the least time between two contents of packed-refs of which one is
// Pack's; see the package's comment.
const PackPause = 2 * time.Second

// PackOptions say what Pack takes.
type PackOptions struct {
	// Leave is true of refs that stay loose: those that move all the time.
	Leave func(name string) bool
	// Above: nothing is done for this many loose refs or fewer.
	Above int
	// Peel says what an object leads to: zero for anything but a tag. A ref whose
	// object it has an error about stays loose.
	Peel func(oid plumbing.Hash) (plumbing.Hash, error)
	// Packed, where it is not nil, is called when the new packed-refs is on the
	// disk. What follows removes copies only, beside which anybody may do anything.
	Packed func()
}

// Pack moves loose refs into packed-refs, by git's own protocol, and returns how
// many: the new content is on the disk under packed-refs.lock before any loose file
// goes; each of those goes under its own lock, and only where it still says what
// was packed. Readers find each ref in one of the two places at any moment. Refs
// that are locked or have moved meanwhile stay loose. Symbolic refs do too.
//
// The caller keeps pushes away until the new content is there (PackOptions.Packed):
// stock git knows packed-refs by the second.
func (d *DB) Pack(ctx context.Context, o PackOptions) (int, error) {
	if err := d.tooSoon(); err != nil {
		return 0, err
	}
	names, err := d.looseNames("refs", o.Leave)
	if err != nil || len(names) <= o.Above {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	edit, err := d.editPacked(ctx)
	if err != nil {
		return 0, err
	}
	moved, err := d.writePacked(edit, names, o.Peel)
	edit.unlock()
	if err != nil {
		return 0, err
	}
	if o.Packed != nil {
		o.Packed()
	}
	return d.prune(moved)
}

// tooSoon is ErrTooSoon while packed-refs is younger than the pause.
func (d *DB) tooSoon() error {
	stamp, err := disk.StampOf(filepath.Join(d.dir, "packed-refs"))
	if err == nil && stamp.Exists && time.Now().UnixNano()-stamp.Mtime < int64(d.pause) {
		err = ErrTooSoon
	}
	return err
}

// looseNames lists the loose refs below a folder, without reading them.
func (d *DB) looseNames(dir string, leave func(string) bool) ([]string, error) {
	list, err := d.fs.ReadDir(d.path(dir))
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range list {
		name := dir + "/" + e.Name()
		switch {
		case e.IsDir():
			below, err := d.looseNames(name, leave)
			if err != nil {
				return nil, err
			}
			names = append(names, below...)
		case CheckName(name) == nil && !leave(name):
			names = append(names, name)
		}
	}
	return names, nil
}

// writePacked replaces packed-refs by one that has the loose refs in it, and
// returns these as they were packed. The lock is held.
func (d *DB) writePacked(edit *packedEdit, names []string, peel func(plumbing.Hash) (plumbing.Hash, error)) ([]packedRef, error) {
	if err := d.tooSoon(); err != nil { // replaced while we waited for the lock
		return nil, err
	}
	p, err := d.packed()
	if err != nil {
		return nil, err
	}
	all := make(map[string]packedRef, len(p.refs)+len(names))
	for _, r := range p.refs {
		all[r.name] = r
	}
	var moved []packedRef
	for _, name := range names {
		h, target, found, err := d.readLoose(name)
		if err != nil || !found || target != "" {
			continue // damaged, gone or symbolic: it stays as it is
		}
		to, err := peel(h)
		if err != nil {
			continue
		}
		r := packedRef{name, h, to}
		all[name] = r
		moved = append(moved, r)
	}
	if len(moved) == 0 {
		return nil, nil
	}
	list := make([]packedRef, 0, len(all))
	for _, r := range all {
		list = append(list, r)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	if !p.peeled {
		peelRest(list, peel)
	}
	if err := edit.write(encodePacked(list, true)); err != nil {
		return nil, err
	}
	return moved, edit.commit()
}

// peelRest fills in what an old packed-refs does not say. A ref to a missing object
// leads nowhere, as git has it.
func peelRest(list []packedRef, peel func(plumbing.Hash) (plumbing.Hash, error)) {
	for i := range list {
		if list[i].peeled.IsZero() {
			list[i].peeled, _ = peel(list[i].hash)
		}
	}
}

// prune removes loose refs that say what packed-refs says, and the folders that
// become empty, but for the first two levels.
func (d *DB) prune(moved []packedRef) (int, error) {
	n := 0
	folders := map[string]bool{}
	for _, r := range moved {
		gone, err := d.pruneOne(r)
		if err != nil {
			return n, err
		}
		if gone {
			n++
			folders[path.Dir(r.name)] = true
		}
	}
	for dir := range folders {
		if err := d.fs.SyncDir(d.path(dir)); err != nil && !missing(err) {
			return n, err
		}
		for ; strings.Count(dir, "/") >= 2 && d.pruneFolder(dir); dir = path.Dir(dir) {
		}
	}
	return n, nil
}

// pruneOne removes one loose ref under its lock. A ref that is locked, or is
// elsewhere by now, stays. So does one that is not packed any more: it was deleted
// meanwhile and made again at the same place.
func (d *DB) pruneOne(r packedRef) (gone bool, err error) {
	unlock, err := d.tryLock(r.name)
	if unlock == nil {
		return false, err
	}
	defer unlock()
	h, target, found, err := d.readLoose(r.name)
	if err != nil || !found || target != "" || h != r.hash {
		return false, err
	}
	p, err := d.packed()
	if err != nil {
		return false, err
	}
	if is, ok := p.find(r.name); !ok || is.hash != r.hash {
		return false, nil
	}
	return true, d.fs.Remove(d.path(r.name))
}

// pruneFolder removes a folder of refs where it is empty. It holds the lock of the
// ref that would be in its place, so that it is a folder that goes.
func (d *DB) pruneFolder(dir string) bool {
	unlock, _ := d.tryLock(dir)
	if unlock == nil {
		return false
	}
	defer unlock()
	info, err := d.fs.Stat(d.path(dir))
	return err == nil && info.IsDir() && d.fs.Remove(d.path(dir)) == nil
}

// tryLock takes a ref's lock; unlock is nil where somebody else has it.
func (d *DB) tryLock(name string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	f, err := d.takeLock(ctx, d.path(name))
	var locked *LockedError
	if errors.As(err, &locked) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = d.fs.Remove(f.Name()) } // one that stays is swept at the next start
	if err := f.Close(); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}
