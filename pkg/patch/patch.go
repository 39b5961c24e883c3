// Package patch holds the values that say what is installed where: Update (one
// change on one host), PatchSet (what a ring proved, frozen), Work (what one host
// will really get), and the Digest that names bytes by their content.
package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Digest names content: "sha256:" and 64 hex digits. The zero value names nothing
// and equals no content.
type Digest string

// DigestOf is the SHA-256 of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseDigest checks the form; it is what stands between outside text and a file name.
func ParseDigest(text string) (Digest, error) {
	hexes, ok := strings.CutPrefix(text, "sha256:")
	if !ok || len(hexes) != 64 || strings.Trim(hexes, "0123456789abcdef") != "" {
		return "", errors.New("not a digest: want sha256: and 64 lower-case hex digits")
	}
	return Digest(text), nil
}

// Short is the digest for people: 12 hex digits.
func (d Digest) Short() string {
	hexes := strings.TrimPrefix(string(d), "sha256:")
	return hexes[:min(12, len(hexes))]
}

// Tri is yes, no or, as its zero value, could-not-tell.
type Tri uint8

const (
	Unknown Tri = iota
	No
	Yes
)

// TriOf turns a known answer into a Tri.
func TriOf(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

var triNames = [...]string{"unknown", "no", "yes"}

func (t Tri) String() string {
	if int(t) < len(triNames) {
		return triNames[t]
	}
	return triNames[0]
}

// MarshalText writes yes, no or unknown.
func (t Tri) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Tri) UnmarshalText(b []byte) error {
	for i, name := range triNames {
		if name == string(b) {
			*t = Tri(i)
			return nil
		}
	}
	return fmt.Errorf("want yes, no or unknown, not %q", b)
}

// Severity of a fix, as the vendor states it. Unknown counts as in where a
// playbook sets a minimum: a fix is never left out for lack of data.
type Severity string

const (
	SeverityUnknown   Severity = "unknown"
	SeverityLow       Severity = "low"
	SeverityModerate  Severity = "moderate"
	SeverityImportant Severity = "important"
	SeverityCritical  Severity = "critical"
)

// Severities lists them, lowest first; unknown has no place in the order.
func Severities() []Severity {
	return []Severity{SeverityLow, SeverityModerate, SeverityImportant, SeverityCritical}
}

// Update is one installable change on one host.
type Update struct {
	Name       string   `json:"name"`
	Arch       string   `json:"arch,omitempty"`
	From       string   `json:"from,omitempty"` // empty: new on this host
	To         string   `json:"to"`
	Origin     string   `json:"origin,omitempty"` // as the package manager names it, e.g. "Debian-Security:12/oldstable-security"
	Security   Tri      `json:"security"`
	Severity   Severity `json:"severity,omitempty"`
	Size       int64    `json:"size,omitempty"`       // bytes to download; 0: unknown
	Dependency bool     `json:"dependency,omitempty"` // not selected, but the resolver needs it
	// CVEs that it fixes, sorted, with a space between; empty: not known. One string,
	// so that updates can be compared with ==.
	CVEs string `json:"cves,omitempty"`
	// Digest of the package's file, where it is known: what is installed must have it.
	Digest Digest `json:"digest,omitempty"`
	// File is where its file lies: a path within the repository, or on the host where
	// Source is SourceHost.
	File   string `json:"file,omitempty"`
	Source Source `json:"source,omitempty"`
}

// Source is where the file of an update comes from.
type Source string

const (
	SourceRepository Source = ""      // the host's own repositories have this version
	SourceStore      Source = "store" // they don't: from a snapshot archive, else from the controller's store
	SourceHost       Source = "host"  // it was kept on the host, at File
)

// Key names the package on one host: "name" or "name:arch".
func (u Update) Key() string {
	if u.Arch == "" {
		return u.Name
	}
	return u.Name + ":" + u.Arch
}

// Proven is one line of a PatchSet: a version that was installed and found
// healthy on a host of an earlier ring. Domain is what must be alike for the
// proof to carry over: distribution, release and architecture, e.g. "debian 12 amd64".
type Proven struct {
	Domain  string `json:"domain"`
	Name    string `json:"name"`
	Arch    string `json:"arch,omitempty"`
	Version string `json:"version"` // with its epoch and release
	// Digest of the package's file; empty where nobody could tell: then a later ring takes
	// this version from its repositories alone, and can't compare.
	Digest     Digest    `json:"digest,omitempty"`
	Size       int64     `json:"size,omitempty"`
	File       string    `json:"file,omitempty"`       // path within the repository
	Repository string    `json:"repository,omitempty"` // as the package manager names it
	Signer     string    `json:"signer,omitempty"`     // of the index: fingerprint and name
	Assurance  Assurance `json:"assurance,omitempty"`
}

