package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// The file of an index, all numbers little-endian:
//
//	"wikibot history 1\n"
//	server's address                             string
//	commits, changes, chains, merges             4 × uint32
//	each commit                                  its row, 81 bytes
//	each change                                  its row but for the commit, 50 bytes
//	each chain                                   first, last, base: 3 × int32
//	each merge                                   number, n, n further parents: uint32
//	files, people, words                         3 × (uint32 n, n lengths uint32, then all bytes)
//	newest change of each file                   int32
//	messages                                     uint64 length, bytes
//	CRC-32C of all before                        uint32
//
// A string is its uint32 length and its bytes. The file may be deleted at any
// time; one that cannot be read is no loss.
const (
	fileMagic  = "wikibot history 1\n"
	filePrefix = "history-"
	fileSuffix = ".idx"

	commitSize = 20 + 4 + 4 + 4 + 8 + 4 + 4 + 8 + 8 + 2 + 2 + 3*4 + 1
	changeSize = 20 + 20 + 4 + 4 + 1 + 1
)

// ErrDamaged is the error of a Load whose file is damaged, of another version or
// of other options: build the index anew.
var ErrDamaged = errors.New("the saved history index is damaged or of another version")

// Save writes the index into a folder, as history-<head>.idx, whole or not at
// all, and removes the files of other heads there. It gives the file's path.
func (x *Index) Save(dir string) (file string, err error) {
	head, data := x.encode()
	file = filepath.Join(dir, filePrefix+head.String()+fileSuffix)
	if err := writeFile(dir, file, data); err != nil {
		return "", fmt.Errorf("saving the history index: %w", err)
	}
	for _, old := range saved(dir) {
		if old != file {
			_ = os.Remove(old) // Load takes the newest in any case
		}
	}
	return file, nil
}

func writeFile(dir, file string, data []byte) error {
	f, err := os.CreateTemp(dir, filePrefix+"*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func saved(dir string) []string {
	files, err := filepath.Glob(filepath.Join(globEscape(dir), filePrefix+"*"+fileSuffix))
	if err != nil {
		return nil
	}
	return files
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// Load reads the newest index that Save left in a folder. None is an
// fs.ErrNotExist, an unusable one an ErrDamaged. Its Head is where it stood:
// Advance from there.
func Load(dir string, o Options) (*Index, error) {
	newest, best := "", int64(math.MinInt64)
	for _, f := range saved(dir) {
		if info, err := os.Stat(f); err == nil && info.ModTime().UnixNano() > best {
			newest, best = f, info.ModTime().UnixNano()
		}
	}
	if newest == "" {
		return nil, fmt.Errorf("there is no history index in %s: %w", dir, fs.ErrNotExist)
	}
	data, err := os.ReadFile(newest)
	if err != nil {
		return nil, fmt.Errorf("loading the history index: %w", err)
	}
	x, err := decodeFile(data, o)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", newest, err)
	}
	return x, nil
}

func castagnoli(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
}

func (x *Index) encode() (head plumbing.Hash, data []byte) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	b := make([]byte, 0, len(x.commits)*commitSize+len(x.changes)*changeSize+len(x.texts)+x.paths.bytes+8*len(x.heads)+1<<16)
	b = append(b, fileMagic...)
	b = appendString(b, x.server)
	b = appendInts(b, len(x.commits), len(x.changes), len(x.chains), len(x.others))
	for i := range x.commits {
		b = appendCommit(b, &x.commits[i])
	}
	for i := range x.changes {
		c := &x.changes[i]
		b = append(append(b, c.old[:]...), c.new[:]...)
		b = append(appendInts(b, int(c.path), int(c.prev)), byte(c.kind), c.via)
	}
	for _, c := range x.chains {
		b = appendInts(b, int(c.first), int(c.last), int(c.base))
	}
	for n, ps := range x.others {
		b = appendInts(b, int(n), len(ps))
		for _, p := range ps {
			b = appendInts(b, int(p))
		}
	}
	b = appendNames(b, &x.paths)
	b = appendNames(b, &x.people)
	b = appendNames(b, &x.words)
	for _, h := range x.heads {
		b = appendInts(b, int(h))
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(x.texts)))
	b = append(b, x.texts...)
	return x.head(), binary.LittleEndian.AppendUint32(b, castagnoli(b))
}

