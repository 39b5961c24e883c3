package image

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// read fills in what the sections of a host with rpm-ostree tell.
func read(r *linux.Reader) {
	r.Arch()
	r.Installed("packages", "rpm-ostree status")
	s, err := readStatus(r.Report.Get("image").Out)
	booted, runs := s.booted()
	if err != nil || !runs {
		why := "rpm-ostree status does not tell which image runs"
		if err != nil {
			why = remote.Clean(err.Error(), 300)
		}
		r.Problem("updates", "%s", why)
		r.Problem("manager", "%s", why)
		return
	}
	// Hosts of one stream are alike, and an update may well be one of the release.
	if ref := slug(booted.Origin); ref != "" {
		r.Facts.OS.VersionID = ref
	}
	r.Facts.Manager.State = fact.ManagerOK
	r.Locks()
	r.Refreshed(refreshFailure(r.Report))
	r.Facts.Updates, r.Facts.KeptBack = pending(s, r.Facts.Arch)
}

// refreshFailure: exit status 77 says that there is nothing newer.
func refreshFailure(rep linux.Report) string {
	s := rep.Get("refresh")
	if !rep.Has("refresh") || s.OK() || s.Status == 77 {
		return ""
	}
	return "rpm-ostree upgrade --preview: " + s.Why()
}

// slug is an origin as one word: "fedora:fedora/x86_64/coreos/stable".
func slug(origin string) string {
	if strings.ContainsAny(origin, " \t\n") {
		return ""
	}
	return remote.Clean(origin, 100)
}

// pending is the newest image, unless the next boot starts it already.
func pending(s status, arch string) ([]patch.Update, []patch.Left) {
	n, next := s.Newest, s.Deployments[0]
	if n == nil || n.New != nil && !*n.New || order(n.text(), next.text()) == 0 {
		return nil, nil
	}
	u := patch.Update{
		Name: Name, Arch: arch, From: next.text(), To: n.text(), Origin: remote.Clean(next.Origin, 200),
		Security: patch.Unknown, Severity: patch.SeverityUnknown,
	}
	// Without any, nothing is said: many streams have no advisories at all.
	if len(n.Advisories) > 0 {
		u.Security, u.Severity, u.CVEs = patch.Yes, n.severity(), n.cves()
	}
	if !linux.WellFormed(u) {
		return nil, nil
	}
	why := obstacle(s)
	if why == "" && order(u.From, u.To) > 0 {
		why = "it is older than what the next boot starts"
	}
	if why != "" {
		return nil, []patch.Left{{Update: u, Reason: patch.ReasonKeptBack, Detail: why}}
	}
	return []patch.Update{u}, nil
}

// severity is the gravest of all advisories.
func (n newest) severity() patch.Severity {
	gravest := 0
	for _, a := range n.Advisories {
		var level int
		if len(a) > 2 && json.Unmarshal(a[2], &level) == nil && level <= len(patch.Severities()) {
			gravest = max(gravest, level)
		}
	}
	if gravest == 0 {
		return patch.SeverityUnknown
	}
	return patch.Severities()[gravest-1]
}

var cveForm = regexp.MustCompile(`CVE-[0-9]{4}-[0-9]{4,19}`)

// cves are all that the advisories refer to, sorted.
func (n newest) cves() string {
	var all []string
	for _, a := range n.Advisories {
		if len(a) > 4 {
			all = append(all, cveForm.FindAllString(string(a[4]), 1000)...)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// obstacle is why this image can't be replaced by an exact one, or "".
func obstacle(s status) string {
	d := s.Deployments[0]
	switch {
	case d.Container != "":
		return "its image comes from a container registry (" + remote.Clean(d.Container, 100) + "), which this build can't hold to a tested one"
	case d.Origin == "":
		return "its image has no origin: there is nothing to update it from"
	case len(d.Requested)+len(d.RequestedLocal) > 0:
		return "packages are layered onto its image, and rpm-ostree would take whatever versions the repositories have"
	case len(d.Removals)+len(d.Replacements) > 0:
		return "packages of its image are overridden, and would be so in the new one"
	case d.Initramfs:
		return "its initramfs is made on the host, which makes an image of its own"
	case s.Driver != nil && s.Driver.Name != "":
		return "its updates are driven by " + remote.Clean(s.Driver.Name+" ("+s.Driver.Unit+")", 100) + ": disable that, or leave the host to it"
	}
	return ""
}
