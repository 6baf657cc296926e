package gitstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

// What admin.git's main and a wiki's configuration may hold. Records are small;
// the bounds keep a push of a few bytes, whose tree names one large folder many
// times, from filling the server's memory.
const (
	maxRecord      = 64 << 10 // bytes of a record, or of a text beside the records
	maxPolicy      = 1 << 20  // bytes of an acl.toml: about 20,000 grants
	maxSiteFiles   = 200_000  // in admin.git
	maxSiteChanges = 20_000   // files that one push to admin.git may change
	maxFaults      = 200      // that are told at once
)

// follow is the site after its records have changed from one tree to another,
// and an error that names everything that is wrong with the change, as
// wiki.Faults. What is not changed is not looked at: the cost grows with the
// change and not with the number of people. src reads the new objects; own is true
// of the server's own changes, which put no file where none belongs.
func (st *site) follow(from, to *folder, src *repo, own bool) (*site, error) {
	changes, err := diffUpTo(from, to, maxSiteChanges)
	if errors.Is(err, errManyChanges) {
		return nil, wiki.Faults{{Text: fmt.Sprintf("more than %d files would change at once; push them in parts", maxSiteChanges)}}
	}
	if err != nil {
		return nil, err
	}
	var faults wiki.Faults
	if !own {
		if faults, err = src.checkSiteFiles(changes, to); err != nil {
			return nil, err
		}
	}
	var good []change
	wrong := map[string]bool{}
	for _, f := range faults {
		wrong[f.File] = true
	}
	for _, c := range changes {
		if !wrong[c.path] {
			good = append(good, c)
		}
	}
	next, more, err := st.after(good, src)
	if err != nil {
		return nil, err
	}
	faults = append(append(faults, more...), st.peopleFaults(next, good)...)
	if !own {
		faults = append(faults, checkPlans(st, next, good, src.source)...)
		faults = append(faults, st.wikiFaults(next, good, src)...)
	}
	slices.SortStableFunc(faults, func(a, b wiki.Fault) int { return strings.Compare(a.File, b.File) })
	if len(faults) > maxFaults {
		faults = append(faults[:maxFaults], wiki.Fault{Text: fmt.Sprintf("and %d more faults", len(faults)-maxFaults)})
	}
	return next, faults.OrNil()
}

// followPush is follow for a push, which may have to be confirmed.
func (st *site) followPush(from, to *folder, src *repo, options []string) (*site, error) {
	next, err := st.follow(from, to, src, false)
	var faults wiki.Faults
	if next == nil || err != nil && !errors.As(err, &faults) {
		return nil, err
	}
	changes, err := diffUpTo(from, to, maxSiteChanges)
	if err != nil {
		return nil, err
	}
	faults = append(faults, st.guardPeople(next, changes, options)...)
	return next, append(faults, st.confirmDeletions(next, changes, options)...).OrNil()
}

// checkSiteFiles looks at the changed files themselves: their places, kinds,
// sizes and names.
func (r *repo) checkSiteFiles(changes []change, to *folder) (wiki.Faults, error) {
	var faults wiki.Faults
	for _, c := range changes {
		text := siteFile(c)
		if text == "" && c.new != nil {
			size, err := sizeOf(r.source, c.new.oid)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", c.path, err)
			}
			text = tooLarge(size, maxRecord)
		}
		if text != "" {
			faults = append(faults, wiki.Fault{File: c.path, Text: text})
		}
	}
	twins, err := caseTwins(changes, to)
	return append(faults, twins...), err
}

// tooLarge says so of a file with too many bytes, else nothing.
func tooLarge(size, limit int64) string {
	if size <= limit {
		return ""
	}
	return fmt.Sprintf("has %d bytes; at most %d are read here", size, limit)
}

// kindFault says why a file of this mode cannot be a record, or nothing.
func kindFault(mode uint32) string {
	switch mode {
	case modeFile:
		return ""
	case modeSymlink:
		return "is a symbolic link; put the file itself there"
	case modeGitlink:
		return "is a submodule; put the files themselves there (git rm --cached takes it out)"
	case modeExec:
		return "is executable, and a record is only read; take that away with: git update-index --chmod=-x"
	}
	return fmt.Sprintf("has the mode %o; a record is a plain file (100644)", mode)
}

