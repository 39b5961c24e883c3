package zypper_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/zypper"
	"github.com/patchring/patchring/pkg/remote"
)

// asked are the recorded simulations, and what zypper was asked for.
func asked() map[string][]patch.Update {
	return map[string][]patch.Update{
		"resolve-exact":    {up("pr-plain", "1.0-150600.1.1", "1.1-150600.1.1"), up("pr-epoch", "1:1.0-1", "1:1.1-1")},
		"resolve-newdep":   {up("pr-needs", "1.0-1", "1.1-1")},
		"resolve-locked":   {up("pr-locked", "1.0-150600.1.1", "1.1-150600.1.1")},
		"resolve-vanished": {up("pr-plain", "1.0-150600.1.1", "9.9-1")},
		"resolve-vendor":   {up("pr-vendored", "1.0-1", "1.1-1")},
		"resolve-conflict": {up("pr-conf", "1.0-1", "1.1-1"), up("pr-other", "1.0-150600.1.1", "1.1-150600.1.1")},
		"resolve-obsolete": {up("pr-newname", "", "2.0-1")},
		"resolve-kernel":   {up("kernel-default", "6.4.0-150600.21.1", "6.4.1-150600.23.7.1")},
		"resolve-nothing":  {up("pr-plain", "1.0-150600.1.1", "1.0-150600.1.1")},
	}
}

// TestResolve reads what the real zypper said that it would do.
func TestResolve(t *testing.T) {
	for name, want := range map[string]struct {
		changes []string
		removes []string
		refused string
	}{
		"resolve-exact":    {changes: []string{"pr-epoch:x86_64 1:1.1-1", "pr-plain:x86_64 1.1-150600.1.1"}},
		"resolve-newdep":   {changes: []string{"pr-lib:x86_64 1.0-1", "pr-needs:x86_64 1.1-1"}},
		"resolve-kernel":   {changes: []string{"kernel-default:x86_64 6.4.1-150600.23.7.1"}},
		"resolve-obsolete": {changes: []string{"pr-newname:x86_64 2.0-1"}, removes: []string{"pr-oldname:x86_64"}},
		"resolve-locked":   {refused: "conflicting requests"},
		"resolve-vanished": {refused: "No provider of 'pr-plain.x86_64=9.9-1' found"},
		"resolve-vendor":   {changes: []string{"pr-vendored:x86_64 1.1-1"}, refused: "another vendor's package: pr-vendored:x86_64 1.1-1"},
		"resolve-conflict": {refused: "pr-conf-1.1-1.x86_64 conflicts with pr-other"},
		"resolve-nothing":  {refused: "would not install pr-plain:x86_64"},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := suse().Resolved(facts(t, recorded(t, "probe")), asked()[name], recorded(t, name))
			if err != nil {
				t.Fatal(err)
			}
			var changes []string
			for _, c := range res.Changes {
				changes = append(changes, c.Key()+" "+c.To)
			}
			slices.Sort(changes)
			if !slices.Equal(changes, want.changes) || !slices.Equal(res.Removes, want.removes) ||
				want.refused == "" && res.Refused != "" || !strings.Contains(res.Refused, want.refused) {
				t.Errorf("%v removes %v refused %q", changes, res.Removes, res.Refused)
			}
			if res.Unsure != "" {
				t.Errorf("unsure: %s", res.Unsure)
			}
		})
	}
}

// simulation is a report of a simulation as the host would give it.
func simulation(t *testing.T, w patch.Work, xml, status string) linux.Transaction {
	t.Helper()
	text := "\npatchring-report 1 0f\n\n@0f begin plan\n" + xml + "\n@0f status " + status + "\n\n@0f end plan\n\n@0f whole\n"
	rep, found := linux.ReadReport(remote.Result{Ending: remote.Exited, Out: []byte(text)})
	if !found {
		t.Fatal("no report")
	}
	return zypper.Manager().Simulated(facts(t, recorded(t, "probe")), w, rep.Get("plan"))
}

const summaryOf = `<stream><install-summary packages-to-change="2"><to-downgrade>
<solvable type="package" name="pr-plain" edition="1.1-1" arch="x86_64" edition-old="1.2-1"/></to-downgrade>
<to-remove><solvable type="package" name="pr-rec" edition="1.0-1" arch="x86_64"/></to-remove></install-summary></stream>`

