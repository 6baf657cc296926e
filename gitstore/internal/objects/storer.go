package objects

import (
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// Storer lets go-git's algorithms (plumbing/object: diff, patch, merge base)
// read a DB. With a batch, it also reads what the batch holds, and objects set
// through it go into the batch; without one, setting is refused.
type Storer struct {
	db    *DB
	batch *Batch
}

var _ storer.EncodedObjectStorer = (*Storer)(nil)

// Storer is the DB as go-git wants it. The batch may be nil.
func (db *DB) Storer(batch *Batch) *Storer { return &Storer{db, batch} }

// NewEncodedObject is an empty object in memory.
func (s *Storer) NewEncodedObject() plumbing.EncodedObject { return &plumbing.MemoryObject{} }

// SetEncodedObject puts an object into the batch.
func (s *Storer) SetEncodedObject(o plumbing.EncodedObject) (plumbing.Hash, error) {
	if s.batch == nil {
		return plumbing.ZeroHash, errors.New("writing through a storer that only reads")
	}
	r, err := o.Reader()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	data, err := io.ReadAll(r)
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return s.batch.Add(o.Type(), data)
}

// EncodedObject reads an object; of another type than t counts as missing.
func (s *Storer) EncodedObject(t plumbing.ObjectType, oid plumbing.Hash) (plumbing.EncodedObject, error) {
	kind, data, err := s.get(oid)
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound), err == nil && t != plumbing.AnyObject && t != kind:
		return nil, plumbing.ErrObjectNotFound // go-git compares with ==
	case err != nil:
		return nil, err
	}
	return &readObject{oid, kind, data}, nil
}

func (s *Storer) get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	if s.batch != nil {
		return s.batch.Get(oid)
	}
	return s.db.Get(oid)
}

// HasEncodedObject is nil for an object that is there.
func (s *Storer) HasEncodedObject(oid plumbing.Hash) error {
	if s.batch != nil && s.batch.objects[oid] != nil || s.db.Has(oid) {
		return nil
	}
	return plumbing.ErrObjectNotFound
}

// EncodedObjectSize is the size of an object in bytes.
func (s *Storer) EncodedObjectSize(oid plumbing.Hash) (int64, error) {
	if s.batch != nil {
		if o := s.batch.objects[oid]; o != nil {
			return int64(len(o.data)), nil
		}
	}
	n, err := s.db.Size(oid)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return 0, plumbing.ErrObjectNotFound
	}
	return n, err
}

// IterEncodedObjects goes through all objects of a type; it first lists their
// names.
func (s *Storer) IterEncodedObjects(t plumbing.ObjectType) (storer.EncodedObjectIter, error) {
	all, err := s.db.All()
	if err != nil {
		return nil, err
	}
	var names []plumbing.Hash
	for _, oid := range all {
		kind, _, err := s.db.Header(oid)
		if err != nil {
			return nil, err
		}
		if t == plumbing.AnyObject || t == kind {
			names = append(names, oid)
		}
	}
	return storer.NewEncodedObjectLookupIter(s, t, names), nil
}

// AddAlternate is refused: a repository of ours borrows nothing.
func (s *Storer) AddAlternate(string) error {
	return errors.New("a wiki's repository must not borrow objects from another one")
}

// readObject is an object that was read; it cannot be changed.
type readObject struct {
	oid  plumbing.Hash
	kind plumbing.ObjectType
	data []byte
}

func (o *readObject) Hash() plumbing.Hash            { return o.oid }
func (o *readObject) Type() plumbing.ObjectType      { return o.kind }
func (o *readObject) SetType(plumbing.ObjectType)    {}
func (o *readObject) Size() int64                    { return int64(len(o.data)) }
func (o *readObject) SetSize(int64)                  {}
func (o *readObject) Reader() (io.ReadCloser, error) { return &objectReader{data: o.data}, nil }
func (o *readObject) Writer() (io.WriteCloser, error) {
	return nil, errors.New("an object that was read cannot be written")
}

type objectReader struct{ data []byte }

func (r *objectReader) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.data)
	r.data = r.data[n:]
	return n, nil
}

func (r *objectReader) Close() error { return nil }
