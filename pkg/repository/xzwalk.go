package repository

import (
	"encoding/binary"
	"fmt"
)

// checkXZ walks the blocks of an xz file without decompressing them, and refuses a
// dictionary larger than maxWindow: the library takes the memory that a block asks
// for, up to 4 GiB, before it has seen one byte of content. A walk is possible since
// every LZMA2 chunk says its compressed size.
func checkXZ(file []byte) error {
	const header, flags = 12, 7
	if len(file) < header {
		return xzError("header")
	}
	check := xzCheckSize(file[flags])
	at := header
	for {
		if at >= len(file) {
			return xzError("blocks")
		}
		if file[at] == 0 { // the index: no more blocks
			return nil
		}
		next, err := xzBlock(file, at)
		if err != nil {
			return err
		}
		at = next + check
	}
}

func xzError(part string) error { return fmt.Errorf("xz %s: %w", part, ErrFormat) }

// xzCheckSize is the length of the check behind each block, by the kind of check.
func xzCheckSize(kind byte) int {
	sizes := [...]int{0, 4, 8, 16, 32, 64}
	return sizes[(int(kind&0x0f)+2)/3]
}

// xzBlock gives where the block that starts here ends, its padding included.
func xzBlock(file []byte, at int) (int, error) {
	size := (int(file[at]) + 1) * 4
	if at+size > len(file) {
		return 0, xzError("block header")
	}
	if err := xzDictionary(file[at+1 : at+size-4]); err != nil {
		return 0, err
	}
	end, err := lzma2End(file, at+size)
	return (end + 3) &^ 3, err // everything before was a multiple of 4
}

// xzDictionary reads a block header: flags, two sizes that may be left out, and one
// filter, which must be LZMA2 with the size of its dictionary.
func xzDictionary(header []byte) error {
	if header[0]&0x03 != 0 {
		return xzError("filters")
	}
	rest := header[1:]
	for _, bit := range [...]byte{0x40, 0x80} {
		if header[0]&bit == 0 {
			continue
		}
		_, n := binary.Uvarint(rest)
		if n <= 0 {
			return xzError("block header")
		}
		rest = rest[n:]
	}
	if len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 || rest[2] > 40 {
		return xzError("filters")
	}
	if bits := rest[2]; (2|uint64(bits&1))<<(bits/2+11) > maxWindow {
		return fmt.Errorf("xz dictionary: %w", ErrTooBig)
	}
	return nil
}

// lzma2End passes over chunks until the one that says it is the end.
func lzma2End(file []byte, at int) (int, error) {
	for at < len(file) {
		control := file[at]
		if control == 0 {
			return at + 1, nil
		}
		head, sizeAt := 3, at+1
		if control >= 0x80 {
			head, sizeAt = 5, at+3
		}
		if control >= 0xc0 { // properties
			head++
		}
		if control > 2 && control < 0x80 || sizeAt+2 > len(file) {
			break
		}
		at += head + int(binary.BigEndian.Uint16(file[sizeAt:])) + 1
	}
	return 0, xzError("chunks")
}
