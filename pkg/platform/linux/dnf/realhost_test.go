package dnf

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// realDnf is a made-up host in a folder, changed by the real dnf and rpm. Its repository is
// fetched over HTTP: of one in a folder dnf would not keep what it has downloaded.
type realDnf struct {
	t   *testing.T
	dir string
	url string
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
	d := &realDnf{t: t, dir: t.TempDir()}
	server := httptest.NewServer(http.FileServer(http.Dir(d.dir)))
	t.Cleanup(server.Close)
	d.url = server.URL
	d.do("mkdir", "root", "bin", "new", "old")
	return d
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

// build makes an empty package in the folder to; more are lines of its spec.
func (d *realDnf) build(to, name, version string, more ...string) {
	d.t.Helper()
	spec := "Name: %s\nVersion: %s\nRelease: 1\nEpoch: 1\nSummary: made up\nLicense: none\nBuildArch: noarch\n%s\n%%description\nmade up\n%%files\n"
	script := slices.DeleteFunc(slices.Clone(more), func(line string) bool { return !strings.HasPrefix(line, "%") })
	head := slices.DeleteFunc(slices.Clone(more), func(line string) bool { return strings.HasPrefix(line, "%") })
	d.write(name+".spec", fmt.Sprintf(spec, name, version, strings.Join(head, "\n"))+strings.Join(script, "\n")+"\n", 0o600)
	d.do("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+d.dir+"/top", "--define", "_rpmdir "+d.dir+"/"+to, name+".spec")
}

// tools puts programs into the PATH that work on the made-up host.
func (d *realDnf) tools() {
	d.t.Helper()
	for name, args := range map[string]string{
		"rpm": "--root " + d.dir + "/root",
		"dnf": "--noplugins --installroot=" + d.dir + "/root --releasever=9 --setopt=cachedir=" + d.dir + "/cache --setopt=keepcache=False --setopt=gpgcheck=False --setopt=reposdir=/nonexistent --repofrompath=new," + d.url + "/new",
	} {
		program, err := exec.LookPath(name)
		if err != nil {
			d.t.Fatal(err)
		}
		d.write("bin/"+name, "#!/bin/sh\nexec "+program+" "+args+` "$@"`+"\n", 0o700)
	}
}

// run runs a script, whose /var/cache/dnf is the host's, with args.
func (d *realDnf) run(script string, args ...string) remote.Result {
	d.t.Helper()
	d.tools()
	script = strings.ReplaceAll(script, "/var/cache/dnf", d.dir+"/cache")
	cmd := exec.CommandContext(d.t.Context(), "sh", append([]string{"-s", "--"}, args...)...)
	cmd.Env = []string{"PATH=" + d.dir + "/bin:" + os.Getenv("PATH"), "HOME=" + d.dir}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

func texts() map[string]string { return linux.Managers{Manager()}.Texts() }

// probe runs what the probe asks of dnf with the host's root in place of ours.
func (d *realDnf) probe() remote.Result {
	d.t.Helper()
	only, found := strings.CutSuffix(strings.TrimSpace(texts()["probe"]), `main "$@"`)
	if !found {
		d.t.Fatal("the probe does not end with main")
	}
	res := d.run(only + "nonce=n mode=refresh\nopen_report\ndnf_probe\nsection indexes 100 dnf_indexes\nsection available 100 dnf_available pr-plain\nclose_report\n")
	if res.Code != 0 {
		d.t.Fatalf("%s", res.Err)
	}
	return res
}

// job runs a verb of a job as the host would.
func (d *realDnf) job(verb string, w patch.Work, words ...string) remote.Result {
	d.t.Helper()
	back, keep, outgoing := "", "", []string{}
	if w.Back {
		back = "yes"
	}
	if w.Keep {
		keep = d.dir + "/kept/w"
		for _, u := range w.Install {
			outgoing = append(outgoing, spec(patch.Update{Name: u.Name, Arch: u.Arch, To: u.From}, ""))
		}
	}
	var fresh []string
	for _, u := range w.Install {
		if u.From == "" && !w.Back {
			fresh = append(fresh, u.Name+"."+u.Arch)
		}
	}
	args := []string{"dnf", verb, back, strings.Join(fresh, " "), strings.Join(w.Remove, " "), "", keep, strconv.Itoa(len(outgoing))}
	return d.run(texts()["jobs dnf"], slices.Concat(args, outgoing, words)...)
}

// simulated asks dnf what it would do.
func (d *realDnf) simulated(w patch.Work, words ...string) linux.Transaction {
	d.t.Helper()
	back := ""
	if w.Back {
		back = "yes"
	}
	only, _ := strings.CutSuffix(strings.TrimSpace(texts()["resolve dnf"]), `main "$@"`)
	res := d.run(only+"way \"$@\"\nshift 5\nopen_report\nsection plan 500 dnf_simulate \"$@\"\nclose_report\n", append([]string{"n", "dnf", back, "", strings.Join(w.Remove, " ")}, words...)...)
	rep, found := linux.ReadReport(res)
	if !found {
		d.t.Fatalf("%s%s", res.Out, res.Err)
	}
	return transaction(rocky(), w, rep.Get("plan"))
}

// installed is what rpm says of the host.
func (d *realDnf) installed() string {
	d.t.Helper()
	d.tools()
	cmd := exec.CommandContext(d.t.Context(), d.dir+"/bin/rpm", "-qa", "--qf", "%{NAME}-%{VERSION} ")
	cmd.Env = append(os.Environ(), "HOME="+d.dir)
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatal(err)
	}
	list := strings.Fields(string(out))
	slices.Sort(list)
	return strings.Join(list, " ")
}
