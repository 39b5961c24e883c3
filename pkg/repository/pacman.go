package repository

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

const maxDesc = 1 << 20

// Pacman verifies one pacman repository: the keys' detached signature over the
// database (core.db and core.db.sig). Arch Linux signs its packages and not this
// database; it is then the host's word, as Problem says.
func Pacman(keys *Keyring, db, signature []byte, opt Options) (*Index, error) {
	x := &Index{}
	x.settle(keys.Verify(db, signature, opt.Now))
	return x, readPacman(open(db, maxInflated), opt.wanted(), x.add)
}

// readPacman reads the desc files of a database.
func readPacman(r io.Reader, want wanted, add func(Entry) error) error {
	return eachFile(r, maxDesc, func(name string, content []byte) error {
		if path.Base(name) != "desc" {
			return nil
		}
		e, err := parseDesc(content)
		if err != nil {
			return fmt.Errorf("%s: %w", quote(name), err)
		}
		if !want.has([]byte(e.Name)) {
			return nil
		}
		return add(e)
	})
}

// eachFile goes through the plain files of a tar that are no larger than most.
func eachFile(r io.Reader, most int64, visit func(name string, content []byte) error) error {
	archive := tar.NewReader(r)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("archive (%s): %w", clean(err.Error()), formatUnless(err, ErrTooBig))
		}
		if head.Typeflag != tar.TypeReg || head.Size > most {
			continue // the list of files is larger, and not looked at
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return fmt.Errorf("archive (%s): %w", clean(err.Error()), formatUnless(err, ErrTooBig))
		}
		if err := visit(head.Name, content); err != nil {
			return err
		}
	}
}

func formatUnless(err, other error) error {
	if errors.Is(err, other) {
		return other
	}
	return ErrFormat
}

// parseDesc reads %NAME% and the lines after it, until an empty one.
func parseDesc(content []byte) (e Entry, err error) {
	fields := map[string]string{}
	for block := range strings.SplitSeq(string(content), "\n\n") {
		head, value, _ := strings.Cut(strings.TrimLeft(block, "\n"), "\n")
		if head == "" {
			continue
		}
		if _, twice := fields[head]; twice || head[0] != '%' {
			return e, fmt.Errorf("field %s: %w", quote(head), ErrFormat)
		}
		fields[head] = strings.TrimRight(value, "\n")
	}
	e = Entry{Name: fields["%NAME%"], Version: fields["%VERSION%"], Arch: fields["%ARCH%"], File: fields["%FILENAME%"]}
	if e.Size, err = number(fields["%CSIZE%"]); err != nil {
		return e, err
	}
	if hexes := fields["%SHA256SUM%"]; hexes != "" {
		e.Digest, err = sha256Digest(hexes)
	}
	return e, err
}
