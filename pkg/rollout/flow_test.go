package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// THE LIST, with each extra and with all of them.
func TestFlow(t *testing.T) {
	for _, tt := range []struct {
		driver []platform.Step
		x      Extras
		want   string
	}{
		{driverSteps(), Extras{}, "before preflight install reboot verify check end"},
		{driverSteps(), Extras{Silence: true}, "silence before preflight install reboot verify check unsilence end"},
		{driverSteps(), Extras{Before: true}, "before preflight hook_before install reboot verify check end"},
		{driverSteps(), Extras{Drain: true}, "before preflight drain install reboot verify check undrain end"},
		{driverSteps(), Extras{After: true}, "before preflight install reboot verify check hook_after end"},
		{driverSteps(), Extras{true, true, true, true, true}, "silence before preflight collect hook_before drain install reboot verify check undrain hook_after unsilence end"},
		{nil, Extras{Drain: true}, "before drain verify check undrain end"},
		{[]platform.Step{{ID: "look"}}, Extras{Drain: true}, "before look drain verify check undrain end"},
		{confirmed(), Extras{}, "before preflight install verify check commit done end"},
		{confirmed(), Extras{true, false, true, true, true}, "silence before preflight hook_before drain install verify check commit done undrain hook_after unsilence end"},
	} {
		steps, changing := Flow(tt.driver, tt.x)
		if got := strings.Trim(fmt.Sprint(steps), "[]"); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.x, got, tt.want)
		}
		if len(changing) > 0 != (len(tt.driver) > 1) {
			t.Errorf("%+v: changing are %v", tt.x, changing)
		}
		if err := (&Began{Steps: steps, Changing: changing, Confirming: Confirming(tt.driver)}).follows(); err != nil {
			t.Errorf("%+v: %v", tt.x, err)
		}
	}
}

// confirmed are the steps of a device that gives its new software up unless it is told to
// keep it.
func confirmed() []platform.Step {
	return []platform.Step{
		{ID: "preflight"}, {ID: "install", Changes: true},
		{ID: "commit", Changes: true, Confirm: true}, {ID: "done", Confirm: true},
	}
}

