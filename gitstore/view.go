package gitstore

import (
	"context"
	"mime"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/markdown"
	"wikibot/wiki"
)

// View is one state of a wiki as one caller may see it. The policy was checked
// when it was made; everything read through it belongs to that state. It is
// cheap and meant for one request: do not keep it, because it goes on answering
// what the caller may no longer read. It implements markdown.Names.
type View struct {
	repo   *repo
	state  *state
	caller wiki.Caller
	commit plumbing.Hash // what is being looked at: main's head, or an older commit
	root   *folder
	old    bool // made by At
}

var _ markdown.Names = (*View)(nil)

// View checks that the caller may read the wiki and returns its present state.
// wiki.ErrNotFound where the wiki does not exist or may not be read, and
// nothing tells the two apart. It costs about 1 µs.
func (s *Store) View(ctx context.Context, c wiki.Caller, slug wiki.Slug) (*View, error) {
	r, err := s.wiki(slug)
	if err != nil {
		return nil, err
	}
	st, err := r.current()
	if err != nil && r.ended.Load() != nil { // deleted or replaced since we asked for it
		if r, err = s.wiki(slug); err == nil {
			st, err = r.current()
		}
	}
	if err != nil {
		return nil, err
	}
	who, err := s.identify(c)
	if err != nil {
		return nil, err
	}
	if err := st.config.policy.Allow(who, acl.Read, r.target()); err != nil {
		return nil, err
	}
	m := st.main()
	return &View{repo: r, state: st, caller: who, commit: m.commit, root: m.root}, nil
}

// Slug is the wiki's.
func (v *View) Slug() wiki.Slug { return v.repo.name }

// Caller is who is looking, as the site knows them now.
func (v *View) Caller() wiki.Caller { return v.caller }

// Head is the commit that is being looked at, empty in a wiki without commits.
func (v *View) Head() wiki.Revision { return revision(v.commit) }

// Key identifies the state of pages and configuration together: views of one
// wiki with equal keys give equal answers to callers of equal standing.
func (v *View) Key() string {
	if v.old {
		return v.commit.String() + "@" + v.state.key
	}
	return v.state.key
}

// NamesKey changes whenever a page or an attachment of the wiki comes, goes or
// moves, and not when a text is edited: the key for what is made of names alone.
// It means something in this process only.
func (v *View) NamesKey() uint64 { return v.state.names }

// Settings are the wiki's.
func (v *View) Settings() Settings { return v.state.config.settings }

// Policy is who may do what in the wiki.
func (v *View) Policy() *acl.Policy { return v.state.config.policy }

// Faulty says why the newest configuration is not in force; nil if it is. Only
// those who manage the wiki are told.
func (v *View) Faulty() error {
	if v.state.trouble == nil || !v.Standing().Inspect {
		return nil
	}
	return v.state.trouble.err
}

// Plan is what the site says of the wiki now.
func (v *View) Plan() acl.Plan { return v.repo.target().Plan }

// May is the policy's answer to whether the caller may do something here, with
// the reason where not.
func (v *View) May(a acl.Action) error {
	return v.state.config.policy.Allow(v.caller, a, v.repo.target())
}

// Standing is what the caller may do here.
func (v *View) Standing() wiki.Standing {
	return v.state.config.policy.Standing(v.caller, v.repo.target())
}

// At is the same wiki as it was at a commit of main. wiki.ErrNotFound for
// anything that is not in main's history: other branches, the configuration and
// whatever else the repository holds cannot be read this way.
func (v *View) At(ctx context.Context, rev wiki.Revision) (*View, error) {
	if rev == wiki.Head {
		return v, nil
	}
	oid, err := v.repo.onMain(ctx, v.state, rev)
	if err != nil {
		return nil, err
	}
	root, err := v.repo.rootOf(oid)
	if err != nil {
		return nil, err
	}
	older := *v
	older.commit, older.root, older.old = oid, root, oid != v.state.main().commit
	return &older, nil
}

