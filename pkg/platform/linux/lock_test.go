package linux

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// takeIn, giveIn and seeIn are the lock's commands, with a folder of the test's own.
func takeIn(home, rollout string) remote.Command {
	return in(home, sample().Lock(Web, OwnerOf(rollout)).Do)
}
func giveIn(home, rollout string) remote.Command {
	return in(home, sample().Unlock(Web, OwnerOf(rollout)).Do)
}
func seeIn(home, rollout string) remote.Command {
	return in(home, sample().Lock(Web, OwnerOf(rollout)).Look.Do)
}

func in(home string, ops []platform.Operation) remote.Command {
	c := *ops[0].Command
	c.Argv = append([]string{}, c.Argv...)
	for i, word := range c.Argv {
		if word == lockHome {
			c.Argv[i] = home
		}
	}
	return c
}

func TestLockForReal(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		home := filepath.Join(t.TempDir(), "patchring")
		judge := func(rollout string) platform.State {
			return sample().Lock(Web, OwnerOf(rollout)).Look.Judge([]remote.Result{RunIn(t, shell, seeIn(home, rollout))}).State
		}
		want := func(what string, got, want platform.State) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		want("at first", judge("r1"), platform.NotDone)
		RunIn(t, shell, takeIn(home, "r1"))
		want("taken", judge("r1"), platform.Done)
		want("taken, for another", judge("r2"), platform.Failed)
		RunIn(t, shell, takeIn(home, "r2"))
		want("another tried", judge("r1"), platform.Done)
		if r := RunIn(t, shell, giveIn(home, "r2")); r.Code == 0 {
			t.Error("another's lock was given back")
		}
		want("another tried to give it back", judge("r1"), platform.Done)
		if r := RunIn(t, shell, giveIn(home, "r1")); r.Code != 0 {
			t.Errorf("%s", r.Err)
		}
		want("given back", judge("r2"), platform.NotDone)
		RunIn(t, shell, giveIn(home, "r1"))
		want("given back twice", judge("r2"), platform.NotDone)
		if err := os.Mkdir(filepath.Join(home, "lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		want("nameless", judge("r1"), platform.Unknown)
	})
}

// TestOneTakesTheLock: of many at once, one gets it.
func TestOneTakesTheLock(t *testing.T) {
	home := filepath.Join(t.TempDir(), "patchring")
	var wg sync.WaitGroup
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names {
		wg.Go(func() { RunIn(t, []string{"sh"}, takeIn(home, name)) })
	}
	wg.Wait()
	held := 0
	for _, name := range names {
		r := RunIn(t, []string{"sh"}, seeIn(home, name))
		if (sample()).Lock(Web, OwnerOf(name)).Look.Judge([]remote.Result{r}).State == platform.Done {
			held++
		}
	}
	if held != 1 {
		t.Errorf("%d of %d hold the lock", held, len(names))
	}
}

func TestLockSymlink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/nonexistent", filepath.Join(dir, "patchring")); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "patchring")
	if r := RunIn(t, []string{"sh"}, takeIn(home, "r1")); r.Code == 0 {
		t.Error("a symbolic link was followed")
	}
	if r := RunIn(t, []string{"sh"}, seeIn(home, "r1")); !strings.Contains(string(r.Out), "symlink") {
		t.Errorf("%s", r.Out)
	}
}

// LockSays is what the look at a lock prints.
func LockSays(state, owner string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(opening + "n\n@n begin state\n" + state + "\n\n@n status 0\n@n end state\n@n begin owner\n" + owner + "\n\n@n status 0\n@n end owner\n@n whole\n")}
}

func TestLockLook(t *testing.T) {
	ours := platform.Owner{Rollout: `r"1`, By: "jane@laptop", Since: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	theirs := platform.Owner{Rollout: "r2", By: "omar@ci\x1b[2J", Since: ours.Since}
	mine, _ := ownerJSON(ours)
	other, _ := ownerJSON(theirs)
	tests := []struct {
		state, owner string
		lock, unlock platform.State
		say          string
	}{
		{"free", "", platform.NotDone, platform.Done, ""},
		{"held", mine, platform.Done, platform.NotDone, ""},
		{"held", other, platform.Failed, platform.Done, "omar@ci"},
		{"held", "{}", platform.Failed, platform.Done, "locked by"},
		{"held", "not JSON", platform.Unknown, platform.Unknown, "not JSON"},
		{"nameless", "", platform.Unknown, platform.Unknown, "rmdir " + LockFolder},
		{"symlink", "", platform.Unknown, platform.Unknown, "symbolic link"},
		{"unreadable", "", platform.Unknown, platform.Unknown, "can't be read"},
		{"odd", "", platform.Unknown, platform.Unknown, "odd"},
	}
	for _, tt := range tests {
		t.Run(tt.state+" "+tt.owner, func(t *testing.T) {
			r := []remote.Result{LockSays(tt.state, tt.owner)}
			Standing(t, sample().Lock(Web, ours).Look.Judge(r), tt.lock, tt.say)
			Standing(t, sample().Unlock(Web, ours).Look.Judge(r), tt.unlock, tt.say)
		})
	}
	if got := (sample()).Lock(Web, platform.Owner{}).Look.Judge([]remote.Result{LockSays("held", "{}")}); got.State == platform.Done {
		t.Error("a lock without a rollout is nobody's, not ours")
	}
	if !reflect.DeepEqual(platform.Show(sample().Lock(Web, ours)), platform.Show(sample().Lock(Web, ours))) {
		t.Error("the lock is the same on all Linux hosts")
	}
}
