package store_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/statedir"
	"github.com/patchring/patchring/pkg/store"
)

// desk is one person's view of a state folder: all of it open.
type desk struct {
	dir     *statedir.Dir
	rollout *statedir.Rollout
	journal *journal.Dir
	store   *store.Store
}

const id = "2026-11-21-monthly-7f3a"

func day() time.Time { return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }

// sit opens the folder at path and its rollout, which is made where there is none.
func sit(t *testing.T, path string) desk {
	t.Helper()
	dir, err := statedir.Open(path)
	check(t, err)
	r, err := dir.Rollout(id)
	if fault.CodeOf(err) == fault.Usage {
		r, err = dir.Create(statedir.About{ID: id, Playbook: "monthly", Site: "hq", Created: day()}, []byte("{}\n"))
	}
	check(t, err)
	j, err := journal.Open(r.Root())
	check(t, err)
	root, err := dir.Store()
	check(t, err)
	t.Cleanup(func() { _, _, _, _ = j.Close(), r.Close(), root.Close(), dir.Close() })
	return desk{dir, r, j, store.Open(root)}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// work journals n records behind the last, keeps something in the store and a host out.
func (d desk) work(t *testing.T, n int, host string) patch.Digest {
	t.Helper()
	digest, err := d.store.Put([]byte(host))
	check(t, err)
	last := uint64(len(journaltest.All(t, d.journal, 1)))
	check(t, d.rollout.Reserve(t.Context(), func(map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		commit := func() error {
			for i := range n {
				if err := d.journal.Append(t.Context(), last+uint64(i), journaltest.Sample(int(last)+i)); err != nil {
					return fmt.Errorf("record %d: %w", i, err)
				}
			}
			return nil
		}
		return []fact.HostID{{Site: "hq", Name: host}}, commit, nil
	}))
	return digest
}

// A colleague copies the folder of somebody whose process was killed in the middle of
// an append, and carries on with all of it.
func TestHandOverByCopying(t *testing.T) {
	home, away := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "state")
	jane := sit(t, home)
	digest := jane.work(t, 3, "web1")
	check(t, jane.dir.SetQuarantine(t.Context(), statedir.Quarantine{
		Host: fact.HostID{Site: "hq", Name: "db1"}, Owner: "dba", Reason: "dead disk", By: "jane@desk", Since: day(), Until: day().AddDate(0, 0, 3),
	}))
	lock, err := jane.rollout.Lock(statedir.Owner{PID: 42, Host: "desk", User: "jane", Since: day()})
	check(t, err)
	file := filepath.Join(home, "rollouts", id, statedir.JournalName)
	raw, err := os.ReadFile(file)
	check(t, err)
	check(t, os.WriteFile(file, append(raw, `{"v":1,"seq":4,"ti`...), 0o600))
	check(t, os.CopyFS(away, os.DirFS(home)))
	check(t, lock.Release())

	omar := sit(t, away)
	lock, err = omar.rollout.Lock(statedir.Me(day()))
	check(t, err)
	defer lock.Release() //nolint:errcheck // the end of the test
	if who, left := lock.Left(); !left || who.User != "jane" {
		t.Errorf("nobody is told whose run it was: %v, %v", who, left)
	}
	omar.work(t, 2, "web2")
	if got := journaltest.All(t, omar.journal, 1); len(got) != 5 {
		t.Errorf("%d records are there, want 5", len(got))
	}
	if damage, ok := omar.journal.Damage(); !ok || damage.Kept == "" {
		t.Errorf("the torn tail: %+v, %v", damage, ok)
	}
	if content, err := omar.store.Get(digest, 10); err != nil || string(content) != "web1" {
		t.Errorf("the store has %q, %v", content, err)
	}
	if all, err := omar.dir.Quarantine(); err != nil || len(all) != 1 {
		t.Errorf("in quarantine are %v, %v", all, err)
	}
	if plan, err := omar.rollout.Plan(); err != nil || string(plan) != "{}\n" {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}

// Two processes append to one journal: every record of either is there once, in a chain.
func TestTwoProcesses(t *testing.T) {
	const each, env = 20, "PATCHRING_TEST_APPEND"
	if path := os.Getenv(env); path != "" {
		appendAll(t, sit(t, path), each)
		return
	}
	path := filepath.Join(t.TempDir(), "state")
	here := sit(t, path)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcesses$")
	child.Env = append(os.Environ(), env+"="+path)
	var wg sync.WaitGroup
	wg.Go(func() {
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("the other process: %v\n%s", err, out)
		}
	})
	appendAll(t, here, each)
	wg.Wait()
	if got := journaltest.All(t, here.journal, 1); len(got) != 2*each {
		t.Errorf("%d records are there, want %d", len(got), 2*each)
	}
}

func appendAll(t *testing.T, d desk, n int) {
	t.Helper()
	var last uint64
	read := func(r journal.Record) error { last = r.Seq; return nil }
	for appended := 0; appended < n; {
		check(t, d.journal.Read(t.Context(), last+1, read))
		err := d.journal.Append(t.Context(), last, journaltest.Sample(appended))
		switch {
		case err == nil:
			appended++
		case !errors.Is(err, journal.ErrMoved):
			t.Fatal(err)
		}
	}
}
