package local

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/drivers"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// labHost is a simulated host without its SSH server, in the test's own time: the real
// scripts run on it.
type labHost struct {
	t    *testing.T
	life context.Context //nolint:containedctx // of the host, not of a call
	*lab.Machine
	fleet *labFleet
	files bool // they can be moved
	got   int  // how often one was fetched
	worn  bool // what is fetched has changed on the way
}

// labFleet kills the process at one of its commands.
type labFleet struct {
	mu       sync.Mutex
	hosts    map[fact.HostID]*labHost
	commands int
	dies     int
	die      context.CancelFunc
}

func newLabFleet(t *testing.T, names ...string) *labFleet {
	t.Helper()
	return newLabFleetOf(t, nil, names...)
}

func newLabFleetOf(t *testing.T, change []func(*lab.Config), names ...string) *labFleet {
	t.Helper()
	f := &labFleet{hosts: map[fact.HostID]*labHost{}}
	for _, name := range names {
		h := &labHost{t: t, life: t.Context(), fleet: f}
		conf := lab.Config{Name: name, OS: "debian-12", User: "patch"}
		conf.Installed = []lab.Package{{Name: "app", Version: "1.0-1"}}
		conf.Repository = []lab.Package{{Name: "app", Version: "1.1-1", Suite: "security"}}
		for _, f := range change {
			f(&conf)
		}
		inner, err := lab.New(conf, h)
		if err != nil {
			t.Fatal(err)
		}
		h.Machine = inner
		h.Boot(h.life)
		t.Cleanup(h.Halt)
		f.hosts[host(name)] = h
	}
	return f
}

// Reboot and Event make a labHost the machine's power.
func (h *labHost) Reboot(bool) { h.t.Error("nobody asked for a reboot") }
func (*labHost) Event(string)  {}

func (f *labFleet) Connect(ctx context.Context, id fact.HostID) (Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.hosts[id] == nil {
		return nil, &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Host: id.String(), What: "connection refused"}
	}
	return labLink{f.hosts[id]}, nil
}

type labLink struct{ h *labHost }

func (l labLink) Session() remote.Session {
	if l.h.files {
		return remote.Session{Runner: l.h, Files: labFiles(l)}
	}
	return remote.Session{Runner: l.h}
}
func (labLink) Ident() string { return "SSH-2.0-OpenSSH_9.2p1 Debian-2" }
func (labLink) Release()      {}
func (labLink) Drop()         {}

func (h *labHost) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	if err := ctx.Err(); err != nil {
		return remote.Result{}, err
	}
	p := h.Login()
	if c.Become {
		p = h.Console()
	}
	var out, errs bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(h.life, c.Argv) // goes on though we are gone
	f := h.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.commands++; f.commands == f.dies {
		f.die()
		return remote.Result{}, context.Canceled
	}
	return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}, nil
}

// logged is what the hooks wrote down on a host.
func (h *labHost) logged(t *testing.T) string {
	t.Helper()
	raw, err := h.FS.ReadFile(memfs.Root, "/tmp/hooks")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(raw)), " ")
}

// notes is a hook that writes down what it is told.
func notes(name string, at playbook.HookAt, on string) plan.Hook {
	script := `echo "$PATCHRING_HOOK:$PATCHRING_HOST:$PATCHRING_RING" >>/tmp/hooks`
	h := plan.Hook{Hosts: []fact.HostID{host("web")}, Action: playbook.Action{Name: name, At: at, On: on, Within: time.Minute, Become: true, Argv: []string{"sh", "-c", script}}}
	if at == playbook.HookDrain {
		h.Undo = h.Argv
	}
	return h
}

