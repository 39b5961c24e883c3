package playbook

import (
	"path"
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Image is the file that replaces the whole software of a device.
type Image struct {
	Version string // as the device names it
	File    string // of the controller; relative to the playbook's folder
	SHA512  string // lower-case hex; at least one of the two is there
	SHA256  string
	Models  []string     // globs; one must match the device's own model
	Outage  patch.Outage // the worst that is accepted
}

type imageYAML struct {
	Version document.Value[imageVersion]                `yaml:"version" doc:"the version that the image brings, as the device names it" flags:"required"`
	File    document.Value[imageFile]                   `yaml:"file" doc:"the file, from this playbook's folder" flags:"required"`
	SHA512  document.Value[hex512]                      `yaml:"sha512" doc:"its digest as the vendor publishes it"`
	SHA256  document.Value[hex256]                      `yaml:"sha256" doc:"its digest as the vendor publishes it"`
	MD5     document.Elsewhere                          `yaml:"md5" doc:"MD5 proves nothing: write sha512 or sha256 of the same file"`
	Models  document.Value[[]document.Value[modelGlob]] `yaml:"models" doc:"the models that it is for, such as [\"C9300*\"]; a device of another one is refused" flags:"required" count:"1"`
	Outage  document.Value[patch.Outage]                `yaml:"outage" doc:"the worst outage that is accepted: none, switchover (a moment, while a partner takes over), or whole (the device is down until it has restarted)" enum:"none|switchover|whole"`
}

// AtLeastOne tells document that the file's digest must be there.
func (*imageYAML) AtLeastOne() []string { return []string{"sha512", "sha256"} }

func (y *imageYAML) image() *Image {
	made := &Image{
		Version: string(y.Version.V), File: string(y.File.V), SHA512: string(y.SHA512.V), SHA256: string(y.SHA256.V),
		Outage: y.Outage.Or(defaultOutage),
	}
	for _, m := range y.Models.V {
		made.Models = append(made.Models, string(m.V))
	}
	return made
}

var (
	versionShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9().:_+-]{0,63}$`)
	fileShape    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	modelShape   = regexp.MustCompile(`^[A-Za-z0-9*?\[][A-Za-z0-9 .+/:*?_^!\[\]()-]{0,99}$`)
	hexes        = regexp.MustCompile(`^[0-9a-f]+$`)
)

// imageVersion is typed on devices.
type imageVersion string

func (v *imageVersion) UnmarshalText(b []byte) error {
	*v = imageVersion(b)
	if !versionShape.Match(b) {
		return fault.Usagef("write it as the device shows it, such as 17.12.4 or 9.3(6)", "not a version")
	}
	return nil
}

func (imageVersion) Schema() object {
	return object{"type": []string{"string", "number"}, "pattern": versionShape.String()}
}

// imageFile is a path whose last part is typed on devices.
type imageFile string

func (f *imageFile) UnmarshalText(b []byte) error {
	*f = imageFile(b)
	if name := path.Base(string(b)); !fileShape.MatchString(name) || strings.HasSuffix(string(b), "/") {
		return fault.Usagef("letters, digits and . _ + - in its name, at most 128: devices are told it", "not the name of an image file")
	}
	return nil
}

func (imageFile) Schema() object { return pattern(`(^|/)[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`) }

// modelGlob names models.
type modelGlob string

func (m *modelGlob) UnmarshalText(b []byte) error {
	*m = modelGlob(b)
	if _, err := path.Match(string(b), ""); err != nil || !modelShape.Match(b) {
		return fault.Usagef("write it as detect shows it, such as C9300-48P or C9300*", "not a model")
	}
	return nil
}

func (modelGlob) Schema() object { return pattern(modelShape.String()) }

// hex512 and hex256 are digests.
type (
	hex512 string
	hex256 string
)

func (h *hex512) UnmarshalText(b []byte) error { return readHex((*string)(h), b, 128, "sha512sum") }

func (h *hex256) UnmarshalText(b []byte) error { return readHex((*string)(h), b, 64, "sha256sum") }

func (hex512) Schema() object { return pattern(`^[0-9A-Fa-f]{128}$`) }

func (hex256) Schema() object { return pattern(`^[0-9A-Fa-f]{64}$`) }

func readHex(to *string, b []byte, digits int, tool string) error {
	*to = strings.ToLower(string(b))
	if len(*to) != digits || !hexes.MatchString(*to) {
		return fault.Usagef("write the hexadecimal digits that "+tool+" prints", "not a digest of %d digits", digits)
	}
	return nil
}
