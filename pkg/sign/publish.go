package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Statement is one checkpoint as it is published: who said when that a rollout's journal
// stood like this. Message and Signature are what ssh-keygen -Y verify takes; the rest tells
// the same to a person.
type Statement struct {
	Rollout   string       `json:"rollout"`
	Site      string       `json:"site"`
	Why       string       `json:"why"`
	Seq       uint64       `json:"seq"`
	Line      patch.Digest `json:"line"` // of the journal's record Seq
	Time      time.Time    `json:"time"`
	As        string       `json:"as"`
	Key       string       `json:"key"`
	Message   string       `json:"message"`
	Signature string       `json:"signature"`
}

// Publisher puts checkpoints where who holds the state folder can't take them back
// unnoticed. Each place that is named gets every checkpoint.
type Publisher struct {
	File   string       // a file that grows by one JSON line each
	URL    string       // gets a POST each
	Git    string       // a work tree that gets one file and one commit each; pushing is not our business
	Client *http.Client // nil: one with time limits of its own
}

// Publish publishes a statement. To publish the same one again changes nothing, so it is
// what to do when it could not be told whether it worked. Every place is tried; the error
// is for all that failed.
func (p Publisher) Publish(ctx context.Context, s Statement) error {
	line, err := s.encode()
	if err != nil {
		return err
	}
	var failed []error
	if p.File != "" {
		failed = append(failed, publishFile(p.File, line))
	}
	if p.URL != "" {
		failed = append(failed, p.post(ctx, line))
	}
	if p.Git != "" {
		failed = append(failed, publishGit(ctx, p.Git, s, line))
	}
	return errors.Join(failed...)
}

// rolloutID is what statedir gives as ids. It becomes a folder's name.
var rolloutID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// encode gives the statement as one line of JSON with its line break.
func (s Statement) encode() ([]byte, error) {
	switch _, err := patch.ParseDigest(string(s.Line)); {
	case !rolloutID.MatchString(s.Rollout):
		return nil, fmt.Errorf("publish: %q can't be the id of a rollout", s.Rollout)
	case err != nil:
		return nil, fmt.Errorf("publish: %w", err)
	case s.Seq == 0 || s.Message == "" || s.Signature == "":
		return nil, errors.New("publish: a checkpoint without its record, message or signature")
	}
	s.Time = s.Time.UTC().Round(0)
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	return append(text, '\n'), nil
}

// key tells one statement from another.
func key(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// unpublished is a place that did not take the statement.
func unpublished(where string, kind fault.Kind, err error, hint string) error {
	return &fault.Error{
		Kind: kind, Code: fault.Internal, Step: "publish the checkpoint", What: where, Err: err, Hint: hint,
	}
}
