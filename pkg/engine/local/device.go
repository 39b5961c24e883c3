package local

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/probe"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// What devices need of us besides a connection: the size of a file, its address where they
// pull it, and a place for what they print.

// Size is how many bytes content of the store has.
func (s *sessions) Size(digest patch.Digest) (int64, error) {
	return s.store.Size(digest) //nolint:wrapcheck // names the content
}

// Serve serves a file of the store to this host, until stop.
func (s *sessions) Serve(ctx context.Context, file platform.File) (url string, stop func(), err error) {
	if !s.serve.IsValid() {
		return "", nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, Host: s.host.String(), What: "this device pulls its image, and no address of this controller is known that it can reach",
			Hint: "write serve: ADDRESS at the host in the inventory",
		}
	}
	size, err := s.store.Size(file.Store)
	if err != nil {
		return "", nil, err //nolint:wrapcheck // names the content
	}
	url, ended, err := s.files.File(ctx, s.serve, fileName(file.Path), size, func() (io.ReadCloser, error) { return s.store.Open(file.Store) })
	if err != nil {
		return "", nil, err //nolint:wrapcheck // says what can't be served where
	}
	return url, func() { _, _ = ended() }, nil // what the device got, its own digest tells
}

// fileName is the last part of a path, as any platform writes one: flash:a.bin, /var/tmp/a.bin.
func fileName(path string) string { return path[strings.LastIndexAny(path, `/:\`)+1:] }

// Keep stores what the host printed, and notes under which digest.
func (s *sessions) Keep(_ context.Context, name string, content []byte) error {
	digest, err := s.store.Put(content)
	if err != nil {
		return fmt.Errorf("keep %s: %w", remote.Clean(name, 80), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, fmt.Sprintf("%s is kept: %s", remote.Clean(name, 80), digest))
	return nil
}

// keeping gives the notes of what was kept.
func (s *sessions) keeping() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

// oldCrypto tells which weak algorithms the connection rests on, by the inventory's word.
func (s *sessions) oldCrypto() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	link, tells := s.last.(interface{ Legacy() []string })
	if !tells {
		return nil
	}
	if used := link.Legacy(); len(used) > 0 {
		return []string{"the connection rests on old SSH algorithms (ssh_legacy): " + strings.Join(used, ", ")}
	}
	return nil
}

// sameConfiguration compares a device's configuration with what it was before the work,
// whatever the playbook checks: one that has lost it is not what was upgraded.
func (w *work) sameConfiguration(ctx context.Context, end rollout.StepEnded) rollout.StepEnded {
	patience := w.patience()
	before, err := w.p.snapshot(w.p.known(w.task.Host).Before)
	if err != nil || before == nil {
		return unknown(&fault.Error{Code: fault.Internal, What: "the state before the work can't be read back", Err: err})
	}
	after, err := probe.SnapshotAgain(ctx, w.link, w.p.Now, patience)
	if err != nil {
		return unknown(err)
	}
	results := health.Configuration(*before, after)
	switch health.Worst(results) {
	case health.Fail:
		end.Outcome, end.Code = rollout.OutcomeFailed, fault.HostFailed
	case health.Unknown:
		end.Outcome = rollout.OutcomeUnknown
	case health.Pass:
	}
	for _, r := range results {
		if r.Verdict == health.Pass {
			end.Notes = append(end.Notes, "configuration: "+r.Seen)
		}
	}
	end.Reasons = append(end.Reasons, notPassed(results)...)
	return end
}

// patience is how long a host that was changed may be away: a device whose power was cut
// takes a quarter of an hour to come back.
func (w *work) patience() time.Duration {
	if w.link.watch != nil {
		return max(w.host.RebootWithin, 20*time.Minute)
	}
	return longer
}

// sameDevice looks whether what was verified is what was worked on: the same set of serial
// numbers, with the same configuration.
func (w *work) sameDevice(ctx context.Context, before, after fact.Facts, end rollout.StepEnded) rollout.StepEnded {
	if before.Device == nil || after.Device == nil || !slices.Equal(sortedSerials(before.Device), sortedSerials(after.Device)) {
		end.Outcome, end.Code = rollout.OutcomeUnknown, fault.HostFailed
		end.Reasons = append(end.Reasons, "it has other serial numbers than before the work: a member was replaced, or another device answers at its address")
		return end
	}
	return w.sameConfiguration(ctx, end)
}

func sortedSerials(d *fact.Device) []string { return slices.Sorted(slices.Values(d.Serials())) }

// restarted tells by its boot time whether a device has come up anew. What is within the
// grain of either clock is the same boot.
func restarted(before, after *fact.Device) bool {
	if before == nil || after == nil || before.Booted.IsZero() || after.Booted.IsZero() {
		return false
	}
	return after.Booted.Sub(before.Booted) > before.Grain+after.Grain
}

// settles is the time between two looks at a device that has not told who it is.
const settles = 20 * time.Second

// detectWhole looks at a host that was changed. A device that has just come up may not tell
// its serial numbers yet: then it is asked again, as long as it may be away.
func (w *work) detectWhole(ctx context.Context, q platform.Query) (fact.Facts, error) {
	until := time.Now().Add(w.patience())
	for {
		facts, err := w.detect(ctx, q, w.patience())
		whole := w.link.watch == nil || facts.Device != nil && len(facts.Device.Serials()) > 0
		if whole || err != nil || !time.Now().Add(settles).Before(until) || !pause(ctx, settles) {
			return facts, err
		}
	}
}

// anew is the work on a device that an earlier try has begun: what is there already is
// ours, and it is proven again by the device's own steps, however little is left to do.
func (w *work) anew(work patch.Work, planned plan.Host, facts fact.Facts) patch.Work {
	if planned.Image == nil || facts.Device == nil || !w.again() && planned.Recheck == nil {
		return work
	}
	work.Again, work.Image = true, planned.Image
	want := patch.Update{Name: patch.ImageName, From: planned.Image.Version, To: planned.Image.Version}
	if at := slices.IndexFunc(planned.Install, func(u patch.Update) bool { return u.Name == patch.ImageName }); at >= 0 {
		want = planned.Install[at]
		want.From = want.To
	}
	spelled := plan.Spelled(facts, []patch.Update{want})
	if now, known := spelled.Installed(patch.ImageName, ""); !known || len(work.Install) > 0 || now.Version != want.To {
		return work // it runs something else: the plan's update stands
	}
	work.Install = []patch.Update{want}
	work.Left = slices.DeleteFunc(slices.Clone(work.Left), func(l patch.Left) bool { return l.Update.Name == patch.ImageName })
	return work
}

// unfitDevice is why a device may not be begun: what was accepted when the plan was made
// is no longer what would be done, or somebody else's upgrade is under way.
func unfitDevice(planned plan.Host, driver platform.Driver, facts fact.Facts, work patch.Work) string {
	if facts.Device == nil || len(work.Install) == 0 || work.Image == nil {
		return ""
	}
	if plan.OnTrial(facts) && !work.Again {
		return "it runs software on trial: somebody's upgrade is not committed; commit it, or give it up, on the device"
	}
	if planned.Definition != "" && facts.Device.Definition != planned.Definition {
		return "the definition of its platform has changed since the plan was made: plan again"
	}
	coster, ok := driver.(platform.Coster)
	if !ok || planned.Definition == "" {
		return ""
	}
	switch cost := coster.Cost(facts, work); {
	case !cost.Outage.Within(planned.Outage):
		return "upgrading it would cost an outage (" + string(cost.Outage) + ") that the plan did not foresee: it is set up in another way now; plan again"
	case !cost.Proof.Proven() && platform.Proof(planned.Proof).Proven():
		return "the way to upgrade it is another one than when the plan was made, and nobody has seen it work: plan again"
	}
	return ""
}

// otherDevice is why a device that an earlier try has begun is not begun again: it does
// not have the serial numbers that it had then.
func (w *work) otherDevice(facts fact.Facts) *rollout.StepEnded {
	if facts.Device == nil || !w.again() {
		return nil
	}
	before, _, err := w.recall()
	switch {
	case err != nil:
		return doubtful(err.Error())
	case before.Device == nil || slices.Equal(sortedSerials(before.Device), sortedSerials(facts.Device)):
		return nil
	}
	return &rollout.StepEnded{Outcome: rollout.OutcomeUnknown, Code: fault.HostFailed, Reasons: []string{
		"it has other serial numbers than when it was begun first: a member is missing or was replaced, or another device answers at its address",
	}}
}

// bringsNothing tells of a device whose image can't be brought ahead: it is handed over
// only when it is installed.
func bringsNothing(facts fact.Facts, ahead []platform.Step) bool {
	return facts.Device != nil && !slices.ContainsFunc(ahead, func(s platform.Step) bool {
		return slices.ContainsFunc(s.Do, func(op platform.Operation) bool { return op.Put != nil || op.Serve != nil })
	})
}
