package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// quarantine takes the hosts out of the rings that are known to be dead for now. They
// still count as out in their budgets: that nobody waits for them does not make them
// serve.
func (d *Draft) quarantine(rings []draftRing) ([]draftRing, error) {
	for i := range rings {
		r := &rings[i]
		had := len(r.hosts)
		r.hosts = slices.DeleteFunc(r.hosts, func(id fact.HostID) bool { return d.isQuarantined(id, r.Name) })
		if i == 0 && had > 0 && len(r.hosts) == 0 {
			return nil, fault.Usagef("put another host into the test ring, or end a quarantine",
				"every host of the test ring %s is in quarantine: %s", r.Name, few(quarantinedOf(d.quarantined)))
		}
	}
	slices.SortFunc(d.quarantined, func(a, b Quarantined) int { return a.ID.Compare(b.ID) })
	return rings, nil
}

// isQuarantined keeps one that is in force for the plan, and notes one that has run out.
func (d *Draft) isQuarantined(id fact.HostID, ring string) bool {
	q, ok := d.in.Quarantine[id]
	if !ok {
		return false
	}
	if d.in.Now.After(q.Until) {
		d.notes = append(d.notes, fmt.Sprintf("the quarantine of %s ended on %s: it is in again", id, q.Until.UTC().Format(time.DateOnly)))
		return false
	}
	q.ID, q.Ring, q.Until = id, ring, q.Until.UTC().Round(0)
	d.quarantined = append(d.quarantined, q)
	return true
}

func quarantinedOf(list []Quarantined) []string {
	var out []string
	for _, q := range list {
		out = append(out, q.ID.String())
	}
	return out
}
