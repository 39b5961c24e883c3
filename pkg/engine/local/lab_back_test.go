package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"

	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// Exactly what was tested, and the way back, on simulated hosts with the real scripts.

// labFiles moves files to and from a simulated host as root, as package connect does
// where it becomes root.
type labFiles struct{ h *labHost }

func (l labFiles) Put(_ context.Context, path string, content io.Reader, want patch.Digest) error {
	all, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if patch.DigestOf(all) != want {
		return errors.New("it is not what it should be")
	}
	return l.h.FS.WriteFile(memfs.Root, path, 0o600, all)
}

func (l labFiles) Get(_ context.Context, path string, limit int64) (io.ReadCloser, error) {
	all, err := l.h.FS.ReadFile(memfs.Root, path)
	l.h.got++
	if l.h.worn {
		all = append(slices.Clone(all), '!')
	}
	if int64(len(all)) > limit {
		return nil, errors.New("it is too long")
	}
	return io.NopCloser(bytes.NewReader(all)), err
}

// twoRinged is web in the first ring and prod in the second, on which files can be moved.
func twoRinged(t *testing.T, change ...func(*lab.Config)) (*rig, *labFleet) {
	t.Helper()
	f := newLabFleetOf(t, change, "web", "prod")
	for _, h := range f.hosts {
		h.files = true
	}
	r := labRig(t, f)
	r.Plan.Budgets, r.Plan.Hooks = nil, nil
	prod := r.Plan.Hosts[0]
	prod.ID, prod.Ring = host("prod"), "prod"
	r.Plan.Hosts = []plan.Host{prod, r.Plan.Hosts[0]}
	return r, f
}

// carry performs begin and all that follows, up to what is not ok.
func (r *rig) carry(t *testing.T, task rollout.Task, until platform.StepID) (last rollout.StepEnded, done []platform.StepID) {
	t.Helper()
	steps := []platform.StepID{rollout.FlowBegin}
	for i := 0; i < len(steps) && steps[i] != until; i++ {
		task.Rollout, task.Step, task.Mode = r.Owner.Rollout, steps[i], rollout.Start
		r.Learn(rollout.Event{Entry: rollout.StepStarted{Host: task.Host, Step: task.Step, Try: task.Try}})
		entry, err := r.Perform(t.Context(), task)
		if err != nil {
			t.Fatalf("%s: %v", task.Step, err)
		}
		last, _ = entry.(rollout.StepEnded)
		r.Learn(rollout.Event{Entry: last})
		if done = append(done, task.Step); last.Outcome != rollout.OutcomeOK {
			break
		}
		if last.Began != nil {
			steps = append(steps, last.Began.Steps...)
		}
		if last.Proven != nil {
			r.proven = last.Proven
		}
	}
	return last, done
}

// freeze makes what was proven the set of the second ring.
func (r *rig) freeze() patch.Digest {
	set := plan.Freeze(r.proven)
	digest := plan.SetDigest(set)
	r.Learn(rollout.Event{Entry: rollout.GateOpened{Ring: "prod", Set: digest, Frozen: set}})
	return digest
}

func web() rollout.Task     { return rollout.Task{Ring: "test", Host: host("web")} }
func webBack() rollout.Task { return rollout.Task{Ring: "test", Host: host("web"), Back: true, Try: 2} }
func prod(set patch.Digest) rollout.Task {
	return rollout.Task{Ring: "prod", Host: host("prod"), Set: set}
}

// The version that the first ring has proven vanished from the repositories, and a newer
// one lies there: the second ring gets the very file of the first, from the store.
func TestVanishedVersionComesFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := twoRinged(t)
		last, done := r.carry(t, web(), "")
		want(t, last, rollout.OutcomeOK, "")
		if !slices.Contains(done, rollout.FlowCollect) || len(r.proven) != 1 || r.proven[0].Digest == "" || !r.Store.Has(r.proven[0].Digest) {
			t.Fatalf("%v gave %+v", done, r.proven)
		}
		on := f.hosts[host("prod")]
		on.Withdraw("app", "1.1-1")
		on.Publish(lab.Package{Name: "app", Version: "1.2-1", Suite: "security"})
		last, done = r.carry(t, prod(r.freeze()), "")
		want(t, last, rollout.OutcomeOK, "")
		if got := on.Version("app"); got != "1.1-1" || !slices.Contains(done, platform.StepID("supply")) {
			t.Errorf("app is %s after %v", got, done)
		}
		if wrong := on.Complaints(); len(wrong) > 0 {
			t.Errorf("%q", wrong)
		}
	})
}

// Nothing else is installed instead: not where the store has lost the file, not where
// somebody has changed it on the host.
func TestVanishedVersionFailsClosed(t *testing.T) {
	sent := "/var/lib/patchring/sent/" + workID("r1", host("prod")) + "/app_1.1-1_amd64.deb"
	tests := map[string]struct {
		hurt   func(r *rig, on *labHost) error
		before platform.StepID
		want   string
	}{
		"not in the store": {func(r *rig, _ *labHost) error {
			delete(r.Store.(*shelf).kept, r.proven[0].Digest)
			return nil
		}, rollout.FlowBegin, "app:amd64 1.1-1 can't be had"},
		"lost while it goes": {func(r *rig, _ *labHost) error {
			delete(r.Store.(*shelf).kept, r.proven[0].Digest)
			return nil
		}, "supply", "is not in the store"},
		"changed on the host": {func(_ *rig, on *labHost) error {
			return on.FS.WriteFile(memfs.Root, sent, 0o600, []byte("something else"))
		}, "preflight", "app"},
		"changed before it is installed": {func(_ *rig, on *labHost) error {
			return on.FS.WriteFile(memfs.Root, sent, 0o600, []byte("something else"))
		}, "install", "app"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, f := twoRinged(t)
				r.carry(t, web(), "")
				on, set := f.hosts[host("prod")], r.freeze()
				on.Withdraw("app", "1.1-1")
				on.Publish(lab.Package{Name: "app", Version: "1.2-1", Suite: "security"})
				last := r.hurtBefore(t, prod(set), tt.before, func() error { return tt.hurt(r, on) })
				want(t, last, rollout.OutcomeFailed, tt.want)
				if got := on.Version("app"); got != "1.0-1" {
					t.Errorf("app is %s: %+v", got, last)
				}
			})
		})
	}
}

