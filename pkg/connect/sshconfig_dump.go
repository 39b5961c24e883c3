package connect

import (
	"errors"
	"fmt"
	"strings"
)

// dump is what `ssh -G` prints, as far as patchring uses it.
type dump struct {
	first                    map[string]string
	identities, certificates []string
}

// maxDump bounds what ssh -G may print; a usual answer has 5 KiB, the most are names of algorithms.
const maxDump = 256 << 10

var errDump = errors.New("that is not what ssh -G prints")

// parseDump reads "keyword value" lines. Keywords that are not used are left out, for
// each version of OpenSSH has others.
func parseDump(out []byte) (dump, error) {
	if len(out) > maxDump {
		return dump{}, errDump
	}
	d := dump{first: map[string]string{}}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		key = strings.ToLower(key)
		if used, _ := keywords(key); !used || value == "" {
			continue
		}
		if strings.ContainsFunc(value, isOdd) {
			return dump{}, fmt.Errorf("%w: %s has a control character", errDump, key)
		}
		d.add(key, value)
	}
	for _, key := range []string{"hostname", "port", "user"} {
		if d.first[key] == "" {
			return dump{}, fmt.Errorf("%w: no %s", errDump, key)
		}
	}
	if !isPort(d.first["port"]) {
		return dump{}, fmt.Errorf("%w: port %q", errDump, d.first["port"])
	}
	return d, nil
}

func (d *dump) add(key, value string) {
	switch {
	case key == "identityfile":
		d.identities = append(d.identities, value)
	case key == "certificatefile":
		d.certificates = append(d.certificates, value)
	case d.first[key] == "":
		d.first[key] = value
	}
}

// reading puts the answer into the reader's form. Defaults are the identity files
// that ssh names for a host of which nothing is said: it prints those as well.
func (d *dump) reading(q query, defaults []string) reading {
	r := reading{told: true, first: map[string]value{}, many: map[string][]value{}}
	for key, text := range d.first {
		r.first[key] = value{text: text, where: fromSSH}
	}
	for key, files := range map[string][]string{"identityfile": d.identities, "certificatefile": d.certificates} {
		for _, file := range files {
			r.many[key] = append(r.many[key], value{text: file, where: fromSSH})
		}
	}
	if sameStrings(d.identities, defaults) {
		delete(r.many, "identityfile")
	}
	if q.address == "" { // it is a name by now, not a pattern of one
		r.first["hostname"] = value{text: strings.ReplaceAll(d.first["hostname"], "%", "%%"), where: fromSSH}
	}
	return r
}

// fromSSH is where a value comes from that only ssh could tell.
const fromSSH = "ssh -G"

func sameStrings(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00")
}
