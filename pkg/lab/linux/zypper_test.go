package linux_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/lab/linux"
)

func sles(more linux.Config) linux.Config {
	more.OS = "sles-15.6"
	more.Repository = []linux.Package{
		{Name: "curl", Version: "8.6.0-150600.4.6.1", Suite: "security", Severity: "Important", Advisory: "SUSE-2026-1001", CVEs: []string{"CVE-2026-1001"}, Reboot: true},
		{Name: "timezone", Version: "2025a-150600.91.4.1", Suite: "updates", Advisory: "SUSE-2026-1002"},
	}
	return more
}

// The texts are in the form of zypper 1.14.42, as recorded.
func TestZypperWords(t *testing.T) {
	const head, tail = "<?xml version='1.0'?>\n<stream>\n", "</stream>\n"
	for name, c := range map[string]struct {
		conf linux.Config
		line string
		want result
	}{
		"updates, one locked": {sles(linux.Config{Held: []string{"timezone"}}), "zypper --xmlout -n --no-refresh list-updates", result{head +
			"<update-status version=\"0.6\">\n<update-list>\n" +
			`<update kind="package" name="curl" edition="8.6.0-150600.4.6.1" arch="x86_64" edition-old="8.6.0-150600.4.3.1"><summary>curl</summary><description/><license/><source url="https://updates.suse.example" alias="Basesystem:Updates"/></update>` +
			"</update-list>\n</update-status>\n" + tail, "", 0}},
		"locks": {sles(linux.Config{Held: []string{"timezone"}}), "zypper --xmlout -n locks", result{head +
			"<locks size=\"1\"><lock number=\"1\"><name>timezone</name><type>package</type></lock>\n</locks>" + tail, "", 0}},
		"a patch": {sles(linux.Config{}), "zypper -n --no-refresh info -t patch SUSE-2026-1001 nope | grep -E 'Name|<'", result{
			"Name        : SUSE-2026-1001\n    curl.x86_64 < 8.6.0-150600.4.6.1\n", "", 0}},
		"plan": {sles(linux.Config{}), "zypper --xmlout -n --no-refresh install --details --dry-run -- curl.x86_64=8.6.0-150600.4.6.1", result{head +
			"<install-summary download-size=\"0\" space-usage-diff=\"0\" packages-to-change=\"1\">\n<to-upgrade>\n" +
			`<solvable type="package" name="curl" edition="8.6.0-150600.4.6.1" arch="x86_64" edition-old="8.6.0-150600.4.3.1" arch-old="x86_64" summary="curl">` +
			"\n<description>made up</description></solvable>\n</to-upgrade>\n</install-summary>\n" + tail, "", 0}},
		"locked package": {sles(linux.Config{Held: []string{"curl"}}), "zypper -n --no-refresh install -- curl.x86_64=8.6.0-150600.4.6.1", result{
			"", "Problem: conflicting requests\n Solution 1: remove lock to allow installation of curl\n", 4}},
		"vanished":                     {sles(linux.Config{}), "zypper -n --no-refresh install -- curl.x86_64=9-1", result{"", "No provider of 'curl.x86_64=9-1' found.\n", 104}},
		"older":                        {sles(linux.Config{}), "zypper -n -q --no-refresh install -- curl.x86_64=8.6.0-150600.4.6.1 >/dev/null; zypper --xmlout -n --no-refresh install --dry-run -- curl.x86_64=8.6.0-150600.4.3.1 | grep -E 'lower|change='", result{"<message type=\"info\">The selected package &#39;curl-8.6.0-150600.4.3.1.x86_64&#39; has lower version than the installed one.</message>\n<install-summary download-size=\"0\" space-usage-diff=\"0\" packages-to-change=\"0\">\n", "", 0}},
		"locked":                       {sles(linux.Config{Faults: linux.Faults{Locked: -1}}), "zypper -n list-updates", result{"", "System management is locked by the application with pid 271 (zypper).\nClose this application before trying again.\n", 7}},
		"script failed":                {sles(linux.Config{Faults: linux.Faults{FailingPostinst: "curl"}}), "zypper -n --no-refresh install -- curl.x86_64=8.6.0-150600.4.6.1 | grep scriptlet; rpm -q curl", result{"warning: %post(curl-8.6.0-150600.4.6.1.x86_64) scriptlet failed, exit status 1\ncurl-8.6.0-150600.4.6.1.x86_64\n", "", 0}},
		"no reboot, says its own list": {sles(linux.Config{}), "zypper -n -q --no-refresh install -- curl.x86_64=8.6.0-150600.4.6.1 >/dev/null; echo $?; zypper -n needs-rebooting | head -n 1", result{"0\nNo core libraries or services have been updated.\n", "", 0}},
		"a file": {sles(linux.Config{}), "zypper -n -q --no-refresh install --download-only -- curl.x86_64=8.6.0-150600.4.6.1 >/dev/null; cp /var/cache/zypp/packages/Basesystem:Updates/x86_64/curl-8.6.0-150600.4.6.1.x86_64.rpm /tmp/x.rpm; zypper -n -q --no-refresh install -- /tmp/x.rpm >/dev/null; rpm -q curl", result{
			"curl-8.6.0-150600.4.6.1.x86_64\n", "", 0}},
		"download says 0 of what is not there": {sles(linux.Config{}), "zypper -n --xmlout --no-refresh download -- curl.x86_64=8.6.0-150600.4.3.1 curl.x86_64=9-1 | grep localfile", result{
			"<download-result><localfile path=\"/var/cache/zypp/packages/Basesystem:Pool/x86_64/curl-8.6.0-150600.4.3.1.x86_64.rpm\"/></download-result>\n", "", 0}},
		"kernel": {sles(linux.Config{}), "uname -r; ls /boot; rpm -q kernel-default", result{"6.4.0-150600.23.7-default\ninitramfs-6.4.0-150600.23.7-default.img\nvmlinuz-6.4.0-150600.23.7-default\nkernel-default-6.4.0-150600.23.7.1.x86_64\n", "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := boot(t, c.conf)
			if got := at(t, m, true, c.line); got != c.want {
				t.Errorf("got  %d %s%s\nwant %d %s%s", got.code, got.out, got.errs, c.want.code, c.want.out, c.want.errs)
			}
		})
	}
}
