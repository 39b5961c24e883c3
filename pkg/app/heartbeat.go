package app

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// quietFor is how long a step may go on without a word in a log: a person who reads it
// must see that the run is alive, and what it waits for.
const quietFor = time.Minute

// heartbeat says of steps that take long that they still go on, and with what.
type heartbeat struct {
	now  func() time.Time
	tell func(at time.Time, text string)
	mu   sync.Mutex
	open map[fact.HostID]*openStep
	stop chan struct{}
	done chan struct{}
}

type openStep struct {
	step  platform.StepID
	since time.Time
	said  time.Time
	line  string
}

// startHeartbeat looks every few seconds; end stops it.
func startHeartbeat(now func() time.Time, tell func(time.Time, string)) *heartbeat {
	h := &heartbeat{now: now, tell: tell, open: map[fact.HostID]*openStep{}, stop: make(chan struct{}), done: make(chan struct{})}
	go h.run()
	return h
}

func (h *heartbeat) run() {
	defer close(h.done)
	tick := time.NewTicker(quietFor / 4)
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-tick.C:
			h.beat(h.now())
		}
	}
}

func (h *heartbeat) end() {
	close(h.stop)
	<-h.done
}

// event follows which step of which host is open.
func (h *heartbeat) event(e rollout.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch entry := e.Entry.(type) {
	case rollout.StepStarted:
		h.open[entry.Host] = &openStep{step: entry.Step, since: e.Time, said: e.Time}
	case rollout.StepEnded:
		delete(h.open, entry.Host)
	}
}

func (h *heartbeat) progress(host fact.HostID, line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if open := h.open[host]; open != nil {
		open.line = line
	}
}

// beat tells of every host that has been silent for long.
func (h *heartbeat) beat(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var hosts []fact.HostID
	for id, open := range h.open {
		if now.Sub(open.said) >= quietFor {
			hosts = append(hosts, id)
		}
	}
	slices.SortFunc(hosts, fact.HostID.Compare)
	for _, id := range hosts {
		open := h.open[id]
		open.said = now
		h.tell(now, fmt.Sprintf("%s: %s goes on for %s: %s", id, open.step, report.Elapsed(now.Sub(open.since)), cmp.Or(open.line, "no news from the host")))
	}
}
