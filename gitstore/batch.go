package gitstore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// batch is what the writer makes of the changes that it took from the queue: new
// objects and where each ref goes. Changes are run one after another on the same
// batch, each on the tree that the one before it left.
type batch struct {
	repo    *repo
	objs    *objects.Batch
	heads   map[string]tip           // where each ref is within this batch
	base    map[string]plumbing.Hash // where each ref was when the batch began
	order   []string                 // refs that moved, in the order in which they are to move on the disk
	moves   []move                   // every move of a ref, oldest first, to be taken back
	trees   map[string]plumbing.Hash // ref:path → tree last written there, the base for deltas
	sync    []string                 // object folders of pushes, to be synced before a ref moves
	config  *configuration           // policy in force within this batch
	people  *site                    // of admin.git, likewise
	loaded  tip                      // whose records people holds
	trouble *trouble                 // why the newest configuration is not in force
	made    []tip                    // commits that this batch makes
	keys    []keyed                  // idempotency keys of this batch
	edits   []edit                   // commits of this batch whose changes are known
	below   map[string]string        // folders of names in which the batch makes refs → such a ref

	usage    int64 // bytes on the disk before this batch, where it was measured
	measured bool
}

func (r *repo) newBatch(st *state) *batch {
	b := &batch{repo: r, objs: r.objects.NewBatch(), heads: map[string]tip{}, base: map[string]plumbing.Hash{}, trees: map[string]plumbing.Hash{}}
	for ref, t := range st.heads {
		b.heads[ref] = t
	}
	b.config, b.people, b.loaded, b.trouble = st.config, st.site, st.loaded, st.trouble
	return b
}

// head is where a ref is within the batch. A ref that is not part of the state
// is read when it is first asked for.
func (b *batch) head(ref string) (tip, error) {
	if t, ok := b.heads[ref]; ok {
		return t, nil
	}
	oid, _, err := b.repo.refs.Read(ref)
	if err != nil {
		return tip{}, err
	}
	t := tip{commit: oid, root: emptyFolder()}
	if strings.HasPrefix(ref, refServerPrefix) && !oid.IsZero() {
		if t.root, err = b.repo.rootOf(oid); err != nil {
			return tip{}, err
		}
	}
	b.heads[ref] = t
	return t, nil
}

// move points a ref at a commit. The objects must be in the repository or in
// the batch.
func (b *batch) move(ref string, to tip) error {
	from, err := b.head(ref)
	if err != nil {
		return err
	}
	_, moved := b.base[ref]
	if !moved {
		b.base[ref] = from.commit
		b.order = append(b.order, ref)
	}
	b.moves = append(b.moves, move{ref, from, !moved})
	b.heads[ref] = to
	return nil
}

// move is one move of a ref within a batch.
type move struct {
	ref   string
	from  tip
	first bool // of this ref in the batch
}

// keyed is a commit that an idempotency key stands for.
type keyed struct {
	key     string
	request string // Meta.Request
	commit  plumbing.Hash
}

// edit is a commit on main with one parent and what it changed.
type edit struct {
	commit  plumbing.Hash
	changes []change
}

// checkpoint and rollback bracket one change, so that a change that fails
// leaves no trace in the batch but objects that nothing names. A checkpoint costs
// nothing, a rollback what was moved since: a push brackets each of its refs.
type checkpoint struct {
	moves   int
	order   int
	sync    int
	made    int
	keys    int
	edits   int
	config  *configuration
	people  *site
	loaded  tip
	trouble *trouble
}

func (b *batch) checkpoint() checkpoint {
	return checkpoint{len(b.moves), len(b.order), len(b.sync), len(b.made), len(b.keys), len(b.edits), b.config, b.people, b.loaded, b.trouble}
}

func (b *batch) rollback(c checkpoint) {
	for i := len(b.moves) - 1; i >= c.moves; i-- {
		m := b.moves[i]
		b.heads[m.ref] = m.from
		if m.first {
			delete(b.base, m.ref)
		}
	}
	b.people, b.loaded, b.trouble = c.people, c.loaded, c.trouble
	b.moves, b.order, b.sync, b.config = b.moves[:c.moves], b.order[:c.order], b.sync[:c.sync], c.config
	b.made, b.keys, b.edits = b.made[:c.made], b.keys[:c.keys], b.edits[:c.edits]
}

// movedSince is, for each watched ref that is elsewhere than at a checkpoint, where
// it was then and where it is now; nil where there is none.
func (b *batch) movedSince(c checkpoint) map[string][2]tip {
	var moved map[string][2]tip
	for _, m := range b.moves[c.moves:] {
		if _, known := moved[m.ref]; known || !slices.Contains(watched, m.ref) {
			continue
		}
		if moved == nil {
			moved = map[string][2]tip{}
		}
		moved[m.ref] = [2]tip{m.from, b.heads[m.ref]}
	}
	for ref, m := range moved {
		if m[0].commit == m[1].commit {
			delete(moved, ref)
		}
	}
	return moved
}

// updates is the batch as one transaction of refs. The audit comes first: an
// entry without its ref is marked void at the next start, a ref without its
// entry would be a change that nobody made.
func (b *batch) updates() []refs.Update {
	var out []refs.Update
	add := func(ref string) {
		if from, to := b.base[ref], b.heads[ref].commit; from != to {
			out = append(out, refs.Update{Name: ref, Old: from, New: to, First: ref == refAudit})
		}
	}
	for _, ref := range b.order {
		if ref == refAudit {
			add(ref)
		}
	}
	for _, ref := range b.order {
		if ref != refAudit {
			add(ref)
		}
	}
	return out
}