// hurtBefore does something bad before a step, and gives how it ends.
func (r *rig) hurtBefore(t *testing.T, task rollout.Task, before platform.StepID, hurt func() error) rollout.StepEnded {
	t.Helper()
	steps, last := []platform.StepID{rollout.FlowBegin}, rollout.StepEnded{}
	for i := 0; i < len(steps); i++ {
		if steps[i] == before {
			if err := hurt(); err != nil {
				t.Fatal(err)
			}
		}
		task.Rollout, task.Step, task.Mode = r.Owner.Rollout, steps[i], rollout.Start
		entry, err := r.Perform(t.Context(), task)
		if err != nil {
			t.Fatalf("%s: %v", task.Step, err)
		}
		last, _ = entry.(rollout.StepEnded)
		r.Learn(rollout.Event{Entry: last})
		if last.Outcome != rollout.OutcomeOK {
			return last
		}
		if last.Began != nil {
			steps = append(steps, last.Began.Steps...)
		}
	}
	return last
}

// The way back: to the former version, from the repositories or from what was kept on the
// host; where it can be had nowhere, nothing is touched.
func TestWayBack(t *testing.T) {
	kept := "/var/lib/patchring/kept/" + workID("r1", host("web"))
	tests := map[string]struct {
		hurt    func(on *labHost) error
		outcome rollout.Outcome
		says    string
		version string
	}{
		"offered":  {func(*labHost) error { return nil }, rollout.OutcomeOK, "", "1.0-1"},
		"kept":     {func(on *labHost) error { on.Withdraw("app", "1.0-1"); return nil }, rollout.OutcomeOK, "", "1.0-1"},
		"vanished": {func(on *labHost) error { on.Withdraw("app", "1.0-1"); return on.FS.RemoveAll(memfs.Root, kept) }, rollout.OutcomeFailed, "app:amd64 1.0-1 can be had nowhere", "1.1-1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, f := twoRinged(t)
				want(t, first(r.carry(t, web(), "")), rollout.OutcomeOK, "")
				on := f.hosts[host("web")]
				if err := tt.hurt(on); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				last, done := r.restart().carry(t, webBack(), "") // another process, as after a crash
				want(t, last, tt.outcome, tt.says)
				if got := on.Version("app"); got != tt.version {
					t.Errorf("app is %s after %v", got, done)
				}
				if slices.Contains(done, rollout.FlowCollect) || tt.outcome == rollout.OutcomeOK && !slices.Contains(done, rollout.FlowVerify) {
					t.Errorf("it is verified, and nothing is collected on the way back: %v", done)
				}
				if wrong := on.Complaints(); len(wrong) > 0 {
					t.Errorf("%q", wrong)
				}
			})
		})
	}
}

func first(end rollout.StepEnded, _ []platform.StepID) rollout.StepEnded { return end }

// A package's script fails, of one that came new: the host is taken back to exactly what
// it was, though the package manager was left in the middle.
func TestWayBackFromAFailedScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := twoRinged(t, func(c *lab.Config) {
			c.Repository = append(c.Repository, lab.Package{Name: "libnew1", Version: "1-1"})
			c.Repository[0].Depends = []string{"libnew1"}
			c.Faults.FailingPostinst = "libnew1"
		})
		fresh := patch.Update{Name: "libnew1", Arch: "amd64", To: "1-1", Dependency: true}
		for i := range r.Plan.Hosts {
			r.Plan.Hosts[i].Install = append(r.Plan.Hosts[i].Install, fresh)
		}
		on := f.hosts[host("web")]
		last, done := r.carry(t, web(), "")
		if last.Outcome != rollout.OutcomeFailed || done[len(done)-1] != "install" {
			t.Fatalf("%v: %+v", done, last)
		}
		last, done = r.restart().carry(t, webBack(), "")
		want(t, last, rollout.OutcomeOK, "")
		if app, lib := on.Version("app"), on.Version("libnew1"); app != "1.0-1" || lib != "" {
			t.Errorf("app is %s and libnew1 %q after %v: %+v", app, lib, done, last)
		}
	})
}

// Killed at every command of the way back, the next process carries on to the same end,
// and the former version is installed once.
func TestWayBackKilledAnywhere(t *testing.T) {
	t.Parallel()
	for n, died := 0, true; died || n < 2; n++ { // at first not at all
		synctest.Test(t, func(t *testing.T) {
			r, f := twoRinged(t)
			on := f.hosts[host("web")]
			want(t, first(r.carry(t, web(), "")), rollout.OutcomeOK, "")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f.dies, f.die = 0, cancel
			if n > 0 {
				f.dies = f.commands + n
			}
			r.try, r.back = 2, true
			want(t, r.carriedOn(ctx, t, "web"), rollout.OutcomeOK, "")
			died = ctx.Err() != nil
			if got, times := on.Version("app"), on.Effects().Times("app"); got != "1.0-1" || times != 2 {
				t.Errorf("killed at command %d: app is %s, and was changed %d times", n, got, times)
			}
			if wrong := on.Complaints(); len(wrong) > 0 {
				t.Errorf("killed at command %d: %q", n, wrong)
			}
		})
		if t.Failed() {
			return
		}
	}
}
