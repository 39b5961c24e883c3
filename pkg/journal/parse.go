package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Parse reads the line that follows mark and verifies that it does follow it. The
// record's payload is a part of line.
func Parse(after Mark, line []byte) (Record, Mark, error) {
	r, ok := canonical(after, line)
	if !ok {
		var err error
		if r, err = parse(line); err != nil {
			return Record{}, after, err
		}
	}
	switch {
	case r.Seq != after.Seq+1:
		return Record{}, after, fmt.Errorf("record %d stands where record %d should", r.Seq, after.Seq+1)
	case r.Prev != after.Line:
		return Record{}, after, fmt.Errorf("record %d does not follow from the one before it: one of them was changed", r.Seq)
	}
	return r, Mark{Seq: r.Seq, Line: patch.DigestOf(line)}, nil
}

// parse reads any line that a journal may hold. It is strict and slow, and what
// canonical is held against.
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
		return Record{}, fmt.Errorf("not a record: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Record{}, fmt.Errorf("something stands behind record %d in its line", r.Seq)
	}
	if r.Version != Version || r.Kind == "" || len(r.Payload) == 0 {
		return Record{}, errors.New("not a record: it lacks v, kind or payload")
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
