package linux

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// fakeSystemd stands for systemctl and systemd-run: a file "active/UNIT" is an active unit,
// "broken/UNIT" one that can't be started; what was asked for is noted in "calls".
const fakeSystemd = `#!/bin/sh
cd "${0%/*}/.." || exit 1
printf '%s\n' "${0##*/} $*" >>calls
if [ "${0##*/}" = systemd-run ]; then
	[ ! -e norun ] || exit 1
	for word in "$@"; do
		case $word in --unit=*) : >"active/${word#--unit=}.timer" ;; esac
	done
	exit 0
fi
verb=$1
shift
for unit in "$@"; do
	case $verb/$unit in
	*/--quiet | *-failed/*) continue ;;
	is-active/*) [ -e "active/$unit" ] || exit 3 ;;
	stop/*) rm -f "active/$unit" ;;
	start/*) [ ! -e "broken/$unit" ] || exit 1; : >"active/$unit" ;;
	esac
done
`

// rig is a made-up host with systemd, and a package manager that does what the test says.
type rig struct {
	t     *testing.T
	dir   string
	shell []string
}

func newRig(t *testing.T, shell []string, active ...string) rig {
	t.Helper()
	r := rig{t, t.TempDir(), shell}
	for _, folder := range []string{"bin", "active", "broken", "systemd"} {
		if err := os.Mkdir(filepath.Join(r.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin/systemctl", "bin/systemd-run"} {
		r.write(name, fakeSystemd)
	}
	for _, unit := range active {
		r.write("active/"+unit, "")
	}
	return r
}

func (r rig) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

func (r rig) has(name string) bool {
	_, err := os.Stat(filepath.Join(r.dir, name))
	return err == nil
}

// job is the install job of a manager whose transaction is this shell text.
func (r rig) job(transaction string) *exec.Cmd {
	d := sample()
	d.Aside = []string{"daily.timer", "idle.timer", "packages.service"}
	d.Script = "sample_locks() { cat \"$RIG/locks\" 2>/dev/null; return 0; }\n"
	d.Acts = "sample_install() { cd \"$RIG\" || return; ls active | grep -v ^patchring >during; " + transaction + "; }\nsample_stage() { :; }\n"
	spec := d.job(sampleFacts(), sampleWork(), "install")
	text := strings.NewReplacer("/run/systemd/system", r.dir+"/systemd", "/run/patchring-aside", r.dir+"/aside").Replace(spec.Argv[2])
	args := append(append([]string{}, r.shell[1:]...), "-c", text)
	cmd := exec.Command(r.shell[0], append(args, spec.Argv[3:]...)...)
	cmd.Env = append(os.Environ(), "RIG="+r.dir, "PATH="+r.dir+"/bin:"+os.Getenv("PATH"))
	return cmd
}

func (r rig) run(transaction string) (said string, code int) {
	r.t.Helper()
	cmd := r.job(transaction)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (r rig) during() string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "during"))
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func (r rig) calls() string {
	text, _ := os.ReadFile(filepath.Join(r.dir, "calls"))
	return string(text)
}

func TestAside(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for end, want := range map[string]int{"return 0": 0, "return 7": 7, "exit 7": 7} {
			r := newRig(t, shell, "daily.timer", "packages.service", "other.timer")
			said, code := r.run(end)
			if code != want || r.during() != "other.timer" {
				t.Errorf("%s: %d, during it %q: %s", end, code, r.during(), said)
			}
			if !r.has("active/daily.timer") || !r.has("active/packages.service") || r.has("active/idle.timer") || r.has("aside") {
				t.Errorf("%s: not as before: %s", end, r.calls())
			}
			if strings.Contains(r.calls(), "disable") || strings.Contains(r.calls(), "mask") {
				t.Error("units are only stopped")
			}
			if armed := strings.Index(r.calls(), "--on-active=3h"); armed < 0 || armed > strings.Index(r.calls(), "systemctl stop daily.timer") {
				t.Errorf("they were stopped before it was sure that they come back:\n%s", r.calls())
			}
		}
	})
}

// TestAsideKilled: after a kill -9 systemd has the order to start them, and the next job
// brings them back as well.
func TestAsideKilled(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		r := newRig(t, shell, "daily.timer")
		cmd := r.job("echo begun; exec sleep 60")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "begun\n" {
			t.Fatalf("%q %v", line, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if r.has("active/daily.timer") || !strings.Contains(r.calls(), "systemctl start daily.timer\n") {
			t.Errorf("nothing would bring it back:\n%s", r.calls())
		}
		if said, code := r.run("return 0"); code != 0 || !r.has("active/daily.timer") || r.has("aside") {
			t.Errorf("%d %s", code, said)
		}
		// An order that the next job can't give leaves that of the first.
		r.write("active/packages.service", "")
		r.write("norun", "")
		r.write("aside", "daily.timer\n")
		r.write("broken/daily.timer", "")
		r.write("active/patchring-aside.timer", "")
		if said, code := r.run("return 3"); code != 3 || !strings.Contains(said, "could not be made to stand aside") || !r.has("active/patchring-aside.timer") || !r.has("aside") {
			t.Errorf("%d %s", code, said)
		}
	})
}

