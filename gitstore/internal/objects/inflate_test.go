package objects

import (
	"bytes"
	"compress/zlib"
	"math/rand"
	"testing"
)

// TestInflateFar has matches at every distance up to 32 KiB, the farthest that
// there are (RFC 1951, 3.2.5).
func TestInflateFar(t *testing.T) {
	noise := make([]byte, 32<<10)
	rand.New(rand.NewSource(1)).Read(noise)
	for back := 1; back <= len(noise); back += 97 {
		want := append(append([]byte{}, noise[:back]...), noise[:min(back, 200)]...)
		var b bytes.Buffer
		z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
		z.Write(want)
		z.Close()
		got := make([]byte, len(want))
		if _, err := inflateZlib(got, b.Bytes()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("a match %d bytes back: %v", back, err)
		}
	}
}