func labRig(t *testing.T, f *labFleet) *rig {
	t.Helper()
	p := planOf("web")
	p.Reboot = patch.RebootIfNeeded
	p.Hosts[0].Install[0].Name, p.Hosts[0].Install[0].Arch = "app", "amd64"
	p.Hosts[0].Install[0].From, p.Hosts[0].Install[0].To = "1.0-1", "1.1-1"
	p.Hosts[0].Domain = "debian 12 amd64"
	p.Budgets = []plan.Budget{{Name: "group web", Most: 1, Hosts: []fact.HostID{host("peer"), host("web")}}}
	pool := notes("pool", playbook.HookDrain, "hq/lb")
	pool.Wait = &playbook.Wait{Argv: []string{"true"}, Within: time.Minute}
	p.Hooks = []plan.Hook{notes("backup", playbook.HookBefore, playbook.OnHost), pool, notes("smoke", playbook.HookAfter, playbook.OnHost)}
	c := Config{
		Plan: p, Hosts: map[fact.HostID]inventory.Host{}, Connect: f, Store: &shelf{}, Now: time.Now, Driver: drivers.For,
		Owner: platform.Owner{Rollout: "r1", By: "jane@laptop"},
	}
	for id := range f.hosts {
		c.Hosts[id] = inventory.Host{ID: id}
	}
	return &rig{Performer: New(c, &rollout.State{}), try: 1}
}

// The whole of it on simulated hosts, with the real scripts: killed at every command,
// the next process carries on to the same end, and nothing happens twice.
func TestWholeFlowKilledAnywhere(t *testing.T) {
	for n, died := 0, true; died || n < 2; n++ { // at first not at all
		synctest.Test(t, func(t *testing.T) {
			f := newLabFleet(t, "web", "lb", "peer")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f.dies, f.die = n, cancel
			r := labRig(t, f)
			end := r.carriedOn(ctx, t, "web")
			died = ctx.Err() != nil
			want(t, end, rollout.OutcomeOK, "")
			web, lb := f.hosts[host("web")], f.hosts[host("lb")]
			if web.Effects().Times("app") != 1 || web.Version("app") != "1.1-1" || web.logged(t) != "before:web:test after:web:test" || lb.logged(t) != "drain:web:test undrain:web:test" {
				t.Errorf("killed at command %d: app %s (%d times), hooks %q and %q", n, web.Version("app"), web.Effects().Times("app"), web.logged(t), lb.logged(t))
			}
			if _, err := web.FS.ReadFile(memfs.Root, "/var/lib/patchring/lock/owner.json"); err == nil {
				t.Errorf("killed at command %d: the lock is still there", n)
			}
			for name, h := range f.hosts {
				if wrong := h.Complaints(); len(wrong) > 0 {
					t.Errorf("%s: %q", name, wrong)
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}

// carriedOn performs all steps; where the process dies, the next one looks again.
func (r *rig) carriedOn(ctx context.Context, t *testing.T, name string) rollout.StepEnded {
	t.Helper()
	steps := []platform.StepID{rollout.FlowBegin}
	var end rollout.StepEnded
	for i := 0; i < len(steps); i++ {
		var err error
		end, err = r.step(ctx, name, steps[i], rollout.Start)
		if ctx.Err() != nil {
			r, ctx = r.restart(), t.Context()
			end, err = r.step(ctx, name, steps[i], rollout.Reconcile)
		}
		if err != nil || end.Outcome != rollout.OutcomeOK {
			t.Errorf("%s: %v", steps[i], err)
			return end
		}
		if end.Began != nil {
			steps = append(steps, end.Began.Steps...)
		}
	}
	return end
}

// A peer that another patchring holds, by the real scripts.
func TestRealLockOfAPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newLabFleet(t, "web", "lb", "peer")
		other := labRig(t, f)
		other.Owner.Rollout, other.Owner.By = "r2", "omar@ci"
		other.Plan.Hosts[0].ID = host("peer")
		other.Plan.Budgets = nil
		want(t, other.must(t, "peer", rollout.FlowBegin), rollout.OutcomeOK, "")
		r := labRig(t, f)
		want(t, r.must(t, "web", rollout.FlowBegin), rollout.OutcomeBack, "locked by rollout r2 of omar@ci")
		r.ForceUnlock, r.Knows = "r2", func(string) bool { return false }
		r.Plan.Hosts[0].ID, r.Plan.Budgets = host("peer"), nil
		want(t, r.must(t, "peer", rollout.FlowBegin), rollout.OutcomeOK, "the lock of rollout r2 of omar@ci was replaced")
	})
}
