package statedir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// fileVersion is that of out.json and of quarantine.json.
const fileVersion = 1

// maxFile bounds either: a line for each of 100,000 hosts fits well.
const maxFile = 64 << 20

// strict reads the whole of a versioned JSON file: no unknown key, nothing behind it.
func strict[T any](raw []byte) (T, error) {
	var into, none T
	var head struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(raw, &head) == nil && head.Version > fileVersion {
		return none, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported,
			What: fmt.Sprintf("it is of version %d, and this patchring reads version %d", head.Version, fileVersion),
			Hint: "a newer patchring wrote it: use that version or a later one with this state folder",
		}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&into); err != nil {
		return none, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return none, errors.New("something stands behind its end")
	}
	if head.Version != fileVersion {
		return none, errors.New("it has no version")
	}
	return into, nil
}

// readFile reads a bounded file. That it is not there is no error.
func readFile(root *os.Root, name string) (raw []byte, found bool, err error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	raw, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return raw, true, errors.Join(err, f.Close())
}

// damaged is a file of the state folder that can't be trusted.
func damaged(root *os.Root, name, hint string, err error) error {
	at := filepath.Join(root.Name(), filepath.FromSlash(name))
	if fault.CodeOf(err) == fault.Unsupported {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Unsupported, What: at, Err: err}
	}
	return &fault.Error{Kind: fault.Ask, Code: fault.Internal, What: at + " can't be read", Err: err, Hint: hint}
}

// encode writes a file as people can read it.
func encode(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return append(raw, '\n'), err
}

// checkHosts: each has a site and a name, and they are sorted, none twice.
func checkHosts(hosts []fact.HostID) error {
	var before fact.HostID
	for _, h := range hosts {
		if err := new(fact.HostID).UnmarshalText([]byte(h.String())); err != nil {
			return err
		}
		if before.Compare(h) >= 0 {
			return fmt.Errorf("host %s stands behind %s", h, before)
		}
		before = h
	}
	return nil
}

// sorted gives hosts in order, none twice.
func sorted(hosts ...fact.HostID) []fact.HostID {
	out := slices.Clone(hosts)
	slices.SortFunc(out, fact.HostID.Compare)
	return slices.Compact(out)
}
