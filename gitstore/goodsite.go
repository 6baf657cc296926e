package gitstore

import (
	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// completeSite decides which records of admin.git are in force.
func (r *repo) completeSite(old, st *state) {
	main := st.heads[refMain]
	if old != nil && main.err == nil && old.heads[refMain].commit == main.commit && old.heads[refMain].err == nil {
		st.site, st.loaded, st.trouble = old.site, old.loaded, old.trouble
		return
	}
	var faults error
	st.site, st.loaded, faults = r.goodSite(old, main)
	newer := st.site.newer != nil
	if st.loaded.commit != main.commit || main.err != nil {
		next, err := r.siteOf(st, main)
		if err == nil {
			st.site, st.loaded = next, main
			return
		}
		faults, newer = err, next != nil && next.newer != nil
	}
	if faults != nil {
		st.trouble = r.troubled(main, st.loaded.commit, newer, faults)
	}
}

// siteOf is the site that main says, by its difference from the one that st has.
// What the server accepted itself is not judged again.
func (r *repo) siteOf(st *state, main tip) (*site, error) {
	if main.err != nil {
		return nil, main.err
	}
	if main.commit.IsZero() {
		return nil, wiki.Faults{{Text: "there is no " + refMain}}
	}
	if ok, err := r.accepted(refMain, main.commit); err != nil || !ok {
		return r.behindSite(st, main)
	}
	changes, err := diff(st.loaded.root, main.root)
	if err != nil {
		return nil, err
	}
	next, faults, err := st.site.after(changes, r)
	next.unknownTiers(changes, r)
	if len(faults) > 0 {
		r.logFaults("records of admin.git do not load and grant nothing; mend them with a push", faults)
	}
	return next, err
}

// behindSite is a site that somebody wrote without the server, judged as a push of
// it: nobody has confirmed what has to be, and no repository was made for a new
// wiki.
func (r *repo) behindSite(st *state, main tip) (*site, error) {
	next, err := st.site.followPush(st.loaded.root, main.root, r, nil)
	if err != nil {
		return next, err
	}
	var faults wiki.Faults
	for slug, rec := range next.wikis {
		if st.site.wikis[slug] != nil || rec.Deleted {
			continue
		}
		if _, err := r.store.fs.Stat(r.store.wikiDir(slug)); err != nil {
			faults = append(faults, wiki.Fault{File: wikiFile(slug), Text: "there is no repository of this wiki; make it by a push through the server, or with: wikibot admin wiki create"})
		}
	}
	return next, faults.OrNil()
}

// goodSite is the site of refs/wikibot/good, or, where nothing says what was good,
// the newest of main that loads. faults are only given with main itself: nothing
// better is known than its records that load.
func (r *repo) goodSite(old *state, main tip) (st *site, at tip, faults error) {
	before, from := &site{}, tip{root: emptyFolder()}
	if old != nil {
		before, from = old.site, old.loaded
	}
	oid := r.good()
	if old != nil && (oid.IsZero() || oid == from.commit) {
		return before, from, nil
	}
	if !oid.IsZero() {
		st, at, faults, err := r.siteAt(before, from, oid)
		if err == nil {
			if faults != nil { // an older program took them; they grant nothing
				r.logFaults("records of admin.git do not load and grant nothing; mend them with a push", faults)
			}
			return st, at, nil
		}
		if r.once(err.Error()) {
			r.store.log.Error("the site of refs/wikibot/good cannot be read", "commit", oid.String(), "error", err)
		}
		if old != nil {
			return before, from, nil
		}
	}
	return r.firstSite(main)
}

// siteAt is the site of a commit. Records that do not load are faults and count
// as absent; err is an object that cannot be read.
func (r *repo) siteAt(before *site, from tip, oid plumbing.Hash) (*site, tip, error, error) {
	at := r.tipAt(oid, nil)
	if at.err != nil {
		return nil, tip{}, nil, at.err
	}
	changes, err := diff(from.root, at.root)
	if err != nil {
		return nil, tip{}, nil, err
	}
	next, faults, err := before.after(changes, r)
	next.unknownTiers(changes, r)
	return next, at, faults.OrNil(), err
}

// firstSite is the newest site that loads whole of all that main was.
func (r *repo) firstSite(main tip) (*site, tip, error) {
	var first *site
	var told error
	for oid := range r.past(refMain, main.commit) {
		st, at, faults, err := r.siteAt(&site{}, tip{root: emptyFolder()}, oid)
		if err == nil && (faults == nil || st.newer != nil) {
			return st, at, faults
		}
		if first == nil && err == nil && oid == main.commit {
			first, told = st, faults
		}
	}
	if first != nil {
		return first, main, told
	}
	return (&site{}).copy(), tip{root: emptyFolder()}, nil
}

// followSite takes over what a change of the server's own makes of main of
// admin.git in this batch.
func (b *batch) followSite(root *folder) error {
	next, err := b.people.follow(b.loaded.root, root, b.repo.reading(b), true)
	if err != nil {
		return err
	}
	b.people, b.loaded, b.trouble = next, tip{root: root}, nil
	return nil
}

// reading is the repository with its objects as src has them.
func (r *repo) reading(src objectSource) *repo {
	return &repo{name: r.name, store: r.store, source: src}
}
