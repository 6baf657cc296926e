package objects

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the trailer of an index is a checksum
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// packWriter brings a pack and its index onto the disk.
type packWriter struct {
	db   *DB
	base string   // the final path without its ending
	made []string // what to remove if it fails, in this order
}

func (w *packWriter) write(data, idx []byte) error {
	suffix := rand.Text()
	tmpPack, tmpIdx := w.db.packDir+"/tmp_pack_"+suffix, w.db.packDir+"/tmp_idx_"+suffix
	// Side by side: a journal takes both syncs in one commit. Neither file gets
	// its name before both are on the disk.
	w.made = append(w.made, tmpPack, tmpIdx)
	packed := make(chan error, 1)
	go func() { packed <- w.db.writeFile(tmpPack, data) }()
	err := w.db.writeFile(tmpIdx, idx)
	if err = errors.Join(<-packed, err); err != nil {
		return err
	}
	return w.rename(tmpPack, tmpIdx)
}

// rename gives both files their names. Objects appear with the index, so that
// comes last; and it goes first if this fails. A pack of that name is the same
// one, and stays whatever happens.
func (w *packWriter) rename(tmpPack, tmpIdx string) error {
	if _, err := w.db.fs.Stat(w.base + ".idx"); err == nil {
		w.undo()
		w.made = nil
		return w.db.fs.SyncDir(w.db.packDir)
	}
	if err := w.db.fs.Rename(tmpPack, w.base+".pack"); err != nil {
		return err
	}
	w.made = []string{tmpIdx, w.base + ".pack"}
	if err := w.db.fs.Rename(tmpIdx, w.base+".idx"); err != nil {
		return err
	}
	w.made = []string{w.base + ".idx", w.base + ".pack"}
	return w.db.fs.SyncDir(w.db.packDir)
}

// file writes a new read-only file and syncs it.
func (w *packWriter) file(name string, data []byte) error {
	w.made = append(w.made, name)
	return w.db.writeFile(name, data)
}

func (db *DB) writeFile(name string, data []byte) error {
	f, err := db.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// undo removes what was made. What cannot be removed is swept at the next
// start: temporary files by their names, a pack without an index as garbage.
func (w *packWriter) undo() {
	for _, name := range w.made {
		if err := w.db.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// indexed is one object as an index has it.
type indexed struct {
	oid plumbing.Hash
	crc uint32
	off int64
}

// encodeIndex makes an index of version 2; see index. It sorts the list.
func encodeIndex(list []indexed, packSum []byte) []byte {
	slices.SortFunc(list, func(a, b indexed) int { return bytes.Compare(a.oid[:], b.oid[:]) })
	b := make([]byte, 0, idxHeader+idxFanout+len(list)*28+idxTrailer)
	b = append(b, "\xfftOc\x00\x00\x00\x02"...)
	b = appendFanout(b, list)
	for i := range list {
		b = append(b, list[i].oid[:]...)
	}
	for i := range list {
		b = binary.BigEndian.AppendUint32(b, list[i].crc)
	}
	var large []byte
	for i := range list {
		off := list[i].off
		if off < 1<<31 {
			b = binary.BigEndian.AppendUint32(b, uint32(off))
			continue
		}
		b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(large)/8))
		large = binary.BigEndian.AppendUint64(large, uint64(off))
	}
	b = append(append(b, large...), packSum...)
	sum := sha1.Sum(b) //nolint:gosec // a checksum
	return append(b, sum[:]...)
}

func appendFanout(b []byte, list []indexed) []byte {
	n := 0
	for first := range 256 {
		for n < len(list) && int(list[n].oid[0]) == first {
			n++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}
