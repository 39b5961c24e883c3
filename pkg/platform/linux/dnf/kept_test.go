package dnf

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

func TestKeptBack(t *testing.T) {
	offer := func(name string) patch.Update {
		return patch.Update{Name: name, Arch: "noarch", From: "1-1", To: "2-1"}
	}
	holds := []string{"pr-held-0:1-1.*", "!pr-not-0:2-1.*", "pr-star*", "pr-plain"}
	all := []patch.Update{offer("pr-open"), offer("pr-held"), offer("pr-not"), offer("pr-stars"), offer("pr-plain"), offer("pr-excluded")}
	got := map[string]patch.Reason{}
	for _, left := range keptBack(all[:1], all, holds) {
		got[left.Update.Name] = left.Reason
	}
	want := map[string]patch.Reason{
		"pr-held": patch.ReasonHeld, "pr-not": patch.ReasonHeld, "pr-stars": patch.ReasonHeld, "pr-plain": patch.ReasonHeld, "pr-excluded": patch.ReasonKeptBack,
	}
	for name, reason := range want {
		if got[name] != reason {
			t.Errorf("%s: %q, want %q", name, got[name], reason)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

// TestKeptBackIsRead: what is held has its version before and its size like any update.
func TestKeptBackIsRead(t *testing.T) {
	f := detectDnf(t, func(out string) string {
		moved := bend(out, "updates", "pr-arch.x86_64 2.0-1.el9 new\n", "status 0")
		return strings.Replace(moved, " begin updates\n", " begin unheld\npr-plain.noarch 2.0-1.el9 new\n\n"+frameOf(out)+"status 0\n"+frameOf(out)+"end unheld\n"+frameOf(out)+"begin updates\n", 1)
	})
	if len(f.KeptBack) != 1 || f.KeptBack[0].Update.Name != "pr-plain" || f.KeptBack[0].Update.From == "" || f.KeptBack[0].Reason != patch.ReasonKeptBack {
		t.Errorf("%+v", f.KeptBack)
	}
}

func frameOf(out string) string {
	_, nonce, _ := strings.Cut(out, opening)
	nonce, _, _ = strings.Cut(nonce, "\n")
	return "@" + nonce + " "
}

func TestUnregistered(t *testing.T) {
	const said = "Unable to read consumer identity This system is not registered with an entitlement server. You can use subscription-manager to register."
	for name, tt := range map[string]struct {
		id, rows, said string
		want           bool
	}{
		"not registered":    {"rhel", "epel Extra Packages", said, true},
		"no repositories":   {"rhel", "", said, true},
		"registered":        {"rhel", "rhel-9-for-x86_64-baseos-rpms Red Hat", "", false},
		"in a cloud":        {"rhel", "rhel-9-baseos-rhui-rpms Red Hat", said, false},
		"another system":    {"rocky", "baseos Rocky", said, false},
		"custom mirrors":    {"rhel", "mirror Ours", "", false},
		"universal image":   {"rhel", "ubi-9-baseos-rpms UBI", said, false},
		"registered by id":  {"rhel", "rhel-x", said, false},
		"nothing whatsover": {"", "", "", false},
	} {
		if got := unregistered(tt.id, []string{tt.rows}, tt.said); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestExpired(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ages := []string{"base-0123456789abcdef 1799990000", "old-0123456789abcdef 1799000000", "base-0123456789abcdef 1", "odd", "off-0123456789abcdef 1"}
	if got := expired([]string{"base  Base", "old  Old", "unknown  x"}, ages, now); !slices.Equal(got, []string{"old (11 days)"}) {
		t.Errorf("%q", got)
	}
}

func TestRepoLines(t *testing.T) {
	rows, said := repoLines([]string{"Updating Subscription Management repositories.", "repo id   repo name", "base  Base"})
	if !slices.Equal(rows, []string{"base  Base"}) || !strings.HasPrefix(said, "Updating") {
		t.Errorf("%q %q", rows, said)
	}
	if rows, said := repoLines([]string{"No repositories available"}); len(rows) != 0 || said == "" {
		t.Errorf("%q %q", rows, said)
	}
}

// TestWholeness: what a real dnf 4.14 said, but for dnf 5's, which is from documentation.
func TestWholeness(t *testing.T) {
	const whole, cut = "End rpmdb      : 303570eb\nReturn-Code    : Success\n", "End time       : Thu Jan  1 00:00:00 1970 (-1795323080 seconds)\nEnd rpmdb      :  **\nReturn-Code    : Failure: 1\n"
	const twice = "pr-x-2.0-1.el9.noarch is a duplicate with pr-x-3.0-1.el9.noarch\n"
	for name, tt := range map[string]struct {
		last, status, check string
		want                fact.ManagerState
		say                 string
	}{
		"whole":           {whole, "0", "", fact.ManagerOK, ""},
		"cut, but whole":  {cut, "0", "", fact.ManagerOK, ""},
		"cut":             {cut, "1", twice, fact.ManagerInterrupted, "the last transaction of dnf was cut: pr-x-2.0"},
		"cut, dnf 5":      {"Status         : Started\n", "1", twice, fact.ManagerInterrupted, "the last transaction of dnf was cut"},
		"twice":           {whole, "1", twice, fact.ManagerInterrupted, "a transaction was cut: pr-x-2.0"},
		"check is absent": {whole, "2", "", fact.ManagerUnknown, "dnf check"},
		"check is cut":    {whole, "x", twice, fact.ManagerUnknown, "dnf check"},
	} {
		rep := report(t, "last", tt.last, "check="+tt.status, tt.check)
		state, detail := wholeness(rep)
		if state != tt.want || !strings.Contains(detail, tt.say) {
			t.Errorf("%s: %s %q", name, state, detail)
		}
		if got := health(rep); (len(got) == 0) != (tt.want == fact.ManagerOK) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// FuzzKept: whatever stands in locks and lists of repositories, what is told is clean.
func FuzzKept(f *testing.F) {
	f.Add("pr-held-0:1-1.*", "repo id repo name\nbase  Base", "base-0123456789abcdef 1")
	f.Fuzz(func(t *testing.T, hold, repos, ages string) {
		lockOf(patch.Update{Name: "pr-held"}, []string{hold})
		rows, _ := repoLines(strings.Split(repos, "\n"))
		clean(t, strings.Join(expired(rows, strings.Split(ages, "\n"), time.Unix(1_800_000_000, 0)), " "))
		rows, _ = yumRepoRows(strings.Split(repos, "\n"))
		clean(t, strings.Join(yumUncached(rows, strings.Split(ages, "\n")), " "))
		cutTransaction(repos)
	})
}

// FuzzDnf: what dnf prints of updates and transactions is well-formed, or told as odd.
func FuzzDnf(f *testing.F) {
	rep, _ := linux.ReadReport(recorded(f, "probe-rocky"))
	f.Add(rep.Get("updates").Out, rep.Get("advisories").Out, rep.Get("sizes").Out, false)
	for _, name := range []string{"dnf-install.txt", "dnf-downgrade.txt", "dnf-remove.txt", "dnf-replacing.txt", "dnf-kernel-limit.txt"} {
		f.Add("", "", string(content(f, name)), true)
	}
	f.Fuzz(func(t *testing.T, updates, advisories, table string, back bool) {
		list, odd := readCheckUpdate(updates)
		known := readAdvisories(advisories)
		readRPMSizes(table)
		for _, u := range list {
			wellFormedUpdate(t, advise(u, known))
		}
		plan := readPlan(table)
		for _, u := range plan.changes {
			wellFormedUpdate(t, u)
		}
		tr := transaction(fact.Facts{}, patch.Work{Back: back}, linux.Section{Out: table, Err: "Operation aborted.", Status: 1})
		if len(plan.odd)+len(plan.other) > 0 && tr.Refused == "" || len(plan.downgrades) > 0 && !back && tr.Refused == "" {
			t.Error("what is more than an installation must refuse")
		}
		clean(t, strings.Join(odd, " ")+tr.Refused+strings.Join(plan.removals("5.14.1-1.el9.x86_64"), " ")+strings.Join(tr.Removes, " "))
		clean(t, strings.Join(uncached(strings.Split(updates, "\n"), strings.Split(table, "\n")), " "))
	})
}