// ReadPage reads a page. *wiki.Moved where there is none and a redirect leads
// elsewhere, else wiki.ErrNotFound. The content is shared: do not change it.
func (v *View) ReadPage(p wiki.PagePath) (wiki.Page, error) {
	at, e, ok, err := findPage(v.root, p)
	if err != nil {
		return wiki.Page{}, err
	}
	if !ok {
		return wiki.Page{}, v.missing(p)
	}
	text, err := v.repo.blob(e.oid)
	if err != nil {
		return wiki.Page{}, err
	}
	return wiki.Page{Path: at, Content: text, Blob: e.oid.String(), At: v.Head()}, nil
}

func (v *View) missing(p wiki.PagePath) error {
	redirects, err := v.repo.redirectsOf(v.root, func(e entry) ([]byte, error) { return v.repo.blob(e.oid) })
	if err != nil {
		return err
	}
	if to, ok := redirects.lookup(p); ok {
		if at, _, ok, err := findPage(v.root, to); ok || err != nil {
			if err != nil {
				return err
			}
			return &wiki.Moved{From: p, To: at}
		}
	}
	return wiki.NotFound("there is no page %q", p)
}

// ReadFile reads an attachment. Its Modified and Revision are left empty; Stat
// fills them.
func (v *View) ReadFile(f wiki.FilePath) (*File, error) {
	at, e, ok, err := findFile(v.root, f)
	if err != nil {
		return nil, err
	}
	if !ok || !regular(&e) {
		return nil, wiki.NotFound("there is no file %q", f)
	}
	data, err := v.repo.blob(e.oid)
	if err != nil {
		return nil, err
	}
	return &File{Attachment: attachment(at, e, int64(len(data))), Content: data}, nil
}

func attachment(f wiki.FilePath, e entry, size int64) wiki.Attachment {
	return wiki.Attachment{File: string(f), Name: f.Name(), Size: size, Blob: e.oid.String(), MIME: typeOf(f.Name())}
}

// typeOf is the media type by the name's ending. It does not depend on what the
// machine has in /etc/mime.types for the endings that wikis use.
func typeOf(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := mediaTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
	".svg": "image/svg+xml", ".ico": "image/x-icon", ".bmp": "image/bmp", ".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8",
	".csv": "text/csv; charset=utf-8", ".tsv": "text/tab-separated-values; charset=utf-8", ".json": "application/json", ".yaml": "application/yaml",
	".yml": "application/yaml", ".toml": "application/toml", ".xml": "application/xml", ".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".mp4": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav",
	".flac": "audio/flac", ".m4a": "audio/mp4", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".odt": "application/vnd.oasis.opendocument.text",
}

// List goes through the files of the wiki in the order of their file names. next
// is the cursor of the following part, empty at the end. The cost grows with
// what is listed and skipped of the folder that Prefix names.
func (v *View) List(o ListOptions) (entries []wiki.Entry, next string, err error) {
	_, err = v.root.walk("", func(file string, e *entry) bool {
		if o.After != "" && !afterCursor(file, o.After) {
			return true
		}
		item, name, ok := listed(file, e, o.Files)
		if !ok || !strings.HasPrefix(name, o.Prefix) {
			return true
		}
		if o.Limit > 0 && len(entries) == o.Limit {
			next = entries[len(entries)-1].File
			return false
		}
		if o.Sizes {
			if n, err := v.repo.objects.Size(e.oid); err == nil {
				item.Size = n
			}
		}
		entries = append(entries, item)
		return true
	})
	return entries, next, err
}

// afterCursor compares file names in the order of the walk, in which a folder's
// name counts with its slash.
func afterCursor(file, cursor string) bool { return file > cursor }

func listed(file string, e *entry, files bool) (wiki.Entry, string, bool) {
	item := wiki.Entry{File: file, Blob: e.oid.String(), Size: -1}
	if p, ok := wiki.PageOfFile(file); ok {
		item.Page = p
		return item, string(p), true
	}
	if !files || !regular(e) {
		return wiki.Entry{}, "", false
	}
	f, ok := wiki.PathOfFile(file)
	return item, string(f), ok
}

