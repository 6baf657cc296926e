package search

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"wikibot/search/internal/index"
)

// vectorLog keeps the vectors that a model has made for a wiki's chunks, by the hash
// of each chunk's text: they cost time or money, so they outlive the index. The file is
// <dir>/<slug>/<hash of the model's id>.vectors:
//
//	wikibot vectors <dimension> <model id>\n
//	records: hash (16 bytes), vector (dimension float32, little-endian), CRC-32C of both
//
// New records are appended; one that is cut short or damaged ends the file. It is a
// cache: a lost record is made again.
type vectorLog struct {
	file  *os.File
	model string
	dim   int
	at    map[index.Hash]int64 // where each record's vector begins
	end   int64
}

const (
	vectorSuffix = ".vectors"
	vectorHeader = "wikibot vectors %d %s\n"
	maxDimension = 16384
)

// vectorFile is the file's path.
func vectorFile(dir, model string) string {
	sum := sha256.Sum256([]byte(model))
	return filepath.Join(dir, hex.EncodeToString(sum[:8])+vectorSuffix)
}

// openVectors opens a model's file, or begins it where dim, the length of its vectors,
// is known; fs.ErrNotExist where it is not. Reading takes about 1 s a gigabyte.
func openVectors(dir, model string, dim int) (vectorLog, error) {
	if strings.ContainsRune(model, '\n') {
		return vectorLog{}, errors.New("a model's id has no line breaks")
	}
	flags := os.O_RDWR
	if dim > 0 {
		flags |= os.O_CREATE
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return vectorLog{}, err
		}
	}
	f, err := os.OpenFile(vectorFile(dir, model), flags, 0o600)
	if err != nil {
		return vectorLog{}, err
	}
	l := vectorLog{file: f, model: model, dim: dim, at: map[index.Hash]int64{}}
	if err := l.read(); err != nil {
		return vectorLog{}, errors.Join(err, f.Close())
	}
	return l, nil
}

// read finds the records and cuts off what follows the last whole one.
func (l *vectorLog) read() error {
	head := make([]byte, 4096)
	n, err := l.file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	line, _, whole := bytes.Cut(head[:n], []byte("\n"))
	var dim int
	var model string
	if whole {
		rest, ok := strings.CutPrefix(string(line), "wikibot vectors ")
		number, id, _ := strings.Cut(rest, " ")
		if _, err := fmt.Sscan(number, &dim); ok && err == nil {
			model = id
		}
	}
	if model != l.model || dim < 1 || dim > maxDimension || l.dim > 0 && dim != l.dim {
		return l.begin()
	}
	l.dim = dim
	l.end = int64(len(line) + 1)
	record := make([]byte, l.size())
	for {
		if _, err := l.file.ReadAt(record, l.end); err != nil {
			break
		}
		body := record[:len(record)-4]
		if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(record[len(body):]) {
			break
		}
		l.at[index.Hash(record[:16])] = l.end + 16
		l.end += int64(len(record))
	}
	return l.file.Truncate(l.end)
}

// begin empties the file.
func (l *vectorLog) begin() error {
	if l.dim == 0 {
		return fmt.Errorf("%s is not a file of vectors of %s: %w", filepath.Base(l.file.Name()), l.model, os.ErrNotExist)
	}
	head := fmt.Sprintf(vectorHeader, l.dim, l.model)
	if len(head) > 4096 {
		return errors.New("the model's id is too long")
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	if _, err := l.file.WriteAt([]byte(head), 0); err != nil {
		return err
	}
	clear(l.at)
	l.end = int64(len(head))
	return nil
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// size of a record.
func (l *vectorLog) size() int { return 16 + 4*l.dim + 4 }

// add appends vectors.
func (l *vectorLog) add(made map[index.Hash][]float32) error {
	var b []byte
	at := l.end
	placed := map[index.Hash]int64{}
	for hash, v := range made {
		if _, ok := l.at[hash]; ok || len(v) != l.dim {
			continue
		}
		from := len(b)
		b = append(b, hash[:]...)
		placed[hash] = at + int64(len(b))
		for _, f := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli()))
	}
	if _, err := l.file.WriteAt(b, at); err != nil {
		return err
	}
	l.end += int64(len(b))
	for hash, where := range placed {
		l.at[hash] = where
	}
	return nil
}

func (l *vectorLog) has(h index.Hash) bool { _, ok := l.at[h]; return ok }

// get reads the vector of a text.
func (l *vectorLog) get(h index.Hash) ([]float32, error) {
	b := make([]byte, 4*l.dim)
	if _, err := l.file.ReadAt(b, l.at[h]); err != nil {
		return nil, err
	}
	v := make([]float32, l.dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

func (l *vectorLog) close() {
	if l.file != nil {
		l.file.Close() // nothing is buffered, and the file is a cache
	}
	*l = vectorLog{}
}
