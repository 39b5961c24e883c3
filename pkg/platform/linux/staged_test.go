package linux

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// JobSays is what a look at a job prints.
func JobSays(state, code, why, log string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte("patchring-job 1\nstate " + state + "\ncode " + code + "\nboot b\nwhy " + why + "\nlog\n" + log)}
}

// Two digests.
const (
	digestA = patch.Digest("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	digestB = patch.Digest("sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
)

func stagedLine(d patch.Digest, name, version string) string {
	return hexOf(d) + "\t1\t" + name + "\tamd64\t" + version + "\t/var/cache/" + name + ".pkg\n"
}

func stagedSays(staged, given, versions string) remote.Result {
	return said("staged", staged, "given", given, "sent", "", "kept", "", "versions", versions)
}

func TestStagedDigests(t *testing.T) {
	repository := patch.Update{Name: "curl", Arch: "amd64", From: "1", To: "2", Digest: digestA}
	sent := patch.Update{Name: "nginx", Arch: "amd64", From: "1", To: "2", Digest: digestB, Source: patch.SourceStore}
	path := sample().sentPath(patch.Work{ID: "r1"}, sent)
	before := "curl\tamd64\t1\tinstalled\nnginx\tamd64\t1\tinstalled\n"
	fine, given := stagedLine(digestA, "curl", "2"), hexOf(digestB)+" "+path
	tests := map[string]struct {
		job, files remote.Result
		want       platform.State
		say        string
	}{
		"right":               {JobSays("exited", "0", "", ""), stagedSays(fine, given, before), platform.Done, ""},
		"kept in part":        {JobSays("exited", "0", "", "patchring: not every outgoing version could be kept\n"), stagedSays(fine, given, before), platform.Done, "could be kept"},
		"another":             {JobSays("exited", "0", "", ""), stagedSays(stagedLine(digestB, "curl", "2"), given, before), platform.Failed, "curl:amd64 2 has another digest than the one that was tested"},
		"two, one of another": {JobSays("exited", "0", "", ""), stagedSays(fine+stagedLine(digestB, "curl", "2"), given, before), platform.Failed, "another digest"},
		"of another version":  {JobSays("exited", "0", "", ""), stagedSays(stagedLine(digestA, "curl", "3"), given, before), platform.Failed, "could not be found"},
		"none":                {JobSays("exited", "0", "", ""), stagedSays("", given, before), platform.Failed, "nothing was installed"},
		"sent, another":       {JobSays("exited", "0", "", ""), stagedSays(fine, hexOf(digestA)+" "+path, before), platform.Failed, "nginx:amd64 2 has another digest"},
		"sent, gone":          {JobSays("exited", "0", "", ""), stagedSays(fine, "", before), platform.Failed, "nginx"},
		"installed by now":    {JobSays("exited", "0", "", ""), stagedSays("", "", "curl\tamd64\t2\tinstalled\nnginx\tamd64\t2\tinstalled\n"), platform.Done, ""},
		"half of it":          {JobSays("exited", "0", "", ""), stagedSays("", given, "curl\tamd64\t2\tinstalled\nnginx\tamd64\t1\tinstalled\n"), platform.Done, ""},
		"half-configured":     {JobSays("exited", "0", "", ""), stagedSays("", given, "curl\tamd64\t2\thalf-configured\n"), platform.Failed, "curl"},
		"not understood":      {JobSays("exited", "0", "", ""), stagedSays("\x1b[2J\n", given, before), platform.Unknown, "not understood"},
		"not told":            {JobSays("exited", "0", "", ""), said(), platform.Unknown, "could not be read"},
		"no answer":           {JobSays("exited", "0", "", ""), remote.Result{}, platform.Unknown, ""},
		"still running":       {JobSays("running", "", "", "12 %"), said(), platform.Running, "12 %"},
		"not begun":           {JobSays("absent", "", "", ""), said(), platform.NotDone, ""},
		"failed":              {JobSays("exited", "1", "", "E: no"), stagedSays(fine, given, before), platform.Failed, "E: no"},
	}
	w := patch.Work{ID: "r1", Install: []patch.Update{repository, sent}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			Standing(t, sample().judgeStage(sampleFacts(), w, []remote.Result{tt.job, tt.files}), tt.want, tt.say)
		})
	}
	Standing(t, sample().judgeStage(sampleFacts(), w, []remote.Result{JobSays("exited", "0", "", "")}), platform.Unknown, "not asked")
}

