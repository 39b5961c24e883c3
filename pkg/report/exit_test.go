package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

func TestExitCodesAreOneTable(t *testing.T) {
	var order []int
	seen := map[int]bool{}
	words := map[string]bool{}
	for _, c := range ExitCodes() {
		if seen[c.Code] || words[c.Word] || c.Word == "" || c.Meaning == "" {
			t.Errorf("line %+v", c)
		}
		seen[c.Code], words[c.Word] = true, true
		order = append(order, c.Code)
	}
	if want := []int{130, 2, 1, 9, 4, 10, 6, 5, 7, 12, 8, 3, 0}; !slices.Equal(order, want) {
		t.Errorf("rank is %v, the design says %v", order, want)
	}
}

// host makes a host in a state; touched where the state says so.
func host(state rollout.HostState, code fault.Code, touched bool) rollout.HostStatus {
	return rollout.HostStatus{ID: fact.HostID{Site: "hq", Name: string(state) + "1"}, Ring: "test", State: state, Code: code, Touched: touched}
}

func source(phase rollout.Phase, limit int, hosts ...rollout.HostStatus) Source {
	ring := rollout.RingStatus{Name: "test", Gate: rollout.GateOpen, Hosts: len(hosts), FailureLimit: limit, ByState: map[rollout.HostState]int{}}
	for _, h := range hosts {
		ring.ByState[h.State]++
	}
	next := rollout.RingStatus{Name: "production", Gate: rollout.GateClosed, ByState: map[rollout.HostState]int{}}
	return Source{Path: "monthly", Status: rollout.Status{Rollout: "r1", Playbook: "monthly", Phase: phase, Hosts: hosts, Rings: []rollout.RingStatus{ring, next}}}
}

func left(reason patch.Reason, security patch.Tri) rollout.HostStatus {
	h := host(rollout.HostHealthy, "", true)
	h.Began = &rollout.Began{Work: patch.Work{Left: []patch.Left{{Update: patch.Update{Name: "a", To: "2", Security: security}, Reason: reason}}}}
	return h
}

