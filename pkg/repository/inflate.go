package repository

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

const (
	// maxInflated bounds what one file may become: Fedora's largest list, of 200 MB, fits.
	maxInflated = 1 << 30
	// maxWindow bounds what a decompressor may keep in memory: xz -9 needs 64 MB.
	maxWindow = 128 << 20
)

// open gives the content of a file, whatever it is compressed with, as its first
// bytes say. It gives at most limit bytes and then ErrTooBig, and it is never nil.
func open(file []byte, limit int64) *inflated {
	in := &inflated{left: limit}
	in.err = guarded(func() (err error) {
		in.from, err = decompressor(file)
		return err
	})
	return in
}

func decompressor(file []byte) (io.Reader, error) {
	r := bytes.NewReader(file)
	switch {
	case bytes.HasPrefix(file, []byte("\x1f\x8b")):
		return gzip.NewReader(r)
	case bytes.HasPrefix(file, []byte("\xfd7zXZ\x00")):
		if err := checkXZ(file); err != nil {
			return nil, err
		}
		return xz.ReaderConfig{SingleStream: true}.NewReader(r)
	case bytes.HasPrefix(file, []byte("\x28\xb5\x2f\xfd")):
		// Without concurrency it decodes as it is read, and leaves nothing to close.
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	case bytes.HasPrefix(file, []byte("BZh")):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(file, []byte("\x04\x22\x4d\x18")):
		return lz4.NewReader(r), nil
	}
	return r, nil
}

// inflated is an io.Reader that bounds and guards a decompressor.
type inflated struct {
	from io.Reader
	left int64
	err  error
}

func (in *inflated) Read(p []byte) (n int, err error) {
	if in.err != nil {
		return 0, in.err
	}
	in.err = guarded(func() error {
		n, err = in.from.Read(p[:min(int64(len(p)), in.left+1)])
		return err
	})
	switch {
	case int64(n) > in.left:
		in.err = fmt.Errorf("what was compressed: %w", ErrTooBig)
		return 0, in.err
	case in.err != nil && in.err != io.EOF: //nolint:errorlint // a reader gives io.EOF itself
		in.err = fmt.Errorf("decompressing (%s): %w", clean(in.err.Error()), ErrFormat)
	}
	in.left -= int64(n)
	return n, in.err
}
