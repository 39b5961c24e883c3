package local

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

func ownedBy(id, name string) string {
	return `{"rollout":"` + id + `","host":"hq/` + name + `","by":"omar@ci","since":"2026-11-21T22:00:00Z"}`
}

func TestLockOfARolloutThatNobodyKnows(t *testing.T) {
	knows := func(id string) bool { return id == "r9" }
	for name, c := range map[string]struct {
		lock, force string
		outcome     rollout.Outcome
		says, not   string
	}{
		"known here":                {ownedBy("r9", "a"), "", rollout.OutcomeUnreachable, "locked by omar@ci; type: sudo rm", "--force-unlock"},
		"not known here":            {ownedBy("r8", "a"), "", rollout.OutcomeUnreachable, "rollout r8 of omar@ci is not in this state folder: carry it on where its folder is, or, once you know that nothing works there, `patchring run … --force-unlock r8`", "sudo rm"},
		"a name to be typed by us":  {ownedBy("x; rm -rf ~", "a"), "", rollout.OutcomeUnreachable, "is not in this state folder", "--force-unlock"},
		"of another name of it":     {ownedBy("r8", "b"), "", rollout.OutcomeUnreachable, "sudo rm", "--force-unlock"},
		"replaced":                  {ownedBy("r8", "a"), "r8", rollout.OutcomeOK, "the lock of rollout r8 of omar@ci was replaced", ""},
		"known, so not replaced":    {ownedBy("r9", "a"), "r9", rollout.OutcomeUnreachable, "rollout r9 is in this state folder: carry it on, or abort it", "was replaced"},
		"no name of a rollout":      {ownedBy("../r8", "a"), "../r8", rollout.OutcomeUnreachable, "is not in this state folder", "was replaced"},
		"another is to be replaced": {ownedBy("r8", "a"), "r7", rollout.OutcomeUnreachable, "--force-unlock r8", "was replaced"},
		"by another name":           {ownedBy("r8", "b"), "r8", rollout.OutcomeUnreachable, "sudo rm", "was replaced"},
	} {
		w := newWorld(t, "a")
		w.at("a").lock = c.lock
		r := w.rig(planOf("a"), "r1", func(conf *Config) { conf.Knows, conf.ForceUnlock = knows, c.force })
		end := r.must(t, "a", rollout.FlowBegin)
		want(t, end, c.outcome, c.says)
		if said := strings.Join(append(end.Reasons, end.Notes...), "; "); c.not != "" && strings.Contains(said, c.not) {
			t.Errorf("%s: %s", name, said)
		}
		if ours := strings.Contains(w.at("a").lock, `"r1"`); ours != (c.outcome == rollout.OutcomeOK) {
			t.Errorf("%s: the lock is %s", name, w.at("a").lock)
		}
	}
}

// Where nobody can tell whether the rollout is in this state folder, its lock stays.
func TestNoLockIsReplacedBlindly(t *testing.T) {
	w := newWorld(t, "a")
	w.at("a").lock = ownedBy("r8", "a")
	end := w.rig(planOf("a"), "r1", func(c *Config) { c.ForceUnlock = "r8" }).must(t, "a", rollout.FlowBegin)
	if want(t, end, rollout.OutcomeUnreachable, "locked by omar@ci"); !strings.Contains(w.at("a").lock, "r8") {
		t.Errorf("the lock is %s", w.at("a").lock)
	}
}

// Where the lock has gone to yet another meanwhile, that one stands.
func TestOnlyTheNamedLockIsReplaced(t *testing.T) {
	w := newWorld(t, "a")
	w.at("a").lock = ownedBy("r8", "a")
	r := w.rig(planOf("a"), "r1", func(c *Config) { c.ForceUnlock, c.Knows = "r8", func(string) bool { return false } })
	ours := &work{p: r.Performer, task: rollout.Task{Rollout: "r1", Host: host("a")}, link: r.sessions(host("a"))}
	standing, holder := ours.take(t.Context(), linux{})
	if holder == nil || holder.Rollout != "r8" || !ours.mayReplace(*holder) {
		t.Fatalf("%+v %+v", standing, holder)
	}
	w.at("a").lock = ownedBy("r7", "a")
	if got, notes := ours.lock(t.Context(), linux{}); got.State.String() != "failed" || len(notes) > 0 || !strings.Contains(w.at("a").lock, "r7") {
		t.Errorf("%+v %q, the lock is %s", got, notes, w.at("a").lock)
	}
}

// FuzzHolder: whatever a host prints where its lock's owner is asked for, what is said of
// it fits into one line, and no command to copy holds anything but a plain id.
func FuzzHolder(f *testing.F) {
	f.Add([]byte("the lock:\n" + ownedBy("r8", "a") + "\n"))
	f.Add([]byte(`{"rollout":"$(id)\u001b[2J","host":"hq/a"}`))
	f.Add([]byte("{}\n{\"rollout\":1}\n{"))
	f.Fuzz(func(t *testing.T, out []byte) {
		holder := holderIn([]remote.Result{{Out: out}})
		if holder == nil {
			return
		}
		p := &Performer{Config: Config{Knows: func(string) bool { return false }}}
		w := &work{p: p, task: rollout.Task{Host: host("a")}}
		holder.Host = "hq/a"
		for _, line := range w.hinted(platform.Standing{State: platform.Failed}, *holder).Reasons {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(line) > 500 {
				t.Errorf("%q", line)
			}
			if _, id, found := strings.Cut(line, "--force-unlock "); found && !plainID.MatchString(strings.TrimSuffix(id, "`")) && plainID.MatchString(holder.Rollout) {
				t.Errorf("%q", line)
			}
		}
	})
}
