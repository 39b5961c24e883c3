package inventory

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a zone means the same on every controller, with or without the system's zoneinfo
	"unicode"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// The texts of an inventory that end up in a command line, a file name or a network
// address. Each type checks its text when it is read, and says so in the schema.

const (
	namePattern  = `^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$`
	userPattern  = `^[A-Za-z0-9_][A-Za-z0-9_.@\\$+-]{0,103}$`
	labelPattern = `^[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}$`
	keyPattern   = `^SHA256:[A-Za-z0-9+/]{43}=?$`
)

var (
	nameShape     = regexp.MustCompile(namePattern)
	userShape     = regexp.MustCompile(userPattern)
	labelShape    = regexp.MustCompile(labelPattern)
	keyShape      = regexp.MustCompile(keyPattern)
	platformShape = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)
)

func pattern(text string) map[string]any { return map[string]any{"type": "string", "pattern": text} }

// goodName tells whether text can name a host, group or site: it is used in
// patterns, file names and output.
func goodName(text string) bool {
	return nameShape.MatchString(text) && text != "all" && text != "ungrouped"
}

// address is an IP address or a DNS name; it may hold ranges until it is expanded.
type address string

func (a *address) UnmarshalText(b []byte) error {
	text := string(b)
	*a = address(text)
	if strings.ContainsAny(text, "[]") {
		if _, err := expand(text); err != nil {
			return err
		}
		return nil
	}
	return checkAddress(text)
}

// Schema lets ranges, IPv6 and DNS names through; UnmarshalText is stricter.
func (address) Schema() map[string]any { return pattern(`^[A-Za-z0-9_:\[][A-Za-z0-9_.:%\[\]-]*$`) }

// checkAddress accepts IPv4, IPv6 (with a zone) and DNS names.
func checkAddress(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	host, port, ok := strings.Cut(text, ":")
	if _, err := strconv.Atoi(port); ok && err == nil && nameShape.MatchString(host) {
		return fault.Usagef(fmt.Sprintf("write address: %s, port: %s", host, port), "the address holds a port")
	}
	if who, where, ok := strings.Cut(text, "@"); ok && userShape.MatchString(who) {
		return fault.Usagef(fmt.Sprintf("write address: %s, user: %s", where, who), "the address holds a user")
	}
	if !nameShape.MatchString(text) {
		return fault.Usagef("letters, digits, dots and hyphens; it can't begin with a hyphen", "not an IP address or DNS name")
	}
	return nil
}

// user is whom to log in as.
type user string

func (u *user) UnmarshalText(b []byte) error {
	*u = user(b)
	if !userShape.Match(b) {
		return fault.Usagef(`letters, digits and _ . - @ \ $ +; it can't begin with a hyphen`, "not a user name")
	}
	return nil
}

func (user) Schema() map[string]any { return pattern(userPattern) }

// hop is one bastion: [user@]host[:port].
type hop string

func (h *hop) UnmarshalText(b []byte) error {
	*h = hop(b)
	who, host, port, err := splitHop(string(b))
	switch {
	case err != nil:
		return err
	case who != "" && !userShape.MatchString(who):
		return fault.Usagef("write [user@]host[:port]", "not a bastion: the user is not a user name")
	case port < 0 || port > 65535:
		return fault.Usagef("write [user@]host[:port]", "not a bastion: the port is not a port")
	}
	if err := checkAddress(host); err != nil {
		return fault.Usagef("write [user@]host[:port]; an IPv6 address stands in brackets", "not a bastion: %v", err)
	}
	return nil
}

func (hop) Schema() map[string]any { return pattern(`^[A-Za-z0-9_:\[][A-Za-z0-9_.@\\$+:%\[\]-]*$`) }

// splitHop gives the parts of a bastion; port is 0 where none is written.
func splitHop(text string) (who, host string, port int, err error) {
	host = text
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		who, host = text[:i], text[i+1:]
		if who == "" {
			return "", "", 0, fault.Usagef("write [user@]host[:port]", "not a bastion: nothing stands before the @")
		}
	}
	if rest, ok := strings.CutPrefix(host, "["); ok {
		inner, after, closed := strings.Cut(rest, "]")
		if !closed || after != "" && after[0] != ':' {
			return "", "", 0, fault.Usagef("write [::1]:22", "not a bastion: the brackets don't close")
		}
		return who, inner, portOf(strings.TrimPrefix(after, ":"), after != ""), nil
	}
	if strings.Count(host, ":") == 1 {
		name, text, _ := strings.Cut(host, ":")
		return who, name, portOf(text, true), nil
	}
	return who, host, 0, nil
}

// portOf gives -1 for a port that is written, but isn't one.
func portOf(text string, written bool) int {
	if !written {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return -1
	}
	return n
}

// fingerprint is a pinned host key as `ssh-keygen -lf` prints it.
type fingerprint string