func appendInts(b []byte, ns ...int) []byte {
	for _, n := range ns {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func appendString(b []byte, s string) []byte { return append(appendInts(b, len(s)), s...) }

func appendNames(b []byte, t *names) []byte {
	b = appendInts(b, len(t.list))
	for _, s := range t.list {
		b = appendInts(b, len(s))
	}
	for _, s := range t.list {
		b = append(b, s...)
	}
	return b
}

func appendCommit(b []byte, r *commitRow) []byte {
	le := binary.LittleEndian
	b = append(b, r.oid[:]...)
	b = appendInts(b, int(r.parent), int(r.chain), int(r.change))
	b = le.AppendUint64(b, r.text)
	b = appendInts(b, int(r.author), int(r.committer))
	b = le.AppendUint64(b, uint64(r.authored))
	b = le.AppendUint64(b, uint64(r.committed))
	b = le.AppendUint16(b, uint16(r.authorZone))
	b = le.AppendUint16(b, uint16(r.commitZone))
	b = appendInts(b, int(r.actor), int(r.via), int(r.agent))
	return append(b, r.flags)
}

// decoder takes pieces off the front; after the first that is missing it gives
// zeros and bad is true.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return make([]byte, min(max(n, 0), commitSize))
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u32() uint32 { return binary.LittleEndian.Uint32(d.take(4)) }
func (d *decoder) i32() int32  { return int32(d.u32()) }

// count reads a number of things that take at least size bytes each, so that a
// damaged one cannot ask for more memory than the file is worth.
func (d *decoder) count(size int) int {
	n := int(d.u32())
	if n*size > len(d.b) {
		d.bad = true
		return 0
	}
	return n
}

func decodeFile(data []byte, o Options) (*Index, error) {
	if len(data) < len(fileMagic)+4 || string(data[:len(fileMagic)]) != fileMagic {
		return nil, fmt.Errorf("it has no header of this version: %w", ErrDamaged)
	}
	body := data[:len(data)-4]
	if binary.LittleEndian.Uint32(data[len(body):]) != castagnoli(body) {
		return nil, fmt.Errorf("its checksum is wrong: %w", ErrDamaged)
	}
	d := &decoder{b: body[len(fileMagic):]}
	if server := string(d.take(int(d.u32()))); server != o.ServerEmail {
		return nil, fmt.Errorf("it was made for the server's address %q: %w", server, ErrDamaged)
	}
	x := New(o)
	x.decode(d)
	if d.bad || len(d.b) > 0 || !x.sound() {
		return nil, fmt.Errorf("its tables do not fit together: %w", ErrDamaged)
	}
	x.oids.grow(x.commits, 2*len(x.commits)+1)
	x.oids.n = len(x.commits)
	keyed := 0
	for n := range x.commits {
		keyed += int(x.commits[n].flags & flagKeyed / flagKeyed)
	}
	x.keys = make(map[uint64]int32, keyed)
	for n := range x.commits {
		if x.commits[n].flags&flagKeyed != 0 {
			x.keys[maphash.String(x.seed, parseTrailers(x.message(int32(n))).key)] = int32(n)
		}
	}
	return x, nil
}

func (x *Index) decode(d *decoder) {
	x.commits = make([]commitRow, d.count(commitSize))
	x.changes = make([]changeRow, d.count(changeSize))
	x.chains = make([]chain, d.count(12))
	merges := d.count(8)
	for i := range x.commits {
		x.commits[i] = decodeCommit(d.take(commitSize))
	}
	for i := range x.changes {
		x.changes[i] = decodeChange(d.take(changeSize))
	}
	for i := range x.chains {
		x.chains[i] = chain{d.i32(), d.i32(), d.i32()}
	}
	for range merges {
		n := d.i32()
		ps := make([]int32, d.count(4))
		for i := range ps {
			ps[i] = d.i32()
		}
		x.others[n] = ps
	}
	x.paths, x.people, x.words = d.names(), d.names(), d.names()
	x.heads = make([]int32, len(x.paths.list))
	for i := range x.heads {
		x.heads[i] = d.i32()
	}
	size := binary.LittleEndian.Uint64(d.take(8))
	x.texts = append([]byte(nil), d.take(int(min(size, math.MaxInt32<<8)))...)
}

func decodeCommit(b []byte) (r commitRow) {
	le := binary.LittleEndian
	copy(r.oid[:], b)
	r.parent, r.chain, r.change = int32(le.Uint32(b[20:])), int32(le.Uint32(b[24:])), le.Uint32(b[28:])
	r.text = le.Uint64(b[32:])
	r.author, r.committer = le.Uint32(b[40:]), le.Uint32(b[44:])
	r.authored, r.committed = int64(le.Uint64(b[48:])), int64(le.Uint64(b[56:]))
	r.authorZone, r.commitZone = int16(le.Uint16(b[64:])), int16(le.Uint16(b[66:]))
	r.actor, r.via, r.agent = le.Uint32(b[68:]), le.Uint32(b[72:]), le.Uint32(b[76:])
	r.flags = b[80]
	return r
}

func decodeChange(b []byte) (c changeRow) {
	copy(c.old[:], b)
	copy(c.new[:], b[20:])
	c.path, c.prev = binary.LittleEndian.Uint32(b[40:]), int32(binary.LittleEndian.Uint32(b[44:]))
	c.kind, c.via = wiki.ChangeKind(b[48]), b[49]
	return c
}

func (d *decoder) names() names {
	n := d.count(4)
	lengths := d.take(4 * n)
	total := 0
	for i := range n {
		total += int(binary.LittleEndian.Uint32(lengths[4*i:]))
	}
	all := string(d.take(total))
	t := names{list: make([]string, 0, n), ids: make(map[string]uint32, n)}
	for i := 0; i < n && !d.bad; i++ {
		size := binary.LittleEndian.Uint32(lengths[4*i:])
		t.ids[all[:size]] = uint32(i)
		t.list = append(t.list, all[:size])
		all = all[size:]
	}
	t.bytes = total
	return t
}

// sound checks that every number leads to something that is there, and fills
// in the commits of the changes.
func (x *Index) sound() bool {
	commits, chains := int32(len(x.commits)), int32(len(x.chains))
	within := func(n, least, end int32) bool { return n >= least && n < end }
	people, words := uint32(len(x.people.list)), uint32(len(x.words.list))
	for i := range x.commits {
		r, n := &x.commits[i], int32(i)
		change, text := uint32(len(x.changes)), uint64(len(x.texts))
		if i+1 < len(x.commits) {
			change, text = x.commits[i+1].change, x.commits[i+1].text
		}
		if !within(r.parent, -1, n) || !within(r.chain, 0, chains) || r.change > change || change > uint32(len(x.changes)) ||
			r.text > text || text > uint64(len(x.texts)) || r.author >= people || r.committer >= people ||
			r.actor >= words || r.via >= words || r.agent >= words || i == 0 && r.change != 0 {
			return false
		}
		if c := x.chains[r.chain]; n < c.first || n > c.last {
			return false
		}
		for j := r.change; j < change; j++ {
			x.changes[j].commit = n
		}
	}
	if commits == 0 && len(x.changes) > 0 {
		return false
	}
	for i, c := range x.chains {
		if !within(c.first, 0, commits) || !within(c.last, c.first, commits) || !within(c.base, -1, c.first) || x.commits[c.first].chain != int32(i) {
			return false
		}
	}
	for n, ps := range x.others {
		if !within(n, 0, commits) {
			return false
		}
		for _, p := range ps {
			if !within(p, 0, n) {
				return false
			}
		}
	}
	for i := range x.changes {
		c := &x.changes[i]
		if int(c.path) >= len(x.heads) || !within(c.prev, -1, int32(i)) || int(c.via) > len(x.others[c.commit]) ||
			c.prev >= 0 && x.changes[c.prev].path != c.path {
			return false
		}
	}
	for p, h := range x.heads {
		if !within(h, -1, int32(len(x.changes))) || h >= 0 && x.changes[h].path != uint32(p) {
			return false
		}
	}
	return len(x.words.list) > 0 && x.words.list[0] == ""
}
