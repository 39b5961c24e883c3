// Package journal keeps the append-only, hash-chained record of a rollout as
// bytes. It knows nothing of what the records mean.
//
// A journal is a text file of one record a line. Each names the digest of the line
// before, so that nothing can be changed, dropped or moved in the middle without
// being seen. That the end was cut off can't be seen from the file alone.
//
// What stands behind the last newline is a torn tail: an append that never came to its
// end. It is told, kept in a file of its own by the next append, and cut off. Any whole
// line that is no record, or does not follow, is damage: an error that names the file
// and the line, and nothing is appended. A record of a newer version is refused.
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
// are durable; else none of them counts, unless the error is statedir.ErrInDoubt.
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
