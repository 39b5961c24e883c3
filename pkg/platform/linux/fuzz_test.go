package linux

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// FuzzFrame: what a command prints comes out of its section as it went in, and can
// neither end it nor begin another, as long as it does not know the nonce.
func FuzzFrame(f *testing.F) {
	f.Add("@n begin x\n@n status 0\n@n end x", "patchring-report 1 n")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, out, errs string) {
		const nonce = "6f1c2f5e"
		if strings.Contains(out+errs, nonce) {
			return
		}
		mark := "\n@" + nonce + " "
		res := remote.Result{Ending: remote.Exited,
			Out: []byte("\n" + opening + nonce + "\n" + mark + "begin a\n" + out + mark + "status 7\n" + mark + "end a\n" + mark + "whole\n"),
			Err: []byte(mark + "begin a\n" + errs + mark + "end a\n"),
		}
		rep, found := readReport(res)
		if !found || !rep.whole || len(rep.sections) != 1 {
			t.Fatalf("%v %+v", found, rep)
		}
		s := rep.get("a")
		if s.status != 7 || strings.TrimRight(s.out, "\n") != strings.TrimRight(out, "\n") || strings.TrimRight(s.err, "\n") != strings.TrimRight(errs, "\n") {
			t.Errorf("%+v of %q and %q", s, out, errs)
		}
		clean(t, s.why())
	})
}

func FuzzAptPlan(f *testing.F) {
	rep, _ := readReport(recorded(f, "probe-debian"))
	f.Add(rep.get("updates").out)
	f.Add("Inst x [1] (2 L:1/a, M:2/b [amd64]) [y:i386 ]\nRemv z [1]\nThe following packages have been kept back:\n  k (1 => 2)\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := readAptPlan(text)
		for _, u := range p.changes {
			wellFormedUpdate(t, u)
		}
		for _, k := range p.kept {
			wellFormedUpdate(t, k.Update)
		}
		clean(t, strings.Join(p.removes, " ")+strings.Join(p.odd, " "))
		if got := strings.Count("\n"+text, "\nInst "); len(p.changes)+len(p.odd) < got {
			t.Errorf("%d Inst lines, %d changes, %d odd: a change was passed over in silence", got, len(p.changes), len(p.odd))
		}
		tr := aptTransaction(fact.Facts{}, section{out: text})
		if len(p.odd) > 0 && tr.refused == "" {
			t.Error("what was not understood must refuse")
		}
		clean(t, tr.refused+aptTransaction(fact.Facts{}, section{out: text, err: "E: " + text, status: 100}).refused)
	})
}

func FuzzPolicy(f *testing.F) {
	rep, _ := readReport(recorded(f, "probe-debian"))
	f.Add(rep.get("policy").out, rep.get("indexes").out)
	f.Fuzz(func(_ *testing.T, policy, indexes string) {
		known := readIndexes(indexes)
		for name, table := range readPolicy(policy) {
			for _, v := range table {
				u := patch.Update{Name: name, From: "1.0", To: v.version}
				fixesUnderway(u, table, known)
				tableSecurity(u, table, known)
			}
		}
		readSizes(policy + indexes)
	})
}

func FuzzDnf(f *testing.F) {
	rep, _ := readReport(recorded(f, "probe-rocky"))
	f.Add(rep.get("updates").out, rep.get("advisories").out, rep.get("sizes").out)
	for _, name := range []string{"dnf-install.txt", "dnf-downgrade.txt", "dnf-remove.txt", "dnf-replacing.txt", "dnf-kernel-limit.txt"} {
		f.Add("", "", string(content(f, name)))
	}
	f.Fuzz(func(t *testing.T, updates, advisories, table string) {
		list, odd := readCheckUpdate(updates)
		known := readAdvisories(advisories)
		readRPMSizes(table)
		for _, u := range list {
			wellFormedUpdate(t, advise(u, known))
		}
		plan := readDnfPlan(table)
		for _, u := range plan.changes {
			wellFormedUpdate(t, u)
		}
		tr := dnfTransaction(fact.Facts{}, section{out: table, err: "Operation aborted.", status: 1})
		if len(plan.odd)+len(plan.downgrades)+len(plan.other) > 0 && tr.refused == "" {
			t.Error("what is more than an installation must refuse")
		}
		clean(t, strings.Join(odd, " ")+tr.refused+strings.Join(plan.removals("5.14.1-1.el9.x86_64"), " "))
		clean(t, strings.Join(uncached(strings.Split(updates, "\n"), strings.Split(table, "\n")), " "))
	})
}

func FuzzSmall(f *testing.F) {
	f.Add("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 1000 400 600 40% /\n")
	f.Add("ID=\"x\"\nID_LIKE='a b'\n")
	f.Add("/var/lib/dpkg/lock-frontend 17048 python3")
	f.Add("pr-lib\tall\t1.2-1\tinstalled")
	f.Add("vmlinuz-6.1.0-50-amd64")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, s := range readSpaces(text, text, text) {
			clean(t, s.Mount)
			if s.FreeKiB < 0 {
				t.Errorf("%+v", s)
			}
		}
		os := readOSRelease(text)
		clean(t, os.ID+os.VersionID+os.PrettyName+os.Codename+strings.Join(os.Like, ""))
		clean(t, strings.Join(readHolders(lines), " "))
		packages, _ := readInstalled(lines)
		for _, p := range packages {
			clean(t, p.Name+p.Arch+p.Version+p.Status)
		}
		if bootNeed(lines) < bootLeast {
			t.Error("less than the least")
		}
		clean(t, newestKernel("6.1.0-50-amd64", lines, kernelOrder("apt")))
		_, detail := dpkgState(section{out: text}, section{out: text})
		clean(t, detail)
	})
}

// FuzzJudges: whatever a host prints, a judge says why it is not content, cleanly,
// and never panics. None is content with an answer that is not whole.
func FuzzJudges(f *testing.F) {
	for _, name := range []string{"preflight-apt", "preflight-apt-locked", "preflight-dnf", "after-apt-conffile", "after-dnf-scriptlet"} {
		f.Add(recorded(f, name).Out, []byte("patchring-job 1\nstate exited\ncode 0\nboot b\nwhy \nlog\n"))
	}
	f.Add(lockSays("held", `{"rollout":"r1"}`).Out, jobSays("running", "", "", "x").Out)
	f.Add(rebootSays("boot-2", "running", "").Out, []byte{})
	steps, err := Apt{Debian}.Steps(debian(), aptWork())
	if err != nil {
		f.Fatal(err)
	}
	more, err := Dnf{}.Steps(rocky(), dnfWork())
	if err != nil {
		f.Fatal(err)
	}
	steps = append(append(steps, more...), Apt{}.Lock(web, owner("r1")), Apt{}.Unlock(web, owner("r1")))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, s := range steps {
			results := []remote.Result{{Ending: remote.Exited, Out: a}}
			if len(s.Look.Do) == 2 {
				results = []remote.Result{{Ending: remote.Exited, Out: b}, {Ending: remote.Exited, Out: a}}
			}
			got := s.Look.Judge(results)
			standing(t, got, got.State, "")
			last := &results[len(results)-1]
			last.Truncated = true
			if again := s.Look.Judge(results); again.State == platform.Done {
				t.Errorf("%s is done by an answer that is not whole", s.ID)
			}
		}
	})
}
