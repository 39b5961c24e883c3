package statedir

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

func TestStanding(t *testing.T) {
	here := Owner{PID: 1, Host: "desk", Boot: "b1", Space: "s1"}
	lives := func(pid int) bool { return pid == 42 }
	for name, tt := range map[string]struct {
		o    Owner
		want Standing
	}{
		"nobody signed":         {Owner{}, CantTell},
		"a process group":       {Owner{PID: -42, Host: "desk"}, CantTell},
		"another machine":       {Owner{PID: 42, Host: "lap", Boot: "b1"}, CantTell},
		"lives":                 {Owner{PID: 42, Host: "desk", Boot: "b1"}, Lives},
		"ended":                 {Owner{PID: 43, Host: "desk", Boot: "b1"}, Gone},
		"before the restart":    {Owner{PID: 42, Host: "desk", Boot: "b0"}, Gone},
		"boot unknown, lives":   {Owner{PID: 42, Host: "desk"}, Lives},
		"boot unknown, ended":   {Owner{PID: 43, Host: "desk"}, Gone},
		"another one's restart": {Owner{PID: 43, Host: "lap", Boot: "b0"}, CantTell},
		"in a container":        {Owner{PID: 42, Host: "desk", Boot: "b1", Space: "s2"}, CantTell},
		"gone with its boot":    {Owner{PID: 42, Host: "desk", Boot: "b0", Space: "s2"}, Gone},
	} {
		if got := tt.o.standing(here, lives); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// What this machine's kernel says is held is held by somebody who lives, whatever its
// number means here.
func TestStandingOfWhoHoldsALock(t *testing.T) {
	here := Owner{PID: 1, Host: "desk", Boot: "b1", Space: "s1"}
	lives := func(pid int) bool { return pid == 42 }
	for name, tt := range map[string]struct {
		o    Owner
		want Standing
	}{
		"nobody signed":      {Owner{Boot: "b1"}, CantTell},
		"number unknown":     {Owner{PID: 43, Host: "desk", Boot: "b1", Space: "s1"}, Lives},
		"in a container":     {Owner{PID: 42, Host: "desk", Boot: "b1", Space: "s2"}, Lives},
		"with another name":  {Owner{PID: 43, Host: "c0ffee", Boot: "b1", Space: "s2"}, Lives},
		"before the restart": {Owner{PID: 42, Host: "desk", Boot: "b0"}, Gone},
		"boot unknown":       {Owner{PID: 43, Host: "desk"}, Gone},
		"another machine":    {Owner{PID: 42, Host: "lap", Boot: "b9"}, CantTell},
	} {
		if got := tt.o.holding(here, lives); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// ended is a process of this machine that has ended.
func ended(t *testing.T) Owner {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	o := Me(day())
	o.PID = child.Process.Pid
	return o
}

// signed takes a rollout's lock and signs it for another.
func signed(t *testing.T, r *Rollout, o Owner) *Lock {
	t.Helper()
	lock, err := r.Lock(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Release() })
	return lock
}

func TestForceUnlockRefuses(t *testing.T) {
	d := fresh(t)
	r := create(t, d, "a", "monthly", day())
	if _, err := d.ForceUnlock("nosuch"); fault.CodeOf(err) != fault.Usage {
		t.Errorf("an unknown rollout: %v", err)
	}
	signed(t, r, Me(day()))
	if _, err := d.ForceUnlock("a"); fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), "lives") || fault.HintOf(err) == "" {
		t.Errorf("a process that lives: %v", err)
	}
	if !strings.Contains(fault.HintOf(errOf(d.ForceUnlock("a"))), "kill "+strconv.Itoa(os.Getpid())) {
		t.Errorf("a process of this machine: the hint is %q", fault.HintOf(errOf(d.ForceUnlock("a"))))
	}
	if err := os.WriteFile(filepath.Join(d.Path(), "rollouts", "a", "lock"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ForceUnlock("a"); fault.CodeOf(err) != fault.Locked || fault.HintOf(err) == "" {
		t.Errorf("a lock that nobody signed: %v", err)
	}
	if _, err := r.Lock(Me(day())); fault.CodeOf(err) != fault.Locked {
		t.Errorf("the lock is not held any more: %v", err)
	}
}

func errOf(_ Owner, err error) error { return err }

// The number of a process in another container means nothing here, but this machine's
// kernel says that the lock is held.
func TestForceUnlockRefusesWhatIsHeldHere(t *testing.T) {
	if Me(day()).Boot == "" {
		t.Skip("this system does not number its boots")
	}
	elsewhere := Me(day())
	elsewhere.Space, elsewhere.Host = "pid:[1]", "c0ffee"
	for name, o := range map[string]Owner{"number unknown": ended(t), "in a container": elsewhere} {
		d := fresh(t)
		r := create(t, d, "a", "monthly", day())
		signed(t, r, o)
		_, err := d.ForceUnlock("a")
		if hint := fault.HintOf(err); fault.CodeOf(err) != fault.Locked || strings.Contains(hint, "kill") || !strings.Contains(hint, "fuser") {
			t.Errorf("%s: %v, hint %q", name, err, hint)
		}
		if _, err := r.Lock(Me(day())); fault.CodeOf(err) != fault.Locked || strings.Contains(fault.HintOf(err), "unlock") {
			t.Errorf("%s: it is not held any more, or the hint is wrong: %v, %q", name, err, fault.HintOf(err))
		}
	}
}

// A lock that its file server keeps for somebody who is gone is taken from them,
// here and on the folder, and is a good lock for the next.
func TestForceUnlock(t *testing.T) {
	for name, o := range map[string]Owner{
		"before":       {PID: os.Getpid(), Host: Me(day()).Host, User: "jane", Since: day(), Boot: "another"},
		"another host": {PID: 42, Host: "lap", User: "jane", Since: day()},
	} {
		if name == "before" && Me(day()).Boot == "" {
			t.Log("skipped: this system does not number its boots: " + name)
			continue
		}
		d := fresh(t)
		r := create(t, d, "a", "monthly", day())
		old := signed(t, r, o)
		folder, err := take(d.root, budgetName, "budgets", o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Lock(Me(day())); !strings.HasSuffix(fault.HintOf(err), "patchring state unlock a") {
			t.Errorf("%s: the hint is %q", name, fault.HintOf(err))
		}
		if _, err := take(d.root, budgetName, budgets(d.path), Me(day())); !strings.Contains(fault.HintOf(err), "patchring state unlock ID") {
			t.Errorf("%s: the hint for the folder is %q", name, fault.HintOf(err))
		}
		if was, err := d.ForceUnlock("a"); err != nil || was.PID != o.PID {
			t.Errorf("%s: %+v, %v", name, was, err)
		}
		signed(t, r, Me(day()))
		reserve(t, r, "web1")
		if _, err := r.Lock(Me(day())); fault.CodeOf(err) != fault.Locked {
			t.Errorf("%s: the new lock is none: %v", name, err)
		}
		if err := errors.Join(old.Release(), folder.Release()); err != nil {
			t.Error(err)
		}
		if _, err := r.Lock(Me(day())); fault.CodeOf(err) != fault.Locked {
			t.Errorf("%s: the old owner has given back the new lock: %v", name, err)
		}
	}
}

// Who opened the lock file before it was replaced must not believe to have the lock.
func TestTakeSeesAReplacedFile(t *testing.T) {
	d := fresh(t)
	l, err := takeFile(d.root, lockName, "it", Me(day()))
	if err != nil {
		t.Fatal(err)
	}
	if ours, err := l.stands(d.root, lockName); !ours || err != nil {
		t.Errorf("%v, %v", ours, err)
	}
	if err := replace(d.root, lockName, nil); err != nil {
		t.Fatal(err)
	}
	if ours, err := l.stands(d.root, lockName); ours || err != nil {
		t.Errorf("after it was replaced: %v, %v", ours, err)
	}
	if err := d.root.Remove(lockName); err != nil {
		t.Fatal(err)
	}
	if ours, err := l.stands(d.root, lockName); ours || err != nil {
		t.Errorf("after it was removed: %v, %v", ours, err)
	}
}

// leave writes what a killed process leaves.
func leave(t *testing.T, d *Dir, id string, o Owner) {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path(), "rollouts", id, "lock"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A killed process left its name: it is told, and hinders nobody.
func TestLeftLocks(t *testing.T) {
	d := fresh(t)
	a, b := create(t, d, "a", "monthly", day()), create(t, d, "b", "weekly", day())
	create(t, d, "c", "daily", day())
	gone := ended(t)
	leave(t, d, "a", gone)
	leave(t, d, "c", Owner{PID: 42, Host: "lap", User: "jane", Since: day()})
	signed(t, b, Me(day()))
	all, err := d.Locks()
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	want := map[string]Standing{"a": Gone, "b": Lives, "c": CantTell}
	for _, s := range all {
		if s.Standing != want[s.Rollout] || s.Owner.PID == 0 || s.File != "rollouts/"+s.Rollout+"/lock" {
			t.Errorf("%+v", s)
		}
	}
	lock, err := a.Lock(Me(day()))
	if err != nil {
		t.Fatal(err)
	}
	if who, left := lock.Left(); !left || who.PID != gone.PID {
		t.Errorf("left was the lock by %+v, %v", who, left)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if who, err := d.ForceUnlock("c"); err != nil || who.Host != "lap" {
		t.Errorf("%+v, %v", who, err)
	}
	if all, err := d.Locks(); err != nil || len(all) != 1 {
		t.Errorf("still signed are %+v, %v", all, err)
	}
	if _, left := signed(t, a, Me(day())).Left(); left {
		t.Error("a lock that was given back was left")
	}
}