// writeFolder writes the folders of a tree that are not in git yet and returns
// the tree's name. at is "<ref>:<path>", under which the tree that was written
// there before serves as the base of a delta.
func (b *batch) writeFolder(f *folder, at string) (plumbing.Hash, error) {
	if !f.oid.IsZero() {
		return f.oid, nil
	}
	entries, err := f.list()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	for i := range entries {
		if e := &entries[i]; e.dir != nil && e.oid.IsZero() {
			if e.oid, err = b.writeFolder(e.dir, at+"/"+e.name); err != nil {
				return plumbing.ZeroHash, err
			}
		}
	}
	oid, err := b.objs.AddDelta(plumbing.TreeObject, b.trees[at], encodeFolder(entries))
	if err != nil {
		return plumbing.ZeroHash, err
	}
	f.oid, b.trees[at] = oid, oid
	return oid, nil
}

func (b *batch) addBlob(data []byte) (plumbing.Hash, error) {
	return b.objs.Add(plumbing.BlobObject, data)
}

// commitInfo is what goes into a commit beside its tree and parents.
type commitInfo struct {
	author  signature
	message string
	when    time.Time
}

type signature struct{ name, email string }

// commit adds a commit with this tree on top of ref and moves ref to it. More
// parents make it a merge.
func (b *batch) commit(ref string, root *folder, info commitInfo, parents ...plumbing.Hash) (plumbing.Hash, error) {
	cur, err := b.head(ref)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	tree, err := b.writeFolder(root, ref+":")
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if !cur.commit.IsZero() {
		parents = append([]plumbing.Hash{cur.commit}, parents...)
	}
	oid, err := b.objs.Add(plumbing.CommitObject, encodeCommit(tree, parents, info))
	if err != nil {
		return plumbing.ZeroHash, err
	}
	b.made = append(b.made, tip{commit: oid, root: root})
	return oid, b.move(ref, tip{commit: oid, root: root})
}

// Get reads an object that is in the repository or was made in this batch; so a
// batch is a source of objects as they will be.
func (b *batch) Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) { return b.objs.Get(oid) }

// Size makes a batch a sizer: what a push brought is not read whole in the writer.
func (b *batch) Size(oid plumbing.Hash) (int64, error) { return b.objs.Size(oid) }

func (b *batch) blob(oid plumbing.Hash) ([]byte, error) {
	typ, data, err := b.objs.Get(oid)
	if err == nil && typ != plumbing.BlobObject {
		err = fmt.Errorf("object %s is a %s, not a blob", oid, typ)
	}
	return data, err
}

// rootOf is the tree of a commit that is in the repository or in this batch.
func (b *batch) rootOf(commit plumbing.Hash) (*folder, error) {
	for _, t := range b.made {
		if t.commit == commit {
			return t.root, nil
		}
	}
	return b.repo.rootOf(commit)
}

// commitsUnwritten reports whether a commit exists only in this batch.
func (b *batch) commitsUnwritten(commit plumbing.Hash) bool {
	for _, t := range b.made {
		if t.commit == commit {
			return true
		}
	}
	return false
}

// encodeCommit writes the commit object. The committer is always the server.
func encodeCommit(tree plumbing.Hash, parents []plumbing.Hash, info commitInfo) []byte {
	var b []byte
	b = fmt.Appendf(b, "tree %s\n", tree)
	for _, p := range parents {
		b = fmt.Appendf(b, "parent %s\n", p)
	}
	when := info.when
	_, offset := when.Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	stamp := fmt.Sprintf("%d %c%02d%02d", when.Unix(), sign, offset/3600, offset/60%60)
	b = fmt.Appendf(b, "author %s <%s> %s\n", cleanIdent(info.author.name), cleanIdent(info.author.email), stamp)
	b = fmt.Appendf(b, "committer %s <%s> %s\n\n", serverName, ServerEmail, stamp)
	return append(b, info.message...)
}

// cleanIdent drops what would end a name or an address in a commit's header.
func cleanIdent(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == '<' || r == '>' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if s = strings.Trim(s, " .,:;\"'"); s == "" {
		return "unknown"
	}
	return s
}

// message joins a person's text and the server's trailers. Lines of the text
// that would read as the server's own trailers are set apart by a space.
func message(text string, c wiki.Caller, key string, more ...string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t")
		if trailerLine(l) {
			lines[i] = " " + lines[i]
		}
	}
	var b strings.Builder
	b.WriteString(strings.Join(lines, "\n"))
	b.WriteString("\n\n")
	fmt.Fprintf(&b, "%s: %s\n", trailerActor, c.Name())
	fmt.Fprintf(&b, "%s: %s\n", trailerVia, viaOf(c))
	if agent := cleanIdent(c.Agent); c.Agent != "" && agent != "unknown" {
		fmt.Fprintf(&b, "%s: %s\n", trailerAgent, agent)
	}
	if key != "" {
		fmt.Fprintf(&b, "%s: %s\n", trailerKey, key)
	}
	for _, m := range more {
		b.WriteString(m)
		b.WriteByte('\n')
	}
	return b.String()
}

// The trailers of the server's own commits.
const (
	trailerPrefix = "Wikibot-"
	trailerActor  = "Wikibot-Actor"
	trailerVia    = "Wikibot-Via"
	trailerAgent  = "Wikibot-Agent"
	trailerKey    = "Wikibot-Key"
	trailerAsked  = "Wikibot-Request"

	trailerRenamed = "Wikibot-Renamed" // old.md -> new.md, paths in the tree
)

// trailerLine is true of a line that reads as one of the server's trailers.
func trailerLine(l string) bool {
	return len(l) >= len(trailerPrefix) && strings.EqualFold(l[:len(trailerPrefix)], trailerPrefix)
}

func viaOf(c wiki.Caller) wiki.Via {
	if c.Via == "" {
		return wiki.ViaCLI
	}
	return c.Via
}
