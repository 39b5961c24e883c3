package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// The archive is the plainest zip there is: stored entries in the order of their names, one
// time for all, nothing else. So there is exactly one archive of given files, and whatever
// differs from it by a byte is refused; nothing in it can be hidden, doubled or blown up.
// The format is that of PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.

// entry is one file of the archive.
type entry struct {
	name    string
	content []byte
}

// What a zip without its 64-bit extension can hold.
const (
	maxEntries = 1<<16 - 2
	maxArchive = 1<<32 - 2
)

const (
	signLocal   = 0x04034b50
	signCentral = 0x02014b50
	signEnd     = 0x06054b50
	zipVersion  = 10 // 1.0: stored files
)

// localHeader and the others are written as they stand here, little-endian.
type localHeader struct {
	Sign                               uint32
	Version, Flags, Method, Clock, Day uint16
	Sum, Packed, Size                  uint32
	Name, Extra                        uint16
}

type centralHeader struct {
	Sign                                     uint32
	Made, Version, Flags, Method, Clock, Day uint16
	Sum, Packed, Size                        uint32
	Name, Extra, Comment, Disk, Internal     uint16
	External, At                             uint32
}

type endRecord struct {
	Sign                       uint32
	Disk, First, Here, Entries uint16
	Size, At                   uint32
	Comment                    uint16
}

// pack gives the archive of entries, which it sorts.
func pack(entries []entry, at time.Time) ([]byte, error) {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	total := 0
	for _, e := range entries {
		total += len(e.content) + 2*len(e.name) + binary.Size(localHeader{}) + binary.Size(centralHeader{})
	}
	if len(entries) > maxEntries || total > maxArchive-binary.Size(endRecord{}) {
		return nil, fmt.Errorf("a bundle holds at most %d files and 4 GiB, and this would hold %d files and %d bytes", maxEntries, len(entries), total)
	}
	clock, day := dosTime(at)
	out := bytes.NewBuffer(make([]byte, 0, total+binary.Size(endRecord{})))
	var index bytes.Buffer
	for _, e := range entries {
		local := localHeader{
			Sign: signLocal, Version: zipVersion, Clock: clock, Day: day, Sum: crc32.ChecksumIEEE(e.content),
			Packed: uint32(len(e.content)), Size: uint32(len(e.content)), Name: uint16(len(e.name)), //nolint:gosec // bounded above
		}
		put(&index, centralHeader{
			Sign: signCentral, Made: zipVersion, Version: zipVersion, Clock: clock, Day: day, Sum: local.Sum,
			Packed: local.Packed, Size: local.Size, Name: local.Name, At: uint32(out.Len()), //nolint:gosec // bounded above
		})
		index.WriteString(e.name)
		put(out, local)
		out.WriteString(e.name)
		out.Write(e.content)
	}
	n := uint16(len(entries))                                                                              //nolint:gosec // bounded above
	end := endRecord{Sign: signEnd, Here: n, Entries: n, Size: uint32(index.Len()), At: uint32(out.Len())} //nolint:gosec // bounded above
	out.Write(index.Bytes())
	put(out, end)
	return out.Bytes(), nil
}

// put writes a header. It can't fail: a buffer takes all, and the types are of fixed size.
func put(to *bytes.Buffer, header any) { _ = binary.Write(to, binary.LittleEndian, header) }

// dosTime is how a zip tells a time: to two seconds, from 1980 to 2107. UTC here.
func dosTime(t time.Time) (clock, day uint16) {
	t = t.UTC()
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)    //nolint:gosec // 16 bits by its parts
	day = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()) //nolint:gosec // 16 bits by its parts
	return clock, day
}

// unpack gives the files of an archive that pack could have written, but for their time,
// which holds only if packed again they give the same archive: see whole.
func unpack(archive []byte) ([]entry, error) {
	if len(archive) > maxArchive {
		return nil, errors.New("more than 4 GiB")
	}
	if !bytes.HasPrefix(archive, []byte("PK\x03\x04")) {
		return nil, errors.New("this is no zip, and so no bundle: one is written by: patchring evidence export ROLLOUT")
	}
	var entries []entry
	rest := archive
	for {
		e, after, err := cut(rest)
		switch {
		case err != nil:
			return nil, fmt.Errorf("file %d of the archive: %w", len(entries)+1, err)
		case after == nil:
			return entries, nil
		case len(entries) == maxEntries:
			return nil, fmt.Errorf("more than %d files", maxEntries)
		case len(entries) > 0 && e.name <= entries[len(entries)-1].name:
			return nil, fmt.Errorf("%q stands twice or at the wrong place", e.name)
		}
		entries, rest = append(entries, e), after
	}
}

// errCutOff: the beginning is there.
var errCutOff = errors.New("the archive was cut off here; get the whole file again from whoever exported it")

// cut takes the first file off. What is left is nil where the index of the archive begins.
func cut(rest []byte) (entry, []byte, error) {
	var h localHeader
	n := binary.Size(h)
	if len(rest) >= 4 && binary.LittleEndian.Uint32(rest) == signCentral {
		return entry{}, nil, nil
	}
	if len(rest) < n {
		return entry{}, nil, errCutOff
	}
	if _, err := binary.Decode(rest, binary.LittleEndian, &h); err != nil {
		return entry{}, nil, fmt.Errorf("not a header: %w", err)
	}
	end := n + int(h.Name) + int(h.Extra) + int(h.Packed)
	switch {
	case h.Sign != signLocal || h.Version != zipVersion || h.Flags != 0 || h.Method != 0 || h.Extra != 0 || h.Packed != h.Size:
		return entry{}, nil, errors.New("not stored as patchring stores it")
	case end > len(rest):
		return entry{}, nil, errCutOff
	}
	e := entry{name: string(rest[n : n+int(h.Name)]), content: rest[n+int(h.Name) : end : end]}
	if !known(e.name) {
		return entry{}, nil, fmt.Errorf("no bundle has a file %q", e.name)
	}
	if crc32.ChecksumIEEE(e.content) != h.Sum {
		return entry{}, nil, fmt.Errorf("%s does not have its checksum", e.name)
	}
	return e, rest[end:], nil
}

// exactly: the archive is, byte for byte, what its files and that time give.
func exactly(archive []byte, entries []entry, at time.Time) error {
	again, err := pack(slices.Clone(entries), at)
	if err != nil {
		return err
	}
	switch {
	case bytes.Equal(archive, again):
		return nil
	case bytes.HasPrefix(again, archive):
		return fmt.Errorf("only %d of its %d bytes are here; get the whole file again from whoever exported it", len(archive), len(again))
	case bytes.HasPrefix(archive, again):
		return fmt.Errorf("%d bytes stand behind its end", len(archive)-len(again))
	default:
		return errors.New("the archive holds something beside its files, or was packed by something else")
	}
}
