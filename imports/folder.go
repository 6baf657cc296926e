package imports

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// The bounds of a folder or zip. They stop a zip bomb and a folder chosen by
// mistake ("/"), not a wiki.
const (
	maxEntries = 200_000
	maxFile    = 100 << 20 // bytes of one file
	maxTotal   = 4 << 30   // bytes of all files
	maxRatio   = 200       // unpacked ÷ packed of a whole zip; text reaches 10, a bomb 1000
)

// source is a set of files that has no history.
type source struct {
	entries []entry
	open    func(file string) (io.ReadCloser, error)
	packed  int64 // bytes of the zip; 0 for a folder
}

// folder imports a folder of files. Symbolic links are reported and not
// followed, so nothing outside of the folder can come in.
func (j *job) folder(ctx context.Context) error {
	root, err := os.OpenRoot(j.req.Source)
	if err != nil {
		return wiki.Forbidden("%s cannot be read: %v", j.req.Shown, err)
	}
	defer root.Close()
	src := source{open: func(file string) (io.ReadCloser, error) { return root.Open(file) }}
	err = fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return wiki.Forbidden("%s in %s cannot be read: %v", file, j.req.Shown, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			j.report.Mapped = append(j.report.Mapped, Mapped{From: file + "/", Why: "a hidden folder or one of tools"})
			return fs.SkipDir
		case d.IsDir():
			return nil
		case len(src.entries) >= maxEntries:
			return wiki.Invalid("source", "%s has more than %d files; import a smaller folder", j.req.Shown, maxEntries)
		}
		if mode := treeMode(d.Type()); mode != "" {
			src.entries = append(src.entries, entry{File: file, Mode: mode})
		} else {
			j.report.Mapped = append(j.report.Mapped, Mapped{From: file, Why: "not a regular file"})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return j.commitSource(ctx, src)
}

// treeMode is a file's mode in git, "" for what git cannot hold.
func treeMode(t fs.FileMode) string {
	switch {
	case t.IsRegular():
		return "100644"
	case t&fs.ModeSymlink != 0:
		return "120000"
	}
	return ""
}

// zip imports a zip. An archive that names a file outside of itself (zip slip),
// holds symbolic links or unpacks to too much is refused whole: nobody makes
// one by mistake.
func (j *job) zip(ctx context.Context) error {
	archive, err := zip.OpenReader(j.req.Source)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return wiki.Invalid("source", "%s is not a readable zip: %v", j.req.Shown, err)
	}
	defer archive.Close()
	info, err := os.Stat(j.req.Source)
	if err != nil {
		return fmt.Errorf("looking at the zip: %w", err)
	}
	src, err := zipSource(archive.File, j.req.Shown)
	if err != nil {
		return err
	}
	src.packed = info.Size()
	return j.commitSource(ctx, src)
}

