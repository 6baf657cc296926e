package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// quarantine is the folder in which git keeps the objects of a push until its
// pre-receive hook has approved them: a real folder directly in the repository's
// own objects/, which is also where git says that the other objects are. The
// empty path means that the push brought no objects (it only deletes). Whatever
// else the hook's variables say is refused: they come from a process.
func (req *request) quarantineIn(repository string) (string, error) {
	if req.quarantine == "" && req.objects == "" && req.alternates == "" {
		return "", nil
	}
	objects, err := filepath.EvalSymlinks(filepath.Join(repository, "objects"))
	if err != nil {
		return "", fmt.Errorf("looking for the objects of %s: %w", repository, err)
	}
	folder, err := absolute(req.quarantine)
	if err != nil {
		return "", fmt.Errorf("GIT_QUARANTINE_PATH: %w", err)
	}
	if name := filepath.Base(folder); filepath.Dir(folder) != objects || !strings.HasPrefix(name, "tmp_objdir-") && !strings.HasPrefix(name, "incoming-") {
		return "", fmt.Errorf("GIT_QUARANTINE_PATH %q is not a quarantine folder in %s", req.quarantine, objects)
	}
	if req.objects != req.quarantine {
		return "", fmt.Errorf("GIT_OBJECT_DIRECTORY %q is not GIT_QUARANTINE_PATH %q", req.objects, req.quarantine)
	}
	alternates := req.alternates
	if strings.HasPrefix(alternates, `"`) { // git quotes a path with a colon or a quote in it
		if alternates, err = strconv.Unquote(alternates); err != nil {
			return "", fmt.Errorf("GIT_ALTERNATE_OBJECT_DIRECTORIES %q: %w", req.alternates, err)
		}
	}
	if other, err := filepath.EvalSymlinks(alternates); err != nil || other != objects {
		return "", fmt.Errorf("GIT_ALTERNATE_OBJECT_DIRECTORIES %q is not %s alone", req.alternates, objects)
	}
	return folder, nil
}

// absolute cleans the path of a folder that exists and follows its links; the
// last component must be the folder itself.
func absolute(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%q is not an absolute path", path)
	}
	path = filepath.Clean(path)
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%q is not a folder", path)
	}
	return filepath.EvalSymlinks(path)
}
