package objects

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the trailer of a pack is a checksum, not a proof
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"
	"github.com/pjbgf/sha1cd"

	"wikibot/gitstore/internal/disk"
)

// ErrCollision is the error of content made to collide in SHA-1.
var ErrCollision = errors.New("content that attacks SHA-1")

// Batch collects new objects and writes them as one pack. It belongs to one
// goroutine. Objects that it holds can be read from it before they are written.
type Batch struct {
	db      *DB
	objects map[plumbing.Hash]*batched
	order   []plumbing.Hash // in the order of the pack
	body    bytes.Buffer    // the pack without its header and trailer
	written bool
}

type batched struct {
	kind  plumbing.ObjectType
	data  []byte
	off   int64 // in the pack
	crc   uint32
	depth int // of the chain of deltas it ends
}

// maxDepth bounds the chains of deltas that a Batch makes, so that reading one
// stays within a few times the cost of a whole object.
const maxDepth = 24

// minDelta is the size in bytes from which a delta is worth its chain.
const minDelta = 512

// NewBatch begins a batch of objects for db.
func (db *DB) NewBatch() *Batch {
	return &Batch{db: db, objects: map[plumbing.Hash]*batched{}}
}

// Hash names content as git does (SHA-1 of "blob 3\0abc"), and refuses, with
// ErrCollision, content that was made to collide.
func Hash(t plumbing.ObjectType, data []byte) (oid plumbing.Hash, err error) {
	h := sha1cd.New().(sha1cd.CollisionResistantHash)
	var head [32]byte
	h.Write(appendHeader(head[:0], t, len(data)))
	h.Write(data)
	sum, collision := h.CollisionResistantSum(nil)
	if collision {
		return oid, ErrCollision
	}
	copy(oid[:], sum)
	return oid, nil
}

func appendHeader(b []byte, t plumbing.ObjectType, size int) []byte {
	b = append(append(b, t.String()...), ' ')
	return append(strconv.AppendInt(b, int64(size), 10), 0)
}

// Add puts an object into the batch, unless a pack of the repository has it
// already. The batch keeps data, which must not be changed afterwards.
func (b *Batch) Add(t plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	return b.add(t, plumbing.ZeroHash, data)
}

// AddDelta is Add with a hint: data differs little from the object base. Where
// base is in this batch, only the difference is stored: for a tree of 1,000
// entries with one changed, some 60 bytes.
func (b *Batch) AddDelta(t plumbing.ObjectType, base plumbing.Hash, data []byte) (plumbing.Hash, error) {
	return b.add(t, base, data)
}

func (b *Batch) add(t plumbing.ObjectType, base plumbing.Hash, data []byte) (plumbing.Hash, error) {
	if b.written {
		return plumbing.ZeroHash, errors.New("adding to a batch that was written")
	}
	if int64(len(data)) > MaxObject {
		return plumbing.ZeroHash, fmt.Errorf("an object of %d bytes: %w", len(data), ErrTooLarge)
	}
	oid, err := Hash(t, data)
	if err != nil {
		return oid, err
	}
	if b.objects[oid] != nil || b.db.keeps(oid) {
		return oid, nil
	}
	o := &batched{kind: t, data: data, off: packHeader + int64(b.body.Len())}
	if err := b.encode(o, b.objects[base]); err != nil {
		return oid, err
	}
	b.objects[oid] = o
	b.order = append(b.order, oid)
	return oid, nil
}

// encode appends the object's entry to the pack.
func (b *Batch) encode(o, base *batched) error {
	start := b.body.Len()
	if base != nil && base.kind == o.kind && base.depth < maxDepth && len(o.data) >= minDelta {
		s := getScratch(0)
		defer putScratch(s)
		s.b = makeDelta(s.b[:0], base.data, o.data)
		if len(s.b) < len(o.data)/2 {
			o.depth = base.depth + 1
			b.body.Write(appendEntry(nil, ofsDelta, len(s.b)))
			b.body.Write(appendOfsDistance(nil, o.off-base.off))
			return b.deflate(o, start, s.b)
		}
	}
	var head [16]byte
	b.body.Write(appendEntry(head[:0], o.kind, len(o.data)))
	return b.deflate(o, start, o.data)
}

func (b *Batch) deflate(o *batched, start int, data []byte) error {
	if err := deflate(&b.body, data); err != nil {
		return err
	}
	o.crc = crc32.ChecksumIEEE(b.body.Bytes()[start:])
	return nil
}

// level is zlib's level: at 4 a page takes as long as at 2 or 3 (30 µs) and is within
// 2 % of what level 6 makes of it in 42 µs (BenchmarkDeflate).
const level = 4

// What is large is the tree of a folder of many pages: half of it is object names,
// of which no level makes less. With 4,000 entries (180 kB) level 2 takes 0.9 ms and
// 129.7 kB, level 4 1.8 ms and 128.0 kB, and whoever saves a page waits for it.
const (
	large      = 32 << 10
	largeLevel = 2
)

var deflaters, largeDeflaters = sync.Pool{New: newDeflater(level)}, sync.Pool{New: newDeflater(largeLevel)}

func newDeflater(level int) func() any {
	return func() any {
		w, err := zlib.NewWriterLevel(nil, level)
		if err != nil {
			panic(err) // the level is a constant that zlib knows
		}
		return w
	}
}

// stored is the size up to which an object is not compressed: most that is so small
// is the delta of a tree, a few copies around an object name, of which a code
// of its own makes more bytes, in 15 µs.
const stored = 128

func deflate(dst io.Writer, data []byte) error {
	if len(data) <= stored {
		return store(dst, data)
	}
	pool := &deflaters
	if len(data) >= large {
		pool = &largeDeflaters
	}
	w := pool.Get().(*zlib.Writer)
	defer pool.Put(w)
	w.Reset(dst)
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}

