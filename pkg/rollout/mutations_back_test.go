package rollout

import (
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/schedule"
)

// fallenToo has more hosts taken back by themselves.
func fallenToo(more func(*State, *host) bool) func(*tampered) {
	return func(b *tampered) {
		b.fallen = func(s *State) []fact.HostID {
			all := s.fallen()
			for _, h := range s.hosts {
				if s.opened.OnFailure.Rollback && h.Touched && h.Began != nil && more(s, h) && !slices.Contains(all, h.ID) {
					all = append(all, h.ID)
				}
			}
			return all
		}
	}
}

// possible: what was known before its work speaks for the way back.
func possible(h *host) bool { return h.Began.Return.Possible() }

// lastTryOnly forgets what earlier tries have installed.
func lastTryOnly(_ *State, e Entry, h *host) {
	if start, is := e.(StepStarted); is && start.Host == h.ID && start.Step == StepInstall && !h.Back {
		h.Did = Did(nil, h.Began, start.Step)
	}
}

// without leaves steps out of what begin announced for the way back.
func without(steps ...platform.StepID) func(*State, Entry, *host) {
	return func(_ *State, e Entry, h *host) {
		if end, is := e.(StepEnded); !is || end.Step != FlowBegin || end.Host != h.ID || !h.Back || h.State != HostWorking {
			return
		}
		began := *h.Began
		began.Steps = slices.DeleteFunc(slices.Clone(began.Steps), func(id platform.StepID) bool { return slices.Contains(steps, id) })
		h.Began, h.checked = &began, true
	}
}

var ofBack = []mutation{
	{"back: unknown hosts are taken back by themselves", fallenToo(func(_ *State, h *host) bool {
		return h.State == HostUnknown && !h.Back && possible(h)
	})},
	{"back: red hosts are taken back by themselves", fallenToo(func(_ *State, h *host) bool {
		return h.State == HostFailed && !h.Back && !possible(h)
	})},
	{"back: what failed on the way back is tried again", fallenToo(func(_ *State, h *host) bool {
		return h.State == HostFailed && h.Back && possible(h)
	})},
	{"back: though the playbook does not say so", func(b *tampered) {
		b.fold = func(s *State, _ Entry) { s.opened.OnFailure.Rollback = true }
	}},
	{"back: it is not done", func(b *tampered) { b.fallen = func(*State) []fact.HostID { return nil } }},
	{"back: a host whose work nobody could judge counts as failed", touchUp(func(_ *State, _ Entry, h *host) {
		h.changed, h.failed = h.Touched, h.failed || h.State == HostFailed
	})},
	{"rule 2: a healthy host is taken back without a budget", func(b *tampered) {
		b.exceeds = func(t *tally, h *host) *spentBudget {
			if h.Back {
				return nil
			}
			return t.exceeds(h)
		}
	}},
	{"rule 2: one that is healthy counts as out before it is taken back, so its begin step does not look", touchUp(func(s *State, _ Entry, h *host) {
		if h.Back && h.FellFrom == HostHealthy {
			h.FellFrom = HostFailed
			s.count(h)
		}
	})},
	{"rule 7: the playbook's rollback keeps to no window", touchUp(func(_ *State, _ Entry, h *host) { h.auto = false })},
	{"rule 7: the playbook's rollback keeps to no freeze", touchUp(func(s *State, _ Entry, _ *host) {
		c := s.calendar
		c.Freezes = nil
		s.clock, _ = schedule.Compile(c)
	})},
	{"rule 3: hosts that were taken back are no failures", func(b *tampered) {
		b.fold = func(s *State, _ Entry) {
			for _, r := range s.rings {
				r.by[HostRolledBack], r.by[HostRollback] = 0, 0
			}
		}
	}},
	{"back: a host that was taken back counts as healthy", touchUp(func(s *State, _ Entry, h *host) {
		if h.State == HostRolledBack {
			s.move(h, HostHealthy, h.Ended)
		}
	})},
	{"back: the rollout forgets who waits to be taken back", func(b *tampered) {
		b.fold = func(s *State, _ Entry) { s.falling = nil }
	}},
	{"back: only what the last try installed is remembered", touchUp(lastTryOnly)},
	{"back: what was never begun counts as done", touchUp(func(_ *State, e Entry, h *host) {
		if end, is := e.(StepEnded); is && end.Host == h.ID && end.Began != nil && end.Outcome == OutcomeOK {
			h.Did = Did(h.Did, &Began{Work: end.Began.Work, Changing: []platform.StepID{StepInstall}}, StepInstall)
		}
	})},
	{"rule 5: a retry forgets what was there before", touchUp(func(_ *State, e Entry, h *host) {
		if _, retried := e.(Retried); retried {
			h.Did = slices.Clone(h.Did)
			for i := range h.Did {
				h.Did[i].From = ""
			}
		}
	})},
	{"rule 5: a part of what was done stays", touchUp(func(_ *State, e Entry, h *host) {
		if _, asked := e.(RollbackAsked); asked {
			h.Did = slices.DeleteFunc(slices.Clone(h.Did), func(u patch.Update) bool { return u.Name == "bash" })
		}
	})},
	{"back: nothing is verified on the way back", touchUp(without(FlowVerify, FlowCheck))},
	{"back: nothing is checked on the way back", touchUp(without(FlowCheck))},
}
