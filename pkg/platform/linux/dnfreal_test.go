package linux

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
)

// realDnf is a made-up host in a folder, looked at with the real dnf and rpm.
type realDnf struct {
	t   *testing.T
	dir string
}

func newRealDnf(t *testing.T) *realDnf {
	t.Helper()
	if testing.Short() {
		t.Skip("needs some seconds: packages are built, and dnf is asked")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: rpm installs below another root")
	}
	for _, tool := range []string{"dnf", "rpm", "rpmbuild", "createrepo_c", "modifyrepo_c"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed here", tool)
		}
	}
	return &realDnf{t, t.TempDir()}
}

func (d *realDnf) do(name string, args ...string) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir, cmd.Env = d.dir, append(os.Environ(), "HOME="+d.dir) // some keep their database there
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
}

func (d *realDnf) write(name, text string, mode os.FileMode) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), mode); err != nil {
		d.t.Fatal(err)
	}
}

// build makes an empty package in the folder to.
func (d *realDnf) build(to, name, version string) {
	d.t.Helper()
	spec := "Name: %s\nVersion: %s\nRelease: 1\nEpoch: 1\nSummary: made up\nLicense: none\nBuildArch: noarch\n%%description\nmade up\n%%files\n"
	d.write(name+".spec", fmt.Sprintf(spec, name, version), 0o600)
	d.do("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+d.dir+"/top", "--define", "_rpmdir "+d.dir+"/"+to, name+".spec")
}

const updateinfo = `<updates>
<update type="security"><id>X-1</id><severity>Important</severity><issued date="2026-01-01 00:00:00"/><references>
<reference href="x" id="X-1" type="self"/><reference href="x" id="77" type="bugzilla"/><reference href="x" id="a b" type="other"/>
<reference href="x" id="CVE-2026-1234" type="cve"/><reference href="x" id="CVE-2025-99999" type="cve"/></references>
<pkglist><collection><package name="pr-plain" epoch="1" version="1.5" release="1" arch="noarch"/></collection></pkglist></update>
<update type="bugfix"><id>X-2</id><issued date="2026-01-01 00:00:00"/><references><reference href="x" id="CVE-2026-1234" type="cve"/></references>
<pkglist><collection><package name="pr-plain" epoch="1" version="2.0" release="1" arch="noarch"/></collection></pkglist></update>
<update type="security"><id>X-3</id><issued date="2026-01-01 00:00:00"/><references><reference href="x" id="X-3" type="self"/></references>
<pkglist><collection><package name="pr-other" epoch="1" version="2.0" release="1" arch="noarch"/></collection></pkglist></update>
</updates>`

// fill installs old versions and offers newer ones, with advisories.
func (d *realDnf) fill() {
	d.t.Helper()
	for _, name := range []string{"pr-plain", "pr-other"} {
		d.build("old", name, "1.0")
		d.build("new", name, "2.0")
	}
	d.do("createrepo_c", "-q", "new")
	d.write("updateinfo.xml", updateinfo, 0o600)
	d.do("modifyrepo_c", "updateinfo.xml", "new/repodata")
	d.do("mkdir", "root")
	packages, err := filepath.Glob(d.dir + "/old/noarch/*.rpm")
	if err != nil {
		d.t.Fatal(err)
	}
	d.do("rpm", append([]string{"--root", d.dir + "/root", "-i", "--nodeps"}, packages...)...)
}

// probe runs what the probe asks of dnf with the host's root in place of ours.
func (d *realDnf) probe() remote.Result {
	d.t.Helper()
	d.do("mkdir", "bin")
	for name, args := range map[string]string{
		"rpm": "--root " + d.dir + "/root",
		"dnf": "--noplugins --installroot=" + d.dir + "/root --releasever=9 --setopt=cachedir=" + d.dir + "/cache --setopt=reposdir=/nonexistent --repofrompath=new,file://" + d.dir + "/new",
	} {
		program, err := exec.LookPath(name)
		if err != nil {
			d.t.Fatal(err)
		}
		d.write("bin/"+name, "#!/bin/sh\nexec "+program+" "+args+` "$@"`+"\n", 0o700)
	}
	only, found := strings.CutSuffix(strings.TrimSpace(probeScript), `main "$@"`)
	if !found {
		d.t.Fatal("the probe does not end with main")
	}
	script := frameScript + commonScript + only + "nonce=n mode=refresh\nopen_report\nprobe_dnf\nclose_report\n"
	cmd := exec.CommandContext(d.t.Context(), "sh", "-c", script)
	cmd.Env = []string{"PATH=" + d.dir + "/bin:" + os.Getenv("PATH"), "HOME=" + d.dir}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	return remote.Result{Ending: remote.Exited, Out: out.Bytes(), Err: errs.Bytes()}
}

// TestRealDnfTellsCVEs: the oracle is a real dnf, where there is one.
func TestRealDnfTellsCVEs(t *testing.T) {
	d := newRealDnf(t)
	d.fill()
	res := d.probe()
	rep, _ := readReport(res)
	r := reader{report: rep}
	r.dnf()
	if len(r.facts.Updates) != 2 || hasProblem(r.facts, "cves", "") {
		t.Fatalf("%+v\n%s%s", r.facts, res.Out, res.Err)
	}
	for name, want := range map[string]string{"pr-plain": "CVE-2025-99999 CVE-2026-1234", "pr-other": ""} {
		if got := updateNamed(t, r.facts, name); got.CVEs != want || got.From != "1:1.0-1" {
			t.Errorf("%+v, want %q\n%s", got, want, rep.get("cves").out)
		}
	}
}
