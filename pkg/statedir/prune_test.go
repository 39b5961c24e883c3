package statedir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// old makes a rollout whose journal was last written so many days before day().
func old(t *testing.T, d *Dir, id, playbook string, days int, journal string) *Rollout {
	t.Helper()
	at := day().AddDate(0, 0, -days)
	r := create(t, d, id, playbook, at)
	path := filepath.Join(d.Path(), "rollouts", id, JournalName)
	if err := errors.Join(os.WriteFile(path, []byte(journal), 0o600), os.Chtimes(path, at, at)); err != nil {
		t.Fatal(err)
	}
	return r
}

func overAll(About) (bool, error) { return true, nil }

func pruned(all []Pruned) string {
	var out []string
	for _, p := range all {
		out = append(out, p.Rollout+p.Left+string(p.Object))
	}
	return strings.Join(out, " ")
}

func TestPrune(t *testing.T) {
	d := fresh(t)
	for i, days := range []int{500, 400, 300, 200, 100} {
		old(t, d, fmt.Sprintf("m%d", i), "monthly", days, "")
	}
	old(t, d, "w0", "weekly", 500, "")
	old(t, d, "open", "daily", 500, "")
	old(t, d, "d1", "daily", 400, "")
	p := Pruning{
		Now: day(), OlderThan: 150 * 24 * time.Hour, KeepLast: 2, DryRun: true,
		Over: func(a About) (bool, error) { return a.ID != "open", nil },
	}
	for _, dry := range []bool{true, true, false} {
		p.DryRun = dry
		if got, err := d.Prune(t.Context(), p); err != nil || pruned(got) != "m0 m1 m2" || got[0].Bytes == 0 || got[0].Last.IsZero() {
			t.Fatalf("dry %v: %+v, %v", dry, got, err)
		}
	}
	if all, err := d.Rollouts(); err != nil || ids(all) != "open w0 d1 m3 m4" {
		t.Errorf("left are %s, %v", ids(all), err)
	}
	if got, err := d.Prune(t.Context(), p); err != nil || len(got) != 0 {
		t.Errorf("pruned again: %+v, %v", got, err)
	}
	p.KeepLast, p.OlderThan = 0, 0
	if got, err := d.Prune(t.Context(), p); err != nil || pruned(got) != "m3" {
		t.Errorf("all but the newest: %+v, %v", got, err)
	}
}

func TestPruneKeeps(t *testing.T) {
	p := Pruning{Now: day(), OlderThan: 24 * time.Hour, Over: overAll}
	for name, keep := range map[string]func(t *testing.T, d *Dir, r *Rollout, p *Pruning){
		"nothing is over": func(_ *testing.T, _ *Dir, _ *Rollout, p *Pruning) { p.Over = nil },
		"not over": func(_ *testing.T, _ *Dir, _ *Rollout, p *Pruning) {
			p.Over = func(About) (bool, error) { return false, nil }
		},
		"locked":          func(t *testing.T, _ *Dir, r *Rollout, _ *Pruning) { t.Helper(); signed(t, r, Me(day())) },
		"keeps hosts out": func(t *testing.T, _ *Dir, r *Rollout, _ *Pruning) { t.Helper(); reserve(t, r, "web1") },
		"written of late": func(t *testing.T, _ *Dir, r *Rollout, _ *Pruning) {
			t.Helper()
			if err := r.root.Chtimes(JournalName, day(), day()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p := fresh(t), p
			r := old(t, d, "a", "monthly", 100, "")
			old(t, d, "b", "monthly", 50, "")
			keep(t, d, r, &p)
			for _, dry := range []bool{true, false} {
				p.DryRun = dry
				if got, err := d.Prune(t.Context(), p); err != nil || len(got) != 0 {
					t.Errorf("dry %v: %+v, %v", dry, got, err)
				}
			}
			if _, err := d.Rollout("a"); err != nil {
				t.Error(err)
			}
		})
	}
}

