package playbook

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

var (
	labelShape   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	percentShape = regexp.MustCompile(`^(100|[1-9][0-9]?)%$`)
	braces       = regexp.MustCompile(`\{\{|\}\}`)
)

// argument of a program. It is passed on as it is written.
type argument string

func (a *argument) UnmarshalText(b []byte) error {
	*a = argument(b)
	if braces.Match(b) {
		return fault.Usagef("the host's name is in the environment: PATCHRING_HOST, PATCHRING_SITE, PATCHRING_ADDRESS", "arguments hold no {{ }}")
	}
	return nil
}

func (argument) Schema() object {
	return object{"type": []string{"string", "number", "boolean"}, "maxLength": 4096, "not": object{"type": "string", "pattern": braces.String()}}
}

// percent is a part of a ring: 95%.
type percent int

func (p *percent) UnmarshalText(b []byte) error {
	if !percentShape.Match(b) {
		return fault.Usagef("write a whole percentage, from 1% to 100%: 95%", "not a percentage")
	}
	n, err := strconv.Atoi(strings.TrimSuffix(string(b), "%"))
	*p = percent(n)
	return err
}

func (percent) Schema() object { return pattern(percentShape.String()) }

// ref is where a secret is to be had. The text itself is never repeated: it may be one.
type ref struct{ secret.Ref }

func (r *ref) UnmarshalText(b []byte) error {
	parsed, err := secret.ParseRef(string(b))
	if err != nil {
		return fault.Usagef("write "+secret.Forms(), "a secret itself must not stand here, only where it is to be had")
	}
	r.Ref = parsed
	return nil
}

func (ref) Schema() object { return pattern(secret.Pattern()) }

// plainURL is a web address without holes.
type plainURL string

func (p *plainURL) UnmarshalText(b []byte) error {
	*p = plainURL(b)
	if braces.Match(b) {
		return fault.Usagef("it is the same for all hosts", "this address holds no {{ }}")
	}
	return new(webAddress).UnmarshalText(b)
}

func (plainURL) Schema() object { return pattern(`^https?://[^/@'"\\{}\s]+(/[^'"\\\s{}]*)?$`) }

// serverURL is the address of a server, to which the path of its API is added.
type serverURL string

func (s *serverURL) UnmarshalText(b []byte) error {
	var plain plainURL
	if err := plain.UnmarshalText(b); err != nil {
		return err
	}
	u, err := url.Parse(string(b))
	if err != nil || u.RawQuery != "" || u.Fragment != "" || bytes.ContainsAny(b, "?#") {
		return fault.Usagef("write the server's address alone, such as http://prom:9090", "more than a server and a path")
	}
	*s = serverURL(strings.TrimRight(string(b), "/"))
	return nil
}

func (serverURL) Schema() object { return pattern(`^https?://[^/@'"\\{}\s?#]+(/[^'"\\\s{}?#]*)?$`) }

// holed is a text with holes for the host's name, address and site.
type holed string

func (h *holed) UnmarshalText(b []byte) error {
	*h = holed(b)
	if braces.MatchString(holeShape.ReplaceAllString(string(b), "x")) {
		return fault.Usagef("{{ .name }}, {{ .address }} and {{ .site }} are known", "an unknown name in {{ }}")
	}
	return nil
}

func (holed) Schema() object {
	hole := `\{\{ *\.(address|name|site) *\}\}`
	return object{"type": []string{"string", "number", "boolean"}, "minLength": 1, "pattern": `^([^{}\x00-\x1f\x7f-\x9f]|` + hole + `|\{[^{]|\}[^}])*[{}]?$`}
}

// holedRegex is a regular expression with such holes, of which Alertmanager's are Go's.
type holedRegex string

func (h *holedRegex) UnmarshalText(b []byte) error {
	*h = holedRegex(b)
	if err := new(holed).UnmarshalText(b); err != nil {
		return err
	}
	if _, err := regexp.Compile(holeShape.ReplaceAllString(string(b), "x")); err != nil {
		return fault.Usagef("write it as Alertmanager does: web-[0-9]+", "not a regular expression")
	}
	return nil
}

func (holedRegex) Schema() object { return holed("").Schema() }
