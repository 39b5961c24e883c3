package workflow

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
)

// moving are lines of a configuration that differ from one look to the next, or with the
// upgrade itself, though nobody changed anything: before and after. Made up by hand in the
// vendors' forms.
func moving() map[string][][2]string {
	return map[string][][2]string{
		"cisco_iosxe": {
			{"Current configuration : 10241 bytes", "Current configuration : 10274 bytes"},
			{"Using 4312 out of 2097152 bytes", "Using 4320 out of 2097152 bytes"},
			{"! Last configuration change at 10:00:00 UTC Mon Mar 2 2026 by ops", "! Last configuration change at 11:00:00 UTC Mon Mar 2 2026"},
			{"! NVRAM config last updated at 10:00:01 UTC", "! NVRAM config last updated at 11:00:01 UTC"},
			{"version 17.9", "version 17.12"}, {"ntp clock-period 36029056", "ntp clock-period 36029090"},
			{"boot system flash:old.bin", "boot system flash:new.bin"},
			{"memory free low-watermark processor 132085", "memory free low-watermark processor 133010"},
			{"Load for five secs: 2%/0%; one minute: 3%; five minutes: 3%", "Load for five secs: 5%/0%; one minute: 4%; five minutes: 3%"},
			{"Time source is NTP, 10:00:00.123 UTC Mon Mar 2 2026", "Time source is NTP, 11:00:00.456 UTC Mon Mar 2 2026"},
		},
		"arista_eos": {
			{"! Command: show running-config", "! Command: show running-config all"},
			{"! device: leaf1 (DCS-7050SX3-48YC8, EOS-4.30.5M)", "! device: leaf1 (DCS-7050SX3-48YC8, EOS-4.32.1F)"},
			{"! boot system flash:/EOS-4.30.5M.swi", "! boot system flash:/EOS-4.32.1F.swi"},
		},
		"junos": {
			{"## Last commit: 2026-03-02 10:00:00 UTC by ops", "## Last commit: 2026-03-02 11:00:00 UTC by root"},
			{"## Last changed: 2026-03-02 10:00:00 UTC", "## Last changed: 2026-03-02 11:00:00 UTC"},
			{"version 22.4R3.25;", "version 23.4R2-S2.1;"}, {"{master:0}", "{primary:node0}"},
		},
		"f5_bigip": {
			{"    creation-time 2026-03-02:10:00:00", "    creation-time 2026-03-02:11:00:00"},
			{"    last-modified-time 2026-03-02:10:00:00", "    last-modified-time 2026-03-02:11:00:00"},
			{"            session monitor-enabled", "            session user-enabled"}, {"            state up", "            state checking"},
			{"    passphrase $M$ab$c2VjcmV0", "    passphrase $M$xy$b3RoZXI="},
		},
		"netapp_ontap": {{"12 entries were displayed.", "13 entries were displayed."}},
		"fortinet_fortios": {
			{"#config-version=FGT60F-7.4.7-FW-build2731-250120:opmode=0:vdom=0:user=ops", "#config-version=FGT60F-7.4.8-FW-build2795-250523:opmode=0:vdom=0:user=ops"},
			{"#conf_file_ver=1234567890123456", "#conf_file_ver=6543210987654321"}, {"#buildno=2731", "#buildno=2795"},
			{"        set password ENC SH2aaaa", "        set password ENC SH2bbbb"}, {"        set psksecret ENC AAAA", "        set psksecret ENC BBBB"},
			{`        set passwd "ops" ENC aaaa`, `        set passwd "ops" ENC bbbb`},
			{"        set uuid 0a1b2c3d-0000-51e9-0000-000000000000", "        set uuid 1a1b2c3d-0000-51e9-0000-000000000000"},
			{`        set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----`, `        set private-key "-----BEGIN RSA PRIVATE KEY-----`},
			{"MIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQI", "MIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQJ"}, {"Zm9v=", "YmFyLg=="},
			{"        set last-updated 1772445600", "        set last-updated 1772449200"},
		},
	}
}

// still are lines whose change is one.
func still() map[string][]string {
	return map[string][]string{
		"cisco_iosxe":      {"hostname sw1", " ip address 10.0.0.1 255.255.255.0", "enable secret 9 $9$abc", "snmp-server location boot system", "ip ssh version 2"},
		"arista_eos":       {"hostname leaf1", "   mlag 10", "router bgp 65001"},
		"junos":            {"host-name r1;", "protocol-version v2;", "    version 9;\n    template x;"},
		"f5_bigip":         {"    destination 10.0.0.1:443", "            session user-disabled", "            state user-down", "    monitor min 1 of { gateway_icmp }"},
		"netapp_ontap":     {"svm1 lif1 10.0.0.1 255.255.255.0 n1 e0c up"},
		"fortinet_fortios": {"        set hostname fgt1", "        set dstaddr all", "    edit 1", "        set type static", "next", "        set uuid-traffic-log address"},
	}
}

// TestDropsCoverWhatMoves: what moves by itself is no change of the configuration, and all
// else is one.
func TestDropsCoverWhatMoves(t *testing.T) {
	for _, p := range families(t) {
		d, name := Driver{Platform: p}, string(p.Name())
		items := func(line string) []string {
			return d.configuration(remote.Result{Ending: remote.Done, Out: []byte("first line of all\r\n" + line + "\r\n")}).Items
		}
		if len(moving()[name]) == 0 || len(still()[name]) == 0 {
			t.Errorf("%s has no lines here", name)
		}
		for _, pair := range moving()[name] {
			if !slices.Equal(items(pair[0]), items(pair[1])) {
				t.Errorf("%s: %q is a change", name, pair)
			}
		}
		for _, line := range still()[name] {
			if len(items(line)) != 2+strings.Count(line, "\n") {
				t.Errorf("%s: %q is left out", name, line)
			}
		}
	}
}
