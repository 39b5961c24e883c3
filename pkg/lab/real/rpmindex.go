//go:build linux

package real

import (
	"context"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
)

// index writes the repository's metadata with its advisories, and signs it.
func (r *rpms) index(ctx context.Context, _ string, all []publication) error {
	out, err := r.scratch("rpm", "index")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.offered("rpm/packages"), 0o755); err != nil {
		return err
	}
	if err := quiet(exec.CommandContext(ctx, "createrepo_c", "--quiet", "--outputdir", out, r.offered("rpm"))); err != nil {
		return err
	}
	notices, err := updateInfo(all)
	if err != nil {
		return err
	}
	// The file's name is the type of the metadata.
	path := filepath.Join(out, "updateinfo.xml")
	if err := os.WriteFile(path, notices, 0o644); err != nil {
		return err
	}
	data := filepath.Join(out, "repodata")
	if err := quiet(exec.CommandContext(ctx, "modifyrepo_c", "--mdtype=updateinfo", path, data)); err != nil {
		return err
	}
	return r.publishData(ctx, data)
}

// publishData replaces the served metadata: what is new first, its table of contents
// last, so that a host that reads meanwhile finds what it is told of.
func (r *rpms) publishData(ctx context.Context, data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "repomd.xml" {
			continue
		}
		if err := link(filepath.Join(data, e.Name()), r.public(filepath.Join("rpm/repodata", e.Name()))); err != nil {
			return err
		}
	}
	contents, err := os.ReadFile(filepath.Join(data, "repomd.xml"))
	if err != nil {
		return err
	}
	signature, err := r.key.detached(ctx, contents, true)
	if err != nil {
		return err
	}
	if err := r.publish("rpm/repodata/repomd.xml.asc", signature); err != nil {
		return err
	}
	if err := r.publish("rpm/repodata/repomd.xml.key", r.key.armored); err != nil {
		return err
	}
	return r.publish("rpm/repodata/repomd.xml", contents)
}

// The parts of updateinfo.xml that dnf and zypper read.
type (
	updates struct {
		XMLName xml.Name  `xml:"updates"`
		Updates []*notice `xml:"update"`
	}
	notice struct {
		From        string      `xml:"from,attr"`
		Status      string      `xml:"status,attr"`
		Type        string      `xml:"type,attr"`
		Version     string      `xml:"version,attr"`
		ID          string      `xml:"id"`
		Title       string      `xml:"title"`
		Issued      date        `xml:"issued"`
		Updated     date        `xml:"updated"`
		Severity    string      `xml:"severity,omitempty"`
		References  []reference `xml:"references>reference"`
		Description string      `xml:"description"`
		Packages    []update    `xml:"pkglist>collection>package"`
	}
	date struct {
		Date string `xml:"date,attr"`
	}
	reference struct {
		Href  string `xml:"href,attr"`
		ID    string `xml:"id,attr"`
		Type  string `xml:"type,attr"`
		Title string `xml:"title,attr"`
	}
	update struct {
		Name     string `xml:"name,attr"`
		Epoch    string `xml:"epoch,attr"`
		Version  string `xml:"version,attr"`
		Release  string `xml:"release,attr"`
		Arch     string `xml:"arch,attr"`
		Src      string `xml:"src,attr"`
		Filename string `xml:"filename"`
		Reboot   string `xml:"reboot_suggested,omitempty"`
	}
)
