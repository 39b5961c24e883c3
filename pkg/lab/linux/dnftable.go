package linux

import (
	"fmt"
	"strings"
)

// table prints the transaction as dnf shows it.
func (r *dnfRun) table(t *transaction) {
	rows := [][]string{{"Package", "Architecture", "Version", "Repository", "Size"}}
	counts := map[string]int{}
	var size int64
	if len(t.removes) > 0 {
		rows = append(rows, []string{"Removing:"})
		for _, p := range t.removes {
			rows = append(rows, []string{p.Name, p.Arch, p.Version, "@" + r.m.dist.suites[p.Suite].origin, human(p.Size)})
		}
		counts["Removing:"] = len(t.removes)
	}
	for _, kind := range dnfKinds() {
		rows = append(rows, []string{kind})
		for _, c := range t.changes {
			if dnfKind(c) == kind {
				rows = append(rows, []string{c.to.Name, c.to.Arch, c.to.Version, r.m.dist.suites[c.to.Suite].origin, human(c.to.Size)})
				counts[kind]++
				size += c.to.Size
			}
		}
	}
	widths := [5]int{}
	for _, row := range rows {
		for i, cell := range row {
			if len(row) > 1 {
				widths[i] = max(widths[i], len(cell)+1)
			}
		}
	}
	bar := strings.Repeat("=", max(80, widths[0]+widths[1]+widths[2]+widths[3]+widths[4]+5))
	r.say("Dependencies resolved.\n%s\n", bar)
	for i, row := range rows {
		switch {
		case len(row) > 1:
			r.say(" %-*s %-*s %-*s %-*s %*s\n", widths[0], row[0], widths[1], row[1], widths[2], row[2], widths[3], row[3], widths[4], row[4])
		case counts[row[0]] > 0:
			r.say("%s\n", row[0])
		}
		if i == 0 {
			r.say("%s\n", bar)
		}
	}
	r.say("\nTransaction Summary\n%s\n", bar)
	for _, kind := range append(dnfKinds(), "Removing:") {
		if n := counts[kind]; n > 0 {
			r.say("%-9s %d Package%s\n", dnfVerbs()[kind], n, plural(n))
		}
	}
	r.say("\nTotal download size: %s\n", human(size))
}

func dnfKinds() []string {
	return []string{"Installing:", "Upgrading:", "Reinstalling:", "Downgrading:"}
}

func dnfVerbs() map[string]string {
	return map[string]string{"Installing:": "Install", "Upgrading:": "Upgrade", "Downgrading:": "Downgrade", "Reinstalling:": "Reinstall", "Removing:": "Remove"}
}

func dnfKind(c change) string {
	switch {
	case c.from == c.to.Version && c.from != "":
		return "Reinstalling:"
	case c.fresh():
		return "Installing:"
	case c.downgrade():
		return "Downgrading:"
	}
	return "Upgrading:"
}

// human writes sizes as dnf does: "6.3 k".
func human(n int64) string {
	value, unit := float64(n), " "
	for _, next := range []string{"k", "M", "G"} {
		if value < 1000 {
			break
		}
		value, unit = value/1024, next
	}
	if value < 9.95 && unit != " " {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// fresh tells whether a change is a new package: kernels are installed beside.
func (c change) fresh() bool { return c.from == "" || c.to.Kernel != "" }