// Nothing is made to stay that was not checked, wherever the driver puts it.
func TestConfirmWaitsForTheChecks(t *testing.T) {
	steps, changing := Flow(confirmed(), Extras{})
	began := &Began{Steps: steps, Changing: changing, Confirming: Confirming(confirmed())}
	for name, wrong := range map[string][]platform.StepID{
		"before verify":  {FlowBefore, "preflight", "install", "commit", "done", FlowVerify, FlowCheck, FlowEnd},
		"between":        {FlowBefore, "preflight", "install", FlowVerify, "commit", "done", FlowCheck, FlowEnd},
		"some of them":   {FlowBefore, "preflight", "install", "commit", FlowVerify, FlowCheck, "done", FlowEnd},
		"left out":       {FlowBefore, "preflight", "install", FlowVerify, FlowCheck, FlowEnd},
		"behind the end": {FlowBefore, "preflight", "install", FlowVerify, FlowCheck, FlowEnd, "commit", "done"},
	} {
		b := *began
		if b.Steps = wrong; b.follows() == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	tp := newTape(t, twoRings(), GateOpened{Ring: "test"}).step(FlowBegin, StepEnded{Outcome: OutcomeOK, Began: began})
	for _, step := range []platform.StepID{FlowBefore, "preflight", "install", FlowVerify} {
		tp.step(step, StepEnded{Outcome: OutcomeOK})
	}
	tp.step(FlowCheck, StepEnded{Outcome: OutcomeFailed, Reasons: []string{"a neighbour is gone"}})
	if next := tp.s.hosts[0].following(); next != FlowEnd {
		t.Errorf("after a failed check comes %s: what failed must not be made to stay", next)
	}
}

func TestFlowsThatAreRefused(t *testing.T) {
	steps, _ := Flow(driverSteps(), Extras{true, true, true, true, true})
	without := func(gone ...platform.StepID) []platform.StepID {
		return slices.DeleteFunc(slices.Clone(steps), func(s platform.StepID) bool { return slices.Contains(gone, s) })
	}
	swapped := func(a, b platform.StepID) []platform.StepID {
		out := slices.Clone(steps)
		i, j := slices.Index(out, a), slices.Index(out, b)
		out[i], out[j] = out[j], out[i]
		return out
	}
	bad := map[string]*Began{
		"nothing at all":              nil,
		"nothing":                     {},
		"no verify":                   {Steps: without(FlowVerify)},
		"no check":                    {Steps: without(FlowCheck)},
		"no end":                      {Steps: without(FlowEnd)},
		"check before verify":         {Steps: swapped(FlowCheck, FlowVerify)},
		"a step twice":                {Steps: append([]platform.StepID{"install"}, steps...)},
		"a step without a name":       {Steps: append([]platform.StepID{""}, steps...)},
		"a begin inside":              {Steps: append([]platform.StepID{FlowBegin}, steps...)},
		"a change that is none":       {Steps: steps, Changing: []platform.StepID{"format"}},
		"a change behind check":       {Steps: steps, Changing: []platform.StepID{FlowCheck}},
		"a change before the drain":   {Steps: steps, Changing: []platform.StepID{"preflight"}},
		"the drain behind the change": {Steps: swapped(FlowDrain, "install"), Changing: []platform.StepID{"install"}},
		"a drain that is not undone":  {Steps: without(FlowUndrain)},
		"an undrain alone":            {Steps: without(FlowDrain)},
		"a silence that is not ended": {Steps: without(FlowUnsilence)},
		"an unsilence alone":          {Steps: without(FlowSilence)},
		"undrain before check":        {Steps: swapped(FlowUndrain, FlowCheck)},
		"hook_after before undrain":   {Steps: swapped(FlowHooksEnd, FlowUndrain)},
		"something behind end":        {Steps: append(slices.Clone(steps), "tidy")},
	}
	for name, b := range bad {
		if b.follows() == nil {
			t.Errorf("%s: was taken", name)
		}
		tp := newTape(t, twoRings(), GateOpened{Ring: "test"}).step(FlowBegin, StepEnded{Outcome: OutcomeOK, Began: b})
		if h := tp.host("a"); h.State != HostUnknown || h.Touched || h.Code != fault.Internal {
			t.Errorf("%s: the host is %+v", name, h)
		}
	}
}

// What is given back, and what is not, where a step fails.
func TestOwed(t *testing.T) {
	all := Extras{true, true, true, true, true}
	steps, changing := Flow(driverSteps(), all)
	tests := []struct {
		fails platform.StepID
		how   Outcome
		then  string // the steps that follow
		state HostState
		owed  string
	}{
		{FlowSilence, OutcomeFailed, "unsilence end", HostFailed, ""},
		{FlowBefore, OutcomeFailed, "unsilence end", HostFailed, ""},
		{FlowCollect, OutcomeFailed, "unsilence end", HostFailed, ""},
		{FlowHooks, OutcomeFailed, "unsilence end", HostFailed, ""},
		{FlowDrain, OutcomeFailed, "undrain unsilence end", HostFailed, ""},
		{FlowDrain, OutcomeUnreachable, "undrain unsilence end", HostFailed, ""},
		{FlowDrain, OutcomeUnknown, "", HostUnknown, "drained silenced"},
		{"install", OutcomeFailed, "unsilence end", HostFailed, "drained"},
		{"install", OutcomeUnreachable, "", HostUnknown, "drained silenced"},
		{FlowCheck, OutcomeFailed, "unsilence end", HostFailed, "drained"},
		{FlowUndrain, OutcomeFailed, "unsilence end", HostFailed, "drained"},
		{FlowHooksEnd, OutcomeFailed, "unsilence end", HostFailed, ""},
		{FlowUnsilence, OutcomeFailed, "end", HostHealthy, "silenced"},
		{FlowEnd, OutcomeFailed, "", HostHealthy, ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.fails)+" "+outcomeName(tt.how), func(t *testing.T) {
			tp := newTape(t, twoRings(), GateOpened{Ring: "test"}).step(FlowBegin, StepEnded{Outcome: OutcomeOK, Began: &Began{Steps: steps, Changing: changing}})
			for _, s := range steps[:slices.Index(steps, tt.fails)] {
				tp.step(s, ok())
			}
			tp.step(tt.fails, StepEnded{Outcome: tt.how, Reasons: []string{"why"}})
			var then []string
			for !tp.s.hosts[0].ended {
				next := tp.s.hosts[0].following()
				then = append(then, string(next))
				tp.step(next, ok())
			}
			h, owed := tp.host("a"), []string{}
			if h.Drained {
				owed = append(owed, "drained")
			}
			if h.Silenced {
				owed = append(owed, "silenced")
			}
			if strings.Join(then, " ") != tt.then || h.State != tt.state || strings.Join(owed, " ") != tt.owed {
				t.Errorf("then %v, %s, owed %v; want %s, %s, %s", then, h.State, owed, tt.then, tt.state, tt.owed)
			}
			if h.Drained != slices.Contains(h.Notes, drainLeft) {
				t.Errorf("drained %v, and it says %q", h.Drained, h.Notes)
			}
		})
	}
}

