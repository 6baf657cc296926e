package disk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Crash is one state in which a crash could have left the folder.
type Crash struct {
	Point int      // operations that had been done
	Dir   string   // a folder with that state, gone when the loop goes on
	Marks []string // what had been acknowledged before
	Lost  string   // what of the unsynced operations was lost, in words
}

// Crashes goes through the states that a crash could have left: after each
// prefix of the operations, with
//
//   - all that was done,
//   - nothing that was not synced,
//   - everything but one unsynced operation, for each of them; an unsynced
//     write also torn after half of its bytes, and as zeros of its length,
//   - of each folder the operations up to one of them and no further.
//
// A name is synced by SyncDir of its folder (a rename by that of the folder it
// goes to), bytes by the Sync of their file. A state that has been shown with
// the same marks is not shown again. The folders are made inside dir.
func (r *Recorder) Crashes(dir string) iter.Seq2[Crash, error] {
	r.mu.Lock()
	ops := slices.Clone(r.ops)
	r.mu.Unlock()
	return func(yield func(Crash, error) bool) {
		seen := map[[32]byte]bool{}
		var marks []string
		for point := 0; point <= len(ops); point++ {
			if point > 0 && ops[point-1].kind == opMark {
				marks = append(marks, ops[point-1].mark)
			}
			for _, loss := range losses(ops[:point]) {
				s := r.replay(ops[:point], loss)
				key := s.sum(len(marks))
				if seen[key] {
					continue
				}
				seen[key] = true
				if !show(yield, s, Crash{point, filepath.Join(dir, fmt.Sprintf("crash-%d", len(seen))), slices.Clone(marks), loss.text}) {
					return
				}
			}
		}
	}
}

func show(yield func(Crash, error) bool, s *state, c Crash) bool {
	err := s.make(c.Dir)
	more := yield(c, err)
	if e := os.RemoveAll(c.Dir); e != nil && more {
		return yield(c, e)
	}
	return more && err == nil
}

// loss says which operations a crash took.
type loss struct {
	text string
	lost map[int]bool // by position
	torn int          // a write of which half arrived; -1: none
	zero int          // a write of which only the length arrived; -1: none
}

// losses lists what a crash after ops could take.
func losses(ops []op) []loss {
	pending := unsynced(ops)
	list := []loss{{text: "nothing", torn: -1, zero: -1}}
	if len(pending) == 0 {
		return list
	}
	all := loss{text: "all that was not synced", lost: map[int]bool{}, torn: -1, zero: -1}
	for _, i := range pending {
		all.lost[i] = true
	}
	list = append(list, all)
	for n, i := range pending {
		list = append(list, loss{text: "only: " + ops[i].String(), lost: map[int]bool{i: true}, torn: -1, zero: -1})
		if ops[i].kind == OpWrite && len(ops[i].data) > 0 {
			list = append(list,
				loss{text: "half of: " + ops[i].String(), torn: i, zero: -1},
				loss{text: "the bytes of: " + ops[i].String(), torn: -1, zero: i})
			continue
		}
		list = append(list, laterIn(ops, pending[n:]))
	}
	return list
}

// laterIn loses an operation on a folder and all later ones on that folder.
func laterIn(ops []op, pending []int) loss {
	first := ops[pending[0]]
	l := loss{text: "in its folder, from: " + first.String(), lost: map[int]bool{}, torn: -1, zero: -1}
	for _, i := range pending {
		if ops[i].kind != OpWrite && ops[i].folder() == first.folder() {
			l.lost[i] = true
		}
	}
	return l
}

// folder is the one whose SyncDir makes the operation durable.
func (o op) folder() string {
	if o.to != "" {
		return filepath.Dir(o.to)
	}
	return filepath.Dir(o.name)
}

// unsynced lists the positions of operations that nothing has made durable.
func unsynced(ops []op) []int {
	var list []int
	for i, o := range ops {
		switch o.kind {
		case OpSync:
			list = slices.DeleteFunc(list, func(j int) bool { return ops[j].kind == OpWrite && ops[j].file == o.file })
		case OpSyncDir:
			list = slices.DeleteFunc(list, func(j int) bool { return ops[j].kind != OpWrite && ops[j].folder() == o.name })
		case opMark:
		default:
			list = append(list, i)
		}
	}
	return list
}

