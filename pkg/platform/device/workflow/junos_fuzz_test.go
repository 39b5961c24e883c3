package workflow

import (
	"regexp"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// rig is a step of one of the platforms, and what its look is answered.
type rig struct {
	to      string
	step    platform.Step
	results []remote.Result
}

// rigs are the deciding steps of all ways, before anything was done.
func rigs(t *testing.T) []rig {
	t.Helper()
	var list []rig
	for _, b := range []struct {
		platform fact.Platform
		sample   string
		to, file string
		edit     func(*patch.Work)
	}{
		{"junos", "single", junosNew, junosFile, nil},
		{"junos", "virtual_chassis", "24.2R1.17", "junos-24.2R1.17.tgz", nil},
		{"junos", "dual_re", junosNew, junosFile, nil},
		{"f5_bigip", "pair_active", f5New, f5File, nil},
		{"netapp_ontap", "two_nodes", ontapNew, ontapFile, served},
		{"fortinet_fortios", "single", "7.2.10", fortiFile, nil},
		{"fortinet_fortios", "cluster", "7.4.8", fortiHAFile, served},
	} {
		g := gearOf(t, b.platform, b.sample)
		w := g.image(b.to, b.file)
		if b.edit != nil {
			b.edit(&w)
		}
		for _, s := range g.steps(w) {
			switch s.ID {
			case "add", "add_other", "reboot_other", "install", "proven":
				r := rig{to: b.to, step: s}
				for _, op := range s.Look.Do {
					r.results = append(r.results, g.result(op.Exchange.Send))
				}
				list = append(list, r)
			}
		}
	}
	return list
}

// FuzzJudges lets two commands of a look print anything. No judge may see the target run,
// or be next, where nothing that was printed names it.
func FuzzJudges(f *testing.F) {
	f.Add("Junos: 22.4R3\nPending: x\n", uint8(0), uint8(0), uint8(1))
	f.Add(phase("in-progress"), uint8(11), uint8(9), uint8(3))
	f.Add(f5Full, uint8(9), uint8(5), uint8(5))
	f.Add("Primary: FG100F0000000002, HA operating index = 0\n", uint8(15), uint8(2), uint8(1))
	var all []rig
	f.Fuzz(func(t *testing.T, text string, which, first, second uint8) {
		if all == nil {
			all = rigs(t)
		}
		r := all[int(which)%len(all)]
		results := append([]remote.Result(nil), r.results...)
		for _, at := range []uint8{first, second} {
			results[int(at)%len(results)].Out = []byte(text)
			results[int(at)%len(results)].Ending = remote.Done
		}
		got := r.step.Look.Judge(results)
		if got.State == platform.Done && !strings.Contains(joined(text), joined(r.to)) {
			t.Errorf("%s to %s is done, and nothing names it: %q", r.step.ID, r.to, text)
		}
	})
}

// joined is a version whatever its separators and zeros.
func joined(text string) string {
	text = separators.ReplaceAllString(strings.ToLower(text), "$1.")
	return strings.NewReplacer(".", "").Replace(leadingZeros.ReplaceAllString(text, "$1"))
}

var (
	separators   = regexp.MustCompile(`([0-9]+|[a-z]+)[^0-9a-z]*`)
	leadingZeros = regexp.MustCompile(`\b0+([0-9])`)
)