func TestRepair(t *testing.T) {
	d := sample()
	d.Health = func(rep Report) []string { return rep.Get("health").Lines() }
	f := sampleFacts()
	w := patch.Work{ID: "r1", Repair: true, Reboot: patch.RebootNever, Install: []patch.Update{{Name: "a", From: "1", To: "2"}}}
	for state, want := range map[fact.ManagerState]bool{fact.ManagerInterrupted: true, fact.ManagerBroken: true, fact.ManagerOK: false, fact.ManagerLocked: false, fact.ManagerUnknown: false} {
		f.Manager.State = state
		for _, allowed := range []bool{true, false} {
			w.Repair = allowed
			steps, err := d.Steps(f, w)
			if err != nil || (steps[0].ID == "repair") != (want && allowed) {
				t.Errorf("%s, allowed %v: %s %v", state, allowed, steps[0].ID, err)
			}
		}
	}
	ill, well := said("health", "half done"), said("health", "")
	for name, c := range map[string]struct {
		job, health remote.Result
		want        platform.State
		say         string
	}{
		"not begun":      {JobSays("absent", "", "", ""), ill, platform.NotDone, ""},
		"no need":        {JobSays("absent", "", "", ""), well, platform.Done, "nothing to repair"},
		"running":        {JobSays("running", "", "", "x"), ill, platform.Running, "x"},
		"repaired":       {JobSays("exited", "0", "", ""), well, platform.Done, "was repaired"},
		"says it did":    {JobSays("exited", "0", "", ""), ill, platform.Failed, "half done"},
		"failed":         {JobSays("exited", "1", "", "E: no"), ill, platform.Failed, "E: no"},
		"failed, though": {JobSays("exited", "1", "", "E: no"), well, platform.Failed, "E: no"},
		"cut":            {JobSays("interrupted", "", "the host restarted while it ran", ""), ill, platform.Unknown, "restarted"},
		"called off":     {JobSays("revoked", "", "late", ""), ill, platform.Failed, "late"},
		"not told":       {JobSays("exited", "0", "", ""), remote.Result{}, platform.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			Standing(t, d.judgeRepair([]remote.Result{c.job, c.health}), c.want, c.say)
		})
	}
	Standing(t, d.judgeRepair(nil), platform.Unknown, "")
	silent := sample()
	Standing(t, silent.judgeRepair([]remote.Result{JobSays("absent", "", "", ""), well}), platform.NotDone, "")
}

// FuzzStaged: whatever a host says of its files, nothing with a known digest passes without it.
func FuzzStaged(f *testing.F) {
	f.Add(stagedLine(digestA, "curl", "2"), hexOf(digestB)+" /x", "curl\tamd64\t1\tinstalled\n", "over")
	f.Add("\t\t\t", "", "", "no")
	w := patch.Work{ID: "r1", Install: []patch.Update{{Name: "curl", Arch: "amd64", From: "1", To: "2", Digest: digestA}}}
	f.Fuzz(func(t *testing.T, staged, given, versions, asked string) {
		got := sample().judgeStage(sampleFacts(), w, []remote.Result{JobSays("exited", "0", "", ""), stagedSays(staged, given, versions)})
		Standing(t, got, got.State, "")
		if all := staged + versions; got.State == platform.Done && !strings.Contains(all, hexOf(digestA)) && !strings.Contains(all, "installed") {
			t.Errorf("done without the digest: %q", all)
		}
		files, wrong := readFiles(Section{Out: staged})
		CleanText(t, wrong)
		for _, file := range files {
			CleanText(t, file.Name+file.Arch+file.Version+file.Path)
		}
		rep, _ := ReadReport(said("available", staged, "files", given))
		offers, _, unsure := readOffers(rep)
		CleanText(t, unsure)
		for _, o := range offers {
			CleanText(t, o.Name+o.Arch+o.Version+o.Repository)
		}
		for _, s := range supplyLooks() {
			got := s.Judge([]remote.Result{sentSays(asked, staged)})
			Standing(t, got, got.State, "")
		}
	})
}

// supplyLooks are those of snapshot and supply.
func supplyLooks() []platform.Look {
	var looks []platform.Look
	for _, s := range sample().supply(sampleFacts(), goneWork("https://snapshot.example")) {
		looks = append(looks, s.Look)
	}
	return looks
}
