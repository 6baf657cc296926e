package gitstore

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// tidyDue tells whether everything is to be joined: a week after the last time, if
// something was written since, or when clones have grown slow because much is outside
// of the pack with the bitmap. The upkeep's lock is held.
func (r *repo) tidyDue() bool {
	u := &r.upkeep
	if u.tidied.IsZero() {
		u.tidied = modTime(r.tidiedFile())
	}
	if time.Since(u.tidied) > tidyInterval && r.writtenSince(u.tidied) {
		return true
	}
	if u.wrote.Before(u.looked) || time.Since(u.looked) < growthInterval {
		return false
	}
	u.looked = time.Now()
	return r.bare()
}

// bare reports that no bitmap covers much of what there is, so that a clone has to
// look at each object.
func (r *repo) bare() bool {
	packs, err := r.objects.Packs()
	if err != nil {
		return false
	}
	covered, rest := 0, 0
	for _, p := range packs {
		switch {
		case p.Garbage:
		case p.Bitmap:
			covered += p.Objects
		default:
			rest += p.Objects
		}
	}
	return rest > max(bareMost, covered/4)
}

// writtenSince tells by the times of some files whether anything was written.
func (r *repo) writtenSince(t time.Time) bool {
	return slices.ContainsFunc([]string{refMain, refAudit, "objects/pack"}, func(name string) bool {
		return modTime(filepath.Join(r.dir, name)).After(t)
	})
}

func modTime(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}.Add(time.Nanosecond) // long ago, but known
	}
	return info.ModTime()
}

// tidiedFile is a file whose time says when the wiki was last tidied.
func (r *repo) tidiedFile() string {
	return filepath.Join(r.store.CacheDir(), "upkeep", string(r.name))
}

// noteTidied remembers it. Without the file it is done again, which only takes time.
func (r *repo) noteTidied() error {
	err := os.MkdirAll(filepath.Dir(r.tidiedFile()), 0o700)
	if err == nil {
		err = os.WriteFile(r.tidiedFile(), nil, 0o600)
	}
	now := time.Now()
	if err == nil {
		err = os.Chtimes(r.tidiedFile(), now, now)
	}
	r.upkeep.mu.Lock()
	defer r.upkeep.mu.Unlock()
	r.upkeep.tidied = now
	return err
}
