package device_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/device"
)

// TestGenericCommands: what any device of a kind answers, by its vendor's documents; "" is nothing at all.
func TestGenericCommands(t *testing.T) {
	for kind, c := range map[string]struct {
		prompt, enable string
		want           map[string]string
	}{
		"cisco-iosxe": {"sw1>", "sw1#", map[string]string{
			"show cdp neighbors": "Total cdp entries displayed : 1", "show etherchannel summary": "Number of channel-groups in use: 0", "show ip ospf neighbor": "",
			"show install log": "[0|install_op_boot]: END SUCCESS  ", "show ip eigrp neighbors": "", "show lldp neighbors": "% LLDP is not enabled",
		}},
		"cisco-iosxe-bundle": {"sw1>", "sw1#", map[string]string{
			"show cdp neighbors": "Gig 0/1/0 ", "show install log": "[0|install_op_boot]: START ", "show switch": "% Invalid input",
		}},
		"arista-eos": {"sw1>", "sw1#", map[string]string{
			"show ip ospf neighbor": "", "show port-channel summary": "Number of channels in use: 0",
		}},
		"junos": {"sw1> ", "", map[string]string{
			"show configuration system services": "ssh;", "show configuration routing-options": "", "show configuration protocols | display set": "set protocols lldp interface all\n",
			"show configuration nothing": "syntax error", "show configuration protocols bgp group up": "neighbor 192.0.2.5;", "show isis adjacency": "IS-IS instance is not running",
		}},
		"junos-dual-re": {"sw1> ", "", map[string]string{
			"show configuration chassis redundancy": "graceful-switchover;", "show configuration routing-options": "nonstop-routing;",
		}},
		"fortios": {"sw1 # ", "", map[string]string{
			"show full-configuration system ha": "    set mode standalone\n    set override disable\n", "get router info ospf neighbor": "", "get vpn ipsec tunnel summary": "",
			"show full-configuration firewall policy": "set name \"out\"", "show router bgp": "config router bgp\nend\n", "show nothing at all": "Command fail.",
		}},
		"fortios-ha": {"sw1 # ", "", map[string]string{
			"show full-configuration system ha": "    set uninterruptible-upgrade enable\n", "show system ha": "    set mode a-p\n",
		}},
		"f5-bigip-tmsh": {`sw1\)\(cfg-sync Standalone\)\(Active\)\(/Common\)\(tmos\)# `, "", map[string]string{
			"load sys config verify": "/config/bigip.conf", "list cm device failover-state": "cm device sw1 {\n    failover-state active\n}", "list cm device version": "    version 17.1.1.3\n",
			"list sys global-settings hostname": "    hostname sw1\n", `run util bash -c "uptime -p"`: "up 2 weeks, 2 days, 16 hours, ", "show vcmp guest": "", "list ltm monitor http": "",
			"show sys nothing": "Syntax Error",
		}},
	} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, kind, device.Options{})
			s, prompt := r.shell(c.prompt), c.prompt
			if c.enable != "" {
				prompt = c.enable
				enabled(s, "sw1")
			}
			for cmd, want := range c.want {
				out := s.send(cmd, prompt)
				if want == "" && strings.Count(out, "\n") > 4 {
					t.Errorf("%s: %q", cmd, out)
				}
				has(t, out, want)
			}
		})
	}
}

// TestJunosInactive: a statement that is deactivated is there, and marked.
func TestJunosInactive(t *testing.T) {
	r := start(t, "junos-dual-re", device.Options{})
	s := r.shell("sw1> ")
	s.send("configure", "sw1# ")
	s.send("deactivate chassis redundancy graceful-switchover", "sw1# ")
	s.send("commit and-quit", "sw1> ")
	has(t, s.send("show configuration chassis redundancy", "sw1> "), "inactive: graceful-switchover;")
	has(t, s.send("show configuration chassis | display set", "sw1> "), "deactivate chassis redundancy graceful-switchover\n")
	has(t, s.send("show configuration | no-more", "sw1> "), "inactive: graceful-switchover;")
}

// TestOntapFields: any show takes -fields, and chooses rows.
func TestOntapFields(t *testing.T) {
	r := start(t, "netapp-ontap", device.Options{Name: "cluster1"})
	s := r.shell("cluster1::> ")
	s.send("rows 0", "cluster1::> ")
	for cmd, want := range map[string]string{
		"volume show -volume vol0 -fields available":             "vserver volume available\n------- ------ ---------\nn1      vol0   97.32GB\nn2      vol0   97.32GB\n2 entries were displayed.\n",
		"volume show -volume data -fields state,junction-path":   "svm1    data   online /data",
		"storage aggregate show -state !online -fields state":    "There are no entries matching your query.",
		"storage aggregate show -fields state":                   "aggr1_n2  online",
		"network interface show -is-home false -fields lif":      "There are no entries matching your query.",
		"network interface show -lif data* -fields status-oper":  "svm1    data2 up",
		"network port show -link down -fields link":              "There are no entries matching your query.",
		"storage failover show -fields possible":                 "n1   true",
		"system node show -node n2 -fields uptime,health":        "n2   83 days 08:00:",
		"cluster show -fields health":                            "n1   true",
		"cluster image show -fields version":                     "n1   9.13.1P6",
		"system node image show -iscurrent true -fields image":   "n1   image2",
		"vserver show -fields operational-state":                 "svm1     running",
		"volume show -fields nonsense":                           `Error: invalid argument "-nonsense"`,
		"system health alert show -fields suppress":              "There are no entries matching your query.",
		"storage disk show -container-type broken -fields owner": "There are no entries matching your query.",
		"snapmirror show -fields state,healthy":                  "There are no entries matching your query.",
		"metrocluster show":                                      " Local: cluster1                Configuration State    not-configured\n",
		"volume show":                                            "n1        vol0         aggr0_n1     online     RW     151.30GB    97.32GB",
	} {
		has(t, s.send(cmd, "cluster1::> "), want)
	}
	if serial := r.Truth().Member("n1").Values["serial"]; len(serial) != 12 || strings.Trim(serial, "0123456789") != "" {
		t.Errorf("serial %q", serial)
	}
}
