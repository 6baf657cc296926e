package oauth

import (
	"crypto/sha256"
	"net/http"
	"testing"

	"go.etcd.io/bbolt"
)

func readRow(t *testing.T, a *Authority, c *http.Cookie) (row []byte) {
	t.Helper()
	k := sha256.Sum256([]byte(c.Value))
	if err := a.db.View(func(tx *bbolt.Tx) error {
		row = append(row, tx.Bucket(sessionBucket()).Get(k[:])...)
		return nil
	}); err != nil || len(row) == 0 {
		t.Fatalf("row = %q, %v", row, err)
	}
	return row
}

func writeRow(t *testing.T, a *Authority, c *http.Cookie, row []byte) {
	t.Helper()
	k := sha256.Sum256([]byte(c.Value))
	if err := a.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(sessionBucket()).Put(k[:], row) }); err != nil {
		t.Fatal(err)
	}
}

func countRows(t *testing.T, a *Authority) (n int) {
	t.Helper()
	if err := a.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(sessionBucket()).Stats().KeyN
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
