//go:build linux

package real

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

var versionField = regexp.MustCompile(`(?m)^Version: .*$`)

// Rebuilt is one of Debian's own packages that a gear brought, with all of its files and
// scripts, as a newer version; post is what that version's script does more at its end. An
// empty version is the package as it is, for a host to go back to.
func (l *Lab) Rebuilt(gear Gear, name, version, post string) Package {
	l.t.Helper()
	p, err := l.rebuild(gear, name, version, post)
	if err != nil {
		l.t.Fatalf("build %s %s anew: %v", name, version, err)
	}
	return p
}

func (l *Lab) rebuild(gear Gear, name, version, post string) (Package, error) {
	layer := layerDir(l.cache, l.base, gear.kit())
	found, err := filepath.Glob(filepath.Join(layer, "upper", keptDebs, name+"_*.deb"))
	if err != nil || len(found) != 1 {
		return Package{}, fmt.Errorf("the layer has %d such packages: make a host with it first (%w)", len(found), err)
	}
	dir, err := os.MkdirTemp(l.dir, "rebuilt-")
	if err != nil {
		return Package{}, err
	}
	p := Package{Name: name, Version: version, unpacked: filepath.Join(dir, name)}
	if err := quiet(exec.CommandContext(l.t.Context(), "dpkg-deb", "--raw-extract", found[0], p.unpacked)); err != nil {
		return Package{}, err
	}
	if version == "" {
		p.Version, err = unpackedVersion(p.unpacked)
		return p, err
	}
	return p, errors.Join(
		rewrite(p.unpacked, "control", func(old []byte) []byte {
			return versionField.ReplaceAllLiteral(old, []byte("Version: "+version))
		}),
		rewrite(p.unpacked, "postinst", func(old []byte) []byte { return append(old, "\n"+post+"\n"...) }))
}

// rewrite changes one of dpkg's own files of an unpacked package.
func rewrite(unpacked, name string, change func([]byte) []byte) error {
	path := filepath.Join(unpacked, "DEBIAN", name)
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, change(old), 0o755)
}

func unpackedVersion(unpacked string) (string, error) {
	control, err := os.ReadFile(filepath.Join(unpacked, "DEBIAN/control"))
	if err != nil {
		return "", err
	}
	line := versionField.Find(control)
	if line == nil {
		return "", errors.New("the package says no version")
	}
	return string(line[len("Version: "):]), nil
}
