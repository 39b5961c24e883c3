package job

import (
	"bytes"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/remote"
)

// simulated runs a command as root on a simulated host.
func simulated(t *testing.T, h *lab.Host, c remote.Command) remote.Result {
	t.Helper()
	var out, errs bytes.Buffer
	p := h.Machine().Console()
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(t.Context(), c.Argv)
	return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}
}

// On the simulated hosts the same scripts run, with systemd and without.
func TestJobOnSimulatedHosts(t *testing.T) {
	t.Parallel()
	fleet, err := lab.Start(t.Context(), lab.Spec{Version: 1, Hosts: []lab.HostSpec{
		{Name: "systemd", OS: "debian-12"}, {Name: "other", OS: "debian-12", Init: "other"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	for _, name := range []string{"systemd", "other"} {
		h := fleet.Host(name)
		look := func(wait time.Duration) Status { return Read(simulated(t, h, Look("a", wait))) }
		if s := look(0); s.State != Absent {
			t.Errorf("%s: before: %+v", name, s)
		}
		start, err := Start(Spec{ID: "a", Argv: []string{"sh", "-c", `echo begun; sleep 2; echo "$X"; exit 3`}, Env: []string{"X=a\nb"}, Inhibit: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if r := simulated(t, h, start); !r.OK() {
				t.Fatalf("%s: start: %+v %s", name, r, r.Err)
			}
		}
		if s := look(0); s.State != Running || s.Last() != "begun" {
			t.Errorf("%s: running: %+v", name, s)
		}
		if s := look(long); s.State != Exited || s.Code != 3 || s.Last() != "b" || len(s.Log) != 3 {
			t.Errorf("%s: after: %+v", name, s)
		}
	}
}

// Without root, and with bounds.
func TestBoundedJobOnSimulatedHosts(t *testing.T) {
	t.Parallel()
	fleet, err := lab.Start(t.Context(), lab.Spec{Version: 1, Hosts: []lab.HostSpec{{Name: "h", OS: "debian-12"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	h := fleet.Host("h")
	for id, want := range map[string]State{"long": TimedOut, "short": Exited} {
		seconds := map[string]string{"long": "30", "short": "0"}[id]
		start, err := Home().Start(Spec{ID: id, Within: time.Second, Argv: []string{"sleep", seconds}})
		if err != nil {
			t.Fatal(err)
		}
		if r := simulated(t, h, start); !r.OK() {
			t.Fatalf("%s: start: %+v %s", id, r, r.Err)
		}
		if s := Read(simulated(t, h, Home().Look(id, long))); s.State != want {
			t.Errorf("%s: got %+v", id, s)
		}
	}
	if odd := h.Complaints(); len(odd) > 0 {
		t.Errorf("the scripts asked for what is not simulated: %q", odd)
	}
}

func TestScriptsKeepToTheSubset(t *testing.T) {
	for name, script := range map[string]string{"place.sh": placeScript, "start.sh": startScript, "run.sh": runScript, "look.sh": lookScript} {
		for _, outside := range posix.Check(name, []byte(script)) {
			t.Error(outside)
		}
	}
}
