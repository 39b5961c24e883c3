package apt

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// simulatedHost is a simulated Debian, in the test's own time.
type simulatedHost struct {
	host
	*lab.Machine
}

// simulated makes one on which pr-plain 1.0 is installed, and 1.1 offered, which needs
// pr-new. Nothing of it is recorded or real.
func simulated(t *testing.T, change func(*lab.Config)) simulatedHost {
	t.Helper()
	conf := lab.Config{
		Name: "x", OS: "debian-12",
		Installed: []lab.Package{{Name: "pr-plain", Version: "1:1.0-1"}, {Name: "pr-other", Version: "1.0-1"}},
		Repository: []lab.Package{
			{Name: "pr-plain", Version: "1:1.1-1", Suite: "security", Depends: []string{"pr-new"}}, {Name: "pr-new", Version: "2.0-1"}, {Name: "pr-other", Version: "1.1-1"},
		},
	}
	change(&conf)
	inner, err := lab.New(conf, noPower{})
	if err != nil {
		t.Fatal(err)
	}
	inner.Boot(t.Context())
	t.Cleanup(inner.Halt)
	run := func(c remote.Command) remote.Result {
		p := inner.Console()
		var out, errs bytes.Buffer
		p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
		code := p.Exec(t.Context(), c.Argv)
		return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}
	}
	return simulatedHost{host{t, run}, inner}
}

// noPower is a host's surroundings that do nothing.
type noPower struct{}

func (noPower) Reboot(bool)  {}
func (noPower) Event(string) {}

func forward() patch.Work {
	return patch.Work{ID: "r1-x", Keep: true, Install: []patch.Update{
		{Name: "pr-plain", Arch: "amd64", From: "1:1.0-1", To: "1:1.1-1"}, {Name: "pr-new", Arch: "amd64", To: "2.0-1", Dependency: true},
	}}
}

// TestSimulatedThereAndBack: forward with what it brings along, and back to exactly the
// former versions though the repositories no longer have them.
func TestSimulatedThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := simulated(t, func(*lab.Config) {})
		h.shell("apt-mark auto pr-plain; apt-mark hold pr-other")
		if got := h.carry(forward()); got.State != platform.Done {
			t.Fatalf("%+v", got)
		}
		if got := h.shell("apt-mark showauto; apt-mark showhold"); got != "pr-new\npr-plain\npr-other" {
			t.Errorf("marks %q: what was automatic stays so, what came along is so, and holds stay", got)
		}
		h.Withdraw("pr-plain", "1:1.0-1")
		f := h.detect("pr-plain")
		if len(f.Files) != 1 || f.Files[0].Version != "1:1.0-1" {
			t.Fatalf("kept %+v", f.Files)
		}
		kept := f.Files[0]
		back := patch.Work{ID: "r1-x-back", Back: true, Remove: []string{"pr-new"}, Install: []patch.Update{
			{Name: "pr-plain", Arch: "amd64", From: "1:1.1-1", To: kept.Version, Source: patch.SourceHost, File: kept.Path, Digest: kept.Digest},
		}}
		if got := h.carry(back); got.State != platform.Done {
			t.Fatalf("%+v", got)
		}
		if v, n := h.Version("pr-plain"), h.Version("pr-new"); v != "1:1.0-1" || n != "" {
			t.Errorf("pr-plain %q, pr-new %q", v, n)
		}
		if got := h.shell("apt-mark showauto; apt-mark showhold"); got != "pr-plain\npr-other" {
			t.Errorf("marks %q", got)
		}
		if lacks := h.Complaints(); len(lacks) > 0 {
			t.Errorf("not simulated: %q", lacks)
		}
	})
}

// TestSimulatedTrouble: what is in the way is found before anything was changed.
func TestSimulatedTrouble(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*lab.Config)
		before string // typed on the host first
		say    string
	}{
		"held":     {func(c *lab.Config) { c.Held = []string{"pr-plain"} }, "", "held on the host"},
		"vanished": {func(*lab.Config) {}, "lab-withdraw pr-plain 1:1.1-1; apt-get -qq update", "was not found"},
		"in time":  {func(c *lab.Config) { c.Repository[0].Until = lab.Delay(time.Nanosecond) }, "sleep 1; apt-get -qq update", "was not found"},
		"tampered": {func(c *lab.Config) { c.Faults.Tampered = "pr-plain" }, "", "Hash Sum mismatch"},
		"cut":      {func(c *lab.Config) { c.Faults.Interrupted = true }, "", "dpkg --configure -a"},
		"more": {func(c *lab.Config) {
			c.Repository[1].Depends = []string{"pr-more"}
			c.Repository = append(c.Repository, lab.Package{Name: "pr-more", Version: "1"})
		}, "", "not in the plan"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := simulated(t, tt.change)
				h.shell(tt.before)
				got := h.carry(forward())
				if got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), tt.say) {
					t.Errorf("%v %q, want it to fail with %q", got.State, got.Reasons, tt.say)
				}
				if e := h.Effects(); len(e.Transactions) != 0 {
					t.Errorf("%+v was done", e.Transactions)
				}
			})
		})
	}
}

// TestSimulatedPublished: a newer version that comes out between plan and work is left alone.
func TestSimulatedPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := simulated(t, func(*lab.Config) {})
		h.shell("lab-publish pr-plain 1:1.2-1 security")
		if got := h.carry(forward()); got.State != platform.Done || h.Version("pr-plain") != "1:1.1-1" {
			t.Errorf("%+v, pr-plain %s", got, h.Version("pr-plain"))
		}
	})
}

// TestSimulatedRepair puts a cut transaction right before the work.
func TestSimulatedRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := simulated(t, func(c *lab.Config) { c.Faults.Interrupted = true })
		w := forward()
		w.Repair = true
		if got := h.carry(w); got.State != platform.Done || h.Version("pr-plain") != "1:1.1-1" {
			t.Errorf("%+v, pr-plain %s", got, h.Version("pr-plain"))
		}
		if lacks := h.Complaints(); len(lacks) > 0 {
			t.Errorf("not simulated: %q", lacks)
		}
	})
}