func TestExit(t *testing.T) {
	healthy := host(rollout.HostHealthy, "", true)
	failed := host(rollout.HostFailed, fault.HostFailed, true)
	unknown := host(rollout.HostUnknown, fault.Lost, true)
	unreachable := host(rollout.HostUnreachable, fault.Unreachable, false)
	inconclusive := source(rollout.PhaseHalted, 5, unknown)
	inconclusive.Status.Rings[1].Gate = rollout.GateInconclusive
	waits := source(rollout.PhaseOpen, 0, healthy)
	waits.Waits = []rollout.Wait{{For: "an approval", Person: true}}
	idle := source(rollout.PhaseFinished, 0, host(rollout.HostNothing, "", false))
	idle.Plan = &plan.Plan{Hosts: []plan.Host{{ID: idle.Status.Hosts[0].ID, Left: held()}}}
	detailed := source(rollout.PhaseOpen, 0, healthy, host(rollout.HostWaiting, "", false))
	detailed.Detailed = true

	cases := []struct {
		name string
		s    Source
		code int
	}{
		{"nothing at all is an error", Source{}, ExitError},
		{"all healthy", source(rollout.PhaseFinished, 0, healthy), ExitDone},
		{"open and well", source(rollout.PhaseOpen, 0, healthy, host(rollout.HostWaiting, "", false)), ExitDone},
		{"open and well, detailed", detailed, ExitWaiting},
		{"aborted", source(rollout.PhaseAborted, 0, healthy), ExitDone},
		{"paused", source(rollout.PhasePaused, 0, healthy), ExitNeedsPerson},
		{"waits for a person", waits, ExitNeedsPerson},
		{"failed", source(rollout.PhaseHalted, 0, failed), ExitHostsFailed},
		{"failed within the limit", source(rollout.PhaseFinished, 1, failed), ExitHostsFailed},
		{"failed outranks unreachable and unknown", source(rollout.PhaseHalted, 0, unknown, unreachable, failed), ExitHostsFailed},
		{"unknown past the limit", source(rollout.PhaseHalted, 0, unknown), ExitNeedsPerson},
		{"unreachable outranks unknown", source(rollout.PhaseHalted, 0, unknown, unreachable), ExitUnreachable},
		{"gate said no", source(rollout.PhaseHalted, 0, unreachable), ExitGateFailed},
		{"gate said no though failures were allowed", source(rollout.PhaseHalted, 3, healthy), ExitGateFailed},
		{"gate can't tell", inconclusive, ExitNeedsPerson},
		{"locked outranks failed", source(rollout.PhaseHalted, 0, failed, host(rollout.HostFailed, fault.Locked, false)), ExitLocked},
		{"internal outranks locked", source(rollout.PhaseHalted, 0, host(rollout.HostUnknown, fault.Internal, true), host(rollout.HostFailed, fault.Locked, false)), ExitError},
		{"usage outranks all", source(rollout.PhaseHalted, 0, host(rollout.HostFailed, fault.Usage, false), host(rollout.HostFailed, fault.Internal, false)), ExitUsage},
		{"auth failed, untouched", source(rollout.PhaseFinished, 1, host(rollout.HostFailed, fault.Auth, false)), ExitUnreachable},
		{"auth failed after it was touched", source(rollout.PhaseFinished, 1, host(rollout.HostFailed, fault.Auth, true)), ExitHostsFailed},
		{"failed without a class", source(rollout.PhaseFinished, 1, host(rollout.HostFailed, "", true)), ExitHostsFailed},
		{"the resolver said no before it was touched", source(rollout.PhaseFinished, 0, host(rollout.HostUnreachable, fault.HostFailed, false)), ExitHostsFailed},
		{"a state that nobody set", source(rollout.PhaseFinished, 0, host("", "", false)), ExitNeedsPerson},
		{"a state of a later version", source(rollout.PhaseFinished, 0, host("quarantined", "", false)), ExitNeedsPerson},
		{"finished with a host waiting", source(rollout.PhaseFinished, 0, host(rollout.HostWaiting, "", false)), ExitNeedsPerson},
		{"untested fix", source(rollout.PhaseFinished, 0, left(patch.ReasonUntested, patch.Yes)), ExitSecurityLeft},
		{"held fix", source(rollout.PhaseFinished, 0, left(patch.ReasonHeld, patch.Yes)), ExitSecurityLeft},
		{"kept back fix", source(rollout.PhaseFinished, 0, left(patch.ReasonKeptBack, patch.Yes)), ExitSecurityLeft},
		{"moved fix", source(rollout.PhaseFinished, 0, left(patch.ReasonMoved, patch.Yes)), ExitSecurityLeft},
		{"fix left for an unknown reason", source(rollout.PhaseFinished, 0, left("whim", patch.Yes)), ExitSecurityLeft},
		{"it may be a fix", source(rollout.PhaseFinished, 0, left(patch.ReasonHeld, patch.Unknown)), ExitSecurityLeft},
		{"excluded on purpose", source(rollout.PhaseFinished, 0, left(patch.ReasonExcluded, patch.Yes)), ExitDone},
		{"narrowed on purpose", source(rollout.PhaseFinished, 0, left(patch.ReasonNarrowed, patch.Yes)), ExitDone},
		{"installed already", source(rollout.PhaseFinished, 0, left(patch.ReasonInstalled, patch.Yes)), ExitDone},
		{"no fix", source(rollout.PhaseFinished, 0, left(patch.ReasonHeld, patch.No)), ExitDone},
		{"fix left, but not finished", source(rollout.PhaseOpen, 0, left(patch.ReasonHeld, patch.Yes)), ExitDone},
		{"idle host with a held fix", idle, ExitSecurityLeft},
		{"unknown outranks a left fix", source(rollout.PhaseFinished, 1, unknown, left(patch.ReasonHeld, patch.Yes)), ExitNeedsPerson},
	}
	for _, c := range cases {
		got := Exit(c.s)
		if got.Code != c.code {
			t.Errorf("%s: exit code %d (%s), want %d", c.name, got.Code, got.Why, c.code)
		}
		if got.Word != ExitCodes()[rank(c.code)].Word || got.Why == "" {
			t.Errorf("%s: word %q, why %q", c.name, got.Word, got.Why)
		}
		if next := Next(c.s); next == "" && got.Code != ExitDone {
			t.Errorf("%s: exit code %d, and no next command", c.name, got.Code)
		}
	}
}

