//go:build linux

package real

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// debs is the apt repository: a pool and an index for each suite.
type debs struct {
	*tree

	arch string
}

func newDebs(ctx context.Context, t *tree) (*debs, error) {
	arch, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg --print-architecture: %w", err)
	}
	return &debs{tree: t, arch: strings.TrimSpace(string(arch))}, nil
}

func (d *debs) path(p publication) string {
	return filepath.Join("pool", p.suite, p.Name+"_"+fileVersion(p.Version)+"_all.deb")
}

// build packs packages, each into the pool of its suite.
func (d *debs) build(ctx context.Context, all []publication) error {
	for _, p := range all {
		packed, err := d.unpacked(p)
		if err != nil {
			return err
		}
		out := d.built(d.path(p))
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return err
		}
		if err := quiet(exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Znone", "--build", packed, out)); err != nil {
			return fmt.Errorf("build %s %s: %w", p.Name, p.Version, err)
		}
	}
	return nil
}

// unpacked is the folder that becomes the package.
func (d *debs) unpacked(p publication) (string, error) {
	if p.Package.unpacked != "" {
		return p.Package.unpacked, nil
	}
	dir, err := d.scratch("deb", p.Name+"_"+p.Version)
	if err != nil {
		return "", err
	}
	return dir, writeTree(dir, debTree(p.Package))
}

// debTree is every file that dpkg-deb packs.
func debTree(p Package) []file {
	const guard = "#!/bin/sh\ncase $1 in %s) ;; *) exit 0 ;; esac\n"
	all := append([]file{
		{"/DEBIAN/control", 0o644, control(p)},
		{"/DEBIAN/postinst", 0o755, fmt.Sprintf(guard, "configure") + p.after()},
	}, p.files...)
	if before := p.before(); before != "" {
		all = append(all, file{"/DEBIAN/preinst", 0o755, fmt.Sprintf(guard, "install | upgrade") + before})
	}
	if len(p.conffiles) > 0 {
		all = append(all, file{"/DEBIAN/conffiles", 0o644, strings.Join(p.conffiles, "\n") + "\n"})
	}
	return all
}

// control is the package's control file.
func control(p Package) string {
	text := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nSection: misc\nPriority: optional\n"+
		"Maintainer: Patchring lab <lab@example.org>\n", p.Name, p.Version)
	var depends []string
	for _, d := range p.dependencies() {
		switch d.relation {
		case "":
			depends = append(depends, d.name)
		case "<", ">":
			depends = append(depends, fmt.Sprintf("%s (%s %s)", d.name, d.relation+d.relation, d.version))
		default:
			depends = append(depends, fmt.Sprintf("%s (%s %s)", d.name, d.relation, d.version))
		}
	}
	if len(depends) > 0 {
		text += "Depends: " + strings.Join(depends, ", ") + "\n"
	}
	return text + "Description: made-up package of the test lab\n"
}

// writeTree writes files below a folder.
func writeTree(dir string, files []file) error {
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return nil
}