// zipSource checks the names of a zip's files.
func zipSource(files []*zip.File, shown string) (source, error) {
	if len(files) > maxEntries {
		return source{}, wiki.Invalid("source", "%s has more than %d files; import a smaller zip", shown, maxEntries)
	}
	byName := map[string]*zip.File{}
	src := source{open: func(file string) (io.ReadCloser, error) { return byName[file].Open() }}
	top := commonFolder(files)
	for _, f := range files {
		name := strings.ReplaceAll(f.Name, `\`, "/") // what Windows tools write
		clean := strings.TrimSuffix(name, "/")
		switch {
		case !fs.ValidPath(clean) || strings.ContainsRune(name, 0) || len(name) > 2 && name[1:3] == ":/":
			return source{}, wiki.Invalid("source", "%s holds the path %q, which leads out of it; it is not imported", shown, f.Name)
		case f.Mode()&fs.ModeSymlink != 0:
			return source{}, wiki.Invalid("source", "%s holds the symbolic link %q; make the zip without links", shown, f.Name)
		case f.Mode().IsDir() || strings.HasSuffix(name, "/"):
			continue
		case !f.Mode().IsRegular():
			return source{}, wiki.Invalid("source", "%s holds %q, which is no regular file", shown, f.Name)
		case f.Flags&1 != 0:
			return source{}, wiki.Invalid("source", "%s is encrypted; unpack it and import the folder", shown)
		}
		file := strings.TrimPrefix(name, top)
		if strings.HasPrefix(name, "__MACOSX/") {
			continue // resource forks that macOS adds beside each file
		}
		if byName[file] != nil {
			return source{}, wiki.Invalid("source", "%s holds %q twice", shown, f.Name)
		}
		byName[file] = f
		src.entries = append(src.entries, entry{File: file, Mode: "100644"})
	}
	return src, nil
}

// commonFolder is the one folder ("vault/") that a zip has everything in, or "".
func commonFolder(files []*zip.File) string {
	top := ""
	for _, f := range files {
		name := strings.ReplaceAll(f.Name, `\`, "/")
		if strings.HasPrefix(name, "__MACOSX/") {
			continue
		}
		first, _, ok := strings.Cut(name, "/")
		if !ok || top != "" && first+"/" != top {
			return ""
		}
		top = first + "/"
	}
	return top
}

// commitSource writes all files as the first commit on main, as one stream into
// git fast-import(1).
func (j *job) commitSource(ctx context.Context, src source) error {
	names, mapped := plan(src.entries)
	j.report.Mapped = append(j.report.Mapped, mapped...)
	if len(names) == 0 {
		return wiki.Invalid("source", "%s has no file that a wiki could hold", j.req.Shown)
	}
	reader, writer := io.Pipe()
	feed := make(chan error, 1)
	go func() {
		err := j.stream(ctx, writer, src, names)
		writer.CloseWithError(err)
		feed <- err
	}()
	_, err := j.git(ctx, reader, nil, "fast-import", "--quiet", "--done", "--date-format=now")
	reader.CloseWithError(io.ErrClosedPipe)
	if feedErr := <-feed; feedErr != nil && !errors.Is(feedErr, io.ErrClosedPipe) {
		return feedErr
	}
	j.report.Commits = 1
	return err
}

func (j *job) stream(ctx context.Context, to io.Writer, src source, names map[string]string) error {
	w := bufio.NewWriterSize(to, 1<<16)
	message := j.message(fmt.Sprintf("create: %d files", len(names)), j.report.Mapped)
	fmt.Fprintf(w, "commit %s\nauthor %s <%s> now\ncommitter wikibot <%s> now\ndata %d\n%s\n",
		mainRef, j.actor, j.author(), gitstore.ServerEmail, len(message), message)
	files := make([]string, 0, len(names))
	for file := range names {
		files = append(files, file)
	}
	slices.Sort(files)
	var total int64
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := readFile(src, file)
		if err != nil {
			return err
		}
		total += int64(len(data))
		if total > maxTotal || src.packed > 0 && total > 1<<20 && total/src.packed > maxRatio {
			return wiki.Invalid("source", "%s unpacks to far more than it should (over %d MB); it is not imported", j.req.Shown, total>>20)
		}
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n", quotePath(names[file]), len(data))
		w.Write(data)
		w.WriteByte('\n')
		if i%64 == 0 || i+1 == len(files) {
			j.progress(Progress{Stage: "reading files", Done: i + 1, Total: len(files)})
		}
	}
	io.WriteString(w, "done\n")
	return w.Flush()
}

// readFile reads one file, whatever size its header claims.
func readFile(src source, file string) ([]byte, error) {
	r, err := src.open(file)
	if err != nil {
		return nil, wiki.Forbidden("%s cannot be read: %v", file, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, wiki.Invalid("source", "%s cannot be read: %v", file, err)
	case len(data) > maxFile:
		return nil, wiki.Invalid("source", "%s is larger than %d MB; leave it out and import again", path.Base(file), maxFile>>20)
	}
	return data, nil
}

// quotePath spells a path for git fast-import: C-style quotes.
func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}
