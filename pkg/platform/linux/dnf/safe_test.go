package dnf

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// dnfPrinted is what a host answers when it is asked for a transaction.
func dnfPrinted(table string) remote.Result {
	return remote.Result{
		Ending: remote.Exited,
		Out:    []byte(opening + "n\n@n begin plan\n" + table + "\n@n status 1\n@n end plan\n@n whole\n"),
		Err:    []byte("@n begin plan\nOperation aborted.\n@n end plan\n"),
	}
}

func dnfRemovals(t *testing.T, running, table string) []string {
	t.Helper()
	f := rocky()
	f.Kernel.Running = running
	res, err := driver(t).Resolved(f, nil, dnfPrinted(table))
	if err != nil || res.Refused != "" {
		t.Fatalf("%v %q", err, res.Refused)
	}
	return res.Removes
}

// TestObsoletesRemove: what another package replaces would be gone, as recorded.
func TestObsoletesRemove(t *testing.T) {
	recorded := string(content(t, "dnf-replacing.txt"))
	if got := dnfRemovals(t, "", recorded); !slices.Equal(got, []string{"pr-old"}) {
		t.Errorf("%q", got)
	}
	const head = " Package Arch Version Repository Size\n===\n"
	for name, tt := range map[string]struct {
		table string
		want  []string
	}{
		"dnf 5":           {"Installing:\n pr-new noarch 0:2-1 new 1 KiB\n   replacing  pr-old noarch 0:1-1 @System 1 KiB\n", []string{"pr-old"}},
		"dnf 5, itself":   {"Upgrading:\n pr-a noarch 0:2-1 new 1 KiB\n   replacing  pr-a noarch 0:1-1 @System 1 KiB\n", nil},
		"dots in it":      {"Installing:\n python3.12 x86_64 2-1 new 1 k\n     replacing  python3.11.x86_64 1-1\n", []string{"python3.11"}},
		"a split":         {"Installing:\n pr-libs noarch 2-1 new 1 k\n     replacing  pr-a.noarch 1-1\nUpgrading:\n pr-a noarch 2-1 new 1 k\n", nil},
		"the other arch":  {"Installing:\n pr-libs x86_64 2-1 new 1 k\n     replacing  pr-a.i686 1-1\nUpgrading:\n pr-a x86_64 2-1 new 1 k\n", []string{"pr-a"}},
		"not understood":  {"Installing:\n pr-new noarch 2-1 new 1 k\n     replacing  what\n", []string{"what"}},
		"and nothing new": {"Installing:\n pr-new noarch 2-1 new 1 k\n", nil},
	} {
		if got := dnfRemovals(t, "", head+tt.table); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestOldKernelsMayGo: at installonly_limit each new kernel takes the oldest one's
// place, as recorded. The running one stays, and so does everything else.
func TestOldKernelsMayGo(t *testing.T) {
	recorded := string(content(t, "dnf-kernel-limit.txt"))
	both := []string{"pr-kernel", "pr-kernel-modules"}
	for name, tt := range map[string]struct {
		running, table string
		want           []string
	}{
		"limit":                {"5.14.3-1.el9.x86_64", recorded, nil},
		"it runs":              {"5.14.1-1.el9.x86_64", recorded, both},
		"it runs, realtime":    {"5.14.1-1.el9.x86_64+rt", recorded, both},
		"what runs is unknown": {"", recorded, both},
		"epoch":                {"5.14.1-1.el9.x86_64", strings.ReplaceAll(recorded, " 5.14.1", " 1:5.14.1"), both},
		"another one goes":     {"5.14.3-1.el9.x86_64", strings.Replace(recorded, "Removing:\n", "Removing:\n pr-plain  noarch 1-1 @new 0\n", 1), []string{"pr-plain"}},
		"upgraded, not beside": {"5.14.3-1.el9.x86_64", strings.Replace(recorded, "Installing:", "Upgrading:", 1), both},
		"other architecture":   {"5.14.3-1.el9.x86_64", strings.ReplaceAll(recorded, "x86_64        5.14.1", "i686          5.14.1"), both},
	} {
		if got := dnfRemovals(t, tt.running, tt.table); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// detectDnf reads the recorded probe of a host with dnf, changed a bit.
func detectDnf(t *testing.T, change func(out string) string) fact.Facts {
	t.Helper()
	r := recorded(t, "probe-rocky")
	r.Out = []byte(change(string(r.Out)))
	return readFacts(t, r)
}

// TestLostAdvisories: a list that was cut may have named the very fix.
func TestLostAdvisories(t *testing.T) {
	for _, tt := range []struct {
		status string
		want   patch.Tri
	}{{"status 0", patch.No}, {"status 1", patch.Unknown}, {"", patch.Unknown}} {
		f := detectDnf(t, func(out string) string {
			return bend(out, "advisories", "RLBA-1 bugfix pr-plain-2.0-1.el9.noarch\n", tt.status)
		})
		u := updateNamed(t, f, "pr-plain")
		if u.Security != tt.want || hasProblem(f, "security", "") != (tt.want == patch.Unknown) {
			t.Errorf("%q: %v, want %v; %+v", tt.status, u.Security, tt.want, f.Problems)
		}
	}
}

// TestFromWhateverArchitecture: a package that turns to noarch is an update of what
// is there, and an epoch of 0 is none.
func TestFromWhateverArchitecture(t *testing.T) {
	for installed, want := range map[string]string{
		"pr-plain\tx86_64\t1.0-1.el9\tinstalled\n":                                      "1.0-1.el9",
		"pr-plain\tx86_64\t0:1.0-1.el9\tinstalled\n":                                    "1.0-1.el9",
		"pr-plain\tx86_64\t0.9-1\tinstalled\npr-plain\tnoarch\t0.8-1\tinstalled\n":      "0.8-1",
		"pr-plain-x\tx86_64\t1.0-1.el9\tinstalled\npackage pr-plain is not installed\n": "",
		"pr-plain\ti686\t0.9-1\tinstalled\npr-plain\tx86_64\t1.0-1\tinstalled\n":        "1.0-1",
	} {
		f := detectDnf(t, func(out string) string { return bend(out, "versions", installed, "status 0") })
		if u := updateNamed(t, f, "pr-plain"); u.From != want || u.Dependency != (want == "") {
			t.Errorf("%q: from %q, want %q", installed, u.From, want)
		}
	}
	if v := (rpmVersions{"a:noarch": "1-1", "b:i686": "1-1"}); v.of(patch.Update{Name: "a", Arch: "x86_64"}) != "1-1" || v.of(patch.Update{Name: "b", Arch: "x86_64"}) != "" {
		t.Error("from noarch it may turn to another, from i686 to x86_64 it does not")
	}
	if p, _ := linux.ReadInstalled([]string{"a\tx86_64\t0:1.2-3\tinstalled"}); len(p) != 1 || p[0].Version != "1.2-3" {
		t.Errorf("%+v", p)
	}
}

// bend replaces what a section of a recorded report says.
func bend(out, name, text, status string) string {
	head, rest, _ := strings.Cut(out, " begin "+name+"\n")
	_, tail, found := strings.Cut(rest, " end "+name+"\n")
	if !found {
		return out
	}
	_, frame, _ := strings.Cut(head, opening)
	frame, _, _ = strings.Cut(frame, "\n")
	return head + " begin " + name + "\n" + text + "\n@" + frame + " " + status + "\n@" + frame + " end " + name + "\n" + tail
}

func updateNamed(t *testing.T, f fact.Facts, name string) patch.Update {
	t.Helper()
	for _, u := range f.Updates {
		if u.Name == name {
			return u
		}
	}
	t.Fatalf("no update of %s: %+v", name, f.Updates)
	return patch.Update{}
}