// peopleFaults compares the people before and after: names that were given out
// are not given out again, somebody administers, and the site stays bounded.
func (st *site) peopleFaults(next *site, changes []change) (faults wiki.Faults) {
	for _, c := range changes {
		if name, ok := userOf(c.path); ok && st.deleted.has(name) && !next.deleted.has(name) {
			faults = append(faults, wiki.Fault{File: c.path, Text: "the person was deleted, and a name is never given out again: keep deleted = true, and give the new account another name"})
		}
	}
	if next.admins == 0 && st.admins > 0 {
		faults = append(faults, wiki.Fault{File: "users/", Text: "no administrator is left; keep admin = true in the file of at least one person who is not suspended"})
	}
	if next.files > maxSiteFiles && next.files > st.files {
		faults = append(faults, wiki.Fault{Text: fmt.Sprintf("admin.git would hold %d files; at most %d are possible", next.files, maxSiteFiles)})
	}
	return faults
}

// didFault says why a person cannot have this DID, or nothing.
func (st *site) didFault(text string) string {
	if text == "" {
		return ""
	}
	did, err := wiki.ParseDID(text)
	if err != nil {
		return err.Error()
	}
	if other := st.byDID.get(did); other != "" {
		return fmt.Sprintf("the DID %s is %s's already (%s); a DID is one person", did, other, userFile(other))
	}
	return ""
}

// identityFaults are what is wrong with the DID and the keys of a person's record
// that does not load as a whole, so that they are told with the rest.
func (st *site) identityFaults(file string, data []byte) (faults wiki.Faults) {
	doc, broken := record.Scan(file, data)
	if broken != nil {
		return nil
	}
	if e, ok := doc.Lookup("did"); ok {
		did, _ := e.Text()
		if text := st.didFault(did); text != "" {
			faults = append(faults, e.FaultAtValue("%s", text))
		}
	}
	keys, ok := doc.Lookup("ssh_keys")
	if !ok || keys.Kind() != record.Array {
		return faults
	}
	for e := range keys.Children() {
		if line, ok := e.Text(); ok {
			if _, err := ParseSSHKey(line); err != nil {
				faults = append(faults, e.FaultAtValue("%s", err))
			}
		}
	}
	return faults
}

// caseTwins refuses added files whose path differs from another's only in case:
// a checkout on some systems would have one of the two.
func caseTwins(changes []change, to *folder) (wiki.Faults, error) {
	var faults wiki.Faults
	twins := map[string]map[string]string{} // folder → name → the other one
	for _, c := range changes {
		if c.new == nil || c.old != nil {
			continue
		}
		for i := range len(c.path) + 1 {
			if i < len(c.path) && c.path[i] != '/' {
				continue
			}
			dir, name := splitPath(c.path[:i])
			if twins[dir] == nil {
				var err error
				if twins[dir], err = twinsIn(to, dir); err != nil {
					return nil, err
				}
			}
			if other, ok := twins[dir][name]; ok {
				faults = append(faults, wiki.Fault{File: c.path, Text: fmt.Sprintf("%q differs from %q only in capital letters; rename one of the two", name, other)})
				break
			}
		}
	}
	return faults, nil
}

// twinsIn are the names of a folder that differ from another of its names in case
// alone, with that other one.
func twinsIn(root *folder, dir string) (map[string]string, error) {
	twins := map[string]string{}
	f, err := root.at(dir)
	if err != nil || f == nil {
		return twins, err
	}
	entries, err := f.list()
	if err != nil {
		return nil, err
	}
	first := make(map[string]string, len(entries))
	for i := range entries {
		name := entries[i].name
		k := strings.ToLower(name)
		if other, ok := first[k]; ok {
			twins[name], twins[other] = other, name
		} else {
			first[k] = name
		}
	}
	return twins, nil
}

// splitPath is the folder ("" for the root) and the last part of a path.
func splitPath(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// recordText is the content of a changed record.
func (r *repo) recordText(c change) ([]byte, error) {
	if text := kindFault(c.new.mode); text != "" {
		return nil, wiki.Faults{{File: c.path, Text: text}}
	}
	size, err := sizeOf(r.source, c.new.oid)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c.path, err)
	}
	if text := tooLarge(size, maxRecord); text != "" {
		return nil, wiki.Faults{{File: c.path, Text: text}}
	}
	return r.blob(c.new.oid)
}
