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

// rpms is the repository of dnf and zypper: one for all suites, whose advisories tell
// them apart.
type rpms struct{ *tree }

func (r *rpms) path(p publication) string {
	return filepath.Join("rpm/packages", p.Name+"-"+fileVersion(Rocky.Version(p.Version))+".noarch.rpm")
}

// build makes one spec file for each package and all packages in one go: rpmbuild and
// rpmsign take longer to start than to work.
func (r *rpms) build(ctx context.Context, all []publication) error {
	top, err := r.scratch("rpm", "top")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.built("rpm/packages"), 0o755); err != nil {
		return err
	}
	var specs, files []string
	for i, p := range all {
		at := filepath.Join(top, fmt.Sprintf("%d-%s", i, p.Name))
		spec := at + ".spec"
		err := writeTree("/", append(below(at, p.files), file{spec, 0o644, specFile(p.Package, at)}))
		if err != nil {
			return err
		}
		specs, files = append(specs, spec), append(files, r.built(r.path(p)))
	}
	if err := rpmbuild(ctx, top, r.built("rpm/packages"), specs); err != nil {
		return err
	}
	return r.addSignatures(ctx, files)
}

// below moves files into a folder.
func below(dir string, files []file) []file {
	var moved []file
	for _, f := range files {
		f.path = filepath.Join(dir, f.path)
		moved = append(moved, f)
	}
	return moved
}

func rpmbuild(ctx context.Context, top, out string, specs []string) error {
	return quiet(exec.CommandContext(ctx, "rpmbuild", append([]string{
		"-bb", "--quiet",
		"--define", "_topdir " + top, "--define", "_rpmdir " + out,
		"--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.noarch.rpm",
		"--define", "_binary_payload w0.gzdio", "--define", "__os_install_post %{nil}",
	}, specs...)...))
}

func (r *rpms) addSignatures(ctx context.Context, files []string) error {
	return quiet(r.key.bundle.inside(ctx, append([]string{
		"rpmsign", "--addsign",
		"--define", "__gpg /usr/bin/gpg", "--define", "_gpg_path " + keyHome, "--define", "_gpg_name " + r.key.fingerprint,
	}, files...)...))
}

// specFile is what rpmbuild makes a package from; its files lie in a folder.
func specFile(p Package, dir string) string {
	var s strings.Builder
	epoch, rest := "", Rocky.Version(p.Version)
	if e, r, has := strings.Cut(rest, ":"); has {
		epoch, rest = e, r
	}
	version, release, _ := strings.Cut(rest, "-")
	fmt.Fprintf(&s, "Name: %s\nVersion: %s\nRelease: %s\n", p.Name, version, release)
	if epoch != "" {
		fmt.Fprintf(&s, "Epoch: %s\n", epoch)
	}
	s.WriteString("Summary: made-up package of the test lab\nLicense: none\nVendor: Patchring lab\n" +
		"BuildArch: noarch\nAutoReqProv: no\n")
	for _, d := range p.dependencies() {
		fmt.Fprintf(&s, "Requires: %s\n", strings.TrimSpace(d.name+" "+d.relation+" "+d.version))
	}
	s.WriteString("%description\nMade-up package of the test lab.\n")
	fmt.Fprintf(&s, "%%install\nmkdir -p %%{buildroot}\ncp -a '%s/.' %%{buildroot}\n", dir)
	if before := p.before(); before != "" {
		s.WriteString("%pre\n" + noMacros(before))
	}
	s.WriteString("%post\n" + noMacros(p.after()) + "%files\n")
	for _, f := range p.files {
		s.WriteString(specLine(p, f))
	}
	return s.String()
}

// specLine lists a file: with its mode, as root's, and as the admin's to change.
func specLine(p Package, f file) string {
	config := ""
	for _, path := range p.conffiles {
		if path == f.path {
			config = "%config(noreplace) "
		}
	}
	return fmt.Sprintf("%%attr(%04o, root, root) %s%s\n", f.mode, config, noMacros(f.path))
}

// noMacros keeps rpmbuild from reading macros in a text.
func noMacros(text string) string { return strings.ReplaceAll(text, "%", "%%") }