// Attachments are the files in a page's folder, not those of its sub-pages'
// folders, with their sizes and last changes.
func (v *View) Attachments(ctx context.Context, p wiki.PagePath) ([]wiki.Attachment, error) {
	at, _, ok, err := findPage(v.root, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		at = p
	}
	dir, err := v.root.at(at.FolderName())
	if err != nil || dir == nil {
		return nil, err
	}
	entries, err := dir.list()
	if err != nil {
		return nil, err
	}
	var out []wiki.Attachment
	for _, e := range entries {
		file := at.FolderName() + "/" + e.name
		f, ok := wiki.PathOfFile(file)
		if _, page := wiki.PageOfFile(file); e.dir != nil || !ok || page || !regular(&e) {
			continue
		}
		size, err := v.repo.objects.Size(e.oid)
		if err != nil {
			return nil, err
		}
		a := attachment(f, e, size)
		if c, err := v.lastOf(ctx, file); err == nil {
			a.Modified, a.Revision = c.Date, c.Revision
		}
		out = append(out, a)
	}
	return out, nil
}

// Stat is an attachment's record with its last change.
func (v *View) Stat(ctx context.Context, f wiki.FilePath) (wiki.Attachment, error) {
	at, e, ok, err := findFile(v.root, f)
	if err != nil {
		return wiki.Attachment{}, err
	}
	if !ok {
		return wiki.Attachment{}, wiki.NotFound("there is no file %q", f)
	}
	size, err := v.repo.objects.Size(e.oid)
	if err != nil {
		return wiki.Attachment{}, err
	}
	a := attachment(at, e, size)
	if c, err := v.lastOf(ctx, at.FileName()); err == nil {
		a.Modified, a.Revision = c.Date, c.Revision
	}
	return a, nil
}

// Page implements markdown.Names: the page of that path, however it is spelt.
func (v *View) Page(p string) (at wiki.PagePath, ok bool) {
	fold := wiki.Fold(p)
	err := v.repo.readNames(func(n *names) { at, ok = n.pages[fold] })
	return at, ok && err == nil
}

// PagesNamed implements markdown.Names: the pages whose last component is name.
func (v *View) PagesNamed(name string) (out []wiki.PagePath) {
	fold := wiki.Fold(name)
	if err := v.repo.readNames(func(n *names) { out = n.byName[fold] }); err != nil {
		return nil
	}
	return out
}

// File implements markdown.Names: the attachment of that path.
func (v *View) File(f string) (at wiki.FilePath, ok bool) {
	fold := wiki.Fold(f)
	err := v.repo.readNames(func(n *names) { at, ok = n.files[fold] })
	return at, ok && err == nil
}

// FilesNamed implements markdown.Names.
func (v *View) FilesNamed(name string) (out []wiki.FilePath) {
	fold := wiki.Fold(name)
	if err := v.repo.readNames(func(n *names) { out = n.byFile[fold] }); err != nil {
		return nil
	}
	return out
}

// Text implements markdown.Names: a page's text, for embedding.
func (v *View) Text(p wiki.PagePath) ([]byte, bool) {
	page, err := v.ReadPage(p)
	return page.Content, err == nil
}

// Page is a convenience for one read: View and ReadPage.
func (s *Store) Page(ctx context.Context, c wiki.Caller, slug wiki.Slug, p wiki.PagePath) (wiki.Page, error) {
	v, err := s.View(ctx, c, slug)
	if err != nil {
		return wiki.Page{}, err
	}
	return v.ReadPage(p)
}

// Standing is what the caller may do in the wiki; wiki.ErrNotFound where they
// may not even read it.
func (s *Store) Standing(ctx context.Context, c wiki.Caller, slug wiki.Slug) (wiki.Standing, error) {
	v, err := s.View(ctx, c, slug)
	if err != nil {
		return wiki.Standing{}, err
	}
	return v.Standing(), nil
}
