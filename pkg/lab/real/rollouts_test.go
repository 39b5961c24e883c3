//go:build linux

package real_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// elsewhere is what runs a program under the name of the desk's machine, so that its
// operator is another one. The process is the program itself in the end.
func (d *desk) elsewhere() []string {
	if d.machine == "" {
		return nil
	}
	return []string{"unshare", "--uts", "--", "sh", "-c", `hostname "$0" && exec "$@"`, d.machine}
}

// add writes more at the end of one of the desk's files.
func (d *desk) add(name, text string) {
	d.t.Helper()
	d.write(name, d.read(name)+text)
}

func (d *desk) read(name string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// rollout is the id of the desk's last one.
func (d *desk) rollout() string {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.dir, "state/rollouts/*/journal.jsonl"))
	if err != nil || len(found) == 0 {
		d.t.Fatalf("no rollout is in the state folder (%v)", err)
	}
	written := func(journal string) time.Time {
		about, err := os.Stat(journal)
		if err != nil {
			d.t.Fatal(err)
		}
		return about.ModTime()
	}
	last := slices.MaxFunc(found, func(a, b string) int { return written(a).Compare(written(b)) })
	return filepath.Base(filepath.Dir(last))
}

// record is one line of a journal.
type record struct {
	Time    time.Time
	Actor   string
	Kind    string
	Payload json.RawMessage
}

// records are those of one kind in the journal of the desk's last rollout. A line that is
// being written is left out.
func (d *desk) records(kind string) []record {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "state/rollouts", d.rollout(), "journal.jsonl"))
	if err != nil {
		d.t.Fatal(err)
	}
	var found []record
	for line := range strings.Lines(string(text)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err == nil && r.Kind == kind {
			found = append(found, r)
		}
	}
	return found
}

// wantRecord wants one record of the kind with these words in it.
func (d *desk) wantRecord(kind string, words ...string) {
	d.t.Helper()
	found := d.records(kind)
	if len(found) != 1 {
		d.t.Errorf("the journal has %d records of kind %s, want 1", len(found), kind)
		return
	}
	for _, word := range words {
		if !strings.Contains(found[0].Actor+" "+string(found[0].Payload), word) {
			d.t.Errorf("the journal's %s does not say %q: %s %s", kind, word, found[0].Actor, found[0].Payload)
		}
	}
}

// wantSeen wants the journal to say what a check of the host saw when it had passed.
func (d *desk) wantSeen(h *real.Host, check, seen string) {
	d.t.Helper()
	said := fmt.Sprintf(`"check":%q,"verdict":"pass","seen":%q`, check, seen)
	for _, r := range d.records("step_ended") {
		if strings.Contains(string(r.Payload), h.Name) && strings.Contains(string(r.Payload), said) {
			return
		}
	}
	d.t.Errorf("the journal does not say %s of %s", said, h.Name)
}

// retry lets what failed begin again.
func (d *desk) retry() {
	d.t.Helper()
	d.must(0, "retry", d.rollout(), "--reason", "repaired")
}

// wantBalanced wants these words, and no others, to have been said to the balancer.
func wantBalanced(t *testing.T, balancer *real.Host, server string, words ...string) {
	t.Helper()
	got, want := strings.Join(balancer.Balanced(server), " "), strings.Join(words, " ")
	if got != want {
		t.Errorf("the balancer was told %q about %s, want %q", got, server, want)
	}
}

// The words of HAProxy's own statistics.
const (
	inUse   = "no check"
	drained = "DRAIN"
)

// wantBackend asks HAProxy's own statistics.
func wantBackend(t *testing.T, balancer *real.Host, server, want string) {
	t.Helper()
	if got := balancer.Backend(server); got != want {
		t.Errorf("HAProxy says %s is %q, want %q", server, got, want)
	}
}
