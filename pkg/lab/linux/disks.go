package linux

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// mounts are the file systems of the host, / first.
func (m *Machine) mounts() []Mount {
	list := []Mount{
		{Point: "/", Source: "/dev/vda1", Size: 20_509_264, Used: 4_103_012},
		{Point: "/boot", Source: "/dev/vda2", Size: 498_324, Used: 121_900},
	}
	for _, own := range m.conf.Mounts {
		list = slices.DeleteFunc(list, func(x Mount) bool { return x.Point == own.Point })
		list = append(list, own)
	}
	slices.SortFunc(list, func(a, b Mount) int { return strings.Compare(a.Point, b.Point) })
	for i := range list {
		if list[i].Type == "" {
			list[i].Type = "ext4"
		}
		if list[i].Point == m.conf.Faults.FullDisk {
			list[i].Used = list[i].Size
		}
	}
	return list
}

func (m *Machine) mountTable() string {
	var out strings.Builder
	out.WriteString("sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n" +
		"tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=203024k,mode=755 0 0\n")
	for _, x := range m.mounts() {
		fmt.Fprintf(&out, "%s %s %s rw,relatime 0 0\n", x.Source, x.Point, x.Type)
	}
	return out.String()
}

func (m *Machine) findmnt(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "rno:lR", "raw|r", "noheadings|n", "output=|o", "real", "list|l")
	if !ok || len(o.Args) > 0 {
		return posix.Usage
	}
	for _, x := range m.mounts() {
		fields := map[string]string{"TARGET": x.Point, "SOURCE": x.Source, "FSTYPE": x.Type, "OPTIONS": "rw,relatime"}
		var line []string
		for name := range strings.SplitSeq(strings.ToUpper(o.Value("o")), ",") {
			line = append(line, fields[name])
		}
		p.Printf("%s\n", strings.Join(line, " "))
	}
	return 0
}

// df prints the file systems of the paths, as with -P: one line each.
func (m *Machine) df(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "Pkilax:t:", "portability|P", "inodes|i", "local|l", "exclude-type=|x", "type=|t")
	if !ok || !o.Has("P") {
		p.Lacks("df without -P is not simulated")
		return posix.Usage
	}
	paths := o.Args
	if len(paths) == 0 {
		for _, x := range m.mounts() {
			paths = append(paths, x.Point)
		}
	}
	rows := [][]string{{"Filesystem", "1024-blocks", "Used", "Available", "Capacity", "Mounted on"}}
	if o.Has("i") {
		rows[0] = []string{"Filesystem", "Inodes", "IUsed", "IFree", "IUse%", "Mounted on"}
	}
	code := 0
	for _, path := range paths {
		if _, err := m.FS.Stat(p.UID, p.Abs(path), true); err != nil {
			p.Errorf("df", "%s", posix.Message(err))
			code = 1
			continue
		}
		rows = append(rows, m.diskRow(m.full.mountOf(p.Abs(path)), o.Has("i")))
	}
	printTable(p, rows)
	return code
}

func (m *Machine) diskRow(point string, inodes bool) []string {
	x := Mount{Point: point, Source: "tmpfs", Size: 203_024}
	for _, known := range m.mounts() {
		if known.Point == point {
			x = known
		}
	}
	size, used := x.Size, x.Used
	if inodes {
		size, used = max(x.Size/16, 1), min(x.Used/64, x.Size/32)
	}
	free := max(size-used, 0)
	percent := int64(0)
	if used+free > 0 {
		percent = (100*used + used + free - 1) / (used + free)
	}
	return []string{x.Source, fmt.Sprint(size), fmt.Sprint(used), fmt.Sprint(free), fmt.Sprintf("%d%%", percent), x.Point}
}

// printTable aligns numbers to the right, the first and last column to the left.
func printTable(p *posix.Proc, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			switch i {
			case 0:
				p.Printf("%-*s", widths[0], cell)
			case len(row) - 1:
				p.Printf(" %s\n", cell)
			default:
				p.Printf(" %*s", widths[i], cell)
			}
		}
	}
}
