package matrix

import (
	"regexp"
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
	image    string            // name of the file
	sort     string            // of the image, as the device knows it
	pull     bool              // the device fetches it from us
	before   func(*play)       // out of band
	values   map[string]string // over the device file's
	moments  []moment
	// proven tells whether the target runs on every member and stays; former that what ran
	// before runs on every member, and that the next boot starts it.
	proven, former func(device.State) bool
	// runsFormer: what ran before runs, whatever the next boot starts; trial: the target runs on
	// every member, and may be gone with the next boot.
	runsFormer, trial func(device.State) bool
	// degraded: the target runs, and something is worse than before.
	degraded func(device.State) bool
	once     []string // effects that may come about once at most
	mate     *family  // the other host of a pair
	second   bool     // the other one is upgraded before
	on       hooks    // what others do in every play, before a step of the flow
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
		spare:   []string{"show install summary"},
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
		runsFormer: runsIOS("17.09.04a"), trial: runsIOS("17.12.04"),
		once: []string{"added", "activated", "committed"},
	}
}

func iosxeBundle(kind, image, sort string) family {
	return family{
		kind: kind, platform: "cisco_iosxe", from: "17.9.4a", to: "17.12.4", image: image, sort: sort,
		moments: []moment{{"transfer", "stage"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		spare:   []string{"show install summary", "show switch"},
		proven: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool {
				return m.Values["version"] == "17.12.04" && m.Values["state"] == "Ready"
			}) && strings.Contains(s.Startup, image) && s.Values["ports_down"] == ""
		},
		former: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool { return m.Values["version"] == "17.09.04a" }) && !strings.Contains(s.Startup, image) && !strings.Contains(s.Running, image)
		},
		runsFormer: runsIOS("17.09.04a"), trial: runsIOS("17.12.04"),
		degraded: func(s device.State) bool {
			return s.Values["ports_down"] != "" || slices.ContainsFunc(s.Members, func(m device.MemberState) bool { return m.Values["state"] != "Ready" })
		},
	}
}

func runsIOS(version string) func(device.State) bool {
	return func(s device.State) bool {
		return every(s, func(m device.MemberState) bool { return m.Values["version"] == version && m.Values["state"] == "Ready" })
	}
}

func families() []family {
	return append(singles(), slices.Concat(
		inPair(eos("arista-eos-mlag-b"), eos("arista-eos-mlag-a")),
		inPair(bigip("f5-bigip-b"), bigip("f5-bigip-a")),
	)...)
}

// inPair are the two hosts of a pair: the standby, which goes first, and the active one after it.
func inPair(standby, active family) []family {
	first, second := standby, active
	first.mate, second.mate, second.second = &active, &standby, true
	if second.platform == "f5_bigip" {
		second.on = hooks{"proven": inSync}
	}
	return []family{first, second}
}

func singles() []family {
	return []family{
		iosxeInstall("cisco-iosxe"), iosxeInstall("cisco-iosxe-stack"),
		iosxeBundle("cisco-iosxe-bundle", "isr4300-universalk9.17.12.04.SPA.bin", "router"),
		iosxeBundle("cisco-iosxe-bundle-stack", "cat9k_iosxe.17.12.04.SPA.bin", "cat9k"),
		eos("arista-eos"),
		junos("junos", "jinstall-ex-4300-22.4R3.25-signed.tgz", "ex4300"), junos("junos-vc", "jinstall-ex-4300-22.4R3.25-signed.tgz", "ex4300"),
		junos("junos-dual-re", "junos-install-mx-x86-64-22.4R3.25.tgz", "mx"),
		fortios("fortios", false), fortios("fortios-ha", true),
		ontap(), bigip("f5-bigip-tmsh"),
	}
}

// runs tells whether every member runs a version.
func runs(version string) func(device.State) bool {
	return func(s device.State) bool {
		return every(s, func(m device.MemberState) bool { return m.Values["version"] == version })
	}
}

func broken(s device.State) bool {
	return s.Values["ports_down"] != "" || s.Values["bgp_down"] != "" || s.Values["mlag_broken"] != ""
}

