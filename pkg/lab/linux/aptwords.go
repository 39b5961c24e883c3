package linux

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

const impossible = `Some packages could not be installed. This may mean that you have
requested an impossible situation or if you are using the unstable
distribution that some required packages have not yet been created
or been moved out of Incoming.
The following information may help to resolve the situation:
`

// install plans what the words of apt-get install ask for: NAME, NAME=VERSION, the path
// of a package file, and NAME- for what is to go. The caller holds mu.
func (r *aptRun) install() (*transaction, error) {
	t := &transaction{}
	var wanted []Package
	for _, word := range r.names {
		if name, ok := strings.CutSuffix(word, "-"); ok && !strings.HasPrefix(word, "/") {
			if err := r.drop(t, name); err != nil {
				return nil, err
			}
			continue
		}
		p, needed, err := r.pick(word)
		if err != nil {
			return nil, err
		}
		if needed {
			wanted = append(wanted, p)
		}
	}
	if err := r.addAll(t, wanted); err != nil {
		r.say("%s\nThe following packages have unmet dependencies:\n%s\n", impossible, err)
		return nil, errors.New("E: Unable to correct problems, you have held broken packages.") //nolint:revive // apt's own words
	}
	return t, nil
}

// addAll plans packages in whatever order: one may need another that only a file has.
func (r *aptRun) addAll(t *transaction, wanted []Package) error {
	for len(wanted) > 0 {
		var later []Package
		var first error
		for _, p := range wanted {
			if err := r.m.add(t, p); err != nil {
				later = append(later, p)
				first = cmp.Or(first, err)
			}
		}
		if len(later) == len(wanted) {
			return first
		}
		wanted = later
	}
	return nil
}

// drop plans a removal.
func (r *aptRun) drop(t *transaction, name string) error {
	name, _, _ = strings.Cut(name, ":")
	at := r.m.installed[name]
	if at != nil {
		t.removes = append(t.removes, at.Package)
		return nil
	}
	if _, known := r.m.offered(name, ""); !known {
		return fmt.Errorf("E: Unable to locate package %s", name)
	}
	r.say("Package '%s' is not installed, so not removed\n", name)
	return nil
}

// pick finds what a word means; wanted is false where there is nothing to do for it.
func (r *aptRun) pick(word string) (p Package, wanted bool, err error) {
	if strings.HasPrefix(word, "/") {
		if p, err = r.fromFile(word); err != nil {
			return p, false, err
		}
	} else if p, err = r.fromLists(word); err != nil {
		return p, false, err
	}
	at := r.m.installed[p.Name]
	switch {
	case at == nil && r.o.Has("only-upgrade"):
		r.say("Skipping %s, it is not installed and only upgrades are requested.\n", p.Name)
		return p, false, nil
	case at != nil && at.Version == p.Version && !at.broken:
		r.say("%s is already the newest version (%s).\n", p.Name, p.Version)
		return p, false, nil
	}
	return p, true, nil
}

func (r *aptRun) fromLists(word string) (Package, error) {
	spec, _, _ := strings.Cut(word, "/")
	name, version, _ := strings.Cut(spec, "=")
	name, _, _ = strings.Cut(name, ":")
	if spec != word {
		return Package{}, fmt.Errorf("E: lab: %s: only NAME, NAME=VERSION and paths are simulated", word)
	}
	p, ok := r.m.offered(name, version)
	switch {
	case !ok && version != "":
		return p, r.noVersion(name, version)
	case !ok:
		return p, fmt.Errorf("E: Unable to locate package %s", name)
	}
	return p, nil
}

// fromFile reads a package file. Like apt it remembers where it lies.
func (r *aptRun) fromFile(path string) (Package, error) {
	text, err := r.m.FS.ReadFile(r.p.UID, path)
	if err != nil {
		return Package{}, fmt.Errorf("E: Unsupported file %s given on commandline", path)
	}
	p, ok := r.m.inFile(text)
	if !ok {
		return p, fmt.Errorf("E: Invalid archive signature\nE: Internal error, could not locate member control.tar{.zst,.lz4,.gz,.xz,.bz2,.lzma,}\n"+
			"E: Could not read meta data from %s\nE: The package lists or status file could not be parsed or opened.", path)
	}
	r.files[p.Name+" "+p.Version] = path
	return p, nil
}
