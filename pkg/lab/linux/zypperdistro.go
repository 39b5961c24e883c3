package linux

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

// slesKernel is the version of the first boot's kernel; its package's release has one
// number more.
const slesKernel = "6.4.0-150600.23.7"

func sles15() distribution {
	return distribution{
		zypper: true,
		osRelease: `NAME="SLES"
VERSION="15-SP6"
VERSION_ID="15.6"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"
ID="sles"
ID_LIKE="suse"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:suse:sles:15:sp6"
DOCUMENTATION_URL="https://documentation.suse.com/"
`,
		kernel: slesKernel + "-default",
		server: "https://updates.suse.example",
		suites: map[string]suite{
			"main":        {origin: "Basesystem:Pool", label: "SLE-Module-Basesystem15-SP6-Pool"},
			"updates":     {origin: "Basesystem:Updates", label: "SLE-Module-Basesystem15-SP6-Updates"},
			"security":    {origin: "Basesystem:Updates", label: "SLE-Module-Basesystem15-SP6-Updates"},
			"third-party": {origin: "vendor", label: "Vendor"},
		},
		packages: base("", map[string]string{
			"bash": "4.4-150400.27.3.2", "ca-certificates": "2+git20240416.98ae794-150300.4.3.3", "coreutils": "8.32-150400.9.6.1", "cronie": "1.5.7-150400.84.3.1",
			"curl": "8.6.0-150600.4.3.1", "glibc": "2.38-150600.14.5.1", "libopenssl3": "3.1.4-150600.5.10.1", "libzypp": "17.34.1-150600.3.4.9",
			"openssh-server": "9.6p1-150600.6.3.1", "openssl-3": "3.1.4-150600.5.10.1", "rpm-ndb": "4.14.3-150400.59.16.1", "sudo": "1.9.15p5-150600.3.3.1",
			"systemd": "254.10-150600.4.5.2", "timezone": "2024a-150600.91.3.1", "zypper": "1.14.73-150600.10.2.6",
		}),
	}
}

// zypperFiles are what zypper and rpm keep on a host.
func (m *Machine) zypperFiles() {
	m.write("/var/lib/rpm/rpmdb.sqlite", "")
	m.write("/var/lib/rpm/.rpm.lock", "")
	for _, dir := range []string{"/var/cache/zypp/packages", "/var/cache/zypp/solv", "/etc/zypp/repos.d", "/var/log/zypp"} {
		m.must(m.FS.MkdirAll(memfs.Root, dir, 0o755))
	}
	m.zypperLists()
}

// zypperLists are the files that a fetched repository leaves.
func (m *Machine) zypperLists() {
	for _, s := range m.zypperRepos() {
		dir := "/var/cache/zypp/raw/" + s.origin + "/repodata/"
		for _, file := range []string{"repomd.xml", "repomd.xml.asc", "repomd.xml.key", "0a1b-primary.xml.gz", "2c3d-updateinfo.xml.gz"} {
			m.try(m.FS.WriteFile(memfs.Root, dir+file, 0o644, []byte("made up\n")))
		}
	}
}

// zypperRepos are the enabled repositories, sorted by alias.
func (m *Machine) zypperRepos() []suite {
	list := m.suites()
	slices.SortFunc(list, func(a, b suite) int { return strings.Compare(a.origin, b.origin) })
	return slices.CompactFunc(list, func(a, b suite) bool { return a.origin == b.origin })
}