// One rollout that nobody can judge stays, and is told; the others go.
func TestPruneCantTell(t *testing.T) {
	d := fresh(t)
	for i, id := range []string{"a", "b", "c"} {
		old(t, d, id, "monthly", 100-i, "")
	}
	damaged := errors.New("damaged")
	got, err := d.Prune(t.Context(), Pruning{Now: day(), Over: func(a About) (bool, error) {
		if a.ID == "a" {
			return true, damaged
		}
		return true, nil
	}})
	if pruned(got) != "b" || !errors.Is(err, damaged) || !strings.Contains(err.Error(), "rollout a") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPruneIsLocked(t *testing.T) {
	d := fresh(t)
	lock, err := d.Lock(Owner{PID: 42, Host: "desk", User: "omar", Since: day()})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release() //nolint:errcheck // the end of the test
	ctx, cancel := context.WithTimeout(t.Context(), 2*lockPoll)
	defer cancel()
	if _, err := d.Prune(ctx, Pruning{Now: day()}); fault.CodeOf(err) != fault.Locked || !strings.Contains(err.Error(), "omar@desk") {
		t.Errorf("%v", err)
	}
}

// What killed processes left is cleared away; what is just being made is not.
func TestPruneLeft(t *testing.T) {
	d := fresh(t)
	for name, at := range map[string]time.Time{".new-a": day().AddDate(0, 0, -2), ".new-b": day(), ".gone-c": day(), ".other": day().AddDate(0, 0, -2)} {
		path := filepath.Join(d.Path(), "rollouts", name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "plan.json"), []byte("{}"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dry := range []bool{true, false} {
		got, err := d.Prune(t.Context(), Pruning{Now: day(), DryRun: dry})
		if err != nil || pruned(got) != "rollouts/.gone-c rollouts/.new-a" {
			t.Errorf("dry %v: %+v, %v", dry, got, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(d.Path(), "rollouts"))
	if err != nil || len(entries) != 2 {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// The store is swept by what is referred to anywhere in what is left.
func TestPruneReferences(t *testing.T) {
	d := fresh(t)
	ref := func(n string) string { return string(patch.DigestOf([]byte(n))) }
	old(t, d, "a", "monthly", 100, `{"facts":"`+ref("gone")+`","set":"`+ref("both")+`"}`+"\n")
	old(t, d, "b", "monthly", 50, `{"facts":"`+ref("journal")+`","set":"`+ref("both")+`"}`+"\n"+ref("torn"))
	files := map[string]string{"plans/x.json": ref("plan"), "rollouts/b/journal.jsonl.torn-1-x": ref("kept aside"), "store/sha256/ab/x": ref("stored")}
	for name, content := range files {
		path := filepath.Join(d.Path(), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var used []string
	p := Pruning{Now: day(), OlderThan: 75 * 24 * time.Hour, Over: overAll, Sweep: func(found map[patch.Digest]bool, now time.Time, dry bool) ([]Pruned, error) {
		used = nil
		for _, name := range []string{"gone", "both", "journal", "torn", "plan", "kept aside", "stored"} {
			if found[patch.Digest(ref(name))] {
				used = append(used, name)
			}
		}
		if !now.Equal(day()) {
			t.Errorf("now is %v", now)
		}
		return []Pruned{{Object: patch.Digest(strconv.FormatBool(dry))}}, nil
	}}
	for _, dry := range []bool{true, false} {
		p.DryRun = dry
		got, err := d.Prune(t.Context(), p)
		if err != nil || pruned(got) != "a "+strconv.FormatBool(dry) || !slices.Equal(used, []string{"both", "journal", "torn", "plan", "kept aside"}) {
			t.Errorf("dry %v: %+v, %v; used is %v", dry, got, err, used)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(d.Path(), "plans", "elsewhere")); err != nil {
		t.Skip("needs symbolic links: " + err.Error())
	}
	used = []string{"not swept"}
	if _, err := d.Prune(t.Context(), p); err == nil || !strings.Contains(err.Error(), "elsewhere") || used[0] != "not swept" {
		t.Errorf("a file that can't be read: %v", err)
	}
}
