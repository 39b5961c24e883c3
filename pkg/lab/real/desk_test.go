//go:build linux

package real_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// programVar tells the tests where TestMain put the program under test.
const programVar = "PRLAB_PROGRAM"

// TestMain builds the program once, and only if a lab will be made.
func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if os.Getenv("PRLAB_HOSTS") == "" || os.Getenv(programVar) != "" {
		return m.Run()
	}
	if ok, _ := real.Available(context.Background()); !ok {
		return m.Run() // every test will say what is missing
	}
	dir, err := os.MkdirTemp("", "patchring-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "patchring")
	args := []string{"build", "-o", program}
	if raceDetector {
		args = append(args, "-race") // a race in the program is an exit code that no test wants
	}
	build := exec.CommandContext(context.Background(), "go", append(args, "github.com/patchring/patchring/cmd/patchring")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program under test: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(programVar, program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// desk is where an operator sits: inventory, playbook, key, state folder.
type desk struct {
	t       *testing.T
	lab     *real.Lab
	dir     string
	env     []string
	machine string // whose name the program sees; empty: this one
}

// Settings of hosts that a test adds to the inventory, by host name; the settings of
// all hosts are under "".
type settings map[string]string

// newDesk waits for the hosts, then writes an inventory with all of them (the group
// of a host is its name up to the first hyphen) and the playbook.
func newDesk(t *testing.T, lab *real.Lab, playbook string, extra settings) *desk {
	t.Helper()
	lab.Ready()
	d := &desk{t: t, lab: lab, dir: t.TempDir()}
	ssh := lab.WriteSSH(d.dir)
	var text strings.Builder
	fmt.Fprintf(&text, "version: 1\ndefaults:\n  user: %s\n  become: sudo\n", real.User)
	credentials := "key: " + ssh.Key
	if more := extra[""]; more != "" {
		credentials += ", " + more
	}
	fmt.Fprintf(&text, "  credentials: {%s}\nhosts:\n", credentials)
	for _, h := range lab.Hosts() {
		group, _, _ := strings.Cut(h.Name, "-")
		fmt.Fprintf(&text, "  %s: {address: %s, groups: [%s]%s}\n", h.Name, h.Address, group, comma(extra[h.Name]))
	}
	d.write("inventory.yaml", text.String())
	d.write("playbook.yaml", playbook)
	return d
}

func comma(more string) string {
	if more == "" {
		return ""
	}
	return ", " + more
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// said is how a call of the program ended and what it printed.
type said struct {
	code     int
	out, err string
}

func (s said) String() string {
	return fmt.Sprintf("exit code %d\n--- stdout\n%s--- stderr\n%s", s.code, s.out, s.err)
}

// callLimit is far above what any call of these tests takes.
const callLimit = 5 * time.Minute

// call runs a command of the program with the desk's inventory and state.
func (d *desk) call(args ...string) said {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), callLimit)
	defer cancel()
	var out, errs strings.Builder
	cmd := d.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		d.t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// command is call without running it.
func (d *desk) command(ctx context.Context, args ...string) *exec.Cmd {
	shared := []string{
		"-i", filepath.Join(d.dir, "inventory.yaml"), "--state", filepath.Join(d.dir, "state"),
		"--known-hosts", filepath.Join(d.dir, "known_hosts"), "--ssh-config", "none",
	}
	argv := append(append(d.elsewhere(), os.Getenv(programVar)), append(args, shared...)...)
	cmd := d.lab.Command(ctx, argv[0], argv[1:]...)
	cmd.Dir = d.dir
	cmd.Env = append(cmd.Env, d.env...)
	return cmd
}

// run carries the rollout on, and must end with this code.
func (d *desk) run(want int) said {
	d.t.Helper()
	return d.must(want, "run", "playbook.yaml", "--yes")
}

// must is call with the exit code that it has to end with.
func (d *desk) must(want int, args ...string) said {
	d.t.Helper()
	got := d.call(args...)
	if got.code != want {
		d.t.Fatalf("patchring %s: want exit code %d, got %s", strings.Join(args, " "), want, got)
	}
	return got
}

// start begins to carry the rollout on and does not wait for it.
func (d *desk) start(more ...string) *running {
	d.t.Helper()
	args := append([]string{"run", "playbook.yaml", "--yes"}, more...)
	r := &running{t: d.t, ended: make(chan struct{}), cmd: d.command(d.t.Context(), args...)}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.errs
	if err := r.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		r.err = r.cmd.Wait()
	}()
	return r
}

// running is a call that has not ended.
type running struct {
	t         *testing.T
	cmd       *exec.Cmd
	out, errs strings.Builder // to be read when it has ended
	ended     chan struct{}
	err       error // of its end
}

// until waits for something on the host, and fails if the call ends before that.
func (r *running) until(h *real.Host, what string, yes func() bool) {
	r.t.Helper()
	h.Await(what, func() bool {
		if yes() {
			return true
		}
		select {
		case <-r.ended:
			r.t.Fatalf("it ended before %s on %s: %s", what, h.Name, r.said())
		default:
		}
		return false
	})
}

func (r *running) said() said {
	return said{r.cmd.ProcessState.ExitCode(), r.out.String(), r.errs.String()}
}

// kill ends it as a power cut would.
func (r *running) kill() {
	r.t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		r.t.Fatalf("kill it: %v", err)
	}
	<-r.ended
	if r.err == nil {
		r.t.Fatalf("it was done before it could be killed: %s", r.said())
	}
}

// wait gives its end.
func (r *running) wait() said {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(callLimit):
		r.t.Fatal("it does not end")
	}
	return r.said()
}