func eos(kind string) family {
	const was, is = "flash:/EOS-4.29.2F.swi", "flash:/EOS-4.31.5M.swi"
	return family{
		kind: kind, platform: "arista_eos", from: "4.29.2F", to: "4.31.5M", image: "EOS-4.31.5M.swi", sort: "eos",
		moments:  []moment{{"transfer", "stage"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		proven:   func(s device.State) bool { return runs("4.31.5M")(s) && s.Values["boot"] == is && !broken(s) },
		former:   func(s device.State) bool { return runs("4.29.2F")(s) && s.Values["boot"] == was },
		degraded: broken, runsFormer: runs("4.29.2F"), trial: runs("4.31.5M"),
	}
}

func junos(kind, image, sort string) family {
	const was, is = "21.4R3-S4.9", "22.4R3.25"
	well := func(s device.State) bool {
		return !broken(s) && every(s, func(m device.MemberState) bool {
			atHome := kind != "junos-dual-re" || m.Values["role"] == m.Values["home"] // the engine that led leads again
			return m.Values["status"] == "Prsnt" && m.Values["root"] == "primary" && atHome
		})
	}
	f := family{
		kind: kind, platform: "junos", from: was, to: is, image: image, sort: sort,
		moments: []moment{{"transfer", "stage"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		proven: func(s device.State) bool {
			return well(s) && every(s, func(m device.MemberState) bool { return m.Values["version"] == is && m.Values["next"] == "" })
		},
		former: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool { return m.Values["version"] == was && m.Values["next"] == "" })
		},
		degraded: func(s device.State) bool { return !well(s) }, runsFormer: runs(was), trial: runs(is),
		once: []string{"added", "switched"},
	}
	if kind == "junos-dual-re" {
		f.before = withoutGres
	}
	return f
}

// withoutGres is what a person does before the software of two routing engines is replaced.
func withoutGres(p *play) {
	off := regexp.MustCompile(`(?m)^set (?:chassis redundancy graceful-switchover|routing-options nonstop-routing)\n`)
	s := p.device.Truth()
	p.device.Configure(off.ReplaceAllString(s.Running, ""), off.ReplaceAllString(s.Startup, ""))
}

func fortios(kind string, cluster bool) family {
	const was, is = "7.2.7", "7.4.8"
	well := func(s device.State) bool {
		return !broken(s) && s.Values["errors"] == "" && every(s, func(m device.MemberState) bool { return m.Values["state"] == "up" && m.Values["in_sync"] == "yes" })
	}
	f := family{
		kind: kind, platform: "fortinet_fortios", from: was, to: is, image: "FGT_100F-v7.4.8.M-build2795-FORTINET.out", sort: "FGT_100F", pull: cluster,
		moments: []moment{{"down", "install"}, {"boot", "install"}, {"back", "install"}},
		proven: func(s device.State) bool {
			return well(s) && every(s, func(m device.MemberState) bool {
				return m.Values["version"] == is && m.Values["next"] == m.Values["active"]
			})
		},
		former: func(s device.State) bool {
			return every(s, func(m device.MemberState) bool {
				return m.Values["version"] == was && m.Values["next"] == m.Values["active"]
			})
		},
		degraded: func(s device.State) bool { return !well(s) }, runsFormer: runs(was), trial: runs(is),
		once: []string{"written", "staged"}, spare: []string{"show version"},
		before: func(p *play) { p.types("config system global\r", "set admin-scp enable\r", "end\r") },
	}
	return f
}

func ontap() family {
	const was, is = "9.13.1P6", "9.14.1P4"
	well := func(s device.State) bool {
		return s.Values["not_home"] == "" && every(s, func(m device.MemberState) bool { return m.Values["state"] == "up" })
	}
	return family{
		kind: "netapp-ontap", platform: "netapp_ontap", from: was, to: is, image: "9141P4_q_image.tgz", sort: "ontap", pull: true,
		moments:    []moment{{"down", "install"}, {"boot", "install"}},
		proven:     func(s device.State) bool { return well(s) && runs(is)(s) },
		former:     func(s device.State) bool { return well(s) && runs(was)(s) && s.Values["phase"] == "" },
		degraded:   func(s device.State) bool { return !well(s) },
		runsFormer: runs(was), trial: runs(is), once: []string{"started", "updated"},
		values: map[string]string{"n1/serial": "721834000123", "n2/serial": "721834000124"},
	}
}

func bigip(kind string) family {
	const was, is = "17.1.1.3", "17.1.2.1"
	return family{
		kind: kind, platform: "f5_bigip", from: was, to: is, image: "BIGIP-17.1.2.1-0.0.2.iso", sort: "bigip",
		moments: []moment{{"transfer", "stage"}, {"down", "install"}, {"boot", "install"}, {"back", "install"}},
		proven: func(s device.State) bool {
			return runs(is)(s) && s.Values["mcpd"] == "running" && s.Values["load"] == "full-config-load-succeed" && s.Values["down"] == ""
		},
		former: func(s device.State) bool { return runs(was)(s) && s.Values["active"] == "1" && s.Values["next"] == "" },
		degraded: func(s device.State) bool {
			return s.Values["mcpd"] != "running" || s.Values["load"] != "full-config-load-succeed" || s.Values["down"] != ""
		},
		runsFormer: runs(was), trial: runs(is), once: []string{"installed"},
	}
}
