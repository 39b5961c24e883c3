package local

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// full is a store that takes no further file.
type full struct{ *shelf }

func (full) Take(io.Reader, patch.Digest, int64) error { return errors.New("no space left on device") }

// signs is what signed indexes tell of every file: of its own digest, or of another.
func signs(other patch.Digest) Signed {
	return func(_ context.Context, _ remote.Session, _ platform.Driver, _ fact.Facts, all []patch.Proven) ([]patch.Proven, []string) {
		known := slices.Clone(all)
		for i := range known {
			known[i].Assurance, known[i].Signer, known[i].File = patch.AssuranceSigned, "archive key", "pool/a/app.deb"
			if other != "" {
				known[i].Digest = other
			}
		}
		return known, []string{"one index was not signed"}
	}
}

// The downloaded files come into the store before anything is installed; what can't be
// kept is told, and what is not what its index says stops the host.
func TestCollect(t *testing.T) {
	other := patch.DigestOf([]byte("other"))
	tests := map[string]struct {
		set     func(r *rig, on *labHost)
		outcome rollout.Outcome
		says    string
		kept    bool
		rests   patch.Assurance
	}{
		"by the host's word":     {func(*rig, *labHost) {}, rollout.OutcomeOK, "", true, patch.AssuranceHost},
		"by the signed index":    {func(r *rig, _ *labHost) { r.Signed = signs("") }, rollout.OutcomeOK, "one index was not signed", true, patch.AssuranceSigned},
		"another than the index": {func(r *rig, _ *labHost) { r.Signed = signs(other) }, rollout.OutcomeFailed, "is not the one that the signed index names", false, ""},
		"changed on the way":     {func(_ *rig, on *labHost) { on.worn = true }, rollout.OutcomeOK, "changed while it was fetched", false, patch.AssuranceHost},
		"no files can be moved":  {func(_ *rig, on *labHost) { on.files = false }, rollout.OutcomeOK, "", false, patch.AssuranceHost},
		"the store is full":      {func(r *rig, _ *labHost) { r.Store = full{r.Store.(*shelf)} }, rollout.OutcomeOK, "could not be kept for later rings: no space left", false, patch.AssuranceHost},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, f := twoRinged(t)
				on := f.hosts[host("web")]
				want(t, first(r.carry(t, web(), rollout.FlowCollect)), rollout.OutcomeOK, "")
				tt.set(r, on)
				end := r.must(t, "web", rollout.FlowCollect)
				want(t, end, tt.outcome, tt.says)
				if got := on.Version("app"); got != "1.0-1" {
					t.Errorf("app is %s already", got)
				}
				if tt.outcome == rollout.OutcomeOK {
					r.checkCollected(t, end, tt.kept, tt.rests)
				}
			})
		})
	}
}

func (r *rig) checkCollected(t *testing.T, end rollout.StepEnded, kept bool, rests patch.Assurance) {
	t.Helper()
	if len(end.Collected) != 1 || end.Collected[0].Assurance != rests || end.Collected[0].Version != "1.1-1" || end.Collected[0].Domain != "debian 12 amd64" {
		t.Fatalf("%+v", end.Collected)
	}
	if r.Store.Has(end.Collected[0].Digest) != kept {
		t.Errorf("in the store: %v, want %v", !kept, kept)
	}
}

// What the store has is not fetched again: not after a crash, and not from the next host.
func TestCollectOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := twoRinged(t)
		on := f.hosts[host("web")]
		r.carry(t, web(), rollout.FlowCollect)
		for _, mode := range []rollout.Mode{rollout.Start, rollout.Reconcile} {
			if end, err := r.step(t.Context(), "web", rollout.FlowCollect, mode); err != nil || end.Outcome != rollout.OutcomeOK {
				t.Fatalf("%+v %v", end, err)
			}
		}
		if on.got != 1 {
			t.Errorf("fetched %d times", on.got)
		}
	})
}

// The last ring has nobody behind it to keep files for; nor does a host that can't stage.
func TestCollectsForLaterRings(t *testing.T) {
	p := &Performer{Config: Config{Plan: &plan.Plan{Rings: []plan.Ring{{Name: "test"}, {Name: "prod"}}}}}
	if !p.collects("test") || p.collects("prod") {
		t.Error("only rings that others follow keep files")
	}
	p.Plan.Rings = p.Plan.Rings[:1]
	if p.collects("test") {
		t.Error("a lone ring has nobody behind it")
	}
}

