package apt

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

func FuzzPlan(f *testing.F) {
	f.Add(section(f, "probe", "updates").Out)
	f.Add(section(f, "resolve", "plan").Out)
	f.Add("Inst x [1] (2 L:1/a, M:2/b [amd64]) [y:i386 ]\nRemv z [1]\nThe following packages have been kept back:\n  k (1 => 2)\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := readPlan(text)
		for _, u := range p.changes {
			wellFormed(t, u)
		}
		for _, k := range explain(markHeld(p.kept, []string{"k"}), ran(text, 0)) {
			wellFormed(t, k.Update)
			clean(t, k.Detail)
		}
		clean(t, strings.Join(p.removes, " ")+strings.Join(p.odd, " "))
		if got := strings.Count("\n"+text, "\nInst "); len(p.changes)+len(p.odd) < got {
			t.Errorf("%d Inst lines, %d changes, %d odd: a change was passed over in silence", got, len(p.changes), len(p.odd))
		}
		tr := aptTransaction(fact.Facts{}, patch.Work{}, linux.Section{Out: text})
		if len(p.odd) > 0 && tr.Refused == "" {
			t.Error("what was not understood must refuse")
		}
		clean(t, tr.Refused+aptTransaction(fact.Facts{}, patch.Work{}, linux.Section{Out: text, Err: "E: " + text, Status: 100}).Refused)
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add(section(f, "probe", "policy").Out, section(f, "probe", "indexes").Out)
	f.Add(tables, "")
	f.Fuzz(func(t *testing.T, text, indexes string) {
		known := readIndexes(indexes)
		var names []string
		all := readPolicy(text)
		for name, p := range all {
			names = append(names, name)
			for _, v := range p.versions {
				u := patch.Update{Name: name, From: "1.0", To: v.version}
				fixesUnderway(u, p.versions, known)
				tableSecurity(u, p.versions, known)
			}
		}
		for _, k := range pinned(names, all) {
			wellFormed(t, k.Update)
			clean(t, k.Detail)
		}
	})
}

func FuzzSmall(f *testing.F) {
	f.Add(section(f, "probe", "sizes").Out)
	f.Add(section(f, "probe", "lists").Out)
	f.Add(section(f, "probe", "valid").Out)
	f.Add(string(content(f, "check.txt")))
	f.Add("The following packages are only half configured\n pr-fail  made up\n")
	f.Fuzz(func(t *testing.T, text string) {
		for key, size := range readSizes(text) {
			if size < 0 || key.name == "" {
				t.Errorf("%+v %d", key, size)
			}
		}
		lines := strings.Split(text, "\n")
		clean(t, strings.Join(listTroubles(lines, lines, time.Unix(1795323538, 0)), " "))
		_, detail := dpkgState(linux.Section{Out: text}, linux.Section{Out: text})
		clean(t, detail+unmet(linux.Section{Out: text, Err: text, Status: 100}))
	})
}

// FuzzRead: whatever a host with apt prints, what is read of it is well-formed.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"probe", "probe-unmet", "probe-interrupted"} {
		r := recorded(f, name)
		f.Add(r.Out, r.Err)
	}
	f.Fuzz(func(t *testing.T, out, errs []byte) {
		got, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: out, Err: errs}})
		if err != nil {
			return
		}
		for _, u := range got.Updates {
			wellFormed(t, u)
		}
		for _, k := range got.KeptBack {
			wellFormed(t, k.Update)
			clean(t, k.Detail)
		}
		for _, p := range got.Problems {
			clean(t, p.Detail)
		}
		for _, o := range got.Offers {
			clean(t, o.Name+o.Arch+o.Version+o.Repository)
		}
		clean(t, strings.Join(got.Holds, " ")+got.Manager.Detail)
	})
}
