package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

// The worked examples of History.
func TestHistory(t *testing.T) {
	var all []Took
	add := func(domain string, took ...time.Duration) {
		for _, d := range took {
			all = append(all, Took{Domain: domain, For: d})
		}
	}
	const m, s = time.Minute, time.Second
	add("debian 12 amd64", 40*m, 4*m, 3*m+10*s, 4*m, 5*m, 9*m, 5*m, 6*m, 5*m, 6*m)
	add("rocky 9.4", 12*m+5*s, 7*m+20*s)
	add("debian 13 amd64", 12*s)
	add("arch", 0, -m)
	add("", m)
	if got := fmt.Sprint(History(all)); got != "map[debian 12 amd64:9m0s debian 13 amd64:1m0s rocky 9.4:13m0s]" {
		t.Errorf("history %s", got)
	}
	if got := History(nil); len(got) != 0 {
		t.Errorf("history of nothing: %v", got)
	}
}

// At most one in ten took longer than the estimate, and it is one of those seen,
// rounded up to minutes.
func TestHistoryIsCareful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := rapid.SliceOfN(rapid.Int64Range(1, int64(3*time.Hour)), 1, 60).Draw(t, "seen")
		var all []Took
		for _, n := range seen {
			all = append(all, Took{Domain: "d", For: time.Duration(n)})
		}
		got := History(all)["d"]
		longer := slices.DeleteFunc(slices.Clone(seen), func(n int64) bool { return time.Duration(n) <= got })
		if len(longer)*10 > len(seen) || got < time.Minute || got%time.Minute != 0 || got >= time.Duration(slices.Max(seen))+time.Minute {
			t.Errorf("%s of %v", got, seen)
		}
	})
}

func TestTakes(t *testing.T) {
	in := gated(t)
	in.Facts[id("web-01")] = Found{Facts: debian(id("web-01"))}
	f := debian(id("web-02"), pending()[0])
	f.OS.VersionID = "13"
	in.Facts[id("web-02")] = Found{Facts: f}
	in.Facts[id("web-03")] = Found{Problem: &Problem{Code: "unreachable", What: "no route"}}
	p := build(t, in)
	for name, want := range map[string]time.Duration{"web-01": 0, "web-02": DefaultTakes + 2*time.Minute, "web-03": 0, "lb1": 12 * time.Minute} {
		if got := at(t, p, name).Takes; got != want {
			t.Errorf("%s takes %s, want %s", name, got, want)
		}
	}
	if !noted(p, "there is no history of debian 13 amd64 yet: each of its 1 hosts is taken to need 32m (30m, and 2m that its hooks and drain may take), and as much for the way back") || noted(p, "history of debian 12") {
		t.Errorf("notes %q", p.Notes)
	}
	if p := build(t, input(t)); noted(p, "history") || at(t, p, "web-01").Takes != DefaultTakes {
		t.Error("without windows and freezes nothing depends on the default, and yet it is noted; or it is not set")
	}
}

// The worked examples of takes: of each host its own hooks alone, and none where there is
// history, which has them in it.
func TestTakesWithHooksAndNoHistory(t *testing.T) {
	in := gated(t)
	in.Playbook.Rings[1].Window, in.Playbook.Freezes = "", nil
	in.Takes = nil
	drain := playbook.Action{Name: "drain", At: playbook.HookDrain, Argv: []string{"lbctl"}, Within: 2 * time.Minute, Wait: &playbook.Wait{Idle: true, Within: 5 * time.Minute}}
	backup := playbook.Action{Name: "backup", At: playbook.HookBefore, Argv: []string{"backup"}, Within: 30 * time.Minute}
	in.Playbook.Hooks = []playbook.Hook{{Hosts: "web-*", Action: drain}, {Hosts: "web-02", Action: backup}}
	p := build(t, in)
	for name, want := range map[string]time.Duration{"web-01": 37 * time.Minute, "web-02": 67 * time.Minute, "lb1": DefaultTakes} {
		if got := at(t, p, name).Takes; got != want {
			t.Errorf("%s takes %s, want %s", name, got, want)
		}
	}
	for _, says := range []string{
		"each of its 1 hosts is taken to need 1h7m (30m, and 37m that its hooks and drain may take), and as much for the way back",
		"is taken to need 37m (30m, and 7m that its hooks and drain may take)",
		"is taken to need 30m, and as much",
	} {
		if !noted(p, says) {
			t.Errorf("not said: %s\n%q", says, p.Notes)
		}
	}
	in.Takes = map[string]time.Duration{"debian 12 amd64": 9 * time.Minute}
	if got := at(t, build(t, in), "web-02").Takes; got != 9*time.Minute {
		t.Errorf("with history: %s", got)
	}
}

func TestNeedIsThereAndBack(t *testing.T) {
	if got := Need(20 * time.Minute); got != 40*time.Minute {
		t.Errorf("%s", got)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		30 * time.Minute: "30m", 6 * time.Hour: "6h", 90 * time.Minute: "1h30m", 0: "0s", 10 * time.Second: "10s", 10*time.Minute + 10*time.Second: "10m10s", 100 * time.Hour: "100h",
	} {
		if got := span(d); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWants(t *testing.T) {
	in := input(t)
	in.Facts[id("db-01")] = Found{Facts: debian(id("db-01"), patch.Update{Name: "nginx", Arch: "amd64", From: "1", To: "2", Security: patch.Yes})}
	d, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	d.Resolve(id("web-02"), nil, &Problem{Code: "lost", What: "its package manager refuses"}) // it keeps its list, and gets nothing
	p, err := d.Plan()
	if err != nil {
		t.Fatal(err)
	}
	old := patch.Proven{Domain: "debian 12 amd64", Name: "nginx", Arch: "amd64", Version: "1.22-10"}
	other := old
	other.Version = "2"
	if got := p.Wants("production"); len(got) != 2 || got[old] != 1 || got[other] != 1 {
		t.Errorf("production wants %v", got)
	}
	if got := p.Wants("test"); len(got) != 1 || got[old] != 1 {
		t.Errorf("test wants %v", got)
	}
	if got := p.Wants("nosuch"); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
