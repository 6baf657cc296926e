package server

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wikibot/wiki"
)

// A pack is made by hand: what a client of mallory's could send.
type handPack struct {
	body    bytes.Buffer
	objects uint32
}

// head writes an object's type and size (gitformat-pack(5)).
func (p *handPack) head(kind byte, size uint64) {
	c := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.body.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	p.body.WriteByte(c)
	p.objects++
}

func (p *handPack) deflate(parts ...io.Reader) {
	z := zlib.NewWriter(&p.body)
	if _, err := io.Copy(z, io.MultiReader(parts...)); err != nil {
		panic(err)
	}
	z.Close()
}

func (p *handPack) bytes() []byte {
	out := append([]byte("PACK\x00\x00\x00\x02"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(out[8:], p.objects)
	out = append(out, p.body.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

// zeros are n bytes of nothing.
func zeros(n int64) io.Reader { return io.LimitReader(nothing{}, n) }

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// varint is a size in a delta.
func varint(n uint64) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// swell is a delta that makes n bytes of a base of size zeros.
func swell(size, n uint64) []byte {
	b := append(varint(size), varint(n)...)
	const most = 0xffffff
	for n > 0 {
		take := min(n, size, most)
		b = append(b, 0x80|0x10|0x20|0x40, byte(take), byte(take>>8), byte(take>>16))
		n -= take
	}
	return b
}

// TestGitBombs: packs of a few kilobytes to a few megabytes that would unpack to
// gigabytes in memory. Each is refused, no git process takes more than its
// share, and nothing stays behind.
func TestGitBombs(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	commit := "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1700000000 +0000\ncommitter a <a@b> 1700000000 +0000\n\n"
	bombs := map[string]func(*handPack){
		"a commit of 400 MB": func(p *handPack) {
			p.head(1, uint64(len(commit))+400*mb)
			p.deflate(strings.NewReader(commit), zeros(400*mb))
		},
		"a tree of 400 MB": func(p *handPack) {
			p.head(2, 400*mb)
			p.deflate(zeros(400 * mb))
		},
		"deltas that swell to 3 GB": func(p *handPack) {
			p.head(3, 16*mb)
			p.deflate(zeros(16 * mb))
			base := sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", 16*mb)), make([]byte, 16*mb)...))
			d := swell(16*mb, 3*gb)
			p.head(7, uint64(len(d)))
			p.body.Write(base[:])
			p.deflate(bytes.NewReader(d))
		},
		"1,000 deltas of 200 MB": func(p *handPack) {
			p.head(3, 16*mb)
			p.deflate(zeros(16 * mb))
			base := sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", 16*mb)), make([]byte, 16*mb)...))
			for i := range uint64(1000) {
				d := swell(16*mb, 200*mb+i)
				p.head(7, uint64(len(d)))
				p.body.Write(base[:])
				p.deflate(bytes.NewReader(d))
			}
		},
	}
	for name, fill := range bombs {
		t.Run(name, func(t *testing.T) {
			s := newGitSite(t, nil)
			s.handler.Unpack = 2 * time.Second
			before := s.refs()
			p := &handPack{}
			fill(p)
			var b bytes.Buffer
			line := strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/bomb\x00report-status\n"
			fmt.Fprintf(&b, "%04x%s0000", len(line)+4, line)
			b.Write(p.bytes())
			sent := b.Len()
			r, err := http.NewRequest(http.MethodPost, s.url("bob", "/w/notes.git")+"/git-receive-pack", &b)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(res.Body)
			res.Body.Close()
			var usage syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes sent; a child took at most %d MB; %.200q", sent, usage.Maxrss>>10, answer)
			if usage.Maxrss>>10 > 350 {
				t.Errorf("a git process took %d MB", usage.Maxrss>>10)
			}
			if bytes.Contains(answer, []byte("ok refs/heads/bomb")) || s.refs() != before {
				t.Errorf("the push was accepted: %q", answer)
			}
			waitFor(t, "no quarantine", func() bool {
				left, _ := filepath.Glob(s.dir + "/objects/tmp_*")
				return len(left) == 0
			})
			if _, err := s.store.View(t.Context(), wiki.Caller{User: "bob"}, "notes"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGitEndlessBody: a push of 3 GB against a limit of 50 MB ends soon after 50
// MB, and its bytes are not kept.
func TestGitEndlessBody(t *testing.T) {
	s := newGitSite(t, nil)
	s.handler.MaxPush = 50 << 20
	before := s.refs()
	line := strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/bomb\x00report-status\n"
	head := fmt.Sprintf("%04x%s0000PACK\x00\x00\x00\x02\x00\x00\x00\x01\xb0\x80\x80\x80\x0c", len(line)+4, line)
	body := &counted{r: io.MultiReader(strings.NewReader(head), storedZeros(3<<30))}
	r, err := http.NewRequest(http.MethodPost, s.url("bob", "/w/notes.git")+"/git-receive-pack", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	res, err := http.DefaultClient.Do(r)
	if err == nil {
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if bytes.Contains(answer, []byte("unpack ok")) {
			t.Errorf("accepted: %q", answer)
		}
		t.Logf("%s %.300q", res.Status, answer)
	}
	if body.n.Load() > 200<<20 {
		t.Errorf("the server took %d MB of the body", body.n.Load()>>20)
	}
	if s.refs() != before {
		t.Error("a ref moved")
	}
	waitFor(t, "no quarantine", func() bool {
		left, _ := filepath.Glob(s.dir + "/objects/tmp_*")
		return len(left) == 0 && len(s.handler.slots.running) == 0
	})
	var size int64
	_ = filepath.Walk(s.dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil {
			size += info.Size()
		}
		return nil
	})
	if size > 10<<20 {
		t.Errorf("the repository takes %d MB", size>>20)
	}
}

type counted struct {
	r io.Reader
	n atomic.Int64 // the transport may still read when the answer is there
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// storedZeros is a zlib stream of n zeros that are not compressed.
func storedZeros(n int64) io.Reader {
	block := append([]byte{0, 0xff, 0xff, 0, 0}, make([]byte, 0xffff)...)
	all := []io.Reader{strings.NewReader("\x78\x01")}
	for range n / 0xffff {
		all = append(all, bytes.NewReader(block))
	}
	return io.MultiReader(all...)
}
