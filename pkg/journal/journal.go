// Package journal keeps the append-only, hash-chained record of a rollout as
// bytes. It knows nothing of what the records mean.
package journal

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// Record is one line of a journal. Seq begins at 1. Prev is the digest of the line
// before (without its newline); the first record's is empty. Append fills Seq and Prev.
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
// are durable. Read gives the records with seq ≥ from in order, each verified
// against its predecessor; an error of fn ends it and is returned.
type Journal interface {
	Append(ctx context.Context, after uint64, records ...Record) error
	Read(ctx context.Context, from uint64, fn func(Record) error) error
}
