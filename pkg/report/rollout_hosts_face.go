package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// hostSheets is one table for each ring. The brief view has only the hosts that
// need attention or are at work.
func (d Rollout) hostSheets(brief bool) []sheet {
	var out []sheet
	for _, ring := range d.ringNames() {
		s := sheet{title: "Hosts of ring " + ring, columns: []column{
			{head: "HOST", whole: true}, {head: "STATE", whole: true}, {head: "UPDATES"}, {head: "LEFT", right: true}, {head: "REBOOT"}, {head: "TIME", whole: true}, {head: "WHAT HAPPENED", least: 20, prose: true},
		}}
		if brief {
			s.title += " that need attention or are at work"
		}
		for _, h := range d.Hosts {
			if h.Ring == ring && !(brief && restful(h)) {
				s.rows = append(s.rows, h.row())
			}
		}
		out = append(out, s)
	}
	return out
}

// ringNames are the rings in order, then any that a host names and the rollout does not.
func (d Rollout) ringNames() []string {
	var out []string
	for _, r := range d.Rings {
		out = append(out, r.Name)
	}
	for _, h := range d.Hosts {
		if !slices.Contains(out, h.Ring) {
			out = append(out, h.Ring)
		}
	}
	return out
}

func (h Host) row() []cell {
	installed, wanted, left := tally(h.Updates)
	updates, leftAlone := "", ""
	if wanted > 0 {
		updates = fmt.Sprintf("%d of %d", installed, wanted)
	}
	if left > 0 {
		leftAlone = fmt.Sprint(left)
	}
	return []cell{
		text(h.Host), word(h.State), text(updates), text(leftAlone),
		text(rebootWord(h)), text(seconds(h.Seconds)), text(happened(h)),
	}
}

// restful hosts are left out of the brief view: well, idle or not begun.
func restful(h Host) bool {
	if h.owed() != "" || !h.NotBefore.IsZero() {
		return false
	}
	switch rollout.HostState(h.State) {
	case rollout.HostHealthy, rollout.HostNothing, rollout.HostWaiting:
		return true
	}
	return false
}

func rebootWord(h Host) string {
	switch {
	case h.Reboot.Done:
		return "done"
	case h.State == string(rollout.HostHealthy), h.State == string(rollout.HostNothing), h.State == string(rollout.HostRolledBack):
		return "no"
	}
	return ""
}

// happened is the host's story in one cell.
func happened(h Host) string {
	story := slices.Clone(h.Reasons)
	if len(story) == 0 && h.State == string(rollout.HostWorking) {
		story = append(story, "at "+h.Step)
	}
	story = append(story, h.backTold()...)
	if h.Try > 1 {
		story = append(story, fmt.Sprintf("try %d", h.Try))
	}
	if !h.NotBefore.IsZero() && h.State == string(rollout.HostWaiting) {
		story = append(story, "stepped back, not before "+stamp(h.NotBefore))
	}
	if owed := h.owed(); owed != "" {
		story = append(story, owed)
	}
	return strings.Join(story, "; ")
}

// owed is what the work on a host has left behind. While it goes on, that is as it should be.
func (h Host) owed() string {
	var owed []string
	if h.Drained {
		owed = append(owed, "drained")
	}
	if h.Silenced {
		owed = append(owed, "silenced")
	}
	if len(owed) == 0 || h.State == string(rollout.HostWorking) {
		return ""
	}
	return "still " + strings.Join(owed, " and ")
}

// windowShown leaves out what holds for most rings.
func (r Ring) windowShown() string {
	if r.Window == schedule.Any {
		return ""
	}
	return r.Window
}

// tally counts the updates that were seen installed, that were to be installed, and
// that were left alone.
func tally(all []Change) (installed, wanted, left int) {
	for _, c := range all {
		switch c.Outcome {
		case "left":
			left++
		case "installed":
			installed++
			wanted++
		default:
			wanted++
		}
	}
	return installed, wanted, left
}
