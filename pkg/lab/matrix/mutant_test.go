package matrix

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/fact"
	definitions "github.com/patchring/patchring/pkg/platform/device"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// mutant is a driver that is broken in one way. Some play must notice.
type mutant struct {
	name  string
	steps func([]platform.Step) []platform.Step
	facts func(*fact.Facts)
	plays string // the cells that are tried
}

func mutants() []mutant {
	return []mutant{
		{name: "early commit", steps: unconfirmed, plays: `^cisco-iosxe/install/boot/boots_degraded$`},
		{name: "wrong member", steps: everyLook(onlyFirst), facts: firstOnly, plays: `^cisco-iosxe-stack/install/boot/one_old_image$`},
		{name: "blind y", steps: blind, plays: `^cisco-iosxe/(add/add|commit/commit)/ask$`},
		{name: "uptime threshold", steps: eachLook(young), plays: `^cisco-iosxe/special/booted_a_moment_ago$`},
		{name: "done on first login", steps: eachLook(trusting), plays: `^cisco-iosxe-stack/install/boot/(one_old_image|boots_degraded)$`},
		{name: "no hash check", steps: unhashed, plays: `^cisco-iosxe/special/other_image_of_the_name$`},
	}
}

// TestMutants: a matrix that a broken driver passes proves nothing.
func TestMutants(t *testing.T) {
	library, err := definitions.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	on := ground{library: library, web: newWeb(t)}
	all := map[string]cell{}
	for _, f := range families()[:2] {
		for _, c := range f.cells(f.learn(t, on)) {
			all[c.String()] = c
		}
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			caught := ""
			for name, c := range all {
				if !regexp.MustCompile(m.plays).MatchString(name) {
					continue
				}
				c.mutate, c.blinker = m.steps, m.facts
				synctest.Test(t, func(t *testing.T) {
					p := c.run(t, on)
					defer p.close()
					t.Logf("%s: it says %s at %s: %v; the truth is %s", name, p.said, p.at, p.why, p.truth())
					switch wrong := p.wrong(); {
					case len(wrong) > 0:
						caught = name + ": " + strings.Join(wrong, "; ")
					case p.truth() != saidDone && p.at == "verify": // the driver let it pass; what verifies by itself did not
						caught = name + ": it came as far as verify"
					}
				})
			}
			if caught == "" {
				t.Error("no play notices it")
			}
			t.Log(caught)
		})
	}
}

func unconfirmed(steps []platform.Step) []platform.Step {
	for i := range steps {
		steps[i].Confirm = false
	}
	return steps
}

// everyLook puts another judge before those of all steps.
func everyLook(other func([]remote.Result, func([]remote.Result) platform.Standing) platform.Standing) func([]platform.Step) []platform.Step {
	return func(steps []platform.Step) []platform.Step {
		for i := range steps {
			judge := steps[i].Look.Judge
			steps[i].Look.Judge = func(r []remote.Result) platform.Standing { return other(r, judge) }
		}
		return steps
	}
}

// eachLook puts another judge before those of the steps from the restart on.
func eachLook(other func([]remote.Result, func([]remote.Result) platform.Standing) platform.Standing) func([]platform.Step) []platform.Step {
	return func(steps []platform.Step) []platform.Step {
		for i := range steps {
			if slices.Contains([]platform.StepID{"install", "proven", "commit", "done", "done_again"}, steps[i].ID) {
				judge := steps[i].Look.Judge
				steps[i].Look.Judge = func(r []remote.Result) platform.Standing { return other(r, judge) }
			}
		}
		return steps
	}
}

var (
	others = regexp.MustCompile(`(?m)^[ *]*[23] .*\n|^NAME: "Switch [23].*\n.*\n|^Switch 0[23]\n|^\[ Switch [0-9 ]+ \]`)
	recent = regexp.MustCompile(`uptime is (?:\d+ minutes?|1 hour)[,\n]`)
)

// onlyFirst hides every member but the first.
func onlyFirst(results []remote.Result, judge func([]remote.Result) platform.Standing) platform.Standing {
	results = slices.Clone(results)
	for i := range results {
		results[i].Out = others.ReplaceAllFunc(results[i].Out, func(hit []byte) []byte {
			if bytes.HasPrefix(hit, []byte("[")) {
				return []byte("[ Switch 1 ]")
			}
			return nil
		})
	}
	return judge(results)
}

func firstOnly(f *fact.Facts) {
	d := *f.Device
	d.Members = slices.Clone(d.Members[:1])
	f.Device = &d
}

// young takes a device that came up lately for one that was restarted by us.
func young(results []remote.Result, judge func([]remote.Result) platform.Standing) platform.Standing {
	for _, r := range results {
		if recent.Match(r.Out) {
			return platform.Standing{State: platform.Done}
		}
	}
	return judge(results)
}

// trusting takes a device that answers for one that has restarted, once it was away.
func trusting(results []remote.Result, _ func([]remote.Result) platform.Standing) platform.Standing {
	for _, r := range results {
		if recent.Match(r.Out) {
			return platform.Standing{State: platform.Done}
		}
	}
	return platform.Standing{State: platform.NotDone, Reasons: []string{"it has not restarted"}}
}

func blind(steps []platform.Step) []platform.Step {
	for i := range steps {
		for j := range steps[i].Do {
			if e := steps[i].Do[j].Exchange; e != nil {
				e.Questions = append(e.Questions, remote.Question{Ask: `[\]?:] ?$`, Answer: "y", Key: true, Times: 10})
			}
		}
	}
	return steps
}

// unhashed is content with a file of the right name and size.
func unhashed(steps []platform.Step) []platform.Step {
	for i := range steps {
		if id := steps[i].ID; id == "stage" || id == "image" {
			judge := steps[i].Look.Judge
			steps[i].Look.Judge = func(r []remote.Result) platform.Standing {
				if s := judge(r); s.State != platform.Failed {
					return s
				}
				return platform.Standing{State: platform.Done}
			}
		}
	}
	return steps
}
