package workflow

import (
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
)

// alone tells whether the unit has no partner.
func alone(d *fact.Device) bool { return d.Values["sync"] == "Standalone" }

// pairReady: the pair is synchronised, or of two versions, and one is active.
func (t *task) pairReady(v *view) []string {
	var reasons []string
	_, answered := v.out[t.commandOf("versions")]
	mixed := answered && v.now.Values["versions"] == ""
	switch sync := v.now.Values["sync"]; {
	case sync == "":
		reasons = append(reasons, "nobody can tell whether its configuration is synchronised")
	case sync != "In Sync" && !alone(v.now) && (!mixed || sync == cutOff):
		reasons = append(reasons, "its configuration is not synchronised: "+clean(sync))
	}
	if v.now.Role == "" {
		reasons = append(reasons, "nobody can tell whether it is active or standby")
	}
	return reasons
}

// withoutTraffic lets a unit of a pair be booted only while its partner carries the traffic:
// it may have taken it back since.
func (t *task) withoutTraffic(v *view, s platform.Standing) platform.Standing {
	switch {
	case s.State != platform.NotDone, alone(v.now) && alone(t.before), v.now.Role == fact.RoleStandby:
		return s
	case v.now.Role == fact.RoleActive:
		return failed("it carries the traffic again: it is not restarted")
	}
	return unknown("nobody can tell whether it is active or standby: it is not restarted")
}

// cutOff is the state in which the units of a pair do not reach each other.
const cutOff = "Disconnected"

// apart says why a pair would not be one: it is in sync, unless its units run two versions,
// which can't be; and in no case do they not reach each other.
func (t *task) apart(v *view) []string {
	_, answered := v.out[t.commandOf("versions")]
	sync, mixed := v.now.Values["sync"], answered && v.now.Values["versions"] == ""
	switch {
	case alone(v.now) && alone(t.before), sync == "In Sync":
		return nil
	case sync == "":
		return []string{"nobody can tell whether its configuration is synchronised"}
	case sync == cutOff:
		return []string{"it does not reach its partner: " + cutOff}
	case mixed && !alone(v.now):
		return nil
	}
	return []string{"its configuration is not synchronised (" + clean(sync) + "): synchronise it from the unit whose configuration is right (run cm config-sync)"}
}
