package evidence

import (
	"bytes"
	"time"
)

// An attacker's tools: the archive taken apart and put together again.

// Piece is one file of an archive.
type Piece struct {
	Name    string
	Content []byte
}

// Unpack gives the files of an archive.
func Unpack(archive []byte) []Piece {
	entries, err := unpack(archive)
	if err != nil {
		panic(err)
	}
	var all []Piece
	for _, e := range entries {
		all = append(all, Piece{e.name, bytes.Clone(e.content)})
	}
	return all
}

// Pack gives a well-formed archive of any files.
func Pack(all []Piece, at time.Time) []byte {
	var entries []entry
	for _, p := range all {
		entries = append(entries, entry{p.Name, p.Content})
	}
	archive, err := pack(entries, at)
	if err != nil {
		panic(err)
	}
	return archive
}

// Relist gives the files with a manifest that lists them as they are now, and else says
// what the old one said.
func Relist(all []Piece) []Piece {
	var m Manifest
	for _, p := range all {
		if p.Name == nameManifest {
			m, _ = parseManifest(p.Content)
		}
	}
	m.Files = nil
	for _, p := range all {
		if p.Name != nameManifest && p.Name != nameManifestSig {
			m.Files = append(m.Files, fileOf(entry{p.Name, p.Content}))
		}
	}
	for i, p := range all {
		if p.Name == nameManifest {
			all[i].Content, _ = m.encode()
		}
	}
	return all
}

// TryUnpack gives the files of what may be an archive; nil where it is none.
func TryUnpack(archive []byte) []Piece {
	if _, err := unpack(archive); err != nil {
		return nil
	}
	return Unpack(archive)
}

// Reread reads a manifest and writes it again.
func Reread(raw []byte) ([]byte, bool) {
	m, err := parseManifest(raw)
	if err != nil {
		return nil, false
	}
	again, err := m.encode()
	return again, err == nil
}
