package linux

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// imagePackage is the system's image, as one of the lab's packages.
const imagePackage = "os-image"

// images are those that lie on the host. The caller holds mu.
type images struct {
	here   []Package // what the next boot starts first
	booted string    // version
	newest string    // version that was seen in the repository, or ""
}

func (m *Machine) ostreeTools() map[string]posix.Tool {
	return map[string]posix.Tool{"rpm-ostree": m.rpmOSTree}
}

// Commit is the checksum of the image with this version.
func Commit(version string) string {
	sum := sha256.Sum256([]byte("commit " + version))
	return hex.EncodeToString(sum[:])
}

// committed is when: a day later for each version that the lab has below it.
func (m *Machine) committed(version string) int64 {
	at := int64(1_730_000_000)
	for _, p := range m.remote {
		if p.Name == imagePackage && compare(p.Version, version) < 0 {
			at += 86_400
		}
	}
	return at
}

func (m *Machine) ostreeFiles() {
	m.must(m.FS.MkdirAll(memfs.Root, "/sysroot", 0o755))
	m.must(m.FS.MkdirAll(memfs.Root, "/var/cache/rpm-ostree", 0o755))
	m.image = images{here: []Package{m.installed[imagePackage].Package}}
}

// ostreeBoots starts the first image, unless that fails. The caller holds mu.
func (m *Machine) ostreeBoots() {
	if !m.dist.ostree {
		return
	}
	if first := m.image.here[0].Version; m.image.booted == "" || !m.conf.Faults.BootsOldKernel {
		m.image.booted = first
	}
	m.must(m.FS.WriteFile(memfs.Root, "/run/ostree-booted", 0o644, nil))
}

// ostreeRun is one call of rpm-ostree.
type ostreeRun struct {
	m *Machine
	p *posix.Proc
	o posix.Options
}

func (m *Machine) rpmOSTree(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "", "json", "booted", "preview", "download-only", "pending")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	r := &ostreeRun{m: m, p: p, o: o}
	switch verb := o.Args[0]; {
	case verb == "status" && o.Has("json"):
		return r.status()
	case p.UID != memfs.Root:
		return r.errorf("polkit: Not authorized to perform operation")
	case verb == "upgrade" && o.Has("preview"):
		return r.look()
	case verb == "deploy" && len(o.Args) == 2:
		return r.deploy(ctx, o.Args[1])
	case verb == "rollback":
		return r.rollback()
	case verb == "cleanup" && o.Has("pending"):
		return r.cleanup()
	}
	p.Lacks("rpm-ostree %s is not simulated", strings.Join(args[1:], " "))
	return posix.Usage
}

func (r *ostreeRun) errorf(format string, args ...any) int {
	fmt.Fprintf(r.p.Err, "error: "+format+"\n", args...)
	return 1
}

// status prints JSON as json-glib does: a member a line.
func (r *ostreeRun) status() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	var all []string
	for i, image := range r.m.image.here {
		if booted := image.Version == r.m.image.booted; booted || !r.o.Has("booted") {
			all = append(all, r.deployment(image, booted, i == 0 && !booted))
		}
	}
	transaction := "null"
	if r.m.foreign() {
		transaction = "[\n    \"upgrade\",\n    \"client(id:cli)\",\n    \"/\"\n  ]"
	}
	r.p.Printf("{\n  \"deployments\" : [\n%s\n  ],\n  \"transaction\" : %s,\n  \"cached-update\" : %s,\n  \"update-driver\" : null\n}\n",
		strings.Join(all, ",\n"), transaction, r.cached())
	return 0
}

func (r *ostreeRun) deployment(image Package, booted, staged bool) string {
	return fmt.Sprintf(`    {
      "requested-packages" : [
      ],
      "base-commit-meta" : {
        "version" : "made up",
        "ostree.bootable" : true
      },
      "unlocked" : "none",
      "booted" : %t,
      "version" : "%s",
      "osname" : "fedora-iot",
      "origin" : "fedora-iot:fedora/stable/%s/iot",
      "timestamp" : %d,
      "base-removals" : [
      ],
      "regenerate-initramfs" : false,
      "checksum" : "%s",
      "staged" : %t
    }`, booted, image.Version, rpmArch(r.m.conf.Arch), r.m.committed(image.Version), Commit(image.Version), staged)
}

func (r *ostreeRun) cached() string {
	newest := r.m.image.newest
	if newest == "" || newest == r.m.image.booted {
		return "null"
	}
	return fmt.Sprintf(`{
    "version" : "%s",
    "timestamp" : %d,
    "ref-has-new-commit" : true,
    "advisories" : [%s
    ],
    "checksum" : "%s"
  }`, newest, r.m.committed(newest), r.advisories(newest), Commit(newest))
}

