package bsd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// host is a folder in which testdata/tool.sh stands for FreeBSD's tools.
type host struct {
	t     *testing.T
	state string
}

func newHost(t *testing.T) host {
	t.Helper()
	if _, err := exec.LookPath("dash"); err != nil {
		t.Skip("needs dash: it runs the scripts")
	}
	h := host{t, t.TempDir()}
	tool, err := filepath.Abs("testdata/tool.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"bin", "cache", "keep", "base-files"} {
		h.must(os.Mkdir(filepath.Join(h.state, dir), 0o700))
	}
	text, err := os.ReadFile(tool)
	h.must(err)
	for _, name := range []string{"pkg", "freebsd-update", "freebsd-version", "uname", "sysctl", "ps"} {
		h.must(os.WriteFile(filepath.Join(h.state, "bin", name), text, 0o700))
	}
	for name, text := range map[string]string{
		"installed": "curl 8.5.0\nperl5 5.36.3_1,1\nzsh 5.9\n", "repository": "curl 8.6.0\nperl5 5.36.3_2,1\nlibnew 1.0\n",
		"base": "14.1-RELEASE-p3 14.1-RELEASE-p5\n", "kernel-r": "14.1-RELEASE-p3\n", "kernel-k": "14.1-RELEASE-p3\n",
		"audit":          "curl-8.5.0 is vulnerable:\n  curl -- made up\n  CVE: CVE-2026-1001\n\n1 problem(s) in 1 installed package(s) found.\n",
		"processes":      "  1   0 init\n 17   0 pkgd\n 18   5 pkg\n",
		"base-files/tag": "freebsd-update|amd64|14.1-RELEASE|5|" + strings.Repeat("0", 64) + "|1800000000\n",
	} {
		h.write(name, text)
	}
	return h
}

func (h host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h host) write(name, text string) {
	h.t.Helper()
	h.must(os.WriteFile(filepath.Join(h.state, name), []byte(text), 0o600))
}

func (h host) read(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.state, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	return string(text)
}

