package app

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

var markedAt = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// marked is a fleet where hosts carry markers of monthly in hq: "HOST ROLLOUT".
func marked(t *testing.T, words ...string) *fleet {
	t.Helper()
	f, err := (Env{Err: &bytes.Buffer{}}).fleet(Options{}, &inventory.Inventory{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	for i, word := range words {
		host, rollout, _ := strings.Cut(word, " ")
		m := fact.Marker{Rollout: rollout, Playbook: "monthly", Site: "hq", By: "ci@runner", Since: markedAt.Add(-time.Duration(i) * time.Hour)}
		f.marks.saw(fact.Facts{Host: fact.HostID{Site: "hq", Name: host}, Markers: []fact.Marker{m}})
	}
	return f
}

// stateWith is a state folder that has these rollouts.
func stateWith(t *testing.T, ids ...string) Options {
	t.Helper()
	o := Options{State: t.TempDir()}
	dir, err := statedir.Open(o.State)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	for _, id := range ids {
		folder, err := dir.Create(statedir.About{ID: id, Playbook: "monthly", Site: "hq", Created: markedAt}, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if err := folder.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestRefuseMarked(t *testing.T) {
	here := &plan.Plan{Playbook: "monthly", Site: "hq"}
	for name, c := range map[string]struct {
		words []string
		plan  *plan.Plan
		force string
		says  string // "": it may begin
		hint  string
	}{
		"nothing":          {nil, here, "", "", ""},
		"known here":       {[]string{"a known"}, here, "", "", ""},
		"unknown":          {[]string{"a r1"}, here, "", "hq/a: rollout r1 of ci@runner, since 2026-11-20T10:00:00Z, has marked hq/a; it is not in this state folder", "--state DIR, or copy that folder here; once you know that it is gone for good: patchring run monthly.yaml --force-unlock r1"},
		"since the first":  {[]string{"b r1", "a r1"}, here, "", "since 2026-11-20T09:00:00Z, has marked hq/a, hq/b", "--force-unlock r1"},
		"forced":           {[]string{"a r1"}, here, "r1", "", ""},
		"another forced":   {[]string{"a r1"}, here, "r2", "rollout r1", "--force-unlock r1"},
		"two":              {[]string{"a r2", "b r1"}, here, "r1", "rollout r2", "--force-unlock r2"},
		"another playbook": {[]string{"a r1"}, &plan.Plan{Playbook: "weekly", Site: "hq"}, "", "", ""},
		"another site":     {[]string{"a r1"}, &plan.Plan{Playbook: "monthly", Site: "acme"}, "", "", ""},
		"many":             {[]string{"a r1", "b r1", "c r1", "d r1", "e r1", "f r1", "g r1"}, here, "", "hq/e and 2 others", "--force-unlock r1"},
	} {
		t.Run(name, func(t *testing.T) {
			o := RunOptions{PlanOptions: PlanOptions{Options: stateWith(t, "known"), Playbook: "monthly.yaml"}, ForceUnlock: c.force}
			f := marked(t, c.words...)
			err := Env{Err: &bytes.Buffer{}}.refuseMarked(t.Context(), o, f, c.plan, false)
			if c.says == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.says != "" && (err == nil || fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), c.says) || !strings.HasSuffix(fault.HintOf(err), c.hint)) {
				t.Errorf("%v, hint %q; want %q with %q", err, fault.HintOf(err), c.says, c.hint)
			}
		})
	}
}

// The last look counts; a plan is told of what is unknown, and of nothing else.
func TestMarkNotes(t *testing.T) {
	f := marked(t, "a known", "b r2", "c r1", "d r9")
	f.marks.saw(fact.Facts{Host: fact.HostID{Site: "hq", Name: "d"}})
	notes := stateWith(t, "known").markNotes(f, "monthly", "hq")
	if len(notes) != 2 || !strings.Contains(notes[0], "rollout r1 ") || !strings.Contains(notes[1], "has marked hq/b; ") {
		t.Errorf("%q", notes)
	}
}

// What can't be removed is told in one line, and is no error; where the platform keeps no
// markers, there is nothing to remove.
func TestUnmarkOfHostsThatAreGone(t *testing.T) {
	var said bytes.Buffer
	gone := func(name string, on fact.Platform) mark {
		return mark{fact.HostID{Site: "hq", Name: name}, on, fact.Marker{Rollout: "r1"}}
	}
	Env{Err: &said}.unmark(t.Context(), Options{}, marked(t), []mark{gone("a", "debian"), gone("b", "rhel"), gone("c", "cisco_iosxe"), gone("d", "")})
	if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "from hq/a, hq/b; ") {
		t.Errorf("%q", got)
	}
}

// Progress is shown only once it takes long, and then of all that was done.
func TestLateCounter(t *testing.T) {
	for slow, want := range map[bool]string{false: "", true: "removing 3 hosts: 3 done, 1 failed\n"} {
		synctest.Test(t, func(t *testing.T) {
			var said bytes.Buffer
			c := Env{Err: &said}.later("removing", 3)
			c.done(true)
			c.done(false)
			if slow {
				<-time.After(2 * unmarkQuiet) // the test's own time
				synctest.Wait()
			}
			c.done(true)
			c.close()
			if said.String() != want {
				t.Errorf("slow %v: %q", slow, said.String())
			}
		})
	}
}

// A rollout that waits keeps its markers; one that was aborted with nothing at work tries
// to remove those of hosts that it began.
func TestUnmarkOver(t *testing.T) {
	host := fact.HostID{Site: "hq", Name: "a"}
	p := &plan.Plan{Playbook: "monthly", Site: "hq", Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{host}}}}
	p.Hosts = []plan.Host{{ID: host, Ring: "test", Platform: "debian", Install: []patch.Update{{Name: "x", To: "2"}}}}
	entries := []rollout.Entry{
		rollout.Open("r1", p, "sha256:1"),
		rollout.GateOpened{Ring: "test"},
		rollout.StepStarted{Host: host, Step: rollout.FlowBegin, Mode: rollout.Start, Try: 1},
		rollout.StepEnded{Host: host, Step: rollout.FlowBegin, Outcome: rollout.OutcomeFailed},
		rollout.Aborted{Reason: "enough"},
	}
	var said bytes.Buffer
	env := Env{Err: &said, Now: func() time.Time { return markedAt }}
	r := &openRollout{About: statedir.About{ID: "r1"}, plan: p, state: &rollout.State{}}
	for i, entry := range entries {
		if said.Len() != 0 {
			t.Errorf("it is open still: %q", said.String())
		}
		if err := r.state.Fold(rollout.Event{Seq: uint64(i + 1), Time: markedAt, Entry: entry}); err != nil {
			t.Fatalf("%T: %v", entry, err)
		}
		env.unmarkOver(t.Context(), Options{}, marked(t), r)
	}
	if !strings.Contains(said.String(), "from hq/a;") {
		t.Errorf("%q", said.String())
	}
}
