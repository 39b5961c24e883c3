package statedir

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/patch"
)

const (
	digestMark = "sha256:"
	digestSize = len(digestMark) + 64
)

// Digests finds every digest in a text of any form and of any length, and puts it
// into found. What merely looks like one is one too: it is for keeping what may be
// needed.
func Digests(from io.Reader, found map[patch.Digest]bool) error {
	const block = 64 << 10
	buf, kept := make([]byte, block), 0
	for {
		n, err := io.ReadFull(from, buf[kept:])
		text := buf[:kept+n]
		collect(text, found)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for digests: %w", err)
		}
		// One may go on in the next block; what is found twice is found.
		kept = copy(buf, text[max(0, len(text)-digestSize+1):])
	}
}

func collect(text []byte, found map[patch.Digest]bool) {
	for {
		at := bytes.Index(text, []byte(digestMark))
		if at < 0 || len(text)-at < digestSize {
			return
		}
		if digest, err := patch.ParseDigest(string(text[at : at+digestSize])); err == nil {
			found[digest] = true
		}
		text = text[at+len(digestMark):]
	}
}
