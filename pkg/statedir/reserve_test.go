package statedir

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

func hosts(names ...string) (out []fact.HostID) {
	for _, n := range names {
		out = append(out, fact.HostID{Site: "hq", Name: n})
	}
	return out
}

// reserve holds names from now on.
func reserve(t *testing.T, r *Rollout, names ...string) (others map[fact.HostID]string) {
	t.Helper()
	err := r.Reserve(t.Context(), func(o map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		others = o
		return hosts(names...), nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return others
}

func held(t *testing.T, r *Rollout) string {
	t.Helper()
	out, err := readOut(r.state, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range out.Hosts {
		names = append(names, h.Name)
	}
	return strings.Join(names, " ")
}

func TestReserve(t *testing.T) {
	d := fresh(t)
	a, b, c := create(t, d, "a", "monthly", day()), create(t, d, "b", "weekly", day()), create(t, d, "c", "daily", day())
	if others := reserve(t, a, "web2", "web1", "web2"); len(others) != 0 {
		t.Errorf("others hold %v in a new folder", others)
	}
	reserve(t, b, "db1")
	others := reserve(t, c)
	if got := slices.SortedFunc(maps.Keys(others), fact.HostID.Compare); !slices.Equal(got, hosts("db1", "web1", "web2")) {
		t.Errorf("others hold %v", got)
	}
	if want := "held by rollout a (" + Me(day()).at() + ")"; others[hosts("web1")[0]] != want {
		t.Errorf("web1 is %q, want %q", others[hosts("web1")[0]], want)
	}
	if err := release(t, a, hosts("web2", "db1")...); err != nil || held(t, a) != "web2" {
		t.Errorf("after a release %q is held, %v", held(t, a), err)
	}
	if err := release(t, a); err != nil || held(t, a) != "" {
		t.Errorf("after the last release %q is held, %v", held(t, a), err)
	}
	if others := reserve(t, a); len(others) != 1 {
		t.Errorf("others hold %v", others)
	}
}

// The folder may be closed, and opened anew by others: a rollout goes on.
func TestReserveOutlivesTheDir(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	a := create(t, d, "a", "monthly", day())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	reserve(t, a, "web1")
}

// While commit runs, the file names the old and the new hosts; afterwards what its
// outcome says.
func TestReserveCommits(t *testing.T) {
	failed, doubt := errors.New("moved on"), fmt.Errorf("%w: disk", ErrInDoubt)
	for name, tt := range map[string]struct {
		hold   []fact.HostID
		commit error
		during string
		after  string
	}{
		"more":           {hosts("a", "b"), nil, "a b", "a b"},
		"fewer":          {nil, nil, "a", ""},
		"others":         {hosts("b"), nil, "a b", "b"},
		"the same":       {hosts("a"), nil, "a", "a"},
		"more fails":     {hosts("a", "b"), failed, "a b", "a"},
		"fewer fails":    {nil, failed, "a", "a"},
		"others fail":    {hosts("b"), failed, "a b", "a"},
		"more in doubt":  {hosts("a", "b"), doubt, "a b", "a b"},
		"fewer in doubt": {nil, doubt, "a", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			r := create(t, fresh(t), "r", "monthly", day())
			reserve(t, r, "a")
			during := "commit was not called"
			err := r.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
				return tt.hold, func() error { during = held(t, r); return tt.commit }, nil
			})
			if !errors.Is(err, tt.commit) || during != tt.during || held(t, r) != tt.after {
				t.Errorf("%v; during commit %q, want %q; after it %q, want %q", err, during, tt.during, held(t, r), tt.after)
			}
		})
	}
}

func TestReserveDecidesNot(t *testing.T) {
	r := create(t, fresh(t), "r", "monthly", day())
	reserve(t, r, "a")
	no := errors.New("no")
	err := r.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		return hosts("b"), func() error { t.Error("committed"); return nil }, no
	})
	if !errors.Is(err, no) || held(t, r) != "a" {
		t.Errorf("%v, and %q is held", err, held(t, r))
	}
	for _, bad := range []fact.HostID{{}, {Site: "hq"}, {Site: "hq", Name: "a/b"}} {
		err := r.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
			return []fact.HostID{bad}, nil, nil
		})
		if err == nil || held(t, r) != "a" {
			t.Errorf("host %v: %v, and %q is held", bad, err, held(t, r))
		}
	}
}

// What can't be read of another rollout may be anything: nothing is decided.
func TestReserveDamaged(t *testing.T) {
	d := fresh(t)
	a, b := create(t, d, "a", "monthly", day()), create(t, d, "b", "weekly", day())
	reserve(t, a, "web1")
	path := filepath.Join(d.Path(), "rollouts", "a", "out.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty":           "",
		"cut":             string(good[:len(good)-5]),
		"something more":  string(good) + "x",
		"unknown key":     strings.Replace(string(good), `"by"`, `"bye"`, 1),
		"another rollout": strings.Replace(string(good), `"rollout": "a"`, `"rollout": "c"`, 1),
		"no version":      strings.Replace(string(good), `"version": 1`, `"version": 0`, 1),
		"newer":           `{"version": 2, "reserved": {}}`,
		"not a host":      strings.Replace(string(good), `hq/web1`, `web1`, 1),
		"twice":           strings.Replace(string(good), `"hq/web1"`, `"hq/web1", "hq/web1"`, 1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := b.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
			t.Errorf("%s: decided", name)
			return nil, nil, nil
		})
		if err == nil || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if newer := fault.CodeOf(err) == fault.Unsupported; newer != (name == "newer") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	reserve(t, b, "web1")
}

// A process that dies in the middle of commit has held too many, not too few.
func TestReservePanics(t *testing.T) {
	r := create(t, fresh(t), "r", "monthly", day())
	reserve(t, r, "a")
	func() {
		defer func() { _ = recover() }()
		_ = r.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
			return hosts("b"), func() error { panic("killed") }, nil
		})
	}()
	if held(t, r) != "a b" {
		t.Errorf("%q is held", held(t, r))
	}
	reserve(t, r, "b") // and the lock is free
	if held(t, r) != "b" {
		t.Errorf("%q is held", held(t, r))
	}
}

// The wait is bounded, and looks no more often than every 50 ms.
func TestReserveWaits(t *testing.T) {
	d := fresh(t)
	r := create(t, d, "r", "monthly", day())
	lock, err := take(d.root, budgetName, "budgets", Owner{PID: 42, Host: "desk", User: "omar", Since: day()})
	if err != nil {
		t.Fatal(err)
	}
	never := func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		t.Error("decided under another's lock")
		return nil, nil, nil
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := r.Reserve(t.Context(), never)
		if fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), "omar@desk") || time.Since(began) != lockPatience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began = time.Now()
		if err := r.Reserve(ctx, never); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		began = time.Now()
		time.AfterFunc(time.Second+10*time.Millisecond, func() { _ = lock.Release() })
		reserve(t, r, "a")
		if waited := time.Since(began); waited < time.Second || waited > time.Second+lockPoll {
			t.Errorf("waited for %v", waited)
		}
	})
}

// release lets go of every host but those in keep; none is added.
func release(t *testing.T, r *Rollout, keep ...fact.HostID) error {
	t.Helper()
	holds, err := r.Holds()
	if err != nil {
		return err
	}
	return r.LetGo(t.Context(), slices.DeleteFunc(holds, func(h fact.HostID) bool { return slices.Contains(keep, h) }))
}