// run runs a script with the host's folders in the places of FreeBSD's.
func (h host) run(text string, args ...string) remote.Result {
	h.t.Helper()
	text = strings.NewReplacer("/var/db/freebsd-update", h.state+"/base-files", "note=/var/lib/patchring/freebsd-base", "note="+h.state+"/note",
		"</var/lib/patchring/freebsd-base", "<"+h.state+"/note").Replace(text)
	cmd := exec.CommandContext(h.t.Context(), "dash", append([]string{"-s", "--"}, args...)...)
	cmd.Env = []string{"PATH=" + h.state + "/bin:/usr/bin:/bin", "STATE=" + h.state}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

func (h host) detect() fact.Facts {
	h.t.Helper()
	script := linux.Managers{freebsd()}.Probe(platform.Query{Nonce: "0f", Refresh: true, Packages: []string{Base, "curl", "perl5", "libnew"}, Offers: true})[0]
	// What rules the machine that the test runs on is of no interest.
	text := strings.Replace(string(script.Stdin), "\nmain \"$@\"\n", "\nmanager() { echo freebsd; }\nboot_id() { sysctl -b kern.boot_id | od -A n -v -t x1 | tr -d ' \\n'; }\ncontainer() { :; }\nmain \"$@\"\n", 1)
	f, err := linux.Managers{freebsd()}.Read([]remote.Result{h.run(text, script.Argv[3:]...)})
	h.must(err)
	return f
}

// job runs a verb of jobs.sh.
func (h host) job(verb string, back bool, remove string, words ...string) remote.Result {
	way := ""
	if back {
		way = "yes"
	}
	args := append([]string{"freebsd", verb, way, "", remove, "", "", "0"}, words...)
	return h.run(linux.Managers{freebsd()}.Texts()["jobs freebsd"], args...)
}

func TestFreeBSDDetect(t *testing.T) {
	f := newHost(t).detect()
	if f.Platform != FreeBSD || f.Manager.State != fact.ManagerOK || f.BootID != "0102ff" || f.Reboot.Needed != patch.No {
		t.Errorf("%q, manager %+v, boot %q, reboot %+v, problems %+v", f.Platform, f.Manager, f.BootID, f.Reboot, f.Problems)
	}
	got := map[string]patch.Update{}
	for _, u := range f.Updates {
		got[u.Name] = u
	}
	if u := got[Base]; u.From != "14.1-RELEASE-p3" || u.To != "14.1-RELEASE-p5" || u.Security != patch.Yes {
		t.Errorf("%+v", u)
	}
	if u := got["curl"]; u.Security != patch.Yes || u.CVEs != "CVE-2026-1001" || u.To != "8.6.0" {
		t.Errorf("%+v", u)
	}
	if u := got["perl5"]; u.Security != patch.No || u.To != "5.36.3_2,1" || len(f.Updates) != 3 {
		t.Errorf("%+v of %+v", u, f.Updates)
	}
	if p, ok := f.Installed("perl5", ""); !ok || p.Version != "5.36.3_1,1" || p.Arch != "amd64" || !f.OffersKnown || len(f.Offers) < 4 {
		t.Errorf("%+v, offers %+v", p, f.Offers)
	}
}

func TestFreeBSDThereAndBack(t *testing.T) {
	h := newHost(t)
	words := []string{Base + "=14.1-RELEASE-p5", "curl-8.6.0", "libnew-1.0"}
	for _, verb := range []string{"stage", "install"} {
		if r := h.job(verb, false, "", words...); r.Code != 0 {
			t.Fatalf("%s: %d %s%s", verb, r.Code, r.Out, r.Err)
		}
	}
	if got := h.read("installed"); !strings.Contains(got, "curl 8.6.0\n") || !strings.Contains(got, "libnew 1.0\n") {
		t.Fatalf("%s", got)
	}
	h.write("keep/curl-8.5.0.pkg", "")
	back := []string{Base + "=14.1-RELEASE-p3", h.state + "/keep/curl-8.5.0.pkg"}
	if r := h.job("install", true, "libnew", back...); r.Code != 0 {
		t.Fatalf("%d %s%s", r.Code, r.Out, r.Err)
	}
	want := "base 14.1-RELEASE-p3 -> 14.1-RELEASE-p5\ninstall curl-8.6.0 libnew-1.0 \nbase back to 14.1-RELEASE-p3\nadd curl-8.5.0\nautomatic curl\ndelete libnew\n"
	if got := strings.ReplaceAll(h.read("log"), "automatic 1", "automatic curl"); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	if got := h.read("installed"); !strings.Contains(got, "curl 8.5.0\n") || strings.Contains(got, "libnew") {
		t.Errorf("%s", got)
	}
}

// TestFreeBSDRefusesMore: what pkg would do beyond the plan is refused before anything changed.
func TestFreeBSDRefusesMore(t *testing.T) {
	h := newHost(t)
	h.write("more", "perl5-5.36.3_2,1\n")
	r := h.job("install", false, "", "curl-8.6.0")
	if r.Code == 0 || !strings.Contains(string(r.Out), "perl5-5.36.3_2,1; nothing was changed") || h.read("log") != "" {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

// TestFreeBSDDeletesNoMore: what has come to need a package that is to go stays, and so does
// that; what is gone already is no trouble.
func TestFreeBSDDeletesNoMore(t *testing.T) {
	h := newHost(t)
	h.write("dependents", "zsh\n")
	r := h.job("install", true, "perl5")
	if r.Code == 0 || !strings.Contains(string(r.Out), "more: zsh; not:); nothing was deleted: perl5") || h.read("log") != "" {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
	h.write("dependents", "")
	if r := h.job("install", true, "perl5 libnew"); r.Code != 0 || h.read("log") != "delete perl5\n" {
		t.Errorf("%d %s%s %s", r.Code, r.Out, r.Err, h.read("log"))
	}
}

// TestFreeBSDVanished: neither a package nor a patch level that is gone is replaced by the newest.
func TestFreeBSDVanished(t *testing.T) {
	h := newHost(t)
	for _, word := range []string{"curl-8.5.9", Base + "=14.1-RELEASE-p4"} {
		if r := h.job("install", false, "", word); r.Code == 0 || h.read("log") != "" {
			t.Errorf("%s: %d %s%s", word, r.Code, r.Out, r.Err)
		}
	}
	if r := h.job("stage", false, "", Base+"=14.1-RELEASE-p4"); r.Code == 0 {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

func TestFreeBSDLocked(t *testing.T) {
	h := newHost(t)
	h.write("processes", "  1   0 init\n 17   0 pkg\n 18   5 pkg\n")
	if f := h.detect(); f.Manager.State != fact.ManagerLocked || !strings.Contains(f.Manager.Detail, "17") || strings.Contains(f.Manager.Detail, "18") {
		t.Errorf("of this jail alone: %+v", f.Manager)
	}
}

func TestFreeBSDRebootDue(t *testing.T) {
	h := newHost(t)
	h.write("kernel-k", "14.1-RELEASE-p5\n")
	if f := h.detect(); f.Reboot.Needed != patch.Yes || !slices.ContainsFunc(f.Reboot.Reasons, func(s string) bool { return strings.Contains(s, "p5 is installed") }) {
		t.Errorf("%+v", f.Reboot)
	}
}

func TestFreeBSDKeeps(t *testing.T) {
	h := newHost(t)
	h.write("cache/curl-8.5.0.pkg", "as downloaded")
	args := []string{"freebsd", "stage", "", "", "", "", h.state + "/keep/w", "3", "curl-8.5.0", "zsh-5.9", Base + "=14.1-RELEASE-p3", "curl-8.6.0"}
	if r := h.run(linux.Managers{freebsd()}.Texts()["jobs freebsd"], args...); r.Code != 0 {
		t.Fatalf("%d %s%s", r.Code, r.Out, r.Err)
	}
	if got := h.read("keep/w/curl-8.5.0.pkg"); got != "as downloaded" {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(h.state, "keep/w/zsh-5.9.pkg")); err != nil {
		t.Error(err)
	}
}
