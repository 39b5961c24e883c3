package statedir

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

func dead(name string) Quarantine {
	return Quarantine{
		Host: fact.HostID{Site: "hq", Name: name}, Owner: "dba", Reason: "waits for a disk",
		Until: day().Add(72 * time.Hour), By: "jane@desk", Since: day(),
	}
}

func listed(t *testing.T, d *Dir) string {
	t.Helper()
	all, err := d.Quarantine()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, q := range all {
		names = append(names, q.Host.Name+": "+q.Reason)
	}
	return strings.Join(names, ", ")
}

func TestQuarantine(t *testing.T) {
	d := fresh(t)
	if got := listed(t, d); got != "" {
		t.Errorf("a new folder has %q in quarantine", got)
	}
	for _, name := range []string{"web2", "db1", "web1"} {
		if err := d.SetQuarantine(t.Context(), dead(name)); err != nil {
			t.Fatal(err)
		}
	}
	again := dead("web1")
	again.Reason = "still\nwaits\x1b[31m"
	if err := d.SetQuarantine(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if got, want := listed(t, d), `db1: waits for a disk, web1: still waits\x1b[31m, web2: waits for a disk`; got != want {
		t.Errorf("in quarantine are %q, want %q", got, want)
	}
	was, err := d.LiftQuarantine(t.Context(), dead("db1").Host)
	if err != nil || was != dead("db1") {
		t.Errorf("lifted was %+v, %v", was, err)
	}
	if _, err := d.LiftQuarantine(t.Context(), dead("db1").Host); fault.CodeOf(err) != fault.Usage {
		t.Errorf("lifted again: %v", err)
	}
	if got := listed(t, d); strings.Contains(got, "db1") {
		t.Errorf("in quarantine are %q", got)
	}
}

func TestQuarantineIsOver(t *testing.T) {
	q := dead("web1")
	for at, over := range map[time.Time]bool{q.Since: false, q.Until.Add(-1): false, q.Until: true, q.Until.Add(1): true} {
		if q.Over(at) != over {
			t.Errorf("at %v: over is %v", at, q.Over(at))
		}
	}
}

func TestQuarantineRefuses(t *testing.T) {
	d := fresh(t)
	for name, change := range map[string]func(*Quarantine){
		"no host":          func(q *Quarantine) { q.Host = fact.HostID{} },
		"half a host":      func(q *Quarantine) { q.Host.Site = "" },
		"no owner":         func(q *Quarantine) { q.Owner = " " },
		"no reason":        func(q *Quarantine) { q.Reason = "" },
		"nobody":           func(q *Quarantine) { q.By = "" },
		"no beginning":     func(q *Quarantine) { q.Since = time.Time{} },
		"no end":           func(q *Quarantine) { q.Until = time.Time{} },
		"the end is first": func(q *Quarantine) { q.Until = q.Since },
	} {
		q := dead("web1")
		change(&q)
		if err := d.SetQuarantine(t.Context(), q); fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := listed(t, d); got != "" {
		t.Errorf("in quarantine are %q", got)
	}
}

func TestQuarantineDamaged(t *testing.T) {
	d := fresh(t)
	if err := d.SetQuarantine(t.Context(), dead("web1")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(d.Path(), "quarantine.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty":       "",
		"cut":         string(good[:len(good)/2]),
		"unknown key": strings.Replace(string(good), `"owner"`, `"ouner"`, 1),
		"no version":  `{"hosts": []}`,
		"newer":       `{"version": 2}`,
		"no reason":   strings.Replace(string(good), "waits for a disk", "", 1),
		"control":     strings.Replace(string(good), "waits", `\u001b`, 1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Quarantine(); err == nil || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.SetQuarantine(t.Context(), dead("web2")); err == nil {
			t.Errorf("%s: it was written over", name)
		}
		if raw, err := os.ReadFile(path); err != nil || string(raw) != content {
			t.Errorf("%s: the file is %q now, %v", name, raw, err)
		}
	}
}

func TestQuarantineAtOnce(t *testing.T) {
	d := fresh(t)
	var wg sync.WaitGroup
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names {
		wg.Go(func() {
			if err := d.SetQuarantine(t.Context(), dead(name)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := strings.Count(listed(t, d), ":"); got != len(names) {
		t.Errorf("%d hosts are in quarantine, want %d", got, len(names))
	}
}