// A host that is begun again: what must not be forgotten, and what it takes to be
// healthy then.
func TestTriedAgain(t *testing.T) {
	steps, changing := Flow(driverSteps(), Extras{Drain: true})
	first := func(t *testing.T, fails platform.StepID, how Outcome) *tape {
		t.Helper()
		tp := newTape(t, twoRings(), GateOpened{Ring: "test"}).step(FlowBegin, StepEnded{Outcome: OutcomeOK, Began: &Began{Steps: steps, Changing: changing}})
		for _, s := range steps[:slices.Index(steps, fails)] {
			tp.step(s, StepEnded{Outcome: OutcomeOK, Before: map[bool]patch.Digest{true: "sha256:01"}[s == FlowBefore]})
		}
		tp.step(fails, StepEnded{Outcome: how})
		for !tp.s.hosts[0].ended {
			next := tp.s.hosts[0].following()
			end := ok()
			if fails == FlowDrain && next == FlowUndrain {
				end.Outcome = OutcomeFailed
			}
			tp.step(next, end)
		}
		return tp.add(Retried{Hosts: ids("a")})
	}
	touched, drained := first(t, "install", OutcomeUnknown), first(t, FlowDrain, OutcomeFailed)
	if h := touched.host("a"); h.State != HostWaiting || !h.Touched || !h.Drained || h.Before != "sha256:01" || h.Try != 2 || len(h.Reasons)+len(h.Notes) > 0 {
		t.Errorf("touched, and tried again: %+v", h)
	}
	for outcome, want := range map[Outcome]HostState{OutcomeNothing: HostUnknown, OutcomeUnreachable: HostUnknown, OutcomeFailed: HostFailed, OutcomeBack: HostWaiting} {
		tp := first(t, "install", OutcomeUnknown).step(FlowBegin, StepEnded{Outcome: outcome})
		if h := tp.host("a"); h.State != want || !h.Touched || h.State != HostWaiting && !slices.Contains(h.Notes, drainLeft) {
			t.Errorf("touched, then begin %s: %+v", outcomeName(outcome), h)
		}
	}
	if h := drained.step(FlowBegin, StepEnded{Outcome: OutcomeNothing}).host("a"); h.State != HostUnknown || h.Touched || !slices.Contains(h.Notes, drainLeft) || len(h.Reasons) == 0 {
		t.Errorf("drained, never touched, and nothing is left to do: %+v", h)
	}
	again, none := Flow(nil, Extras{Drain: true})
	touched.step(FlowBegin, StepEnded{Outcome: OutcomeOK, Began: &Began{Steps: again, Changing: none}})
	for _, s := range again {
		touched.step(s, ok())
	}
	if h := touched.host("a"); h.State != HostHealthy || h.Drained || h.Before != "sha256:01" {
		t.Errorf("looked at again, and well: %+v", h)
	}
}
