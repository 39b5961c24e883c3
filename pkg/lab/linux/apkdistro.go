package linux

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
)

func alpine320() distribution {
	return distribution{
		apk: true,
		osRelease: `NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.3
PRETTY_NAME="Alpine Linux v3.20"
HOME_URL="https://alpinelinux.org/"
BUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"
`,
		kernel: "6.6.58-0-lts",
		server: "https://dl.alpine.example/alpine/v3.20",
		suites: map[string]suite{
			"main": {origin: "main"}, "updates": {origin: "community"}, "security": {origin: "main"}, "third-party": {origin: "vendor"},
		},
		packages: base("", map[string]string{
			"alpine-baselayout": "3.6.5-r0", "apk-tools": "2.14.4-r1", "busybox": "1.36.1-r29", "ca-certificates": "20240705-r0", "curl": "8.10.1-r0",
			"libcrypto3": "3.3.2-r0", "libssl3": "3.3.2-r0", "musl": "1.2.5-r0", "openrc": "0.54-r2", "openssh-server": "9.7_p1-r4", "openssl": "3.3.2-r0",
			"tzdata": "2024b-r0", "zlib": "1.3.1-r1",
		}),
	}
}

const (
	apkLock  = "/lib/apk/db/lock"
	apkDB    = "/lib/apk/db/installed"
	apkWorld = "/etc/apk/world"
	apkIndex = "/var/cache/apk/APKINDEX.0a1b2c3d.tar.gz"
)

// apkFiles are what apk keeps on a host. Its database and its index are made up when they
// are read.
func (m *Machine) apkFiles() {
	m.must(m.FS.MkdirAll(memfs.Root, "/etc/apk/keys", 0o755))
	m.must(m.FS.MkdirAll(memfs.Root, "/lib/apk/db", 0o755))
	m.must(m.FS.MkdirAll(memfs.Root, "/var/cache/apk", 0o755))
	m.write("/etc/apk/repositories", m.dist.server+"/main\n"+m.dist.server+"/community\n")
	m.write(apkLock, "")
	m.must(m.FS.Generate(apkDB, m.apkDatabase))
	m.must(m.FS.Generate(apkIndex, m.apkListing))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conf.Faults.Interrupted {
		m.installed["busybox"].broken = true
	}
	var world []string
	for _, name := range slices.Sorted(maps.Keys(m.installed)) {
		if m.installed[name].hold {
			name += "=" + m.installed[name].Version
		}
		world = append(world, name)
	}
	m.write(apkWorld, strings.Join(world, "\n")+"\n")
}
