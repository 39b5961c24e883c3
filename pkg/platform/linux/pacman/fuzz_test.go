package pacman_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
)

func wellFormed(t *testing.T, list []patch.Update) {
	t.Helper()
	for _, u := range list {
		if !linux.WellFormed(u) || strings.ContainsAny(u.Origin, "\n\x1b") || u.Size < 0 {
			t.Errorf("%+v", u)
		}
	}
}

// FuzzUpdates: whatever -Qu and --print say.
func FuzzUpdates(f *testing.F) {
	f.Add("a 1-1 -> 1-2\nb 1:1-1 -> 2:1-1 [ignored]\n", "a 1-2 10 https://m/a-1-2-any.pkg.tar.zst core\n", "0")
	f.Add("a", "a 1-2 -1 x y", "1")
	f.Fuzz(func(t *testing.T, pending, details, status string) {
		facts := readFacts(t, section{name: "plan"}, section{name: "updates", out: pending}, section{name: "updates_status", out: status}, section{name: "details", out: details})
		wellFormed(t, facts.Updates)
		for _, k := range facts.KeptBack {
			wellFormed(t, []patch.Update{k.Update})
		}
	})
}

// FuzzSimulated: whatever the simulation says.
func FuzzSimulated(f *testing.F) {
	f.Add("hold x*\nchange a 1-2 10 /x/a-1-2-any.pkg.tar.zst local\nremove b 1-1\nis a 1-1\n", "error: x", 0)
	f.Add("change a", ":: y", 1)
	f.Fuzz(func(t *testing.T, out, err string, status int) {
		got := pacman.Manager().Simulated(fact.Facts{}, patch.Work{}, linux.Section{Out: out, Err: err, Status: status})
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

// FuzzHealth: whatever -Dk and /usr/lib/modules say.
func FuzzHealth(f *testing.F) {
	f.Add("/var/lib/pacman/db.lck", "error: missing 'a' dependency for 'b'", "6.1-arch1-1 linux", "1")
	f.Fuzz(func(t *testing.T, stale, check, modules, status string) {
		rep := report(t, section{name: "stale", out: stale}, section{"check", "", check, status}, section{name: "modules", out: modules}, section{name: "identity", out: "kernel=6.1-arch1-1"})
		due := pacman.Manager().Due(rep)
		for _, said := range append(append(pacman.Manager().Health(rep), due.Reasons...), due.Unclear) {
			if strings.ContainsAny(said, "\n\x1b") {
				t.Errorf("%q", said)
			}
		}
	})
}
