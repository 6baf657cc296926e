// Package rest is what the REST interfaces share: reading JSON from somebody who
// may mean harm, answering in JSON, errors as programs want them, entity tags and
// the headers of rate limits.
//
// An error is an object:
//
//	{"error": "what happened and the next step", "code": "conflict",
//	 "current_revision": "…", "retry_after": 3, "field": "revision", "request_id": "…"}
//
// error and code are always there, the others where they mean something. See Table
// for the codes.
package rest

import (
	"bytes"
	"log/slog"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Options bound what a Codec reads.
type Options struct {
	MaxBody   int64        // bytes of a request's body; 0: 16 MiB
	MaxDepth  int          // of nested arrays and objects; 0: 32
	MaxValues int          // in a body, those in lists and objects counted; 0: 100,000
	Log       *slog.Logger // nil: slog.Default()
}

// Codec reads requests and writes answers. It is safe for concurrent use; it keeps
// buffers and compressors for the next request.
type Codec struct {
	Options
	buffers sync.Pool // of *bytes.Buffer
	gzips   sync.Pool // of *gzip.Writer
	zstd    *zstd.Encoder
}

// NewCodec is a Codec.
func NewCodec(o Options) *Codec {
	if o.MaxBody <= 0 {
		o.MaxBody = 16 << 20
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = 32
	}
	if o.MaxValues <= 0 {
		o.MaxValues = 100_000
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(4), zstd.WithWindowSize(1<<20))
	if err != nil {
		z = nil // cannot be with these options; answers are not compressed with it then
	}
	return &Codec{
		Options: o,
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		gzips: sync.Pool{New: func() any {
			w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
			return w
		}},
		zstd: z,
	}
}

// keptBuffer is the largest buffer that is kept for the next answer, in bytes.
const keptBuffer = 1 << 20

func (c *Codec) buffer() *bytes.Buffer { return c.buffers.Get().(*bytes.Buffer) }

func (c *Codec) release(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		c.buffers.Put(b)
	}
}