// replay makes the state after ops, with a loss.
func (r *Recorder) replay(ops []op, l loss) *state {
	s := r.base.clone()
	names := r.base.tree.clone() // as the program saw them: renames go by file
	for i, o := range ops {
		file := o.file
		if o.kind == OpRename || o.kind == OpLink {
			file = names.names[o.name]
		}
		names.apply(o)
		if l.lost[i] {
			continue
		}
		switch o.kind {
		case OpWrite:
			s.write(o, i == l.torn, i == l.zero)
		case OpRename, OpLink:
			s.tree.put(o, file)
		default:
			s.tree.apply(o)
		}
	}
	return s
}

// tree is which names there are.
type tree struct {
	names   map[string]int // file by name
	folders map[string]bool
}

func newTree() *tree { return &tree{map[string]int{}, map[string]bool{}} }

func (t *tree) clone() *tree { return &tree{maps.Clone(t.names), maps.Clone(t.folders)} }

func (t *tree) apply(o op) {
	switch o.kind {
	case OpCreate:
		t.names[o.name] = o.file
	case OpMkdir:
		t.folders[o.name] = true
	case OpRemove:
		delete(t.names, o.name)
		delete(t.folders, o.name)
	case OpRename, OpLink:
		t.put(o, t.names[o.name])
	}
}

// put gives a file the name of a rename or a link. The file is given, since in
// a crashed state its old name may have been lost.
func (t *tree) put(o op, file int) {
	if file == 0 { // a folder: its content comes along
		t.moveFolder(o.name, o.to)
		return
	}
	t.names[o.to] = file
	if o.kind == OpRename {
		delete(t.names, o.name)
	}
}

func (t *tree) moveFolder(from, to string) {
	if !t.folders[from] {
		return
	}
	for _, name := range slices.Collect(maps.Keys(t.names)) {
		if rest, ok := strings.CutPrefix(name, from+"/"); ok {
			t.names[to+"/"+rest] = t.names[name]
			delete(t.names, name)
		}
	}
	for _, name := range slices.Collect(maps.Keys(t.folders)) {
		if rest, ok := strings.CutPrefix(name+"/", from+"/"); ok {
			t.folders[strings.TrimSuffix(to+"/"+rest, "/")] = true
			delete(t.folders, name)
		}
	}
}

// content is the bytes of a file.
type content struct {
	data []byte
	perm fs.FileMode
}

// state is a whole folder.
type state struct {
	tree  *tree
	files map[int]*content
}

func newState() *state { return &state{newTree(), map[int]*content{}} }

func (s *state) clone() *state { return &state{s.tree.clone(), maps.Clone(s.files)} }

// write applies a write; at -1 is a truncation.
func (s *state) write(o op, torn, zero bool) {
	old := s.files[o.file]
	if o.at < 0 {
		s.files[o.file] = &content{perm: old.perm}
		return
	}
	data := o.data
	if torn {
		data = data[:len(data)/2]
	}
	if zero {
		data = make([]byte, len(data))
	}
	end := int(o.at) + len(data)
	next := make([]byte, max(end, len(old.data)))
	copy(next, old.data)
	copy(next[o.at:], data)
	s.files[o.file] = &content{next, old.perm}
}

// sum identifies a state together with the number of marks.
func (s *state) sum(marks int) (key [32]byte) {
	h := sha256.New()
	add := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	add(binary.BigEndian.AppendUint64(nil, uint64(marks)))
	for _, name := range slices.Sorted(maps.Keys(s.tree.folders)) {
		add([]byte(name))
	}
	for _, name := range slices.Sorted(maps.Keys(s.tree.names)) {
		add([]byte(name))
		add(s.files[s.tree.names[name]].data)
	}
	h.Sum(key[:0])
	return key
}

// make writes the state into a new folder. A name whose folder was lost is
// lost with it.
func (s *state) make(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.tree.folders)) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for name, file := range s.tree.names {
		c := s.files[file]
		if err := os.WriteFile(filepath.Join(dir, name), c.data, c.perm|0o200); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
