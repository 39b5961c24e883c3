//go:build linux

package real

import (
	"path/filepath"
)

// Gear is what a Debian host has beside the packages that every host has: real programs
// from Debian's archive.
type Gear int

// The kinds of gear.
const (
	Bare  Gear = iota // nothing more
	Pair              // keepalived and nginx
	Route             // FRR, with its own package kept for Lab.Rebuilt
)

// Equip gives a Debian host more programs. The first host of a kind on a machine waits
// for them to be fetched. None of them runs before it was given something to do.
func Equip(g Gear) Option {
	return func(s *spec) { s.gear = g }
}

// keptDebs is where a layer keeps the packages it was made of. It is below apt's own
// cache because apt makes only such folders itself.
const keptDebs = "/var/cache/apt/lab"

// Debian starts what it installs; here a program waits for its configuration.
const (
	pairScript = `
rm -f /etc/nginx/sites-enabled/default
for unit in keepalived:keepalived/keepalived.conf nginx:nginx/conf.d/lab.conf; do
	mkdir -p "/etc/systemd/system/${unit%%:*}.service.d"
	printf '[Unit]\nConditionPathExists=/etc/%s\n' "${unit#*:}" >"/etc/systemd/system/${unit%%:*}.service.d/lab.conf"
done
`
	routeScript = `
rm -f /etc/frr/frr.conf
mkdir -p /etc/systemd/system/frr.service.d
printf '[Unit]\nConditionPathExists=/etc/frr/frr.conf\n' >/etc/systemd/system/frr.service.d/lab.conf
`
)

// kit of a gear is a layer as a system's is, on top of Debian.
func (g Gear) kit() kit {
	k := debianKit()
	switch g {
	case Pair:
		k.name, k.customize = "pair", pairScript
		k.packages = []string{"keepalived", "nginx"}
	case Route:
		k.name, k.customize = "route", routeScript
		k.packages = []string{"--option=Dir::Cache::Archives=" + keptDebs, "frr"}
	case Bare:
	}
	return k
}

// layerDir is the cache's folder of a kit's layer.
func layerDir(cache, base string, k kit) string {
	return filepath.Join(cache, "layer-"+k.name+"-"+layerKey(base, k))
}
