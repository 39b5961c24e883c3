package app

import (
	"context"
	"maps"
	"sync"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

// standing is how a rollout stands, for the performer: its goroutines may not look at the
// state itself, which belongs to the engine. It follows the events one by one.
type standing struct {
	mu     sync.Mutex
	order  []string // of the rings
	hosts  map[fact.HostID]rollout.HostStatus
	out    map[fact.HostID]string
	sick   map[string]map[string]string
	others map[fact.HostID]string // held by other rollouts of the state folder
}

func newStanding(s *rollout.State, now rollout.Status, dead []plan.Quarantined) *standing {
	st := &standing{hosts: map[fact.HostID]rollout.HostStatus{}, out: s.Out(), sick: map[string]map[string]string{}}
	for _, q := range dead {
		st.out[q.ID] = rollout.InQuarantine
	}
	for _, r := range now.Rings {
		st.order = append(st.order, r.Name)
		st.sick[r.Name] = s.Sick(r.Name)
	}
	for _, h := range now.Hosts {
		st.hosts[h.ID] = h
	}
	return st
}

// learn takes in what one event changed.
func (st *standing) learn(e rollout.Event, s *rollout.State) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch entry := e.Entry.(type) {
	case rollout.StepStarted:
		st.host(entry.Host, s)
	case rollout.StepEnded:
		st.host(entry.Host, s)
	case rollout.Retried:
		for _, id := range entry.Hosts {
			st.host(id, s)
		}
		for _, ring := range st.order {
			st.sick[ring] = s.Sick(ring)
		}
	case rollout.Sampled:
		st.sick[entry.Ring] = s.Sick(entry.Ring)
	}
}

func (st *standing) host(id fact.HostID, s *rollout.State) {
	st.hosts[id], _ = s.Host(id)
	if why, out := s.IsOut(id); out {
		st.out[id] = why
	} else {
		delete(st.out, id)
	}
}

// Out are all hosts known to be out of use, by this rollout and by others of the folder.
func (st *standing) Out() map[fact.HostID]string {
	st.mu.Lock()
	defer st.mu.Unlock()
	out := maps.Clone(st.others)
	if out == nil {
		out = map[fact.HostID]string{}
	}
	maps.Copy(out, st.out)
	return out
}

// Healthy are the hosts of the rings before one that came through healthy.
func (st *standing) Healthy(ring string) []rollout.HostStatus {
	st.mu.Lock()
	defer st.mu.Unlock()
	before := map[string]bool{}
	for _, name := range st.order {
		if name == ring {
			break
		}
		before[name] = true
	}
	var all []rollout.HostStatus
	for _, h := range st.hosts {
		if before[h.Ring] && h.State == rollout.HostHealthy {
			all = append(all, h)
		}
	}
	sortHosts(all)
	return all
}

// Sick are those that the last sample before a ring's gate found not well.
func (st *standing) Sick(ring string) map[string]string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return maps.Clone(st.sick[ring])
}

// reserver is the state folder's, and remembers who else holds what.
type reserver struct {
	folder *statedir.Rollout
	st     *standing
}

// Reserve implements engine.Reserver.
func (r reserver) Reserve(ctx context.Context, decide func(map[fact.HostID]string) ([]fact.HostID, func() error, error)) error {
	return r.folder.Reserve(ctx, func(others map[fact.HostID]string) ([]fact.HostID, func() error, error) { //nolint:wrapcheck // names the folder
		r.st.mu.Lock()
		r.st.others = maps.Clone(others)
		r.st.mu.Unlock()
		return decide(others)
	})
}
