package sign

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/statedir"
)

func publishFile(path string, line []byte) error {
	if err := appendOnce(path, line); err != nil {
		return unpublished(path, fault.Retry, err, "look at publish: file: in the inventory, and at the rights of that file")
	}
	return nil
}

// appendOnce appends line unless it is there, under a lock, and comes back when it is on
// the disk.
func appendOnce(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644) //nolint:gosec // it is published: everyone may read it
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	release, err := statedir.Flock(f, true)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // the close that follows releases it as well
	known, torn, err := scan(f, line)
	if err != nil {
		return err
	}
	if torn { // a crash in the middle of a line; the next one must not become part of it
		line = append([]byte("\n"), line...)
	}
	if !known {
		if _, err := f.Write(line); err != nil {
			return err
		}
	}
	return f.Sync()
}

// scan tells whether line stands in r, and whether r ends within a line.
func scan(r io.Reader, line []byte) (known, torn bool, err error) {
	lines := bufio.NewReaderSize(r, len(line)+1)
	whole := true // whether what is read begins a line
	for {
		part, err := lines.ReadSlice('\n')
		known = known || whole && bytes.Equal(part, line)
		switch {
		case errors.Is(err, io.EOF):
			return known, len(part) > 0 || !whole, nil
		case errors.Is(err, bufio.ErrBufferFull):
			whole = false
		case err != nil:
			return false, false, fmt.Errorf("read what is there: %w", err)
		default:
			whole = true
		}
	}
}
