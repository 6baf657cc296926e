package objects

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// pack is one pack and its index, mapped. It never changes.
type pack struct {
	path    string // without the ending, absolute as the folder is
	idx     *index
	idxMap  *disk.Mapping
	data    []byte
	datMap  *disk.Mapping
	id      uint64       // tells packs apart in the cache of delta bases
	cruft   bool         // holds garbage that git gc may drop (.mtimes beside it)
	byName  atomic.Bool  // has deltas by name, so that Fold leaves it alone
	touched atomic.Int64 // when its file was last given a new time, in seconds
}

const (
	packHeader  = 12
	packTrailer = 20
	// maxChain bounds a chain of deltas; git itself writes at most 4,095.
	maxChain = 4096
)

// Types of entries in a pack beyond the four of objects.
const (
	ofsDelta = plumbing.OFSDeltaObject
	refDelta = plumbing.REFDeltaObject
)

func openPack(path string) (*pack, error) {
	idxMap, err := disk.Map(path + ".idx")
	if err != nil {
		return nil, err
	}
	datMap, err := disk.Map(path + ".pack")
	if err != nil {
		return nil, err
	}
	return newPack(path, idxMap, datMap)
}

// newPack checks the frames of both files and that they belong together.
func newPack(path string, idxMap, datMap *disk.Mapping) (*pack, error) {
	idx, err := parseIndex(idxMap.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s.idx: %w", path, err)
	}
	data := datMap.Bytes()
	if len(data) < packHeader+packTrailer || string(data[:8]) != "PACK\x00\x00\x00\x02" {
		return nil, fmt.Errorf("%s.pack: not a pack of version 2: %w", path, ErrDamaged)
	}
	if n := binary.BigEndian.Uint32(data[8:]); int64(n) != int64(idx.n) {
		return nil, fmt.Errorf("%s.pack has %d objects, its index %d: %w", path, n, idx.n, ErrDamaged)
	}
	if !bytes.Equal(data[len(data)-packTrailer:], idx.packSum()) {
		return nil, fmt.Errorf("%s.idx is of another pack: %w", path, ErrDamaged)
	}
	return &pack{path: path, idx: idx, idxMap: idxMap, data: data, datMap: datMap}, nil
}

func (p *pack) keepAlive() {
	runtime.KeepAlive(p.idxMap)
	runtime.KeepAlive(p.datMap)
}

// entry is the header of one object in a pack.
type entry struct {
	kind plumbing.ObjectType
	size int64 // inflated, of a delta: of the delta itself
	body int64 // where the compressed bytes begin
	base int64 // of an OFS_DELTA: where its base begins
	ref  plumbing.Hash
}

func (p *pack) entry(off int64) (entry, error) {
	end := int64(len(p.data)) - packTrailer
	if off < packHeader || off >= end {
		return entry{}, fmt.Errorf("offset %d lies outside %s.pack: %w", off, p.path, ErrDamaged)
	}
	e, n, ok := parseEntry(p.data[off:end], off)
	if !ok {
		return entry{}, fmt.Errorf("bad entry at %d in %s.pack: %w", off, p.path, ErrDamaged)
	}
	e.body = off + int64(n)
	return e, nil
}

// parseEntry reads an entry's header from b, which begins at off in its pack,
// and says how many bytes it took.
func parseEntry(b []byte, off int64) (e entry, n int, ok bool) {
	if len(b) == 0 {
		return e, 0, false
	}
	c := b[0]
	e.kind = plumbing.ObjectType(c >> 4 & 7)
	e.size = int64(c & 15)
	n = 1
	for shift := 4; c&0x80 != 0; shift += 7 {
		if n >= len(b) || shift > 53 {
			return e, 0, false
		}
		c = b[n]
		n++
		e.size |= int64(c&0x7f) << shift
	}
	switch e.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	case ofsDelta:
		dist, m := ofsDistance(b[n:])
		if m == 0 || dist <= 0 || dist > off-packHeader {
			return e, 0, false
		}
		e.base = off - dist
		n += m
	case refDelta:
		if len(b)-n < oidSize {
			return e, 0, false
		}
		n += copy(e.ref[:], b[n:])
	default:
		return e, 0, false
	}
	return e, n, true
}

