package notes

import (
	"context"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Applied is what an Apply did.
type Applied struct {
	Commit    wiki.Revision // the commit that was made; the head where nothing changed; empty of a dry run
	Replayed  bool          // an earlier request with the same key did it; this one did nothing
	Unchanged bool          // everything is as it was, no commit was made
	Pages     []PageDone    // what the operations are about, in their order
	Updated   []wiki.PagePath
	Files     []FileDone
}

// PageDone is what was done to one page.
type PageDone struct {
	Path     wiki.PagePath // where it is now
	From     wiki.PagePath // where it was, or was asked for, if elsewhere
	Name     string        // as in Meta
	Revision wiki.Revision // its last revision now, also where nothing changed; empty of a dry run
	Created  bool
	Deleted  bool
	Merged   bool   // the text is a merge of the caller's and a newer one
	Content  []byte // that text, where Merged
}

// FileDone is what was done to one attachment.
type FileDone struct {
	File     wiki.FilePath // where it is now
	From     wiki.FilePath // of a rename
	Size     int64         // bytes; 0 where it was not uploaded
	MIME     string
	Deleted  bool
	Replaced bool
}

// Apply makes one commit of the operations, applied in their order, or does
// nothing. The policy is read at the moment of the commit, and it returns when the
// commit is on the disk. With a key the same request is done once (a day's memory).
//
// Errors are of the kinds in wiki; *wiki.Conflict has both texts. Where there are
// several operations an *OpError names the one at fault. The cost is that of the
// operations; a rename reads the pages that link to what moves.
func (s *Service) Apply(ctx context.Context, c wiki.Caller, slug wiki.Slug, r ApplyRequest) (*Applied, error) {
	if err := r.check(s.MaxPage); err != nil {
		// Whether the wiki exists is not told to those who may not read it.
		if _, denied := s.Store.View(ctx, c, slug); denied != nil {
			return nil, denied
		}
		return nil, err
	}
	meta := gitstore.Meta{Message: sourced(c, r.Message), DryRun: r.DryRun}
	if r.Key != "" && !r.DryRun {
		meta.Key, meta.Request = r.Key, r.fingerprint()
	}
	failed := 0
	res, err := s.Store.Update(ctx, c, slug, meta, func(tx *gitstore.Tx) error {
		ch := change{tx: tx, maxText: s.maxText(), work: maxWork}
		for i := range r.Ops {
			if err := ch.do(&r.Ops[i]); err != nil {
				failed = i
				return &OpError{Index: i, Op: r.Ops[i], Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.explain(ctx, c, slug, &r, failed, err)
	}
	return s.applied(ctx, c, slug, &r, res)
}

// maxText bounds the text of a page while it is being edited.
func (s *Service) maxText() int64 {
	const most = 64 << 20 // the Store refuses what is over its own limit
	if s.MaxPage > 0 {
		return 2 * s.MaxPage
	}
	return most
}

// sourced is a person's message, with the face in front where that is MCP.
func sourced(c wiki.Caller, message string) string {
	if message = strings.TrimSpace(message); message == "" || c.Via != wiki.ViaMCP {
		return message
	}
	return "[mcp] " + message
}

// applied says what was done.
func (s *Service) applied(ctx context.Context, c wiki.Caller, slug wiki.Slug, r *ApplyRequest, res gitstore.Result) (*Applied, error) {
	a := &Applied{Commit: res.Revision, Replayed: res.Replayed, Unchanged: res.Unchanged, Updated: res.Updated}
	for i := range r.Ops {
		if f, ok := r.Ops[i].file(); ok {
			a.Files = append(a.Files, f)
		}
	}
	if res.Replayed {
		return a, s.again(ctx, c, slug, r, a)
	}
	for _, p := range res.Pages {
		a.add(p, res)
	}
	if r.DryRun {
		a.Commit = ""
		for i := range a.Pages {
			a.Pages[i].Revision = ""
		}
		return a, nil
	}
	return a, s.revisions(ctx, c, slug, a)
}

// add joins what several operations did to one page.
func (a *Applied) add(p gitstore.PageResult, res gitstore.Result) {
	d := PageDone{Path: p.Path, From: p.From, Created: p.Created, Deleted: p.Deleted, Merged: p.Merged, Revision: res.Revision}
	if p.Unchanged {
		d.Revision = ""
	}
	d.Name = p.Path.Name()
	if !p.Deleted {
		d.Name = MetaOf(p.Content, p.Path).Name
	}
	if p.Merged {
		d.Content = p.Content
	}
	for i := range a.Pages {
		was := &a.Pages[i]
		if was.Path != p.Path && (p.From == "" || was.Path != p.From) {
			continue
		}
		d.Created = was.Created && !p.Deleted || p.Created && !was.Deleted
		if d.Merged = was.Merged || p.Merged; d.Merged && !p.Deleted {
			d.Content = p.Content
		}
		keep((*string)(&d.From), string(was.From))
		*was = d
		return
	}
	a.Pages = append(a.Pages, d)
}

// revisions looks up the last revision of the pages that are as they were, as of the
// commit: a later one has changes that the caller has not seen.
func (s *Service) revisions(ctx context.Context, c wiki.Caller, slug wiki.Slug, a *Applied) error {
	var v *gitstore.View
	for i := range a.Pages {
		p := &a.Pages[i]
		if p.Revision != "" || p.Deleted {
			continue
		}
		if v == nil {
			var err error
			if v, err = s.Store.View(ctx, c, slug); err == nil {
				v, err = v.At(ctx, a.Commit)
			}
			if err != nil {
				p.Revision = a.Commit // written, and not to be read any more
				return nil
			}
		}
		p.Revision = a.Commit
		if last, _, err := v.LastSoon(ctx, p.Path); err == nil {
			p.Revision = last.Revision
		}
	}
	return nil
}

// file is what an operation does to an attachment.
func (o *Op) file() (FileDone, bool) {
	f := FileDone{File: o.File, MIME: gitstore.TypeOf(o.File.Name())}
	switch o.Do {
	case Attach:
		f.Size, f.Replaced = int64(len(o.Content)), o.Overwrite
	case Detach:
		f.Deleted = true
	case RenameFile:
		f.File, f.From = o.NewFile, o.File
	default:
		return FileDone{}, false
	}
	return f, true
}

// again says what the commit of an earlier request with the same key did.
func (s *Service) again(ctx context.Context, c wiki.Caller, slug wiki.Slug, r *ApplyRequest, a *Applied) error {
	v, err := s.Store.View(ctx, c, slug)
	if err != nil {
		return err
	}
	then, err := v.Commit(ctx, a.Commit)
	if err != nil {
		return err
	}
	if v, err = v.At(ctx, a.Commit); err != nil {
		return err
	}
	renames, others := false, false
	named := map[string]bool{}
	merges := map[string]*Op{}
	for i := range r.Ops {
		o := &r.Ops[i]
		renames = renames || o.Do == Rename || o.Do == RenameFile
		others = others || o.Do == Revert
		named[o.Path.Fold()], named[o.NewPath.Fold()] = true, true
		if o.Merge && (o.Do == Write || o.Do == EditText) && o.Revision != "" {
			merges[o.Path.Fold()] = o
		}
	}
	for _, f := range then.Changes {
		if f.Page == "" {
			continue
		}
		if renames && !others && f.Kind == wiki.Modified && !named[f.Page.Fold()] {
			a.Updated = append(a.Updated, f.Page)
			continue
		}
		if err := a.addAgain(ctx, v, f, merges[f.Page.Fold()]); err != nil {
			return err
		}
	}
	return nil
}

func (a *Applied) addAgain(ctx context.Context, v *gitstore.View, f wiki.FileChange, o *Op) error {
	d := PageDone{Path: f.Page, Revision: a.Commit, Created: f.Kind == wiki.Added, Deleted: f.Kind == wiki.Deleted, Name: f.Page.Name()}
	d.From, _ = wiki.PageOfFile(f.From)
	if !d.Deleted {
		page, err := v.ReadPage(f.Page)
		if err != nil {
			return err
		}
		d.Name = MetaOf(page.Content, f.Page).Name
		if o != nil {
			before, err := v.At(ctx, o.Revision)
			if err != nil {
				return err
			}
			base, err := before.ReadPage(o.Path)
			if d.Merged = err == nil && base.Blob != f.Old; d.Merged {
				d.Content = page.Content
			}
		}
	}
	a.Pages = append(a.Pages, d)
	return nil
}
