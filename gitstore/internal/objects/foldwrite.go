package objects

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the trailer of a pack is a checksum
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"os"
	"runtime/debug"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// errNotFoldable is of a pack that has a delta by name: combined with others it
// could become part of a circle.
var errNotFoldable = errors.New("a pack with deltas by name")

// folding is one new pack in the making.
type folding struct {
	sources []source
	count   int                     // distinct objects
	at      map[plumbing.Hash]int64 // where an object is in the new pack
	list    []indexed
}

// source is a pack that is copied, with its entries in the order of the file.
type source struct {
	pack    *pack
	entries []indexed
}

// planFold lists what is in the packs, and counts the objects.
func planFold(group []*pack) (*folding, error) {
	f := &folding{at: map[plumbing.Hash]int64{}}
	for _, p := range group {
		s, err := entriesOf(p)
		if err != nil {
			return nil, err
		}
		for _, e := range s.entries {
			f.at[e.oid] = 0
		}
		f.sources = append(f.sources, s)
	}
	f.count = len(f.at)
	clear(f.at)
	f.list = make([]indexed, 0, f.count)
	return f, nil
}

func entriesOf(p *pack) (s source, err error) {
	defer p.fault(&err, debug.SetPanicOnFault(true))
	defer p.keepAlive()
	s = source{p, make([]indexed, p.idx.n)}
	for i := range s.entries {
		s.entries[i] = indexed{p.idx.name(i), p.idx.crc(i), p.idx.offset(i)}
	}
	slices.SortFunc(s.entries, func(a, b indexed) int { return cmp.Compare(a.off, b.off) })
	at := int64(packHeader)
	for i, e := range s.entries {
		if i == 0 && e.off != at || i > 0 && e.off <= at {
			return s, fmt.Errorf("%s.idx: the offset %d cannot be: %w", p.path, e.off, ErrDamaged)
		}
		at = e.off
		head, err := p.entry(e.off)
		if err != nil {
			return s, err
		}
		if head.kind == refDelta {
			p.byName.Store(true)
			return s, errNotFoldable
		}
	}
	return s, nil
}

// write makes the new pack durable and opens it.
func (f *folding) write(ctx context.Context, db *DB) (*pack, error) {
	w := packWriter{db: db}
	p, err := f.writeFiles(ctx, &w)
	if err != nil {
		w.undo()
		return nil, err
	}
	return p, nil
}

func (f *folding) writeFiles(ctx context.Context, w *packWriter) (*pack, error) {
	suffix := rand.Text()
	tmpPack, tmpIdx := w.db.packDir+"/tmp_pack_"+suffix, w.db.packDir+"/tmp_idx_"+suffix
	sum, err := f.writePack(ctx, w, tmpPack)
	if err != nil {
		return nil, err
	}
	if err := w.file(tmpIdx, encodeIndex(f.list, sum[:])); err != nil {
		return nil, err
	}
	w.base = w.db.packDir + "/pack-" + sum.String()
	if err := w.rename(tmpPack, tmpIdx); err != nil {
		return nil, err
	}
	return w.db.open("pack-"+sum.String(), false)
}

func (f *folding) writePack(ctx context.Context, w *packWriter, name string) (sum plumbing.Hash, err error) {
	file, err := w.db.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return sum, err
	}
	w.made = append(w.made, name)
	out := &foldWriter{file: file, sum: sha1.New()} //nolint:gosec // a checksum
	out.add(appendPackHeader(nil, f.count))
	for _, s := range f.sources {
		if err = cmp.Or(ctx.Err(), f.copy(out, s)); err != nil {
			break
		}
	}
	out.flush()
	copy(sum[:], out.sum.Sum(nil))
	out.add(sum[:])
	out.flush()
	err = cmp.Or(err, out.err)
	if err == nil {
		err = file.Sync()
	}
	return sum, cmp.Or(err, file.Close())
}

// copy appends the entries of one pack, except those that are there already.
// Where a delta is now farther from its base, or its base is another copy, only
// the distance in its header changes.
func (f *folding) copy(out *foldWriter, s source) (err error) {
	defer s.pack.fault(&err, debug.SetPanicOnFault(true))
	defer s.pack.keepAlive()
	moved := make(map[int64]int64, len(s.entries))
	for i, e := range s.entries {
		end := int64(len(s.pack.data)) - packTrailer
		if i+1 < len(s.entries) {
			end = s.entries[i+1].off
		}
		raw := s.pack.data[e.off:end]
		if crc32.ChecksumIEEE(raw) != e.crc {
			return fmt.Errorf("%s.pack: the entry at %d has a wrong checksum: %w", s.pack.path, e.off, ErrDamaged)
		}
		if at, ok := f.at[e.oid]; ok {
			moved[e.off] = at
			continue
		}
		at := out.off
		crc, err := out.entry(s.pack, e.off, raw, moved)
		if err != nil {
			return err
		}
		moved[e.off], f.at[e.oid] = at, at
		f.list = append(f.list, indexed{e.oid, crc, at})
	}
	return out.err
}

// foldWriter writes a pack in large pieces and sums it up.
type foldWriter struct {
	file disk.File
	sum  hash.Hash
	buf  []byte
	off  int64
	err  error
}

const foldBuffer = 1 << 20

func (w *foldWriter) add(b []byte) {
	w.buf = append(w.buf, b...)
	w.off += int64(len(b))
	if len(w.buf) >= foldBuffer {
		w.flush()
	}
}

func (w *foldWriter) flush() {
	if w.err == nil && len(w.buf) > 0 {
		w.sum.Write(w.buf)
		_, w.err = w.file.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// entry writes one entry and returns its checksum.
func (w *foldWriter) entry(p *pack, off int64, raw []byte, moved map[int64]int64) (uint32, error) {
	e, n, ok := parseEntry(raw, off)
	if !ok {
		return 0, fmt.Errorf("bad entry at %d in %s.pack: %w", off, p.path, ErrDamaged)
	}
	if e.kind != ofsDelta {
		w.add(raw)
		return crc32.ChecksumIEEE(raw), nil
	}
	base, ok := moved[e.base]
	if !ok {
		return 0, fmt.Errorf("a delta at %d in %s.pack has no base: %w", off, p.path, ErrDamaged)
	}
	var room [32]byte
	head := appendEntry(room[:0], ofsDelta, int(e.size))
	head = appendOfsDistance(head, w.off-base)
	crc := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, raw[n:])
	w.add(head)
	w.add(raw[n:])
	return crc, nil
}