// Judgement: what the hosts themselves say.

// wantVersion asks the host's package database; want empty: not, or not fully, installed.
func wantVersion(t *testing.T, h *real.Host, pkg, want string) {
	t.Helper()
	if want != "" {
		want = h.OS.Version(want)
	}
	if got := h.Version(pkg); got != want {
		t.Errorf("%s: its package database says %s is %q, want %q", h.Name, pkg, got, want)
	}
}

// wantOnce asks the package manager's log and the package's own script.
func wantOnce(t *testing.T, h *real.Host, packages ...string) {
	t.Helper()
	for _, pkg := range packages {
		wantVersion(t, h, pkg, "2.0")
		if n := h.Upgrades(pkg, "2.0"); n != 1 {
			t.Errorf("%s: %s 2.0 was unpacked %d times, want once", h.Name, pkg, n)
		}
		if n := h.Configured(pkg, "2.0"); n != 1 {
			t.Errorf("%s: the script of %s 2.0 ran %d times, want once", h.Name, pkg, n)
		}
	}
}

// wantUntouched asks whether the host is as it was made, its lock included.
func wantUntouched(t *testing.T, h *real.Host, packages ...string) {
	t.Helper()
	for _, pkg := range packages {
		wantVersion(t, h, pkg, "1.0")
		if n := h.Upgrades(pkg, "2.0"); n != 0 {
			t.Errorf("%s: %s 2.0 was unpacked %d times, want never", h.Name, pkg, n)
		}
	}
}

// wantUnlocked asks whether patchring left its lock behind.
func wantUnlocked(t *testing.T, h *real.Host) {
	t.Helper()
	if _, err := h.Exec("test", "!", "-e", "/var/lib/patchring/lock"); err != nil {
		t.Errorf("%s is still locked: %s", h.Name, h.Must("sh", "-c", "cat /var/lib/patchring/lock/*"))
	}
}

// wantText wants every text somewhere in what was printed.
func wantText(t *testing.T, got said, texts ...string) {
	t.Helper()
	all := got.out + got.err
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("%q is not in what it printed:\n%s", text, got)
		}
	}
}

// named finds hosts by name.
func named(lab *real.Lab, names ...string) []*real.Host {
	var found []*real.Host
	for _, h := range lab.Hosts() {
		if slices.Contains(names, h.Name) {
			found = append(found, h)
		}
	}
	return found
}
