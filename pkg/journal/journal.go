// Package journal keeps the append-only, hash-chained record of a rollout as
// bytes. It knows nothing of what the records mean.
//
// A journal is a text file of one record a line. Each names the digest of the line
// before, so that nothing can be changed, dropped or moved in the middle without
// being seen. That the end was cut off can't be seen from the file alone.
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Version of the record's format.
const Version = 1

// ErrMoved is what Append gives when somebody else has appended meanwhile: read the
// new records, decide again, append again.
var ErrMoved = errors.New("the journal has moved on")

// Record is one line of a journal. Seq begins at 1. Prev is the digest of the line
// before (without its newline); the first record's is empty. Append fills Version,
// Seq and Prev.
type Record struct {
	Version int             `json:"v"`
	Seq     uint64          `json:"seq"`
	Time    time.Time       `json:"time"`
	Actor   string          `json:"actor"`
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
	Prev    patch.Digest    `json:"prev"`
}

// Journal is one rollout's record. Append is a compare-and-swap: it fails with
// ErrMoved unless the last record's seq is after. When it returns nil, the records
// are durable; else none of them counts, unless the error says that it is not known.
// Read gives the records with seq ≥ from in order, each verified against its
// predecessor; an error of fn ends it and is returned.
//
// Group commit is the caller's: everything that is ready goes into one Append, and
// costs one sync.
type Journal interface {
	Append(ctx context.Context, after uint64, records ...Record) error
	Read(ctx context.Context, from uint64, fn func(Record) error) error
}

// Mark is a place in the chain: the last record before it, and that line's digest.
// The zero Mark is the beginning.
type Mark struct {
	Seq  uint64
	Line patch.Digest
}

// Line writes the record that follows mark as its line, without the newline, and
// gives the mark behind it. The payload is compacted.
func Line(after Mark, r Record) ([]byte, Mark, error) {
	r.Version, r.Seq, r.Prev = Version, after.Seq+1, after.Line
	r.Time = r.Time.UTC().Round(0)
	if r.Kind == "" || len(r.Payload) == 0 {
		return nil, after, fmt.Errorf("record %d has no kind or no payload", r.Seq)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, after, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	line := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	return line, Mark{Seq: r.Seq, Line: patch.DigestOf(line)}, nil
}

// errUnreadable is a line that is no record at all: torn, or something else.
var errUnreadable = errors.New("not a record")

// Parse reads the line that follows mark and verifies that it does follow it.
func Parse(after Mark, line []byte) (Record, Mark, error) {
	r, err := parse(line)
	if err != nil {
		return Record{}, after, err
	}
	switch {
	case r.Seq != after.Seq+1:
		return Record{}, after, fmt.Errorf("record %d stands where record %d should", r.Seq, after.Seq+1)
	case r.Prev != after.Line:
		return Record{}, after, fmt.Errorf("record %d does not follow from the one before it: one of them was changed", r.Seq)
	}
	return r, Mark{Seq: r.Seq, Line: patch.DigestOf(line)}, nil
}

func parse(line []byte) (Record, error) {
	var r Record
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	err := dec.Decode(&r)
	if v, ok := versionOf(line, r.Version, err); ok && v > Version {
		return Record{}, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported,
			What: fmt.Sprintf("the journal is of version %d, and this patchring reads version %d", v, Version),
			Hint: "a newer patchring wrote it: use that version or a later one for this rollout",
		}
	}
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		// Not errUnreadable: a whole record was here, which no torn append explains.
		return Record{}, fmt.Errorf("something stands behind record %d in its line", r.Seq)
	}
	if r.Version != Version || r.Kind == "" || len(r.Payload) == 0 {
		return Record{}, fmt.Errorf("%w: it lacks v, kind or payload", errUnreadable)
	}
	return r, nil
}

// versionOf finds the version of a line that the strict reading may have refused: a
// newer record has fields that this build does not know.
func versionOf(line []byte, read int, err error) (int, bool) {
	if err == nil {
		return read, true
	}
	var head struct {
		Version int `json:"v"`
	}
	return head.Version, json.Unmarshal(line, &head) == nil
}
