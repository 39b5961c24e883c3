package repository

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
)

const (
	maxAdvisories       = 1 << 17
	maxAdvisoryCVEs     = 4096
	maxAdvisoryPackages = 1 << 16
	maxFixed            = 1 << 21 // packages of all advisories
)

// Advisory is one entry of an updateinfo.xml.
type Advisory struct {
	ID       string
	Type     string // as the vendor writes it: security, bugfix, enhancement, recommended ...
	Severity patch.Severity
	CVEs     []string // sorted
	Packages []Fixed  // those that are wanted
}

// Fixed is a package version that an advisory brings.
type Fixed struct {
	Name, Arch, Version string
	// Reboot: the vendor says that it takes a reboot to be in effect.
	Reboot bool
}

// readUpdateinfo reads an updateinfo.xml and gives the advisories that have a wanted
// package.
func readUpdateinfo(r io.Reader, want wanted) ([]Advisory, error) {
	p := &updateParser{want: want}
	if err := readXML(r, "updates", p); err != nil {
		return nil, fmt.Errorf("updateinfo.xml: %w", err)
	}
	return p.all, nil
}

type updateParser struct {
	want   wanted
	all    []Advisory
	fixed  int
	now    Advisory
	pkg    Fixed
	reboot bool // of the whole advisory
}

func (p *updateParser) start(e element) error {
	switch {
	case e.at("update"):
		p.now, p.reboot = Advisory{Type: clean(e.get("type")), Severity: patch.SeverityUnknown}, false
	case e.at("update", "references", "reference"):
		return p.reference(e.get("type"), e.get("id"))
	case e.at("update", "pkglist", "collection", "package"):
		p.pkg = Fixed{Name: e.get("name"), Arch: e.get("arch"), Version: evr(e.get("epoch"), e.get("version"), e.get("release"))}
	}
	return nil
}

func (p *updateParser) reference(kind, id string) error {
	if !strings.EqualFold(kind, "cve") || !isCVE(id) {
		return nil // SUSE writes other things there too
	}
	if len(p.now.CVEs) >= maxAdvisoryCVEs {
		return fmt.Errorf("references of %s: %w", quote(p.now.ID), ErrTooBig)
	}
	p.now.CVEs = append(p.now.CVEs, id)
	return nil
}

// isCVE: CVE, a year of four digits, a number of four digits or more.
func isCVE(id string) bool {
	rest, found := strings.CutPrefix(id, "CVE-")
	year, n, dashed := strings.Cut(rest, "-")
	return found && dashed && len(year) == 4 && len(n) >= 4 && len(n) <= 15 && strings.Trim(year+n, "0123456789") == ""
}

func (p *updateParser) end(path []string, text string) error {
	e := element{path: path}
	switch {
	case e.at("update", "id"):
		p.now.ID = clean(text)
	case e.at("update", "severity"):
		p.now.Severity = severityOf(text)
	case e.at("update", "reboot_suggested"):
		p.reboot = yes(text)
	case e.at("update", "pkglist", "collection", "package", "reboot_suggested"):
		p.pkg.Reboot = yes(text)
	case e.at("update", "pkglist", "collection", "package"):
		return p.fix()
	case e.at("update"):
		return p.keep()
	}
	return nil
}

// yes: the element alone says it, unless its text takes it back.
func yes(text string) bool {
	return !strings.EqualFold(text, "false") && text != "0" && !strings.EqualFold(text, "no")
}

func severityOf(text string) patch.Severity {
	s := patch.Severity(strings.ToLower(text))
	if s == "medium" { // Amazon Linux
		s = patch.SeverityModerate
	}
	if slices.Contains(patch.Severities(), s) {
		return s
	}
	return patch.SeverityUnknown
}

func (p *updateParser) fix() error {
	if !p.want.has([]byte(p.pkg.Name)) || p.pkg.Arch == "src" {
		return nil
	}
	// The form is an entry's, which has a file besides.
	form := Entry{Name: p.pkg.Name, Arch: p.pkg.Arch, Version: p.pkg.Version, File: "none"}
	if err := form.check(); err != nil {
		return err
	}
	if p.fixed++; p.fixed > maxFixed || len(p.now.Packages) >= maxAdvisoryPackages {
		return fmt.Errorf("packages of advisories: %w", ErrTooBig)
	}
	p.now.Packages = append(p.now.Packages, p.pkg)
	return nil
}

func (p *updateParser) keep() error {
	if len(p.now.Packages) == 0 {
		return nil
	}
	if len(p.all) >= maxAdvisories {
		return fmt.Errorf("advisories: %w", ErrTooBig)
	}
	for i := range p.now.Packages {
		p.now.Packages[i].Reboot = p.now.Packages[i].Reboot || p.reboot
	}
	slices.Sort(p.now.CVEs)
	p.now.CVEs = slices.Compact(p.now.CVEs)
	p.all = append(p.all, p.now)
	return nil
}
