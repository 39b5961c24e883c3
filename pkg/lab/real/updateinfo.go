//go:build linux

package real

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
)

// issued is when every advisory was.
const issued = "2026-11-01 00:00:00"

// updateInfo writes the advisories of what is offered. Packages in Base have none.
func updateInfo(all []publication) ([]byte, error) {
	doc := updates{}
	byID := map[string]*notice{}
	for _, p := range all {
		if p.withdrawn || p.suite == Base {
			continue
		}
		n := byID[p.advisoryID()]
		if n == nil {
			n = newNotice(p)
			byID[n.ID] = n
			doc.Updates = append(doc.Updates, n)
		}
		n.Packages = append(n.Packages, updateOf(p))
	}
	text, err := xml.MarshalIndent(doc, "", " ")
	return append([]byte(xml.Header), text...), err
}

// advisoryID is the one that was asked for, or one made of the package's number, in
// the style of Rocky Linux.
func (p publication) advisoryID() string {
	if p.Advisory.ID != "" {
		return p.Advisory.ID
	}
	kind := "RLBA"
	if p.suite == Security {
		kind = "RLSA"
	}
	return fmt.Sprintf("%s-2026:%04d", kind, p.number)
}

func newNotice(p publication) *notice {
	n := &notice{
		From: "lab@example.org", Status: "final", Type: "bugfix", Version: "1",
		ID: p.advisoryID(), Title: p.Name + " update", Issued: date{issued}, Updated: date{issued},
		Severity: p.Advisory.Severity, Description: "A made-up update of " + p.Name + ".",
	}
	if p.suite == Security {
		n.Type = "security"
	}
	for _, cve := range p.Advisory.CVEs {
		n.References = append(n.References, reference{"https://cve.example/" + cve, cve, "cve", cve})
	}
	return n
}

func updateOf(p publication) update {
	epoch, rest := "0", Rocky.Version(p.Version)
	if e, r, has := strings.Cut(rest, ":"); has {
		epoch, rest = e, r
	}
	version, release, _ := strings.Cut(rest, "-")
	name := p.Name + "-" + rest
	u := update{
		Name: p.Name, Epoch: epoch, Version: version, Release: release, Arch: "noarch",
		Src: name + ".src.rpm", Filename: filepath.Base((&rpms{}).path(p)),
	}
	if p.Advisory.Reboot {
		u.Reboot = "True"
	}
	return u
}
