package objects

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// loosePath is objects/ab/cdef….
func (db *DB) loosePath(oid plumbing.Hash) string {
	var b [41]byte
	hex.Encode(b[:2], oid[:1])
	b[2] = filepath.Separator
	hex.Encode(b[3:], oid[1:])
	return db.dir + string(filepath.Separator) + string(b[:])
}

func (db *DB) looseBytes(oid plumbing.Hash) ([]byte, error) {
	b, err := db.fs.ReadFile(db.loosePath(oid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMiss
	}
	return b, err
}

func (db *DB) readLoose(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	b, err := db.looseBytes(oid)
	if err != nil {
		return 0, nil, err
	}
	return parseLoose(b)
}

// headBytes is how much of a loose object is read for its header: a deflate
// stream tells its first 32 bytes within it, unless somebody made one that does
// not.
const headBytes = 4 << 10

// headerLoose reads the beginning of the file alone: a push of large attachments
// brings many, and each is asked for its size.
func (db *DB) headerLoose(oid plumbing.Hash) (plumbing.ObjectType, int64, error) {
	f, err := db.fs.OpenFile(db.loosePath(oid), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, errMiss
	}
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	head := getScratch(headBytes)
	defer putScratch(head)
	n, err := io.ReadFull(f, head.b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	t, size, _, err := looseHeader(head.b[:n])
	if err == nil || n < headBytes {
		return t, size, err
	}
	b, err := db.looseBytes(oid)
	if err != nil {
		return 0, 0, err
	}
	t, size, _, err = looseHeader(b)
	return t, size, err
}

// looseHeader reads "blob 123\0" at the beginning of a loose object.
func looseHeader(b []byte) (t plumbing.ObjectType, size int64, n int, err error) {
	var room [32]byte
	head, err := inflateSome(room[:], b)
	if err != nil {
		return 0, 0, 0, err
	}
	end := bytes.IndexByte(head, 0)
	if end < 0 {
		return 0, 0, 0, fmt.Errorf("loose object without a header: %w", ErrDamaged)
	}
	kind, digits, ok := strings.Cut(string(head[:end]), " ")
	t, terr := plumbing.ParseObjectType(kind)
	size, serr := strconv.ParseInt(digits, 10, 64)
	if !ok || terr != nil || t > plumbing.TagObject || serr != nil || size < 0 || digits != strconv.FormatInt(size, 10) {
		return 0, 0, 0, fmt.Errorf("loose object with the header %q: %w", head[:end], ErrDamaged)
	}
	return t, size, end + 1, nil
}

// parseLoose reads a whole loose object: a zlib stream of header and content.
func parseLoose(b []byte) (plumbing.ObjectType, []byte, error) {
	t, size, n, err := looseHeader(b)
	if err != nil {
		return 0, nil, err
	}
	if err := checkSize(size, len(b)); err != nil {
		return 0, nil, err
	}
	all := make([]byte, int64(n)+size)
	used, err := inflateZlib(all, b)
	if err != nil {
		return 0, nil, err
	}
	if used != len(b) {
		return 0, nil, fmt.Errorf("loose object with %d bytes after its end: %w", len(b)-used, ErrDamaged)
	}
	return t, all[n:], nil
}

// looseBetween adds the loose objects from lo to hi, which have their first
// two hex digits in common.
func (db *DB) looseBetween(lo, hi plumbing.Hash, found map[plumbing.Hash]bool) error {
	list, err := db.fs.ReadDir(filepath.Join(db.dir, hex.EncodeToString(lo[:1])))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range list {
		h, ok := looseName(lo[0], e.Name())
		if ok && bytes.Compare(h[:], lo[:]) >= 0 && bytes.Compare(h[:], hi[:]) <= 0 {
			found[h] = true
		}
	}
	return nil
}

func looseName(first byte, name string) (h plumbing.Hash, ok bool) {
	if len(name) != 38 {
		return h, false
	}
	h[0] = first
	_, err := hex.Decode(h[1:], []byte(name))
	return h, err == nil
}

// All lists the names of all objects, garbage included, each once.
func (db *DB) All() ([]plumbing.Hash, error) {
	set, err := db.rescan()
	if err != nil {
		return nil, err
	}
	found := map[plumbing.Hash]bool{}
	var lo, hi plumbing.Hash
	for i := range hi {
		hi[i] = 0xff
	}
	set.between(lo, hi, found)
	for first := range 256 {
		lo[0], hi[0] = byte(first), byte(first)
		if err := db.looseBetween(lo, hi, found); err != nil {
			return nil, err
		}
	}
	all := make([]plumbing.Hash, 0, len(found))
	for h := range found {
		all = append(all, h)
	}
	return all, nil
}