func TestAsideTrouble(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		r := newRig(t, shell, "daily.timer")
		r.write("norun", "1")
		if said, code := r.run("return 0"); code != 0 || r.during() != "daily.timer" || !strings.Contains(said, "patchring: these could not be made to stand aside") {
			t.Errorf("what could not be sure to come back was stopped: %d %s", code, said)
		}
		r = newRig(t, shell, "daily.timer")
		r.write("broken/daily.timer", "")
		if said, code := r.run("return 0"); code != 0 || !strings.Contains(said, "patchring: stood aside and could not be started again: daily.timer") || !r.has("aside") {
			t.Errorf("%d %s", code, said)
		}
	})
}

// TestAsideAtWork: a service that holds the lock is never stopped; its timer is. The process
// is this test's own, so the unit is the one that it runs in.
func TestAsideAtWork(t *testing.T) {
	r := newRig(t, []string{"sh"}, "daily.timer", "packages.service")
	r.write("locks", "/var/lock 4711 packagekitd\n")
	cgroup := filepath.Join(r.dir, "4711/cgroup")
	if err := os.MkdirAll(filepath.Dir(cgroup), 0o700); err != nil {
		t.Fatal(err)
	}
	r.write("4711/cgroup", "0::/system.slice/packages.service\n")
	cmd := r.job("return 0")
	for i, word := range cmd.Args {
		cmd.Args[i] = strings.ReplaceAll(word, "/proc/$pid/cgroup", r.dir+"/$pid/cgroup")
	}
	if out, err := cmd.CombinedOutput(); err != nil || r.during() != "packages.service" {
		t.Errorf("%v, during it %q: %s", err, r.during(), out)
	}
}

// TestForgotten: the end of a rollout removes its own package files, and nobody else's.
func TestForgotten(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		ours := []string{"r1-0123ab", "r1-0123ab-t2", "r1-0123ab-t12", "r1-0123ab.new", "r1-0123ab-t3.new"}
		others := []string{"r1", "r1-", "r1-0123AB", "r1-0123abc", "r1-0123ab-t", "r1-0123ab-t2x", "r1-0123ab-x", "r1-monthly-0123ab", "r10-0123ab", "r1-0123ab-0123ab"}
		for _, work := range append(append([]string{}, ours...), others...) {
			for _, store := range []string{"kept", "sent"} {
				r.put(filepath.Join(r.home, store, work, "a.deb"), "x")
			}
		}
		if got := r.unmark("r1"); got.Code != 0 {
			t.Fatalf("%s", got.Err)
		}
		for _, store := range []string{"kept", "sent"} {
			for _, work := range ours {
				if _, err := os.Stat(filepath.Join(r.home, store, work)); err == nil {
					t.Errorf("%s/%s is still there", store, work)
				}
			}
			for _, work := range others {
				if _, err := os.Stat(filepath.Join(r.home, store, work, "a.deb")); err != nil {
					t.Errorf("%s/%s is gone", store, work)
				}
			}
		}
	})
}

func TestWorkName(t *testing.T) {
	for rollout, want := range map[string]string{"2026-11-21-Monthly-7f3a": "2026-11-21-monthly-7f3a", "a b": "r-", "": "r-", strings.Repeat("a", 41): "r-"} {
		if got := workName(rollout); !strings.HasPrefix(got, want) || len(got) > 40 {
			t.Errorf("%q: %q, want %q", rollout, got, want)
		}
	}
}

// TestLeftBeside: what came beside configuration files since the job began, and not before.
func TestLeftBeside(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		dir := t.TempDir()
		var last time.Time
		// put writes a file whose time is later than that of the one before: clocks of file
		// systems tick slowly.
		put := func(name string) string {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			for before := last; !last.After(before); {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				last = info.ModTime()
			}
			return path
		}
		put("etc/old.conf.dpkg-dist")
		put("job/started/pid")
		past := time.Now().Add(-time.Hour)
		if err := os.Chtimes(put("etc/x/new.conf.dpkg-dist"), past, past); err != nil {
			t.Fatal(err)
		}
		put("etc/x/new.conf")
		c := sample().looks("install", sampleFacts(), sampleWork(), strings.ReplaceAll(afterScript, "find /etc ", "find "+dir+"/etc "), filepath.Join(dir, "job/log"))
		rep, trouble := WholeReport([]remote.Result{RunIn(t, shell, c)})
		if shell[0] == "busybox" { // its find knows no -cnewer
			t.Skip("needs a find that goes by when a file came to be where it is")
		}
		if got := rep.Get("beside").Lines(); trouble != "" || len(got) != 1 || !strings.HasSuffix(got[0], "etc/x/new.conf.dpkg-dist") {
			t.Errorf("%s %q", trouble, got)
		}
	})
	rep, _ := ReadReport(said("remarks", "Configuration file '/etc/a.conf'", "beside", "/etc/a.conf.dpkg-dist\n/etc/b.conf.ucf-dist\n/tmp/x.rpmnew"))
	if got := remarks(rep, sampleWork()).notes; len(got) != 2 || !strings.HasPrefix(got[1], "/etc/b.conf.ucf-dist was left") {
		t.Errorf("%q", got)
	}
}
