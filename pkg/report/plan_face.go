package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

func (d Plan) summary() string {
	t := d.Totals
	if t.ToPatch == 0 {
		return "nothing to do"
	}
	return fmt.Sprintf("%s (%d security) on %s", count(t.Updates, "update"), t.Security, count(t.ToPatch, "host"))
}

func (d Plan) face(brief bool) face {
	f := face{
		title: "Plan for " + d.Playbook + " (site " + d.Site + ")",
		lines: []pair{
			{"Plan", text(shortDigest(d.Plan))},
			{"Made", text(stamp(d.Made))},
			{"Changes", text(d.changes())},
			{"Reboots", text(d.reboots())},
			{"Way back", text(d.waysBack())},
		},
		foot: d.Notes,
	}
	f.lines = append(f.lines, d.extras()...)
	if d.Exit.Code != ExitDone {
		f.lines = append(f.lines, pair{"Exit code", text(fmt.Sprintf("%d %s: %s", d.Exit.Code, d.Exit.Word, d.Exit.Why))})
	}
	f.sheets = append(f.sheets, d.gateSheet(), d.budgetSheet(), d.aroundSheet())
	for _, r := range d.Rings {
		f.sheets = append(f.sheets, d.hostSheet(r))
		if !brief {
			f.sheets = append(f.sheets, d.updateSheet(r))
		}
	}
	f.sheets = append(f.sheets, d.imageSheet(), d.wayBackSheet(), d.leftSheet(), uncoveredSheet(d.Uncovered), d.problemSheet(), quarantineSheet(d.Quarantined))
	return f
}

func (d Plan) changes() string {
	out := d.summary()
	if d.Totals.Bytes > 0 {
		out += ", " + size(d.Totals.Bytes) + " to download"
	}
	if d.Totals.Left > 0 {
		out += ", " + count(d.Totals.Left, "update") + " left alone"
	}
	return out
}

func (d Plan) reboots() string {
	out := count(d.Totals.Reboots, "host") + " expected"
	if d.Totals.RebootsMaybe > 0 {
		out += fmt.Sprintf(", %d can't tell", d.Totals.RebootsMaybe)
	}
	return out + " (playbook: " + d.Reboot + ")"
}

// waysBack says how many hosts could be taken back, and when that is done.
func (d Plan) waysBack() string {
	lights := d.Totals.WaysBack.String()
	switch {
	case lights == "":
		return ""
	case d.OnFailure.Action == string(playbook.OnFailureRollback):
		return lights + "; a host that fails goes back by itself, unless it is red (window: " + d.OnFailure.Window + ")"
	}
	return lights + "; by: patchring rollback"
}

func (r PlanRing) title() string {
	batches := make([]string, len(r.Batches))
	for i, n := range r.Batches {
		batches[i] = fmt.Sprint(n)
	}
	hosts := count(r.Hosts, "host")
	if r.Units != r.Hosts {
		hosts += " in " + count(r.Units, "unit")
	}
	return fmt.Sprintf("Ring %s: %s, batches of %s, at most %d at once, more than %d failed stop it",
		r.Name, hosts, orElse(strings.Join(batches, ", "), "all"), r.atOnce(), r.FailureLimit)
}

// atOnce is how many hosts really are at work together at most: what may fail must be
// able to fail, so the failure limit bounds it too.
func (r PlanRing) atOnce() int { return min(r.MaxInFlight, max(1, r.FailureLimit)) }

func (d Plan) hostSheet(r PlanRing) sheet {
	s := sheet{title: r.title(), columns: []column{
		{head: "HOST", whole: true}, {head: "SYSTEM", least: 9}, {head: "UPDATES", right: true}, {head: "SECURITY", right: true}, {head: "SIZE", right: true, least: 9}, {head: "LEFT", right: true}, {head: "REBOOT"}, {head: "BACK", whole: true}, {head: "UNIT", least: 6},
	}}
	for _, h := range d.Hosts {
		if h.Ring != r.Name || h.Problem != nil {
			continue
		}
		var one PlanTotals
		one.add(h)
		row := texts(h.Host, orElse(h.Domain, orElse(h.Platform, "?")), fmt.Sprint(one.Updates),
			fmt.Sprint(one.Security), sizeOf(h), fmt.Sprint(one.Left), planReboot(h))
		s.rows = append(s.rows, append(row, lightWord(h.Back.Light), text(h.Unit)))
	}
	return s
}

