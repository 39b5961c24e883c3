package matrix

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab/device"
)

// family is a kind of device, what is brought to it, and how its truth is told.
type family struct {
	kind     string // its device file
	platform fact.Platform
	from, to string
	image    string // name of the file
	sort     string // of the image, as the device knows it
	steps    []string
	moments  []moment
	// proven tells whether the target runs on every member and stays; former that what ran
	// before runs on every member, and that the next boot starts it.
	proven, former func(device.State) bool
	// degraded: the target runs, and something is worse than before.
	degraded func(device.State) bool
	once     []string // effects that may come about once at most
	spare    []string // lines that the device does not know, and that are asked all the same
}

// moment is where a fault may strike, as the device file calls it.
type moment struct {
	at   string
	step string // the step of the driver during which it comes
}

func every(s device.State, holds func(device.MemberState) bool) bool {
	return len(s.Members) > 0 && !slices.ContainsFunc(s.Members, func(m device.MemberState) bool { return !holds(m) })
}

func iosxeInstall(kind string) family {
	return family{
		kind: kind, platform: "cisco_iosxe", from: "17.9.4a", to: "17.12.4", image: "cat9k_iosxe.17.12.04.SPA.bin", sort: "cat9k",
		moments: []moment{{"transfer", "stage"}, {"add_middle", "add"}, {"activating", "install"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		spare:   []string{"show cdp neighbors", "show etherchannel summary", "show install log", "show install summary", "show ip ospf neighbor"},
		proven: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool {
				return m.Values["version"] == "17.12.04" && m.Values["c"] == "17.12.04" && m.Values["u"] == "" && m.Values["state"] == "Ready"
			}) && s.Armed["abort"] == 0 && s.Values["ports_down"] == ""
		},
		former: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool {
				return m.Values["version"] == "17.09.04a" && m.Values["c"] == "17.09.04a" && m.Values["u"] == ""
			}) && s.Armed["abort"] == 0
		},
		degraded: func(s device.State) bool {
			return s.Values["ports_down"] != "" || slices.ContainsFunc(s.Members, func(m device.MemberState) bool { return m.Values["state"] != "Ready" })
		},
		once: []string{"added", "activated", "committed"},
	}
}

func iosxeBundle(kind, image, sort string) family {
	return family{
		kind: kind, platform: "cisco_iosxe", from: "17.9.4a", to: "17.12.4", image: image, sort: sort,
		moments: []moment{{"transfer", "stage"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		spare:   []string{"show cdp neighbors", "show etherchannel summary", "show install summary", "show ip ospf neighbor", "show switch"},
		proven: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool {
				return m.Values["version"] == "17.12.04" && m.Values["state"] == "Ready"
			}) && strings.Contains(s.Startup, image) && s.Values["ports_down"] == ""
		},
		former: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool { return m.Values["version"] == "17.09.04a" }) && !strings.Contains(s.Startup, image) && !strings.Contains(s.Running, image)
		},
		degraded: func(s device.State) bool {
			return s.Values["ports_down"] != "" || slices.ContainsFunc(s.Members, func(m device.MemberState) bool { return m.Values["state"] != "Ready" })
		},
	}
}

func families() []family {
	return []family{
		iosxeInstall("cisco-iosxe"), iosxeInstall("cisco-iosxe-stack"),
		iosxeBundle("cisco-iosxe-bundle", "isr4300-universalk9.17.12.04.SPA.bin", "router"),
		iosxeBundle("cisco-iosxe-bundle-stack", "cat9k_iosxe.17.12.04.SPA.bin", "cat9k"),
	}
}
