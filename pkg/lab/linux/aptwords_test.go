package linux_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/linux"
)

// TestAptFiles: package files by their path, downloads, and what they say of themselves.
func TestAptFiles(t *testing.T) {
	m, _ := boot(t, linux.Config{
		Installed:  []linux.Package{{Name: "app", Version: "1:1-1"}},
		Repository: []linux.Package{{Name: "app", Version: "1:2-1", Depends: []string{"part"}}, {Name: "part", Version: "3"}},
	})
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"cd /root && apt-get -q download app=1:2-1 part=3 && ls /root/*.deb", "/root/app_1%3a2-1_amd64.deb\n/root/part_3_amd64.deb\n", "", 0},
		{`dpkg-deb -W --showformat='${Package} ${Architecture} ${Version}\n' /root/app_1%3a2-1_amd64.deb`, "app amd64 1:2-1\n", "", 0},
		{"echo x >/root/bad.deb; dpkg-deb -W /root/bad.deb", "", "dpkg-deb: error: '/root/bad.deb' is not a Debian format archive\n", 2},
		{"apt-get -qq -s -y install /root/gone.deb", "", "E: Unsupported file /root/gone.deb given on commandline\n", 100},
		{"apt-get -qq -y --no-download install app=1:2-1", "", "E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n", 100},
		{"lab-withdraw app 1:2-1; lab-withdraw part; apt-get -qq update; apt-get -qq -s -y install app=1:2-1", "", "E: Version '1:2-1' for 'app' was not found\n", 100},
		{"apt-get -qq -s -y install /root/app_1%3a2-1_amd64.deb /root/part_3_amd64.deb | grep Inst", "Inst part (3 local-deb [amd64])\nInst app [1:1-1] (1:2-1 local-deb [amd64])\n", "", 0},
		{"apt-get -q -y --no-download install /root/part_3_amd64.deb /root/app_1%3a2-1_amd64.deb | grep Setting; apt-mark showauto", "Setting up part (3) ...\nSetting up app (1:2-1) ...\n", "", 0},
		{"apt-get -qq -s -y --allow-downgrades install app=1:1-1 part- | grep -E 'Inst|Remv'", "Remv part [3]\nInst app [1:2-1] (1:1-1 Debian:12.11/stable [amd64])\n", "", 0},
		{"apt-get -qq -s -y --no-remove install part-", "", "E: Packages need to be removed but remove is disabled.\n", 100},
	} {
		r := root(t, m, c.line)
		got := strings.ReplaceAll(r.out, "Get:1", "\nGet:1")
		if i := strings.LastIndex(got, " B]\n"); i >= 0 {
			got = got[i+len(" B]\n"):]
		}
		if got != c.out || r.errs != c.errs || r.code != c.code {
			t.Errorf("%s\ngot  %d %s%s\nwant %d %s%s", c.line, r.code, got, r.errs, c.code, c.out, c.errs)
		}
	}
}

// TestAptLiesSimulated: as real apt, see platform/linux/apt/lies_test.go.
func TestAptLiesSimulated(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: updates()[2:3], Held: []string{"tzdata"}})
	if r := root(t, m, "apt-mark auto tzdata >/dev/null; apt-get -qq -y --allow-change-held-packages install tzdata >/dev/null; apt-mark showhold; apt-mark showauto"); r.out != "" || r.code != 0 {
		t.Errorf("%+v: the hold is cleared, and what was automatic counts as wanted", r)
	}
	m, _ = boot(t, linux.Config{Repository: updates()[2:3], Faults: linux.Faults{Tampered: "tzdata"}})
	if r := root(t, m, "apt-get -qq -y install tzdata"); r.code != 100 || !strings.Contains(r.errs, "Hash Sum mismatch") || len(m.Effects().Transactions) > 0 {
		t.Errorf("%+v", r)
	}
	m, _ = boot(t, linux.Config{Repository: updates()[2:3]})
	r := root(t, m, "apt-get -qq -y -d install tzdata; echo x >/var/cache/apt/archives/tzdata_2025b-0+deb12u2_amd64.deb; apt-get -qq -y install tzdata")
	if r.code != 100 || !strings.Contains(r.errs, "not a Debian format archive") || len(m.Effects().Transactions) > 0 {
		t.Errorf("%+v: what was changed after the download was installed", r)
	}
}

// TestSinceUntil: the repositories move on by the clock; a host learns of it when it asks.
func TestSinceUntil(t *testing.T) {
	m, _ := boot(t, linux.Config{Repository: []linux.Package{
		{Name: "bash", Version: "6", Until: linux.Delay(time.Nanosecond)}, {Name: "bash", Version: "7", Since: linux.Delay(time.Hour)}, {Name: "bash", Version: "5.9"},
	}})
	if r := root(t, m, "apt-get -qq update; apt-cache madison bash | grep -c .; lab-publish bash 8 security; apt-get -qq update; apt-cache madison bash | head -n 1"); !strings.HasPrefix(r.out, "2\n") || !strings.Contains(r.out, "bash |          8 | ") {
		t.Errorf("%+v", r)
	}
}