func (r *ostreeRun) advisories(version string) string {
	levels := []string{"none", "low", "moderate", "important", "critical"}
	for _, p := range r.m.remote {
		if p.Name != imagePackage || p.Version != version || p.Advisory == "" {
			continue
		}
		var references []string
		for _, cve := range p.CVEs {
			references = append(references, fmt.Sprintf(`[ "https://bugzilla.example/%s", "%s made up" ]`, cve, cve))
		}
		level := max(slices.Index(levels, strings.ToLower(p.Severity)), 0)
		return fmt.Sprintf("\n      [\n        %q,\n        1,\n        %d,\n        [ \"made-up-1-1\" ],\n        { \"cve_references\" : [ %s ] }\n      ]",
			p.Advisory, level, strings.Join(references, ", "))
	}
	return ""
}

// look is upgrade --preview. Without anything newer it exits with 77.
func (r *ostreeRun) look() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.m.image.newest = ""
	r.m.lists = r.m.offering()
	for _, p := range r.m.lists {
		if p.Name == imagePackage && compare(p.Version, r.m.image.booted) > 0 && (r.m.image.newest == "" || compare(p.Version, r.m.image.newest) > 0) {
			r.m.image.newest = p.Version
		}
	}
	if r.m.image.newest == "" {
		r.p.Printf("No updates available.\n")
		return 77
	}
	r.p.Printf("AvailableUpdate:\n        Version: %s\n         Commit: %s\n", r.m.image.newest, Commit(r.m.image.newest))
	return 0
}

// find looks for a commit, here and in the repository. The caller holds mu.
func (r *ostreeRun) find(sum string) (Package, bool) {
	for _, p := range slices.Concat(r.m.image.here, r.m.offering()) {
		if p.Name == imagePackage && Commit(p.Version) == sum {
			return p, true
		}
	}
	return Package{}, false
}

func (r *ostreeRun) deploy(ctx context.Context, sum string) int {
	r.m.mu.Lock()
	image, found := r.find(sum)
	if r.o.Has("preview") {
		r.m.simulate()
	}
	r.m.mu.Unlock()
	switch {
	case !found:
		return r.errorf("Checksum %s not found in fedora-iot:fedora/stable/x86_64/iot", sum)
	case r.o.Has("preview"):
		return 0
	case r.m.diskFull():
		return r.errorf("Writing content object: min-free-space-percent '3%%' would be exceeded")
	case !posix.Pause(ctx, r.m.conf.Pace):
		return 1
	case r.o.Has("download-only"):
		r.p.Printf("Downloaded %s\n", sum)
		return 0
	}
	r.m.power.Event("install")
	defer r.m.working()()
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.first(image)
	r.p.Printf("Staging deployment... done\nRun \"systemctl reboot\" to start a reboot\n")
	return 0
}

// first makes the next boot start this image. The one that runs stays, and what came
// before it goes. The caller holds mu.
func (r *ostreeRun) first(image Package) {
	here := []Package{image}
	for _, p := range r.m.image.here {
		if p.Version != image.Version && (p.Version == r.m.image.booted || image.Version == r.m.image.booted) {
			here = append(here, p)
		}
	}
	from := r.m.image.here[0].Version
	r.m.image.here = here
	if from != image.Version {
		r.m.put(change{to: image, from: from}, false)
	}
}

func (r *ostreeRun) rollback() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if len(r.m.image.here) < 2 {
		return r.errorf("No rollback deployment found")
	}
	from := r.m.image.here[0].Version
	slices.Reverse(r.m.image.here[:2])
	r.m.put(change{to: r.m.image.here[0], from: from}, false)
	r.p.Printf("Moving '%s.0' to be first deployment\n", Commit(r.m.image.here[0].Version))
	return 0
}

func (r *ostreeRun) cleanup() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, p := range r.m.image.here[1:] {
		if p.Version == r.m.image.booted {
			from := r.m.image.here[0].Version
			r.m.image.here = []Package{p}
			r.m.put(change{to: p, from: from}, false)
			break
		}
	}
	return 0
}

func fedoraIoT() distribution {
	return distribution{
		ostree: true,
		osRelease: `NAME="Fedora Linux"
VERSION="41.20241027.0 (IoT Edition)"
ID=fedora
VERSION_ID=41
PRETTY_NAME="Fedora Linux 41.20241027.0 (IoT Edition)"
VARIANT="IoT Edition"
VARIANT_ID=iot
OSTREE_VERSION='41.20241027.0'
`,
		kernel: "6.11.4-301.fc41.%s",
		server: "https://ostree.fedora.example",
		suites: map[string]suite{
			"main": {origin: "fedora-iot"}, "updates": {origin: "fedora-iot"}, "security": {origin: "fedora-iot"}, "third-party": {origin: "vendor"},
		},
		packages: base("", map[string]string{imagePackage: "41.20241027.0", "cronie": "1.7.2-1.fc41", "openssh-server": "9.8p1-3.fc41.1"}),
	}
}
