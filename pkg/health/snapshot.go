package health

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// snapshotSection is one section of a snapshot: the script's function that prints
// it, and what reads it.
type snapshotSection struct {
	name     string
	function string
	read     func(body []byte) ([]string, error)
}

const bootSection = "boot"

func snapshotSections() []snapshotSection {
	return []snapshotSection{
		{fact.SectionFailedUnits, "snap_units", readUnits},
		{fact.SectionListeners, "listeners", readListeners},
		{fact.SectionMounts, "snap_mounts", readMounts},
		{fact.SectionDefaultRoute, "snap_routes", readRoutes},
		{fact.SectionTimeSync, "snap_time", readTimeSync},
		{fact.SectionBGP, "snap_bgp", readBGP},
		{bootSection, "snap_boot", readBoot},
	}
}

// NotToBeHad begins the reason why a section is not known where the host has no such
// thing. Only that may be missing both before and after the work.
const NotToBeHad = "not to be had: "

// maxItems bounds a section; no host that is well has more.
const maxItems = 4000

func readSnapshot(frames map[string]remote.Frame, err error, seen time.Time) fact.Snapshot {
	s := fact.Snapshot{Seen: seen, Sections: map[string]fact.Section{}}
	for _, kind := range snapshotSections() {
		frame, asked := frames[kind.name]
		section := fact.Section{Why: "the host did not answer"}
		switch {
		case err != nil:
			section.Why = err.Error()
		case asked:
			section = readSection(kind, frame)
		}
		if kind.name != bootSection {
			s.Sections[kind.name] = section
		} else if section.Known {
			s.BootID = section.Items[0]
		}
	}
	return s
}

func readSection(kind snapshotSection, f remote.Frame) fact.Section {
	switch {
	case f.Code == lacks:
		return fact.Section{Why: NotToBeHad + why(f)}
	case f.Code != 0:
		return fact.Section{Why: why(f)}
	}
	if len(f.Body) > listBytes-200 { // the end of the frame counts, too
		return fact.Section{Why: "the list is too long"}
	}
	items, err := kind.read(f.Body)
	switch {
	case err != nil:
		return fact.Section{Why: fmt.Sprintf("%v: %s", err, clean(f.Body))}
	case len(items) > maxItems:
		return fact.Section{Why: "the list is too long"}
	}
	slices.Sort(items)
	return fact.Section{Known: true, Items: slices.Compact(items)}
}

// why is the first line that was printed: the same on each try, which the end of a
// longer text need not be.
func why(f remote.Frame) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(f.Body), []byte("\n"))
	if said := remote.Clean(string(line), seenBytes); said != "" {
		return said
	}
	return fmt.Sprintf("exit status %d", f.Code)
}

// readUnits reads "systemctl list-units --plain --no-legend": unit, load, active and
// sub state, description; old versions put a dot before it. A unit that ended and
// waits to be started again says so: it may be between two crashes.
func readUnits(body []byte) ([]string, error) {
	var units []string
	for line := range bytes.Lines(body) {
		words := strings.Fields(strings.TrimLeft(string(line), "●*× \t"))
		if len(words) == 0 {
			continue
		}
		states := words[1:min(4, len(words))] // a description may say anything
		switch {
		case slices.Contains(states, "failed") && strings.HasPrefix(words[0], ownUnits):
		case slices.Contains(states, "failed"):
			units = append(units, item(words[0]))
		case slices.Contains(states, "auto-restart"), slices.Contains(states, "auto-restart-queued"):
			units = append(units, item(words[0])+restarting)
		default:
			return nil, errors.New("unexpected words of systemctl")
		}
	}
	return units, nil
}

// ownUnits are patchring's jobs: what became of one is told where its end is looked at, and
// is no fault of the host.
const ownUnits = "patchring-"

// restarting is put behind the name of a unit that ends and is started over and over.
const restarting = " (auto-restart)"

func readListeners(body []byte) ([]string, error) {
	sockets, err := parseSockets(body)
	if err != nil {
		return nil, err
	}
	low, high := portRange(body)
	var items []string
	for _, s := range sockets {
		if !s.passing(low, high) {
			items = append(items, s.proto+" "+s.String())
		}
	}
	return items, nil
}

// readMounts reads /proc/mounts: "device folder type options 0 0". The device may
// change its name at a restart; whether it is written to may not.
func readMounts(body []byte) ([]string, error) {
	var items []string
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		if len(words) < 4 {
			return nil, errors.New("unexpected words in /proc/mounts")
		}
		folder, kind, access := words[1], words[2], strings.SplitN(words[3], ",", 2)[0]
		if realMount(folder, kind) {
			items = append(items, item(folder+" "+kind+" "+access))
		}
	}
	return items, nil
}

// realMount leaves out what the kernel, the session manager and containers make and
// unmake by themselves.
func realMount(folder, kind string) bool {
	switch kind {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "gfs2", "ocfs2",
		"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "fuse.glusterfs",
		"fuse.ceph", "fuse.sshfs", "lustre", "9p", "virtiofs":
	case "overlay":
		return folder == "/"
	default:
		return false
	}
	for _, own := range []string{"/run/", "/var/lib/docker/", "/var/lib/containers/", "/var/lib/kubelet/", "/var/lib/containerd/"} {
		if strings.HasPrefix(folder, own) {
			return false
		}
	}
	return true
}

// readRoutes reads "ip route show default": what may differ between two looks at
// the same route (its age, its metric, who set it) is left out.
func readRoutes(body []byte) ([]string, error) {
	var items []string
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		if words[0] == "nexthop" && len(items) > 0 {
			items = append(items, item("default "+pairs(words)))
			continue
		}
		kind := words[0]
		if slices.Contains([]string{"unreachable", "blackhole", "prohibit"}, kind) && len(words) > 1 && words[1] == "default" {
			kind += " default"
		} else if _, err := netip.ParsePrefix(kind); err == nil {
			continue // busybox shows them all
		} else if kind != "default" {
			return nil, errors.New("unexpected words of ip")
		}
		items = append(items, item(strings.TrimSpace(kind+" "+pairs(words))))
	}
	return items, nil
}

func pairs(words []string) string {
	var kept []string
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "via" || words[i] == "dev" {
			kept = append(kept, words[i], words[i+1])
		}
	}
	return strings.Join(kept, " ")
}

func readTimeSync(body []byte) ([]string, error) {
	switch state := strings.TrimSpace(string(body)); state {
	case "yes", "no":
		return []string{state}, nil
	}
	return nil, errors.New("unexpected words about the clock")
}

func readBoot(body []byte) ([]string, error) {
	id := item(strings.TrimSpace(string(body)))
	if id == "" {
		return nil, errors.New("no boot id")
	}
	return []string{id}, nil
}

func item(text string) string { return remote.Clean(text, 200) }
