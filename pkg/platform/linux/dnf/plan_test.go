package dnf

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

func TestSplitNEVRA(t *testing.T) {
	for text, want := range map[string]nevra{
		"pr-plain-2.0-1.el9.noarch":            {"pr-plain", "2.0-1.el9", "noarch"},
		"pr-lib-1:2.0-1.el9.x86_64":            {"pr-lib", "1:2.0-1.el9", "x86_64"},
		"kernel-core-0:5.14.0-427.el9.x86_64":  {"kernel-core", "5.14.0-427.el9", "x86_64"},
		"java-17-openjdk-1:17.0.9.0.9-2.aarch": {"java-17-openjdk", "1:17.0.9.0.9-2", "aarch"},
	} {
		if got, ok := splitNEVRA(text); !ok || got != want {
			t.Errorf("%q: %+v %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "x.y", "x-1.y", "-1-1.y", "a;b-1-1.x86_64"} {
		if got, ok := splitNEVRA(text); ok {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func TestReadCheckUpdate(t *testing.T) {
	text := "\npr-a.noarch   1:2.0-1   new\npr-very-long.x86_64\n              0:3.0-1\n              new\nSecurity: kernel-core-5 is an installed security update\n" +
		"odd line\nObsoleting Packages\npr-old.noarch 9-9 new\n"
	updates, odd := readCheckUpdate(text)
	if len(updates) != 2 || updates[0].To != "1:2.0-1" || updates[1].Name != "pr-very-long" || updates[1].To != "3.0-1" || updates[1].Arch != "x86_64" {
		t.Errorf("%+v", updates)
	}
	if !slices.Equal(odd, []string{"odd line"}) {
		t.Errorf("odd %q", odd)
	}
}

func TestReadAdvisories(t *testing.T) {
	list := readAdvisories("RLSA-1 Important/Sec. p-2-1.x86_64\nRLBA-1 bugfix q-2-1.x86_64\nFEDORA-1 security Critical r-2-1.x86_64 2026-01-01\nName Type Severity Package Issued\n")
	if len(list) != 3 || !list[0].security || list[0].severity != patch.SeverityImportant || list[1].security || list[2].severity != patch.SeverityCritical {
		t.Errorf("%+v", list)
	}
	u := advise(patch.Update{Name: "p", Arch: "x86_64", From: "1-1", To: "3-1"}, list)
	if u.Security != patch.Yes {
		t.Error("an advisory for a version on the way counts")
	}
	if u := advise(patch.Update{Name: "p", Arch: "x86_64", From: "2-1", To: "3-1"}, list); u.Security != patch.Unknown {
		t.Error("an advisory for what is installed already does not count")
	}
}

func TestReadDnfPlan(t *testing.T) {
	plan := readPlan(string(content(t, "dnf-install.txt")))
	if len(plan.changes) != 5 || len(plan.odd)+len(plan.removes)+len(plan.downgrades)+len(plan.other) != 0 {
		t.Fatalf("%+v", plan)
	}
	if c := plan.changes[2]; c.Name != "pr-lib" || c.To != "1:2.0-1.el9" || c.Dependency {
		t.Errorf("%+v", c)
	}
	if c := plan.changes[4]; c.Name != "pr-dep" || !c.Dependency {
		t.Errorf("%+v", c)
	}
	if p := readPlan(string(content(t, "dnf-downgrade.txt"))); len(p.downgrades) != 1 || len(p.changes) != 0 {
		t.Errorf("%+v", p)
	}
	if p := readPlan(string(content(t, "dnf-remove.txt"))); !slices.Equal(p.removals("5.14.0"), []string{"pr-lib", "pr-plain"}) {
		t.Errorf("%+v", p)
	}
	wrapped := " Package Arch Version Repository Size\n===\nUpgrading:\n pr-very-long\n     noarch 2-1 new 1 k\nEnabling module streams:\n nodejs 18\nReinstalling:\n x noarch 1-1 new 1 k\n   replacing  y noarch 1-1 @System 1 KiB\nTransaction Summary\n z\n"
	p := readPlan(wrapped)
	if len(p.changes) != 1 || p.changes[0].To != "2-1" || len(p.other) != 2 {
		t.Errorf("%+v", p)
	}
}

func TestUncached(t *testing.T) {
	repos := []string{"repo id   repo name", "base   Base", "updates-x  Updates"}
	if got := uncached(repos, []string{"/var/cache/dnf:", "base-0123456789abcdef", "base.solv"}); !slices.Equal(got, []string{"updates-x"}) {
		t.Errorf("%q", got)
	}
}

// TestWayBack: a version may go down, and a package away, on the way back alone, and only
// what is named; several versions of one package never.
func TestWayBack(t *testing.T) {
	const table = " Package Arch Version Repository Size\n===\nRemoving:\n pr-dep noarch 2-1 @new 0\nDowngrading:\n pr-plain noarch 1-1 @commandline 5 k\nTransaction Summary\n"
	asked := func(text string, w patch.Work) linux.Transaction {
		return transaction(rocky(), w, linux.Section{Out: text + "Operation aborted.", Status: 1})
	}
	if tr := asked(table, patch.Work{}); !strings.Contains(tr.Refused, "dnf would downgrade pr-plain noarch 1-1") || len(tr.Changes) != 0 || !slices.Equal(tr.Removes, []string{"pr-dep"}) {
		t.Errorf("%+v", tr)
	}
	tr := asked(table, patch.Work{Back: true, Remove: []string{"pr-dep:noarch"}})
	if tr.Refused != "" || len(tr.Changes) != 1 || tr.Changes[0].Name != "pr-plain" || tr.Changes[0].To != "1-1" || !slices.Equal(tr.Removes, []string{"pr-dep:noarch"}) {
		t.Errorf("%+v", tr)
	}
	twice := strings.Replace(table, "Downgrading:", " pr-dep noarch 1-1 @new 0\nDowngrading:", 1)
	if tr := asked(twice, patch.Work{Back: true, Remove: []string{"pr-dep:noarch"}}); !strings.Contains(tr.Refused, "several versions of pr-dep.noarch") {
		t.Errorf("%+v", tr)
	}
	if tr := transaction(rocky(), patch.Work{Back: true}, linux.Section{Out: "Error: Unable to find a match: x\n" + table + "Error: Operation aborted.", Status: 3}); tr.Refused != "dnf refuses: Unable to find a match: x" {
		t.Errorf("%+v", tr)
	}
}

// TestYumPlan: yum's headings; from documentation, unchecked.
func TestYumPlan(t *testing.T) {
	const table = " Package Arch Version Repository Size\n===\nUpdating:\n pr-plain noarch 2-1 new 1 k\nInstalling for dependencies:\n pr-dep noarch 2-1 new 1 k\nUpdating for dependencies:\n pr-lib noarch 2-1 new 1 k\n\nTransaction Summary\n"
	tr := Yum().Simulated(rocky(), patch.Work{}, linux.Section{Out: table + "Exiting on user command\n", Status: 1})
	if tr.Refused != "" || len(tr.Changes) != 3 || tr.Changes[0].Dependency || !tr.Changes[1].Dependency || !tr.Changes[2].Dependency {
		t.Errorf("%+v", tr)
	}
	if tr := Yum().Simulated(rocky(), patch.Work{}, linux.Section{Out: "Error: Nothing to do\n", Status: 1}); tr.Refused != "yum refuses: Nothing to do" {
		t.Errorf("%+v", tr)
	}
	rows, _ := yumRepoRows([]string{"Loaded plugins: fastestmirror", "repo id    repo name    status", "!base/7/x86_64   CentOS-7 - Base   10,072", "updates/7/x86_64 CentOS-7 - Updates 6,173", "repolist: 16,245"})
	if !slices.Equal(rows, []string{"base", "updates"}) || !slices.Equal(yumUncached(rows, []string{"base"}), []string{"updates"}) {
		t.Errorf("%q", rows)
	}
}
