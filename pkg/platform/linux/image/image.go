// Package image knows systems that are replaced as a whole. rpm-ostree is driven; the
// others are recognised, and refused with the reason. What it knows of rpm-ostree is from its
// manual and sources, and from outputs that others have published: no real one was asked.
package image

import (
	_ "embed"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

//go:embed ostree.sh
var script string

//go:embed jobs.sh
var jobs string

// OSTree is Fedora CoreOS, IoT and the atomic desktops, and RHEL for Edge.
const OSTree fact.Platform = "ostree"

// Name of the one thing that is updated: the image.
const Name = "os-image"

// Managers are rpm-ostree, and those that are looked at only.
func Managers() linux.Managers {
	return append(linux.Managers{ostree()}, refused()...)
}

// ostree is rpm-ostree with images from ostree repositories. A version names the commit in
// full, so that a later ring gets the same one or none.
func ostree() linux.Manager {
	return linux.Manager{
		Name: "ostree", Is: func(fact.OS) fact.Platform { return OSTree }, Drives: []fact.Platform{OSTree},
		Order: order, Ending: ".commit",
		Spec:   func(u patch.Update, _ string) string { return u.Name + "=" + u.To },
		Key:    func(name, _, _ string) string { return name },
		Script: script, Acts: jobs, Frozen: true, Shows: shows(),
		Aside: []string{"rpm-ostreed-automatic.timer"},
		Read:  read, Health: trouble, Simulated: simulated, Due: due,
	}
}

// refused are systems that this build only looks at.
func refused() linux.Managers {
	var all linux.Managers
	for _, r := range []struct{ name, why string }{
		{"bootc", "its image is named by a tag that moves, and this build can't hold hosts to the image that was tested; use bootc switch with a digest"},
		{"ostree-image", "this is an image-based system whose updater this build does not know"},
		{"transactional-update", "it can't be told to install exact versions, and a second run before the reboot would begin anew from the running system and lose the first"},
		{"abroot", "it takes whatever image is the newest, and can't be held to the one that was tested"},
		{"nixos", "its system is built from its configuration: pin the versions there"},
		{"ubuntu-core", "snapd updates it by itself; hold and order refreshes there"},
	} {
		all = append(all, linux.Manager{Name: r.name, Refused: r.why})
	}
	return all
}
