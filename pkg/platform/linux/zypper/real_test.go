package zypper_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux/zypper"
	"github.com/patchring/patchring/pkg/remote"
)

var update = flag.Bool("update", false, "write the golden files anew")

// rootVar names a folder with zypper, rpm and the packages of testdata/record.sh in it.
const rootVar = "PATCHRING_ZYPPER_ROOT"

// chrooted runs a command's script in the folder, as root.
func chrooted(t *testing.T, c remote.Command) remote.Result {
	t.Helper()
	root := os.Getenv(rootVar)
	if root == "" {
		t.Skip("needs a folder with real zypper and rpm: see testdata/README.md, and set " + rootVar)
	}
	cmd := exec.CommandContext(t.Context(), "chroot", append([]string{root}, c.Argv...)...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	return remote.Result{Ending: remote.Exited, Out: out.Bytes(), Err: errs.Bytes()}
}

func record(t *testing.T, name string, r remote.Result) {
	t.Helper()
	for ending, text := range map[string][]byte{".out": r.Out, ".err": r.Err} {
		if err := os.WriteFile(filepath.Join("testdata", name+ending), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecord looks at the real thing and writes down what it said, for the tests that
// have only that.
func TestRecord(t *testing.T) {
	probe := managers().Probe(platform.Query{Nonce: "0f", Offers: true, Packages: []string{"pr-plain", "pr-epoch", "kernel-default", "nope"}})[0]
	looked := chrooted(t, probe)
	if !*update {
		t.Skip("records only with -update")
	}
	record(t, "probe", looked)
	f, err := managers().Read([]remote.Result{looked})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range asked() {
		record(t, name, chrooted(t, suse().Resolve(f, want)))
	}
}

// perform carries steps out in the folder, as the interpreter would.
func perform(t *testing.T, steps []platform.Step) (platform.StepID, platform.Standing) {
	t.Helper()
	var last platform.Standing
	for _, s := range steps {
		did := false
		for range 30 {
			var looked []remote.Result
			for _, op := range s.Look.Do {
				looked = append(looked, chrooted(t, *op.Command))
			}
			last = s.Look.Judge(looked)
			if last.State == platform.NotDone && !did {
				did = true
				for _, op := range s.Do {
					chrooted(t, *op.Command)
				}
			} else if last.State != platform.Running {
				break
			}
		}
		if last.State != platform.Done {
			return s.ID, last
		}
	}
	return "", last
}

// carryOut carries work out with the real zypper.
func carryOut(t *testing.T, w patch.Work) (platform.StepID, platform.Standing) {
	t.Helper()
	w.ID, w.Reboot = fmt.Sprintf("r%d-%s", os.Getpid(), strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))), patch.RebootNever
	if w.Back {
		w.ID += "-back"
	}
	f := facts(t, chrooted(t, managers().Probe(platform.Query{Nonce: "0f"})[0]))
	steps, err := suse().Steps(f, w)
	if err != nil {
		t.Fatal(err)
	}
	return perform(t, steps)
}

// TestRealThereAndBack installs exact versions, keeps what goes, and takes it back.
func TestRealThereAndBack(t *testing.T) {
	there := patch.Work{Keep: true, Install: []patch.Update{
		up("pr-plain", "1.0-150600.1.1", "1.1-150600.1.1"), up("pr-needs", "1.0-1", "1.1-1"),
		{Name: "pr-lib", Arch: "x86_64", To: "1.0-1", Dependency: true},
	}}
	if at, got := carryOut(t, there); got.State != platform.Done {
		t.Fatalf("%s: %+v", at, got)
	}
	back := patch.Work{Back: true, Remove: []string{"pr-lib:x86_64"}, Install: []patch.Update{
		up("pr-plain", "1.1-150600.1.1", "1.0-150600.1.1"), up("pr-needs", "1.1-1", "1.0-1"),
	}}
	if at, got := carryOut(t, back); got.State != platform.Done {
		t.Fatalf("%s: %+v", at, got)
	}
	f := facts(t, chrooted(t, managers().Probe(platform.Query{Nonce: "0f", Packages: []string{"pr-plain", "pr-needs", "pr-lib"}})[0]))
	if len(f.Packages) != 2 || f.Packages[0].Version != "1.0-1" || f.Packages[1].Version != "1.0-150600.1.1" {
		t.Errorf("%+v", f.Packages)
	}
}

// TestReal107: a failing %post leaves the package installed, and the step failed.
func TestReal107(t *testing.T) {
	at, got := carryOut(t, patch.Work{Install: []patch.Update{up("pr-fail", "1.0-1", "1.1-1")}})
	if at != "install" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), "107") {
		t.Errorf("%s: %+v", at, got)
	}
	if at, got := carryOut(t, patch.Work{Back: true, Install: []patch.Update{up("pr-fail", "1.1-1", "1.0-1")}}); got.State != platform.Done {
		t.Errorf("%s: %+v", at, got)
	}
}

