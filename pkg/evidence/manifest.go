package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// Version of the bundle. It grows whenever what is derived from the journal is derived
// otherwise, since that is compared byte for byte, and whenever rollout.Decide opens a gate
// at another time than before, since gates are decided about anew.
const Version = 1

const kind = "patchring evidence"

// Manifest is what the bundle's own signature is over: every other file, by its digest.
type Manifest struct {
	Version  int       `json:"version"`
	Kind     string    `json:"kind"`
	Rollout  string    `json:"rollout"`
	Site     string    `json:"site"`
	Playbook string    `json:"playbook"`
	Tool     string    `json:"tool"` // version of the patchring that made the bundle
	Opened   time.Time `json:"opened"`
	// Changed is when the last record was written, by the clock of the machine that wrote it.
	Changed time.Time     `json:"changed"`
	Phase   rollout.Phase `json:"phase"`
	Records int           `json:"records"`
	Line    patch.Digest  `json:"line"` // of the last record of the journal
	Plan    patch.Digest  `json:"plan"`
	// Source and Inventory are the digests of playbook and inventory, as the plan names them.
	Source    patch.Digest `json:"playbook_digest"`
	Inventory patch.Digest `json:"inventory_digest,omitempty"`
	Trust     plan.Trust   `json:"signatures_demanded"`
	// Missing is what the journal names, and the store did not have any more.
	Missing []patch.Digest `json:"missing"`
	Files   []File         `json:"files"`
}

// File is one file of the bundle.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex, as sha256sum writes it
	Size   int    `json:"size"`
}

// fileOf describes an entry.
func fileOf(e entry) File {
	return File{Name: e.name, SHA256: hexOf(patch.DigestOf(e.content)), Size: len(e.content)}
}

// encode writes the manifest with one line a file, so that sed and sha256sum can check it.
func (m Manifest) encode() ([]byte, error) {
	files := m.Files
	m.Files = nil
	var out bytes.Buffer
	head, err := indented(m)
	if err != nil {
		return nil, err
	}
	out.Write(bytes.TrimSuffix(head, []byte("null\n}\n")))
	out.WriteString("[\n")
	for i, f := range files {
		row, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("write the manifest: %w", err)
		}
		out.WriteString("    ")
		out.Write(row)
		if i < len(files)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("  ]\n}\n")
	return out.Bytes(), nil
}

// parseManifest reads what encode wrote, and nothing else.
func parseManifest(raw []byte) (Manifest, error) {
	var m Manifest
	if err := versioned(raw); err != nil {
		return m, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("not a manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return m, errors.New("something stands behind the manifest")
	}
	again, err := m.encode()
	return m, same(raw, again, err)
}

func versioned(raw []byte) error {
	var head struct {
		Version int    `json:"version"`
		Kind    string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("not a manifest: %w", err)
	}
	switch {
	case head.Kind != kind:
		return fmt.Errorf("a manifest of %q, not of %q", head.Kind, kind)
	case head.Version != Version:
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported,
			What: fmt.Sprintf("the bundle has version %d, and this patchring verifies version %d", head.Version, Version),
			Hint: "verify it with the patchring that the bundle names as its tool, or by hand: see README.txt in it",
		}
	}
	return nil
}

// indented writes a document as JSON for machines and people.
func indented(doc any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write as JSON: %w", err)
	}
	return out.Bytes(), nil
}