// store writes data as a zlib stream of one stored block (RFC 1950; RFC 1951,
// section 3.2.4).
func store(dst io.Writer, data []byte) error {
	var room [stored + 16]byte
	n := uint16(len(data))
	b := append(room[:0], 0x78, 0x01, 1)
	b = binary.LittleEndian.AppendUint16(b, n)
	b = binary.LittleEndian.AppendUint16(b, ^n)
	b = append(b, data...)
	b = binary.BigEndian.AppendUint32(b, adler32.Checksum(data))
	_, err := dst.Write(b)
	return err
}

// appendEntry writes the header of an entry.
func appendEntry(b []byte, t plumbing.ObjectType, size int) []byte {
	c := byte(t)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b = append(b, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(b, c)
}

// appendOfsDistance writes git's offset encoding (its bytes come backwards).
func appendOfsDistance(b []byte, dist int64) []byte {
	var room [10]byte
	i := len(room) - 1
	room[i] = byte(dist & 0x7f)
	for dist >>= 7; dist > 0; dist >>= 7 {
		dist--
		i--
		room[i] = 0x80 | byte(dist&0x7f)
	}
	return append(b, room[i:]...)
}

// keeps reports whether an object is in a pack that git gc will not drop.
// Garbage (cruft packs) may go at any time, and a loose object may be garbage
// or not durable, so those are written again. Since the object may be garbage in
// its pack too, the pack is touched, as git does it: gc drops garbage by the age
// of its pack.
func (db *DB) keeps(oid plumbing.Hash) bool {
	for _, p := range db.packs.Load().packs {
		if !p.cruft && p.find(&oid) >= 0 {
			return p.freshen(db.fs)
		}
	}
	return false
}

// freshFor is how long a touched pack counts as fresh; garbage is kept for two
// weeks.
const freshFor = time.Hour

func (p *pack) freshen(fsys disk.FS) bool {
	now := time.Now().Unix()
	if now-p.touched.Load() < int64(freshFor/time.Second) {
		return true
	}
	if fsys.Touch(p.path+".pack") != nil {
		return false // it has been removed: write the object again
	}
	p.touched.Store(now)
	return true
}

// Get returns an object of the batch, or else of the repository.
func (b *Batch) Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	if o := b.objects[oid]; o != nil {
		return o.kind, o.data, nil
	}
	return b.db.Get(oid)
}

// Size is the size of an object's content in bytes, told without reading all of
// it.
func (b *Batch) Size(oid plumbing.Hash) (int64, error) {
	if o := b.objects[oid]; o != nil {
		return int64(len(o.data)), nil
	}
	return b.db.Size(oid)
}

// Len is the number of objects that the pack will have.
func (b *Batch) Len() int { return len(b.order) }

// Bytes is the size that the pack will have, its index apart.
func (b *Batch) Bytes() int64 { return packHeader + int64(b.body.Len()) + packTrailer }

// WritePack writes the batch as one pack and makes it durable: when it returns
// nil, pack and index are on the disk under their names, and the DB finds the
// objects. On an error, which wraps that of the disk (syscall.ENOSPC, …), no
// file is left. An empty batch writes nothing. It costs three fsyncs.
func (b *Batch) WritePack() error {
	if b.written {
		return errors.New("writing a batch twice")
	}
	if len(b.order) == 0 {
		b.written = true
		return nil
	}
	data := b.pack()
	idx := encodeIndex(b.indexed(), data[len(data)-packTrailer:])
	p, err := b.db.install(data, idx)
	if err != nil {
		return fmt.Errorf("writing a pack of %d objects: %w", len(b.order), err)
	}
	b.written = true
	b.db.register(p)
	if c := b.db.cache; c != nil {
		for _, oid := range b.order {
			o := b.objects[oid]
			c.put(oidKey(b.db.id, oid), o.kind, o.data)
		}
	}
	return nil
}

func (b *Batch) pack() []byte {
	data := make([]byte, 0, b.Bytes())
	data = appendPackHeader(data, len(b.order))
	data = append(data, b.body.Bytes()...)
	sum := sha1.Sum(data) //nolint:gosec // a checksum
	return append(data, sum[:]...)
}

func appendPackHeader(b []byte, n int) []byte {
	b = append(b, "PACK\x00\x00\x00\x02"...)
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func (b *Batch) indexed() []indexed {
	list := make([]indexed, len(b.order))
	for i, oid := range b.order {
		o := b.objects[oid]
		list[i] = indexed{oid, o.crc, o.off}
	}
	return list
}

// install writes a pack and its index under temporary names, makes them
// durable, gives them their names, the pack first, and makes these durable.
func (db *DB) install(data, idx []byte) (*pack, error) {
	if err := disk.MakeDirs(db.fs, db.packDir, 0o777); err != nil {
		return nil, err
	}
	sum := plumbing.Hash(data[len(data)-packTrailer:])
	w := packWriter{db: db, base: db.packDir + "/pack-" + sum.String()}
	if err := w.write(data, idx); err != nil {
		w.undo()
		return nil, err
	}
	p, err := newPack(w.base, disk.Memory(idx), db.mappingOf(w.base, data))
	if err != nil {
		return nil, err
	}
	p.id = db.packID()
	return p, nil
}

// mappingOf keeps a small pack in memory and maps a large one.
func (db *DB) mappingOf(base string, data []byte) *disk.Mapping {
	if len(data) > 64<<10 {
		if m, err := disk.Map(base + ".pack"); err == nil {
			return m
		}
	}
	return disk.Memory(data)
}