// TestWayBack: only on the way back is what goes down or away what was asked for.
func TestWayBack(t *testing.T) {
	forward := simulation(t, patch.Work{}, summaryOf, "0")
	if !strings.Contains(forward.Refused, "downgrade") || len(forward.Removes) != 1 {
		t.Errorf("%+v", forward)
	}
	back := simulation(t, patch.Work{Back: true, Remove: []string{"pr-rec.x86_64"}}, summaryOf, "0")
	if back.Refused != "" || len(back.Removes) != 1 || len(back.Changes) != 1 || back.Changes[0].To != "1.1-1" {
		t.Errorf("%+v", back)
	}
	other := simulation(t, patch.Work{Back: true, Remove: []string{"something"}}, summaryOf, "0")
	if !slices.Equal(other.Removes, []string{"pr-rec:x86_64"}) {
		t.Errorf("%+v", other)
	}
}

// TestSimulationRefused: each way in which a simulation is not one.
func TestSimulationRefused(t *testing.T) {
	for name, tt := range map[string]struct{ xml, status, say string }{
		"nothing printed":        {"", "0", "cut off"},
		"no summary":             {"<stream></stream>", "0", "no summary"},
		"cut off":                {strings.TrimSuffix(summaryOf, "</stream>"), "0", "cut off"},
		"a row is missing":       {strings.ReplaceAll(strings.Replace(summaryOf, `change="2"`, `change="3"`, 1), "to-downgrade", "to-upgrade"), "0", "names 2"},
		"a group nobody knows":   {`<stream><install-summary packages-to-change="1"><to-explode><solvable type="package" name="a" edition="1-1" arch="noarch"/></to-explode></install-summary></stream>`, "0", "explode"},
		"a pattern":              {`<stream><install-summary packages-to-change="1"><to-install><solvable type="pattern" name="a" edition="1-1" arch="noarch"/></to-install></install-summary></stream>`, "0", "not understood"},
		"a version with a blank": {`<stream><install-summary packages-to-change="1"><to-install><solvable type="package" name="a" edition="1 -1" arch="noarch"/></to-install></install-summary></stream>`, "0", "not understood"},
		"4, a problem":           {"<stream></stream>", "4", "found a problem"},
		"7, locked":              {"<stream></stream>", "7", "lock"},
		"104, not found":         {"<stream></stream>", "104", "no repository has it"},
		"105, interrupted":       {"<stream></stream>", "105", "interrupted"},
		"106, skipped":           {strings.Replace(summaryOf, "to-downgrade", "to-upgrade", 2), "106", "skipped a repository"},
		"status lost":            {summaryOf, "x", "zypper"},
	} {
		if got := simulation(t, patch.Work{}, tt.xml, tt.status); !strings.Contains(got.Refused, tt.say) || got.Refused == "" {
			t.Errorf("%s: %q", name, got.Refused)
		}
	}
}

func TestReboot(t *testing.T) {
	for name, tt := range map[string]struct {
		old, now string
		want     patch.Tri
		say      string
	}{
		"zypper says so":      {"status 0\n\n@0f end needs_rebooting", "status 102\n\n@0f end needs_rebooting", patch.Yes, "needs-rebooting"},
		"a patch wants it":    {"begin reboot_suggested\n", "begin reboot_suggested\nSUSE-2026-1003\n", patch.Yes, "SUSE-2026-1003"},
		"zypper can't tell":   {"status 0\n\n@0f end needs_rebooting", "status 2\n\n@0f end needs_rebooting", patch.Unknown, ""},
		"nothing says so":     {"@0f begin stamp", "@0f begin stamp", patch.No, ""},
		"our note is missing": {"status 0\n\n@0f end reboot_suggested", "status 1\n\n@0f end reboot_suggested", patch.Unknown, ""},
	} {
		f := altered(t, tt.old, tt.now)
		if f.Reboot.Needed != tt.want || !strings.Contains(strings.Join(f.Reboot.Reasons, " "), tt.say) {
			t.Errorf("%s: %+v %+v", name, f.Reboot, f.Problems)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(content(f, "probe.out"))
	for name := range asked() {
		f.Add(content(f, name+".out"))
	}
	f.Fuzz(func(_ *testing.T, text []byte) { zypper.Parse(string(text)) })
}

// FuzzRead: whatever a host prints, facts are well-formed and clean.
func FuzzRead(f *testing.F) {
	f.Add(content(f, "probe.out"), []byte("status 0"), []byte("status 7"))
	f.Fuzz(func(t *testing.T, text, old, now []byte) {
		if len(old) > 0 {
			text = bytes.Replace(text, old, now, 1)
		}
		got, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: text}})
		if err != nil {
			return
		}
		for _, u := range got.Updates {
			if !linux.WellFormed(u) || u.Arch == "" || strings.ContainsAny(u.Origin, "\x1b\n") {
				t.Errorf("%+v", u)
			}
		}
		for _, p := range got.Problems {
			if p.Detail != remote.Clean(p.Detail, 10000) {
				t.Errorf("%q", p.Detail)
			}
		}
		_, _ = suse().Steps(got, patch.Work{ID: "w", Install: got.Updates, Reboot: patch.RebootIfNeeded})
	})
}
