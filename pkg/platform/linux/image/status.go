package image

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// status is what rpm-ostree status --json tells.
type status struct {
	Deployments []deployment `json:"deployments"`
	Transaction any          `json:"transaction"`
	Newest      *newest      `json:"cached-update"`
	Driver      *struct {
		Name string `json:"driver-name"`
		Unit string `json:"driver-sd-unit"`
	} `json:"update-driver"`
}

// deployment is an image that lies on the host. The first is what the next boot starts.
type deployment struct {
	Booted        bool   `json:"booted"`
	Origin        string `json:"origin"`
	Container     string `json:"container-image-reference"`
	Version       string `json:"version"`
	Checksum      string `json:"checksum"`
	Timestamp     int64  `json:"timestamp"`
	BaseVersion   string `json:"base-version"`
	BaseChecksum  string `json:"base-checksum"`
	BaseTimestamp int64  `json:"base-timestamp"`
	Unlocked      string `json:"unlocked"`

	Requested      []any `json:"requested-packages"`
	RequestedLocal []any `json:"requested-local-packages"`
	Removals       []any `json:"base-removals"`
	Replacements   []any `json:"base-local-replacements"`
	Initramfs      bool  `json:"regenerate-initramfs"`
}

// newest is what rpm-ostree upgrade --preview has found.
type newest struct {
	Checksum  string `json:"checksum"`
	Version   string `json:"version"`
	Timestamp int64  `json:"timestamp"`
	New       *bool  `json:"ref-has-new-commit"`
	// id, kind, severity, packages, more
	Advisories [][]json.RawMessage `json:"advisories"`
}

// maxDeployments: rpm-ostree keeps two or three, and those that were pinned.
const maxDeployments = 100

func readStatus(text string) (status, error) {
	var s status
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return status{}, fmt.Errorf("rpm-ostree status was not understood: %w", err)
	}
	if len(s.Deployments) == 0 || len(s.Deployments) > maxDeployments {
		return status{}, fmt.Errorf("rpm-ostree status tells of %d images", len(s.Deployments))
	}
	for _, d := range s.Deployments {
		if !checksumForm.MatchString(d.checksum()) {
			return status{}, fmt.Errorf("rpm-ostree status: not a checksum: %s", remote.Clean(d.checksum(), 80))
		}
	}
	if s.Newest != nil && !checksumForm.MatchString(s.Newest.Checksum) {
		return status{}, fmt.Errorf("rpm-ostree status: not a checksum: %s", remote.Clean(s.Newest.Checksum, 80))
	}
	return s, nil
}

// booted is the image that runs.
func (s status) booted() (deployment, bool) {
	for _, d := range s.Deployments {
		if d.Booted {
			return d, true
		}
	}
	return deployment{}, false
}

func (d deployment) checksum() string { return cmp.Or(d.BaseChecksum, d.Checksum) }

// text is how its version is written everywhere.
func (d deployment) text() string {
	if d.BaseChecksum != "" {
		return versionText(d.BaseVersion, d.BaseTimestamp, d.BaseChecksum)
	}
	return versionText(d.Version, d.Timestamp, d.Checksum)
}

func (n newest) text() string { return versionText(n.Version, n.Timestamp, n.Checksum) }

var (
	checksumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~^-]{0,99}$`)
	textForm     = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9.+~^-]{0,99})_([0-9]{1,15})_([0-9a-f]{64})$`)
)

// versionText is the image's own version, the seconds of its commit and the commit: the
// same as in ostree.sh. Many images have one version for ever, or none.
func versionText(name string, seconds int64, checksum string) string {
	if !nameForm.MatchString(name) {
		name = "0"
	}
	return fmt.Sprintf("%s_%d_%s", name, max(seconds, 0), checksum)
}

// order is that of the commits' times. What is not such a version is ordered as RPM does.
func order(a, b string) int {
	ma, mb := textForm.FindStringSubmatch(a), textForm.FindStringSubmatch(b)
	if ma == nil || mb == nil {
		return version.RPM(a, b)
	}
	if ma[3] == mb[3] {
		return 0 // the same commit, whatever else is said of it
	}
	at, _ := strconv.ParseInt(ma[2], 10, 64) // digits, and few enough
	bt, _ := strconv.ParseInt(mb[2], 10, 64)
	return cmp.Or(cmp.Compare(at, bt), strings.Compare(ma[3], mb[3]))
}

// short is a version for people.
func short(text string) string {
	if m := textForm.FindStringSubmatch(text); m != nil {
		return m[1] + " (" + m[3][:12] + ")"
	}
	return remote.Clean(text, 100)
}
