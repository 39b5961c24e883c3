package device

import (
	"hash/fnv"
	"io"
	"strings"
	"time"
)

// furnish makes the state at the start.
func (d *Device) furnish() {
	truth := d.kind.file.Truth
	if d.values == nil {
		d.values = map[string]string{}
	}
	up := time.Duration(truth.Up)
	if up == 0 {
		up = 12*7*24*time.Hour + 100*time.Hour
	}
	booted := d.sys.clock.now().Add(-up)
	list := truth.Members
	if len(list) == 0 {
		list = []MemberFile{{ID: "1"}}
	}
	for _, mf := range list {
		d.members = append(d.members, d.newMember(mf, booted))
	}
	if _, given := d.values["hostname"]; !given || d.values["hostname"] == "" {
		d.values["hostname"] = d.options.Name
	}
	if truth.Clock != "" {
		d.values["clock"] = truth.Clock
	}
	d.override()
	c := &call{d: d}
	for _, name := range sortedKeys(d.values) {
		d.values[name] = d.text(c, d.values[name])
	}
	d.running = d.text(c, truth.Config)
	if d.startup = d.text(c, truth.Startup); d.startup == "" {
		d.startup = d.running
	}
}

func (d *Device) newMember(mf MemberFile, booted time.Time) *Member {
	m := &Member{ID: mf.ID, V: map[string]string{}, Volumes: map[string]*Volume{}, booted: booted, d: d}
	for name, value := range mf.Values {
		m.V[name] = invent(value, d.options.Name+"/"+mf.ID+"/"+name)
	}
	for name, vf := range mf.Volumes {
		v := &Volume{Size: int64(vf.Size), Free: int64(vf.Free), Files: map[string]*Stored{}}
		for file, size := range vf.Files {
			v.Files[file] = seed(file, int64(size), booted)
		}
		m.Volumes[name] = v
	}
	return m
}

// invent replaces each # by a letter or digit that follows from seed, each % by a digit.
func invent(text, seed string) string {
	if !strings.ContainsAny(text, "#%") {
		return text
	}
	const letters = "0123456789ABCDEFGHJKLMNPQRSTUVWX"
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, seed) // never fails
	bits := sum.Sum64()
	return strings.Map(func(r rune) rune {
		n := len(letters)
		switch r {
		case '#':
		case '%':
			n = len("0123456789")
		default:
			return r
		}
		letter := letters[bits%uint64(n)]
		bits = bits*6364136223846793005 + 1442695040888963407
		bits ^= bits >> 29
		return rune(letter)
	}, text)
}

// override takes Options.Values over.
func (d *Device) override() {
	for name, value := range d.options.Values {
		if id, inner, ok := strings.Cut(name, "/"); ok {
			if m := d.member(id); m != nil {
				m.V[inner] = value
			}
			continue
		}
		known := false
		for i, m := range d.members {
			if _, has := m.V[name]; has && (name == "version" || name == "model" || name == "serial" && i == 0) {
				m.V[name], known = value, true
			}
		}
		if _, has := d.values[name]; has || !known {
			d.values[name] = value
		}
	}
}