// Staged ahead of the window, the file lies on the host, nothing is installed, and the
// lock is given back.
func TestStage(t *testing.T) {
	const lock = "/var/lib/patchring/lock/owner.json"
	tests := map[string]struct {
		set     func(r *rig, on *labHost) *patch.PatchSet
		outcome rollout.Outcome
		says    string
		brings  string
	}{
		"the plan's versions": {func(*rig, *labHost) *patch.PatchSet { return nil }, rollout.OutcomeOK, "", "/var/cache/apt/archives/app_1.1-1_amd64.deb"},
		"nothing proven":      {func(*rig, *labHost) *patch.PatchSet { return &patch.PatchSet{} }, rollout.OutcomeNothing, "", ""},
		"nothing planned": {func(r *rig, _ *labHost) *patch.PatchSet {
			r.Plan.Hosts[0].Install = nil
			return nil
		}, rollout.OutcomeNothing, "", ""},
		"from the store": {func(r *rig, on *labHost) *patch.PatchSet {
			on.Withdraw("app", "1.1-1")
			set := plan.Freeze(r.proven)
			return &set
		}, rollout.OutcomeOK, "", "/var/lib/patchring/sent/" + workID("r1", host("prod")) + "-tTIME/app_1.1-1_amd64.deb"},
		"nowhere to be had": {func(r *rig, on *labHost) *patch.PatchSet {
			on.Withdraw("app", "1.1-1")
			set := plan.Freeze(r.proven)
			delete(r.Store.(*shelf).kept, r.proven[0].Digest)
			return &set
		}, rollout.OutcomeFailed, "app:amd64 1.1-1 can't be had", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, f := twoRinged(t)
				r.carry(t, web(), "")
				on := f.hosts[host("prod")]
				set := tt.set(r, on)
				refresh(t, on)
				at := strconv.FormatInt(r.Now().Unix(), 10)
				end := r.Stage(t.Context(), host("prod"), set)
				tt.brings = strings.Replace(tt.brings, "TIME", at, 1)
				want(t, end, tt.outcome, tt.says)
				if _, err := on.FS.ReadFile(memfs.Root, tt.brings); tt.brings != "" && err != nil {
					t.Error(err)
				}
				if _, err := on.FS.ReadFile(memfs.Root, lock); err == nil {
					t.Error("the lock is still there")
				}
				if got := on.Version("app"); got != "1.0-1" {
					t.Errorf("app is %s", got)
				}
			})
		})
	}
}

// refresh fetches the package lists, as a plan does before anything is staged.
func refresh(t *testing.T, on *labHost) {
	t.Helper()
	r, err := on.Run(t.Context(), remote.Command{Argv: []string{"apt-get", "-qq", "update"}, Become: true, Effect: remote.Refreshes})
	if err != nil || r.Code != 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

// Nobody stages on a host that another rollout holds, or that is not known.
func TestStageRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := twoRinged(t)
		other := labRig(t, f)
		other.Owner.Rollout, other.Owner.By = "r2", "omar@ci"
		other.Plan.Budgets, other.Plan.Hooks = nil, nil
		want(t, other.must(t, "web", rollout.FlowBegin), rollout.OutcomeOK, "")
		end := r.Stage(t.Context(), host("web"), nil)
		want(t, end, rollout.OutcomeUnreachable, "rollout r2")
		if end.Code != fault.Locked || end.Host != host("web") {
			t.Errorf("%+v", end)
		}
		if _, err := f.hosts[host("web")].FS.ReadFile(memfs.Root, "/var/lib/patchring/lock/owner.json"); err != nil {
			t.Errorf("the other's lock is gone: %v", err)
		}
		if end := r.Stage(t.Context(), host("nobody"), nil); end.Code != fault.Usage || !strings.Contains(end.Reasons[0], "not in the inventory") {
			t.Errorf("%+v", end)
		}
	})
}

// TestDoubtedRepositories: where the lists could not be fetched, what the store has comes
// from there, and the rest as before.
func TestDoubtedRepositories(t *testing.T) {
	kept := patch.DigestOf([]byte("kept"))
	for name, c := range map[string]struct {
		facts fact.Facts
		want  patch.Source
	}{
		"fetched":     {fact.Facts{}, patch.SourceRepository},
		"not fetched": {fact.Facts{Problems: []fact.Problem{{What: "refresh"}}}, patch.SourceStore},
	} {
		w := &work{p: &Performer{Config: Config{Store: &shelf{kept: map[patch.Digest][]byte{kept: []byte("kept")}}}}}
		install := []patch.Update{{Name: "a", Digest: kept}, {Name: "b", Digest: patch.DigestOf([]byte("lost"))}, {Name: "c"}}
		w.doubt(install, c.facts)
		if install[0].Source != c.want || install[1].Source != patch.SourceRepository || install[2].Source != patch.SourceRepository {
			t.Errorf("%s: %+v", name, install)
		}
	}
}
