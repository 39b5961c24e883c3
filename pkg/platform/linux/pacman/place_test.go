package pacman_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/remote"
)

var record = flag.Bool("update", false, "write down anew what the real pacman says")

func managers() linux.Managers { return linux.Managers{pacman.Manager()} }

// arch is the driver under test.
func arch() linux.Driver { return managers().Drivers()[0].(linux.Driver) }

// place is a folder with a root that the real pacman rules, in place of this machine's.
type place struct {
	t   *testing.T
	top string
}

func newPlace(t *testing.T) place {
	t.Helper()
	if testing.Short() {
		t.Skip("needs some seconds: the real pacman")
	}
	for _, tool := range []string{"pacman", "pacman-conf", "vercmp", "tar", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool + ": the real pacman (Debian: pacman-package-manager)")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: pacman installs into a folder")
	}
	p := place{t, t.TempDir()}
	if out, err := exec.CommandContext(t.Context(), "sh", "testdata/root.sh", p.top).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// text has the folders of the place for those of a host.
func (p place) text(script string) string {
	root := p.top + "/root"
	return strings.NewReplacer("=/var/lib/pacman", "="+root+"/var/lib/pacman", "/var/cache/", root+"/var/cache/").Replace(script)
}

// run runs a command's script as on the host, in a shell of this machine.
func (p place) run(c remote.Command) remote.Result {
	return p.exec(p.text(string(c.Stdin)), c.Argv[1:]...)
}

func (p place) exec(stdin string, args ...string) remote.Result {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "sh", args...)
	cmd.Env = []string{"PATH=" + p.top + "/bin:" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

func (p place) detect() fact.Facts {
	p.t.Helper()
	return facts(p.t, p.probe())
}

func (p place) probe() remote.Result {
	p.t.Helper()
	probe := managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Offers: true, Packages: []string{"pr-plain", "pr-epoch", "nope"}})[0]
	// This machine is ruled by something else.
	probe.Stdin = bytes.ReplaceAll(probe.Stdin, []byte("manager=$(manager)"), []byte("manager=pacman"))
	return p.run(probe)
}

func facts(t *testing.T, r remote.Result) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{r})
	if err != nil {
		t.Fatal(err)
	}
	f.Host = fact.HostID{Site: "hq", Name: "web"}
	f.Manager.Name = "pacman"
	return f
}

// work is what a job is told beside its words.
type work struct {
	back, fresh, remove, keep string
	outgoing                  []string
}

func (p place) job(verb string, w work, words ...string) remote.Result {
	text := p.text(managers().Texts()["jobs pacman"])
	args := []string{"-c", text, "patchring", "pacman", verb, w.back, w.fresh, w.remove, "", w.keep, strconv.Itoa(len(w.outgoing))}
	return p.exec("", slices.Concat(args, w.outgoing, words)...)
}

// bare leaves out what is of this machine, and not of pacman.
func bare(text []byte) []byte {
	_, rest, whole := strings.Cut(string(text), "@0f begin arch\n")
	if !whole {
		return text
	}
	rest, _, _ = strings.Cut(rest, "@0f begin kernels\n")
	return []byte("patchring-report 1 0f\n\n@0f begin identity\nuid=0\nmanager=pacman\n\n@0f status 0\n\n@0f end identity\n\n@0f begin arch\n" + rest + "@0f whole\n")
}

// record writes down what the real tool said, for where there is none.
func (p place) record(name string, r remote.Result) {
	if !*record {
		return
	}
	for ending, text := range map[string][]byte{".out": r.Out, ".err": r.Err} {
		text = bytes.ReplaceAll(bare(text), []byte(p.top), []byte("/lab"))
		if err := os.WriteFile(filepath.Join("testdata", name+ending), text, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p place) version(name string) string {
	p.t.Helper()
	_, version, _ := strings.Cut(strings.TrimSpace(string(p.exec("pacman -Q -- "+name+"\n").Out)), " ")
	return version
}

func update(f fact.Facts, name string) (patch.Update, bool) {
	i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == name })
	if i < 0 {
		return patch.Update{}, false
	}
	return f.Updates[i], true
}