// ofsDistance reads git's offset encoding; n is 0 if it is damaged.
func ofsDistance(b []byte) (dist int64, n int) {
	for n < len(b) && n < 8 {
		c := b[n]
		n++
		dist = dist<<7 | int64(c&0x7f)
		if c&0x80 == 0 {
			return dist, n
		}
		dist++
	}
	return 0, 0
}

// fault turns a fault of a mapped page (the disk cannot read it, or the file
// was cut) into an error; without it the process would end.
func (p *pack) fault(err *error, old bool) {
	debug.SetPanicOnFault(old)
	r := recover()
	if r == nil {
		return
	}
	if _, ok := r.(interface{ Addr() uintptr }); !ok {
		panic(r)
	}
	*err = fmt.Errorf("%s.pack cannot be read: %w", p.path, ErrDamaged)
}

// read returns the object at off.
func (p *pack) read(db *DB, off int64) (t plumbing.ObjectType, data []byte, err error) {
	defer p.fault(&err, debug.SetPanicOnFault(true))
	defer p.keepAlive()
	return p.resolve(db, off)
}

// resolve walks down the chain of deltas to a whole object or a known base,
// and then applies the deltas on the way back.
func (p *pack) resolve(db *DB, off int64) (plumbing.ObjectType, []byte, error) {
	var room [16]entry
	chain := room[:0]
	var t plumbing.ObjectType
	var data []byte
	at := off
	for {
		if db.cache != nil && len(chain) > 0 {
			if bt, b, ok := db.cache.getBase(p.id, at); ok {
				t, data = bt, b
				break
			}
		}
		e, err := p.entry(at)
		if err != nil {
			return 0, nil, err
		}
		if e.kind < ofsDelta {
			if data, err = p.inflate(e); err != nil {
				return 0, nil, err
			}
			t = e.kind
			if len(chain) > 0 {
				p.keepBase(db, at, t, data)
			}
			break
		}
		if len(chain) == maxChain {
			return 0, nil, fmt.Errorf("more than %d deltas on one another in %s.pack: %w", maxChain, p.path, ErrDamaged)
		}
		if at, err = p.base(&e); err != nil {
			return 0, nil, err
		}
		chain = append(chain, e)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		delta, err := p.inflateScratch(chain[i])
		if err != nil {
			return 0, nil, err
		}
		data, err = applyDelta(data, delta.b)
		putScratch(delta)
		if err != nil {
			return 0, nil, fmt.Errorf("%s.pack: %w", p.path, err)
		}
		if i > 0 {
			p.keepBase(db, chain[i-1].base, t, data)
		}
	}
	return t, data, nil
}

func (p *pack) keepBase(db *DB, off int64, t plumbing.ObjectType, data []byte) {
	if db.cache != nil {
		db.cache.putBase(p.id, off, t, data)
	}
}

// base finds where a delta's base begins and notes it in the entry. The base
// of a REF_DELTA is in the same pack: git completes thin packs.
func (p *pack) base(e *entry) (int64, error) {
	if e.kind == ofsDelta {
		return e.base, nil
	}
	pos := p.idx.find(&e.ref)
	if pos < 0 {
		return 0, fmt.Errorf("the base %s of a delta is not in %s.pack: %w", e.ref, p.path, ErrDamaged)
	}
	e.base = p.idx.offset(pos)
	return e.base, nil
}

