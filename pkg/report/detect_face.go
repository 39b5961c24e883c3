package report

import (
	"fmt"
	"strings"
)

func (d Detect) face(brief bool) face {
	t := d.Totals
	f := face{
		title: fmt.Sprintf("%d of %s detected: %s pending (%d security), %d to reboot", t.Detected, count(t.Hosts, "host"), count(t.Pending, "update"), t.Security, t.Reboots),
	}
	main := sheet{columns: []column{
		{head: "HOST", whole: true}, {head: "PLATFORM", whole: true}, {head: "VERSION", least: 7}, {head: d.runsOnHead(), least: 14}, {head: "PENDING", right: true, whole: true}, {head: "SECURITY", right: true, whole: true}, {head: "REBOOT"}, {head: "PROBLEMS", least: 14, prose: true},
	}}
	for _, h := range d.Hosts {
		main.rows = append(main.rows, h.row())
	}
	f.sheets = append(f.sheets, main)
	if !brief {
		f.sheets = append(f.sheets, d.gearSheet(), d.updateSheet())
	}
	for _, h := range d.Hosts {
		if h.Error != nil && h.Error.Hint != "" {
			f.foot = append(f.foot, h.Host+": "+h.Error.Hint)
		}
	}
	return f
}

func (h DetectedHost) row() []cell {
	if h.Error != nil {
		return []cell{text(h.Host), text("?"), text("?"), text("?"), text("?"), text("?"), text("?"), {"! " + h.Error.What, bad}}
	}
	var problems []string
	for _, p := range h.Problems {
		problems = append(problems, p.What+": "+p.Detail)
	}
	if s := h.Manager.State; s != "ok" && s != "unknown" {
		problems = append(problems, because(h.Manager.Name+" is "+s, cleanAll([]string{h.Manager.Detail})))
	}
	need := text(h.Reboot.Needed)
	if h.Reboot.Needed == "yes" {
		need.tone = warn
	}
	return []cell{text(h.Host), text(orElse(h.Platform, "?")), text(orElse(h.Version, "?")), text(orElse(h.runsOn(), "?")),
		text(h.Pending.total()), text(h.Pending.security()), need, text(strings.Join(problems, "; "))}
}

func (p Pending) total() string {
	if !p.Known {
		return "?"
	}
	return fmt.Sprint(p.Total)
}

// security is "3", or "3-5" where two more may be security fixes.
func (p Pending) security() string {
	switch {
	case !p.Known:
		return "?"
	case p.Maybe > 0:
		return fmt.Sprintf("%d-%d", p.Security, p.Security+p.Maybe)
	}
	return fmt.Sprint(p.Security)
}

func (d Detect) updateSheet() sheet {
	s := sheet{title: "Pending updates", group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 14}, {head: "CHANGE", least: 16}, {head: "SECURITY"}, {head: "SIZE", right: true, least: 9}, {head: "KEPT BACK", least: 4}}}
	for _, h := range d.Hosts {
		for _, u := range h.Updates {
			s.rows = append(s.rows, texts(h.Host, u.Package, change(u.From, u.To), u.security(), size(u.Bytes), ""))
		}
		for _, l := range h.Left {
			s.rows = append(s.rows, texts(h.Host, l.Package, change(l.From, l.To), l.security(), size(l.Bytes), l.Reason))
		}
	}
	return s
}

func (d Detect) records() records {
	r := records{head: []string{"host", "platform", "class", "vendor", "model", "serials", "role", "version", "arch", "kernel_running", "kernel_newest", "pending_known", "pending", "security", "security_unknown", "reboot_needed", "package_manager", "package_manager_state", "problems", "error"}}
	for _, h := range d.Hosts {
		var problems []string
		for _, p := range h.Problems {
			problems = append(problems, p.What+": "+p.Detail)
		}
		serials, role := h.Serial, ""
		if h.Device != nil {
			serials, role = orElse(strings.Join(h.Device.Serials, " "), h.Serial), h.Device.Role
		}
		row := []string{h.Host, h.Platform, h.Class, h.Vendor, h.Model, serials, role, h.Version, h.Arch, h.Kernel.Running, h.Kernel.Newest, yesNo(h.Pending.Known),
			fmt.Sprint(h.Pending.Total), fmt.Sprint(h.Pending.Security), fmt.Sprint(h.Pending.Maybe),
			h.Reboot.Needed, h.Manager.Name, h.Manager.State, strings.Join(problems, "; "), ""}
		if h.Error != nil {
			row[len(row)-1] = h.Error.What
		}
		r.rows = append(r.rows, row)
	}
	return r
}
