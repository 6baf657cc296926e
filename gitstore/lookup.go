package gitstore

import (
	"strings"

	"wikibot/wiki"
)

// findPage looks a page up in a tree as people ask for it: the exact path first,
// then whatever page folds to the same. An exact hit costs a binary search a
// component; a miss compares the names of one folder a component.
func findPage(root *folder, p wiki.PagePath) (wiki.PagePath, entry, bool, error) {
	e, ok, err := root.file(p.FileName())
	if err != nil {
		return "", entry{}, false, err
	}
	if ok {
		return p, e, true, nil
	}
	var found wiki.PagePath
	err = foldedFiles(root, p.Fold(), "", true, func(path string, hit *entry) bool {
		if q, isPage := wiki.PageOfFile(path); isPage {
			found, e, ok = q, *hit, true
		}
		return !ok
	})
	return found, e, ok, err
}

// findFile looks an attachment up, likewise.
func findFile(root *folder, f wiki.FilePath) (wiki.FilePath, entry, bool, error) {
	e, ok, err := root.file(f.FileName())
	if err != nil {
		return "", entry{}, false, err
	}
	if ok {
		return f, e, true, nil
	}
	var found wiki.FilePath
	err = foldedFiles(root, wiki.Fold(string(f)), "", false, func(path string, hit *entry) bool {
		if q, isFile := wiki.PathOfFile(path); isFile {
			found, e, ok = q, *hit, true
		}
		return !ok
	})
	return found, e, ok, err
}

// foldedFiles calls fn for the files whose decoded path folds to fold, until it
// returns false.
func foldedFiles(dir *folder, fold, prefix string, pages bool, fn func(path string, e *entry) bool) error {
	entries, err := dir.list()
	if err != nil {
		return err
	}
	name, rest, deeper := strings.Cut(fold, "/")
	for i := range entries {
		e := &entries[i]
		if (e.dir != nil) != deeper || !foldsTo(e.name, name, pages && !deeper) {
			continue
		}
		if deeper {
			stop := false
			err := foldedFiles(e.dir, rest, prefix+e.name+"/", pages, func(path string, e *entry) bool {
				stop = !fn(path, e)
				return !stop
			})
			if err != nil || stop {
				return err
			}
			continue
		}
		if !fn(prefix+e.name, e) {
			return nil
		}
	}
	return nil
}

// foldsTo compares a file name with a folded name, without allocation where
// both are plain ASCII.
func foldsTo(file, fold string, page bool) bool {
	if page {
		var ok bool
		if file, ok = strings.CutSuffix(file, wiki.PageSuffix); !ok {
			return false
		}
	}
	if len(file) == len(fold) {
		for i := 0; ; i++ {
			if i == len(file) {
				return true
			}
			c := file[i]
			switch {
			case c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
			case c == '_':
				c = ' '
			}
			if c >= 0x80 || c == '%' {
				break
			}
			if c != fold[i] {
				if fold[i] >= 0x80 {
					break
				}
				return false
			}
			continue
		}
	}
	if !strings.ContainsFunc(file, func(r rune) bool { return r >= 0x80 || r == '%' }) {
		return len(file) == len(fold) && wiki.Fold(file) == fold
	}
	f, ok := wiki.PathOfFile(file)
	if !ok {
		return false
	}
	return wiki.Fold(string(f)) == fold
}

// settle gives a new page's path the spelling of the folders that exist already,
// so that "design/New" joins "Design/" instead of founding a second folder
// that a case-insensitive checkout would merge with it.
func settle(root *folder, path string) (string, error) {
	parts := strings.Split(path, "/")
	dir := root
	for i, c := range parts[:len(parts)-1] {
		if dir == nil {
			break
		}
		file := wiki.FilePath(c).FileName()
		next, err := dir.sub(file)
		if err != nil {
			return "", err
		}
		if next == nil {
			entries, err := dir.list()
			if err != nil {
				return "", err
			}
			fold := wiki.Fold(c)
			for j := range entries {
				if e := &entries[j]; e.dir != nil && foldsTo(e.name, fold, false) {
					if f, ok := wiki.PathOfFile(e.name); ok {
						parts[i], next = string(f), e.dir
						break
					}
				}
			}
		}
		dir = next
	}
	return strings.Join(parts, "/"), nil
}
