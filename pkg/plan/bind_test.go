package plan

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// TestBind: a draft that is bound to a set from elsewhere holds nothing else.
func TestBind(t *testing.T) {
	digest := patch.DigestOf([]byte("nginx 1.10"))
	set := Freeze([]patch.Proven{
		{Domain: "debian 12 amd64", Name: "nginx", Arch: "amd64", Version: "1.10", Digest: digest, File: "pool/nginx.deb", Assurance: patch.AssuranceSigned},
		{Domain: "debian 12 amd64", Name: "nginx", Arch: "amd64", Version: "1.9"},
		{Domain: "debian 12 amd64", Name: "nginx", Arch: "amd64", Version: "0"},
		{Domain: "debian 12 amd64", Name: "curl", Arch: "amd64", Version: "8"},
		{Domain: "rocky 9 x86_64", Name: "bash", Arch: "amd64", Version: "5"},
	})
	id := fact.HostID{Site: "hq", Name: "web"}
	facts := fact.Facts{Host: id, Platform: "debian", OS: fact.OS{ID: "debian", VersionID: "12"}, Arch: "amd64"}
	for name, tt := range map[string]struct {
		install []patch.Update
		want    string // what is left to install
		left    string
		problem string
	}{
		"as proven":           {[]patch.Update{outdated("curl", "8", patch.Yes)}, "curl 8", "", ""},
		"the newest before":   {[]patch.Update{outdated("nginx", "1.11", patch.Yes)}, "nginx 1.10", "", ""},
		"proven newer":        {[]patch.Update{outdated("nginx", "1.8", patch.Yes)}, "", "nginx 1.8", ""},
		"other domain":        {[]patch.Update{outdated("bash", "5", patch.Yes)}, "", "bash 5", ""},
		"unproven":            {[]patch.Update{outdated("curl", "7", patch.Yes), outdated("zsh", "1", patch.No)}, "", "curl 7 zsh 1", ""},
		"dependency":          {[]patch.Update{{Name: "curl", Arch: "amd64", To: "8", Dependency: true}}, "curl 8", "", ""},
		"unproven dependency": {[]patch.Update{{Name: "libx", Arch: "amd64", To: "1", Dependency: true}}, "libx 1", "", "libx:amd64 1, which the patch set does not prove"},
	} {
		h := &Host{ID: id, Domain: facts.Domain(), Install: tt.install}
		d := &Draft{in: Input{Facts: map[fact.HostID]Found{id: {Facts: facts}}}, rings: []draftRing{{hosts: []fact.HostID{id}}}, hosts: map[fact.HostID]*Host{id: h}}
		d.Bind(set)
		d.Bind(set)
		if got := versions(h.Install); got != tt.want {
			t.Errorf("%s: installs %q, want %q", name, got, tt.want)
		}
		var left []patch.Update
		for _, l := range h.Left {
			left = append(left, l.Update)
			if l.Reason != patch.ReasonUntested {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if got := versions(left); got != tt.left {
			t.Errorf("%s: left %q, want %q", name, got, tt.left)
		}
		if (h.Problem == nil) != (tt.problem == "") || h.Problem != nil && !strings.Contains(h.Problem.What, tt.problem) {
			t.Errorf("%s: %+v", name, h.Problem)
		}
		if len(d.notes) != 1 || !strings.Contains(d.notes[0], SetDigest(set).Short()) {
			t.Errorf("%s: %q", name, d.notes)
		}
		if tt.want == "nginx 1.10" {
			if u := h.Install[0]; u.Digest != digest || u.File != "pool/nginx.deb" || u.Security != patch.Unknown {
				t.Errorf("%+v", u)
			}
		}
	}
}

func versions(updates []patch.Update) string {
	var out []string
	for _, u := range updates {
		out = append(out, u.Name, u.To)
	}
	return strings.Join(out, " ")
}