// TestExitIsTheHighestRank: adding a host never makes the exit code rank lower.
func TestExitIsTheHighestRank(t *testing.T) {
	states := append(hostStates(), "")
	codes := []fault.Code{"", fault.HostFailed, fault.Unreachable, fault.Locked, fault.Lost, fault.Internal, fault.Usage}
	for _, a := range states {
		for _, b := range states {
			for _, code := range codes {
				one := Exit(source(rollout.PhaseOpen, 9, host(a, "", true)))
				two := Exit(source(rollout.PhaseOpen, 9, host(a, "", true), host(b, code, false)))
				if rank(two.Code) > rank(one.Code) {
					t.Fatalf("%q gives %d, with %q (%s) beside it %d", a, one.Code, b, code, two.Code)
				}
			}
		}
	}
}

func TestExitNamesEveryReason(t *testing.T) {
	got := Exit(sampleSource()).Why
	for _, want := range []string{"hq/web1", "hq/mail1", "hq/web2"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not name %s", got, want)
		}
	}
}

func TestExitOf(t *testing.T) {
	locked := &fault.Error{Code: fault.Locked, What: "held by omar"}
	lost := &fault.Error{Code: fault.Lost, What: "gone"}
	cases := []struct {
		err  error
		code int
	}{
		{nil, ExitDone},
		{errors.New("plain"), ExitError},
		{fault.Usagef("", "no such host"), ExitUsage},
		{fmt.Errorf("run: %w", locked), ExitLocked},
		{lost, ExitNeedsPerson},
		{errors.Join(lost, locked), ExitLocked},
		{errors.Join(locked, lost), ExitLocked},
		{fmt.Errorf("run: %w", context.Canceled), ExitInterrupted},
		{&fault.Error{Code: fault.CredentialBlocked}, ExitUnreachable},
		{&fault.Error{Code: fault.HostFailed}, ExitHostsFailed},
		{&fault.Error{Code: fault.Unsupported}, ExitUsage},
		{&fault.Error{Code: "of a later version"}, ExitError},
	}
	for _, c := range cases {
		if got := ExitOf(c.err); got.Code != c.code {
			t.Errorf("%v: %d, want %d", c.err, got.Code, c.code)
		}
	}
}

func TestNext(t *testing.T) {
	hostile := source(rollout.PhaseOpen, 0)
	hostile.Path = "x; rm -rf /\x1b[2J"
	cases := []struct {
		name string
		s    Source
		want string
	}{
		{"done", source(rollout.PhaseFinished, 0, host(rollout.HostHealthy, "", true)), ""},
		{"halted", source(rollout.PhaseHalted, 0, host(rollout.HostFailed, "", true)),
			"patchring report r1 shows why; when it is put right: patchring retry r1, then patchring run monthly; to give up: patchring abort r1"},
		{"halted by a gate", source(rollout.PhaseHalted, 0, host(rollout.HostHealthy, "", true)),
			"patchring report r1 shows why; when it is put right: patchring retry r1, then patchring run monthly; to give up: patchring abort r1"},
		{"paused", source(rollout.PhasePaused, 0), "patchring resume r1"},
		{"open", source(rollout.PhaseOpen, 0), "patchring run monthly"},
		{"finished with a failure", source(rollout.PhaseFinished, 1, host(rollout.HostFailed, "", true)),
			"patchring report r1 shows why; when it is put right: patchring run monthly"},
		{"fixes left", source(rollout.PhaseFinished, 0, left(patch.ReasonHeld, patch.Yes)), "patchring report r1"},
		{"hostile", hostile, `patchring run 'x; rm -rf /\x1b[2J'`},
	}
	for _, c := range cases {
		if got := Next(c.s); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