// inflate returns the bytes of an entry in new memory.
func (p *pack) inflate(e entry) ([]byte, error) {
	src := p.data[e.body : len(p.data)-packTrailer]
	if err := checkSize(e.size, len(src)); err != nil {
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	data := make([]byte, e.size)
	if _, err := inflateZlib(data, src); err != nil {
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	return data, nil
}

// inflateScratch is inflate into memory that putScratch gives back.
func (p *pack) inflateScratch(e entry) (*scratch, error) {
	src := p.data[e.body : len(p.data)-packTrailer]
	if err := checkSize(e.size, len(src)); err != nil {
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	s := getScratch(int(e.size))
	if _, err := inflateZlib(s.b, src); err != nil {
		putScratch(s)
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	return s, nil
}

// checkSize refuses a size that so many compressed bytes cannot hold (DEFLATE
// packs at most 1,032 to one), before memory is taken for it.
func checkSize(size int64, compressed int) error {
	switch {
	case size > MaxObject:
		return fmt.Errorf("%d bytes: %w", size, ErrTooLarge)
	case size > 64 && size/1040 > int64(compressed):
		return fmt.Errorf("an object claims %d bytes of %d: %w", size, compressed, ErrDamaged)
	}
	return nil
}

// header returns the type and the size of the object at off.
func (p *pack) header(off int64) (t plumbing.ObjectType, size int64, err error) {
	defer p.fault(&err, debug.SetPanicOnFault(true))
	defer p.keepAlive()
	for depth := 0; depth <= maxChain; depth++ {
		e, err := p.entry(off)
		if err != nil {
			return 0, 0, err
		}
		if e.kind < ofsDelta {
			if depth == 0 {
				size = e.size
			}
			return e.kind, size, nil
		}
		if depth == 0 {
			if size, err = p.deltaSize(e); err != nil {
				return 0, 0, err
			}
		}
		if off, err = p.base(&e); err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, fmt.Errorf("more than %d deltas on one another in %s.pack: %w", maxChain, p.path, ErrDamaged)
}

// deltaSize is the size of what a delta makes; it inflates the delta's first
// bytes only.
func (p *pack) deltaSize(e entry) (int64, error) {
	var room [20]byte
	head := room[:min(e.size, int64(len(room)))]
	if err := inflatePrefix(head, p.data[e.body:len(p.data)-packTrailer]); err != nil {
		return 0, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	_, n := deltaVarint(head)
	size, m := deltaVarint(head[n:])
	if n == 0 || m == 0 {
		return 0, fmt.Errorf("%s.pack: bad delta: %w", p.path, ErrDamaged)
	}
	return size, nil
}

// packSet is an immutable set of packs, the largest first (that is where most
// objects are).
type packSet struct {
	packs []*pack
	dir   disk.Stamp // of the folder, before it was read
	racy  bool       // the folder changed so shortly before that dir may lie

	// broken are the packs that could not be opened. What is in the others is
	// served; a miss says that it may be in one of these.
	broken error
}

// miss is the answer for an object that is in no pack that can be read.
func (s *packSet) miss() error {
	if s.broken != nil {
		return s.broken
	}
	return errMiss
}

// find returns the pack that holds an object and its offset.
func (s *packSet) find(oid plumbing.Hash) (int64, *pack) {
	for _, p := range s.packs {
		if pos := p.find(&oid); pos >= 0 {
			return p.offset(pos), p
		}
	}
	return 0, nil
}

func (p *pack) find(oid *plumbing.Hash) int {
	pos := p.idx.find(oid)
	runtime.KeepAlive(p.idxMap)
	return pos
}

func (p *pack) offset(pos int) int64 {
	off := p.idx.offset(pos)
	runtime.KeepAlive(p.idxMap)
	return off
}

func (s *packSet) read(db *DB, oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	off, p := s.find(oid)
	if p == nil {
		return 0, nil, errMiss
	}
	return p.read(db, off)
}

func (s *packSet) header(oid plumbing.Hash) (plumbing.ObjectType, int64, error) {
	off, p := s.find(oid)
	if p == nil {
		return 0, 0, errMiss
	}
	return p.header(off)
}

func (s *packSet) between(lo, hi plumbing.Hash, found map[plumbing.Hash]bool) {
	for _, p := range s.packs {
		p.idx.between(lo, hi, found)
		runtime.KeepAlive(p.idxMap)
	}
}

// name is the pack's name without folder and ending.
func (p *pack) name() string { return p.path[strings.LastIndexByte(p.path, '/')+1:] }