func (k *fingerprint) UnmarshalText(b []byte) error {
	text := strings.TrimSuffix(string(b), "=")
	*k = fingerprint(text)
	hash, ok := strings.CutPrefix(text, "SHA256:")
	sum, err := base64.RawStdEncoding.DecodeString(hash)
	if !ok || err != nil || len(sum) != 32 || !keyShape.MatchString(text) {
		return fault.Usagef("write what `ssh-keygen -lf FILE` or `ssh-keyscan HOST | ssh-keygen -lf -` prints: SHA256:...",
			"not a SHA256 fingerprint")
	}
	return nil
}

func (fingerprint) Schema() map[string]any { return pattern(keyPattern) }

// platformName names a driver.
type platformName string

func (p *platformName) UnmarshalText(b []byte) error {
	*p = platformName(b)
	if !platformShape.Match(b) {
		return fault.Usagef("small letters, digits and _; left out, the platform is detected", "not a platform's name")
	}
	return nil
}

func (platformName) Schema() map[string]any { return pattern(platformShape.String()) }

// labelValue can't hold what separates the parts of a pattern.
type labelValue string

func (l *labelValue) UnmarshalText(b []byte) error {
	*l = labelValue(b)
	if bytes.ContainsAny(b, ",:") {
		return fault.Usagef("commas and colons separate the parts of a pattern", "a label's value can't hold , or :")
	}
	return nil
}

func (labelValue) Schema() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean"}, "pattern": `^[^,:\x00-\x1f\x7f-\x9f]+$`}
}

// zone is a time zone of the IANA database.
type zone struct{ *time.Location }

func (z *zone) UnmarshalText(b []byte) error {
	location, err := time.LoadLocation(string(b))
	if err != nil || string(b) == "Local" {
		return fault.Usagef("write an IANA name, such as Europe/London or UTC", "not a time zone")
	}
	z.Location = location
	return nil
}

func (zone) Schema() map[string]any { return pattern(`^[A-Za-z][A-Za-z0-9_+/-]*$`) }

// ref is a reference to a secret. The text itself is never repeated: it may be one.
type ref struct{ secret.Ref }

func (r *ref) UnmarshalText(b []byte) error {
	parsed, err := secret.ParseRef(string(b))
	if err != nil {
		return fault.Usagef("write "+secret.Forms(), "a secret itself must not stand here, only where it is to be had")
	}
	r.Ref = parsed
	return nil
}

func (ref) Schema() map[string]any { return pattern(secret.Pattern()) }

// keyPath is the path of a private key on the controller.
type keyPath string

func (k *keyPath) UnmarshalText(b []byte) error {
	text := string(b)
	*k = keyPath(text)
	switch {
	case text == "" || len(text) > 1024 || strings.ContainsFunc(text, unicode.IsControl):
		return fault.Usagef("write one line", "not a path")
	case strings.Contains(text, "-----"):
		return fault.Usagef("keep the key in a file of its own, and write its path", "a private key itself must not stand here")
	case strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "exec:") || strings.HasPrefix(text, "file:"):
		return fault.Usagef("write the path alone, such as ~/.ssh/id_ed25519", "a key is a path, not a reference")
	case strings.HasPrefix(text, "-"):
		return fault.Usagef("write ./ before it", "a path can't begin with a hyphen")
	}
	return nil
}

func (keyPath) Schema() map[string]any {
	return map[string]any{"type": "string", "minLength": 1, "not": object{"pattern": `-----|^(env|exec|file):|^-|[\x00-\x1f]`}}
}

// keyringPath is the path of a file with public keys on the controller.
type keyringPath string

func (k *keyringPath) UnmarshalText(b []byte) error {
	text := string(b)
	*k = keyringPath(text)
	switch {
	case text == "" || len(text) > 1024 || strings.ContainsFunc(text, unicode.IsControl):
		return fault.Usagef("write one line", "not a path")
	case strings.Contains(text, "-----"):
		return fault.Usagef("keep the keys in a file of their own, and write its path", "a key itself must not stand here")
	case strings.HasPrefix(text, "-"):
		return fault.Usagef("write ./ before it", "a path can't begin with a hyphen")
	}
	return nil
}

func (keyringPath) Schema() map[string]any {
	return map[string]any{"type": "string", "minLength": 1, "not": object{"pattern": `-----|^-|[\x00-\x1f]`}}
}

type object = map[string]any

// archive is an address below which old versions of packages lie.
type archive string

func (a *archive) UnmarshalText(b []byte) error {
	text := string(b)
	*a = archive(text)
	u, err := url.Parse(strings.ReplaceAll(text, "{time}", "20260101T000000Z"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(text, " '\"\\\n\t") || len(text) > 500 {
		return fault.Usagef("write http:// or https://, a host and a path: https://snapshot.example/debian/{time}/", "not the address of an archive")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fault.Usagef("write the address alone; this file must hold no password", "a user, a question or a mark stands in the address")
	}
	return nil
}

func (archive) Schema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^https?://[^@'"\\\s?#]+$`}
}