// TestReal8: a failing %pre leaves the old version.
func TestReal8(t *testing.T) {
	at, got := carryOut(t, patch.Work{Install: []patch.Update{up("pr-failpre", "1.0-1", "1.1-1")}})
	if at != "install" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), "pr-failpre") {
		t.Errorf("%s: %+v", at, got)
	}
}

// TestRealRefused: what zypper must not do is refused before anything changed.
func TestRealRefused(t *testing.T) {
	for _, name := range []string{"resolve-locked", "resolve-vendor", "resolve-conflict", "resolve-obsolete"} {
		if at, got := carryOut(t, patch.Work{Install: asked()[name]}); at != "preflight" || got.State != platform.Failed {
			t.Errorf("%s: %s: %+v", name, at, got)
		}
	}
}

// TestRealRebootSuggested: zypper ends with 0 and its needs-rebooting says no, though a
// patch that wants a reboot was installed. Our own note says it.
func TestRealRebootSuggested(t *testing.T) {
	if at, got := carryOut(t, patch.Work{Install: []patch.Update{up("pr-reboot", "1.0-150600.1.1", "1.1-150600.1.1")}}); got.State != platform.Done {
		t.Fatalf("%s: %+v", at, got)
	}
	f := facts(t, chrooted(t, managers().Probe(platform.Query{Nonce: "0f"})[0]))
	if f.Reboot.Needed != patch.Yes || !strings.Contains(strings.Join(f.Reboot.Reasons, " "), "SUSE-SLE-15-SP6-2026-1004") {
		t.Errorf("%+v", f.Reboot)
	}
	if at, got := carryOut(t, patch.Work{Back: true, Install: []patch.Update{up("pr-reboot", "1.1-150600.1.1", "1.0-150600.1.1")}}); got.State != platform.Done {
		t.Fatalf("%s: %+v", at, got)
	}
}

// TestRealStaged: what was downloaded is found again, with its digest and its epoch.
func TestRealStaged(t *testing.T) {
	f := facts(t, chrooted(t, managers().Probe(platform.Query{Nonce: "0f"})[0]))
	w := patch.Work{
		ID: fmt.Sprintf("s%d", os.Getpid()), Reboot: patch.RebootNever,
		Install: []patch.Update{up("pr-epoch", "1:1.0-1", "1:1.1-1"), {Name: "pr-cfg", Arch: "noarch", From: "1.0-150600.1.1", To: "1.1-150600.1.1"}},
	}
	steps, err := suse().Steps(f, w)
	if err != nil {
		t.Fatal(err)
	}
	install := slices.IndexFunc(steps, func(s platform.Step) bool { return s.ID == "install" })
	if at, got := perform(t, steps[:install]); got.State != platform.Done {
		t.Fatalf("%s: %+v", at, got)
	}
	files, err := suse().ReadStaged(f, w, chrooted(t, suse().Staged(f, w)))
	var names []string
	for _, file := range files {
		names = append(names, file.Name+" "+file.Version)
	}
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"pr-cfg 1.1-150600.1.1", "pr-epoch 1:1.1-1"}) || files[0].Digest == "" {
		t.Errorf("%v %+v", err, files)
	}
}

// TestRealIndexes: the files of the repositories' indexes are named.
func TestRealIndexes(t *testing.T) {
	looks, _ := zypper.Scripts()
	r := chrooted(t, remote.Command{Argv: []string{"sh", "-s"}, Stdin: []byte("set -u -f\n" + looks + "\nzypper_indexes\n")})
	for _, want := range []string{
		"SLE-Updates\trepomd\trepodata/repomd.xml\t", "-primary.xml.gz\t", "\tupdateinfo\trepodata/", "\t/var/cache/zypp/raw/SLE-Updates/repodata/repomd.xml\n",
	} {
		if !strings.Contains(string(r.Out), want) {
			t.Errorf("%q is not in\n%s", want, r.Out)
		}
	}
}
