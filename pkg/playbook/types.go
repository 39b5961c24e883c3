package playbook

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// The texts of a playbook that end up in file names, on command lines or in requests.
// Each type checks its text when it is read, and says so in the schema.

type object = map[string]any

func pattern(text string) object { return object{"type": "string", "pattern": text} }

var (
	nameShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
	unitShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9@._:\\-]{0,255}$`)
	freeShape = regexp.MustCompile(`^(100%|[0-9]{1,2}%|[0-9]{1,9}(KiB|MiB|GiB|TiB))$`)
	globShape = regexp.MustCompile(`^[A-Za-z0-9*?\[][A-Za-z0-9.+:*?~_^!\[\]-]{0,255}$`)
	dayShape  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	portShape = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\])?:[0-9]{1,5}$`)
	holeShape = regexp.MustCompile(`\{\{ *\.(address|name|site) *\}\}`)
)

// name of a playbook or ring; it stands in file names.
type name string

func (n *name) UnmarshalText(b []byte) error {
	*n = name(b)
	if !nameShape.Match(b) {
		return fault.Usagef("letters, digits and . _ -, at most 100, not beginning with a dot or hyphen", "not a name")
	}
	return nil
}

func (name) Schema() object {
	return object{"type": []string{"string", "integer"}, "pattern": nameShape.String()}
}

// unit is a systemd unit.
type unit string

func (u *unit) UnmarshalText(b []byte) error {
	*u = unit(b)
	if !unitShape.Match(b) {
		return fault.Usagef("write its name as systemctl shows it, such as nginx or nginx.service", "not a systemd unit")
	}
	return nil
}

func (unit) Schema() object { return pattern(unitShape.String()) }

// packageGlob names packages.
type packageGlob string

func (g *packageGlob) UnmarshalText(b []byte) error {
	*g = packageGlob(b)
	if _, err := path.Match(string(b), ""); err != nil || !globShape.Match(b) {
		return fault.Usagef("write its name, such as nginx or mysql-server*", "not the name of a package")
	}
	return nil
}

func (packageGlob) Schema() object { return pattern(globShape.String()) }

// day is a date; time is the end of it in UTC.
type day struct{ time.Time }

func (d *day) UnmarshalText(b []byte) error {
	start, err := time.Parse(time.DateOnly, string(b))
	if err != nil || !dayShape.Match(b) {
		return fault.Usagef("write year-month-day: 2027-02-01", "not a day")
	}
	d.Time = start.AddDate(0, 0, 1).Add(-time.Second)
	return nil
}

func (day) Schema() object {
	return object{"type": "string", "pattern": `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`}
}

// free is a size of free space: "10%" or "500MiB".
type free string

func (f *free) UnmarshalText(b []byte) error {
	*f = free(b)
	if !freeShape.Match(b) {
		return fault.Usagef("write 10% or 500MiB (KiB, MiB, GiB, TiB)", "not a size")
	}
	return nil
}

func (free) Schema() object { return pattern(freeShape.String()) }

// absolutePath is a path on a host.
type absolutePath string

func (p *absolutePath) UnmarshalText(b []byte) error {
	*p = absolutePath(b)
	if !strings.HasPrefix(string(b), "/") {
		return fault.Usagef("write it from the root: /var", "not an absolute path")
	}
	return nil
}

func (absolutePath) Schema() object { return pattern(`^/[^\x00-\x1f]*$`) }

// hostPort is "host:port" or ":port".
type hostPort string

func (h *hostPort) UnmarshalText(b []byte) error {
	text := string(b)
	*h = hostPort(text)
	port, err := strconv.Atoi(text[strings.LastIndexByte(text, ':')+1:])
	if !portShape.Match(b) || err != nil || port < 1 || port > 65535 {
		return fault.Usagef(`write "db.example:5432", or port: 5432 for the host itself`, "not host:port")
	}
	return nil
}

func (hostPort) Schema() object { return pattern(portShape.String()) }

// webAddress is a URL with holes for the host's address, name and site.
type webAddress string

func (w *webAddress) UnmarshalText(b []byte) error {
	text := string(b)
	*w = webAddress(text)
	filled := holeShape.ReplaceAllString(text, "x")
	if strings.Contains(filled, "{{") || strings.Contains(filled, "}}") {
		return fault.Usagef("{{ .address }}, {{ .name }} and {{ .site }} are known", "an unknown name in {{ }}")
	}
	u, err := url.Parse(filled)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(filled, " '\"\\") {
		return fault.Usagef("write http:// or https://, a host and a path", "not a web address")
	}
	if u.User != nil {
		return fault.Usagef("ask a page that needs no login; this file must hold no password", "a user or password stands in the address")
	}
	return nil
}

func (webAddress) Schema() object { return pattern(`^https?://[^/@'"\\]+(/[^'"\\]*)?$`) }

// sizeYAML is one batch: a count or a percentage, above zero.
type sizeYAML struct{ Size }

func (s *sizeYAML) UnmarshalText(b []byte) error {
	size, err := inventory.ParseSize(string(b), "hosts")
	if err != nil {
		return err
	}
	if size.N == 0 {
		return fault.Usagef("write at least 1, or 1%", "a batch holds at least one host")
	}
	s.Size = size
	return nil
}

func (sizeYAML) Schema() object { return inventory.SizeSchema(1) }

// limitYAML is a failure limit: a count or a percentage; zero is right.
type limitYAML struct{ Size }

func (s *limitYAML) UnmarshalText(b []byte) error {
	size, err := inventory.ParseSize(string(b), "hosts")
	s.Size = size
	return err
}

func (limitYAML) Schema() object { return inventory.SizeSchema(0) }
