package apk_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apk"
)

func wellFormed(t *testing.T, list []patch.Update) {
	t.Helper()
	for _, u := range list {
		if !linux.WellFormed(u) || u.Size < 0 {
			t.Errorf("%+v", u)
		}
	}
}

// FuzzUpdates: whatever the list, the world and the sizes say.
func FuzzUpdates(f *testing.F) {
	f.Add(text(f, "list-upgradable.txt"), "a\nb=1\nc@edge\n!d\n=\n", "nginx 1.26.2-r2 5", "0")
	f.Add("-1-2 x {} () [upgradable from: -1-2]", "<", "a b c", "1")
	f.Fuzz(func(t *testing.T, list, world, sizes, status string) {
		facts := readFacts(t, section{name: "plan"}, section{name: "updates", out: list}, section{name: "updates_status", out: status},
			section{name: "world", out: world}, section{name: "sizes", out: sizes})
		wellFormed(t, facts.Updates)
		for _, k := range facts.KeptBack {
			wellFormed(t, []patch.Update{k.Update})
		}
	})
}

// FuzzSimulated: whatever the simulation says.
func FuzzSimulated(f *testing.F) {
	f.Add(text(f, "add-simulate.txt"), "ERROR: x", 0)
	f.Add("(1/1) Purging \x1b[2J (1)\n(", "  y", 1)
	f.Fuzz(func(t *testing.T, out, err string, status int) {
		got := apk.Manager().Simulated(fact.Facts{}, patch.Work{}, linux.Section{Out: out, Err: err, Status: status})
		wellFormed(t, got.Changes)
		for _, name := range got.Removes {
			if !linux.IsName(name) {
				t.Errorf("%q", name)
			}
		}
		if strings.ContainsAny(got.Refused, "\n\x1b") {
			t.Errorf("%q", got.Refused)
		}
	})
}

// FuzzHealth: whatever the database and /lib/modules say.
func FuzzHealth(f *testing.F) {
	f.Add("nginx", "/x", "6.6.58-0-lts", "0")
	f.Fuzz(func(t *testing.T, broken, cut, modules, status string) {
		rep := report(t, section{"broken", broken, "", status}, section{name: "cut", out: cut}, section{name: "modules", out: modules}, section{name: "identity", out: "kernel=6.6.58-0-lts"})
		due := apk.Manager().Due(rep)
		for _, said := range append(append(apk.Manager().Health(rep), due.Reasons...), due.Unclear) {
			if strings.ContainsAny(said, "\n\x1b") {
				t.Errorf("%q", said)
			}
		}
	})
}