func sizeOf(h PlanHost) string {
	if len(h.Updates) == 0 {
		return ""
	}
	var all int64
	for _, u := range h.Updates {
		all += u.Bytes
	}
	return size(all)
}

func planReboot(h PlanHost) string {
	if len(h.Updates) == 0 {
		return ""
	}
	return h.Reboot
}

func (d Plan) updateSheet(r PlanRing) sheet {
	s := sheet{group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 14}, {head: "CHANGE", least: 16}, {head: "SECURITY"}, {head: "SIZE", right: true, least: 9}}}
	for _, h := range d.Hosts {
		if h.Ring != r.Name || h.Problem != nil {
			continue
		}
		for _, u := range h.Updates {
			s.rows = append(s.rows, texts(h.Host, u.name(), change(u.From, u.To), u.security(), size(u.Bytes)))
		}
	}
	return s
}

func (u PlanUpdate) name() string {
	if u.Dependency {
		return u.Package + " (dependency)"
	}
	return u.Package
}

func (u PlanUpdate) security() string {
	if u.Security == "yes" && u.Severity != string(patch.SeverityUnknown) {
		return u.Severity
	}
	return u.Security
}

func (d Plan) leftSheet() sheet {
	s := sheet{title: "Left alone", group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 12}, {head: "CHANGE", least: 14}, {head: "SECURITY"}, {head: "WHY", least: 14, prose: true}}}
	for _, h := range d.Hosts {
		for _, l := range h.Left {
			why := l.Reason
			if l.Detail != "" {
				why += ": " + l.Detail
			}
			s.rows = append(s.rows, texts(h.Host, l.name(), change(l.From, l.To), l.security(), why))
		}
	}
	return s
}

func (d Plan) problemSheet() sheet {
	s := sheet{title: "Hosts that can't be patched now", columns: []column{{head: "HOST", whole: true}, {head: "RING", whole: true}, {head: "PROBLEM", least: 20}, {head: "WHAT TO DO", least: 20, prose: true}}}
	for _, h := range d.Hosts {
		if h.Problem != nil {
			s.rows = append(s.rows, texts(h.Host, h.Ring, h.Problem.What, h.Problem.Hint))
		}
	}
	return s
}

func (d Plan) records() records {
	r := records{head: []string{"playbook", "site", "ring", "host", "platform", "reboot_expected", "problem", "package", "arch", "from", "to", "security", "severity", "bytes", "outcome", "reason", "detail"}}
	for _, h := range d.Hosts {
		host := []string{d.Playbook, d.Site, h.Ring, h.Host, h.Platform, h.Reboot, ""}
		if h.Problem != nil {
			host[6] = h.Problem.What
		}
		for _, u := range h.Updates {
			r.rows = append(r.rows, join(host, join(u.record(), "planned", "", "")...))
		}
		for _, l := range h.Left {
			r.rows = append(r.rows, join(host, join(l.record(), "left", l.Reason, l.Detail)...))
		}
		if len(h.Updates)+len(h.Left) == 0 {
			r.rows = append(r.rows, join(host, "", "", "", "", "", "", "", "", "", ""))
		}
	}
	for _, q := range d.Quarantined {
		r.rows = append(r.rows, []string{d.Playbook, d.Site, q.Ring, q.Host, "", "", "", "", "", "", "", "", "", "", "quarantined", q.Reason, q.detail()})
	}
	return r
}

func (u PlanUpdate) record() []string {
	return []string{u.Package, u.Arch, u.From, u.To, u.Security, u.Severity, fmt.Sprint(u.Bytes)}
}