// Bare is what of p tells which version is proven where, without what is known of its file.
func (p Proven) Bare() Proven {
	return Proven{Domain: p.Domain, Name: p.Name, Arch: p.Arch, Version: p.Version}
}

// Assurance says what a digest in a patch set rests on. The zero value is the worst.
type Assurance string

const (
	AssuranceNone     Assurance = ""             // there is no digest
	AssuranceHost     Assurance = "host"         // the host's word, from metadata that its package manager has verified
	AssurancePlaybook Assurance = "playbook"     // an image: the file has the vendor's digest that the playbook names, and the device has computed the same
	AssuranceSigned   Assurance = "signed_index" // the repository's index, whose signature patchring has verified
)

// PatchSet is the lockfile of a rollout: sorted, without duplicates. Its digest
// is that of its JSON.
type PatchSet struct {
	Proven []Proven `json:"proven"`
}

// Left is an update that a host will not get in this work, and why.
type Left struct {
	Update Update `json:"update"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Reason says why an update is left alone. Stable in JSON.
type Reason string

const (
	ReasonUntested  Reason = "untested"  // no host of an earlier ring proved this version
	ReasonExcluded  Reason = "excluded"  // the playbook's exclude
	ReasonHeld      Reason = "held"      // a hold or pin on the host
	ReasonKeptBack  Reason = "kept_back" // the package manager itself keeps it back
	ReasonInstalled Reason = "installed" // already at that version (or newer)
	ReasonMoved     Reason = "moved"     // the installed version is not what the plan saw
	ReasonNarrowed  Reason = "narrowed"  // --package or --cve left it out
)

// Work is the plan for one host narrowed by the patch set and fresh facts.
type Work struct {
	// ID names this work on its host: the same rollout, host and attempt give the same
	// ID, so that a detached job is found again. [a-z0-9-], at most 64 bytes.
	ID      string   `json:"id"`
	Install []Update `json:"install"`
	Left    []Left   `json:"left,omitempty"`
	// Refused is set when the host may not be touched at all: a version that its
	// work depends on moved. Empty means it may.
	Refused string     `json:"refused,omitempty"`
	Reboot  RebootRule `json:"reboot"`

	// Back: this takes back what an earlier work installed. To of each update is then the
	// older version; Remove names what that work had brought along.
	Back   bool     `json:"back,omitempty"`
	Remove []string `json:"remove,omitempty"` // "name" or "name:arch"
	// Keep: the outgoing versions are downloaded beside the new ones, and stay on the host
	// until the rollout ends.
	Keep bool `json:"keep,omitempty"`
	// Repair: a transaction that somebody's crash has cut is put right first.
	Repair bool `json:"repair,omitempty"`
	// Restart tells whether services that still use replaced libraries are restarted.
	Restart RestartRule `json:"restart,omitempty"`
	// RebootWithin is how long the host may take to be back, whole, after a reboot was
	// ordered; 0: the driver's own bound.
	RebootWithin time.Duration `json:"reboot_within,omitempty"`
	// OneShot: a new kernel is booted once, with the old one as what a failed start falls
	// back to, and becomes the default only when it was seen running.
	OneShot bool `json:"one_shot,omitempty"`
	// Again: an earlier try of this rollout has begun it on this host. What of it is there
	// already is ours; without it, it is somebody else's.
	Again bool `json:"again,omitempty"`
	// Image is the file of the update where a whole image is installed: Install then holds
	// that one update, with the name ImageName.
	Image *Image `json:"image,omitempty"`
	// Snapshots are the addresses of archives that keep old versions: below each lies a
	// repository's tree, to which an update's File is added. Tried in order, by the host.
	Snapshots []string `json:"snapshots,omitempty"`
}

// ImageName is the Name of an update that replaces the whole software of a device.
const ImageName = "image"

// Image is a file that replaces the whole software of a device, as the playbook names it
// and as the controller has looked at it.
type Image struct {
	Version string `json:"version"` // as the playbook writes it
	Name    string `json:"name"`    // of the file, without folders: [A-Za-z0-9._+-], at most 128 bytes
	Digest  Digest `json:"digest"`  // in the controller's store
	Size    int64  `json:"size"`    // bytes
	// The same content by other algorithms, for devices that know no better one: hex.
	MD5    string   `json:"md5"`
	SHA1   string   `json:"sha1"`
	SHA512 string   `json:"sha512"`
	Models []string `json:"models"` // globs; one must match the device's model
	// Serve: the device pulls the file, from an address of the controller that it can reach.
	Serve string `json:"serve,omitempty"`
}

// RestartRule is the playbook's restart key.
type RestartRule string

const (
	RestartNever    RestartRule = "" // told, not done
	RestartIfNeeded RestartRule = "if_needed"
)

// RebootRule is the playbook's reboot key.
type RebootRule string

const (
	RebootIfNeeded RebootRule = "if_needed"
	RebootAlways   RebootRule = "always"
	RebootNever    RebootRule = "never"
)
