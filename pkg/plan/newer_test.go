package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

func outdated(name, to string, security patch.Tri) patch.Update {
	return patch.Update{Name: name, Arch: "amd64", From: "0", To: to, Security: security}
}

// TestNewer: what came out since the plan, security fixes first.
func TestNewer(t *testing.T) {
	planned := Host{
		Install: []patch.Update{outdated("nginx", "1.10", patch.Yes), outdated("curl", "8", patch.No), outdated("same", "1", patch.Yes), outdated("older", "3", patch.Yes)},
		Left:    []patch.Left{{Update: outdated("mysql-server", "8", patch.Yes), Reason: patch.ReasonExcluded}},
	}
	seen := []patch.Update{
		outdated("curl", "9", patch.No), outdated("nginx", "1.11", patch.Unknown), outdated("same", "1", patch.Yes), outdated("older", "2", patch.Yes),
		outdated("mysql-server", "9", patch.Yes), outdated("openssl", "3", patch.Yes), outdated("dull", "1", patch.No), outdated("maybe", "1", patch.Unknown),
	}
	for platform, want := range map[fact.Platform]string{
		"debian": "openssl 3 nginx 1.11 curl 9",
		"odd":    "older 2 openssl 3 nginx 1.11 curl 9", // nobody can tell which is newer
	} {
		var got []string
		for _, u := range Newer(planned, fact.Facts{Platform: platform, Updates: seen}) {
			got = append(got, u.Name, u.To)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", platform, got, want)
		}
	}
}

func TestNewerNote(t *testing.T) {
	if got := NewerNote(Host{}, fact.Facts{Updates: []patch.Update{outdated("dull", "1", patch.No)}}); got != nil {
		t.Errorf("%q", got)
	}
	var many []patch.Update
	for _, name := range []string{"f", "e", "d", "c", "b", "a"} {
		many = append(many, outdated(name, "1", patch.Yes))
	}
	want := []string{"newer since the plan, for the next rollout: a 1 (security), b 1 (security), c 1 (security), d 1 (security), e 1 (security), and more"}
	if got := NewerNote(Host{}, fact.Facts{Updates: many}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestUncovered: hosts for which no host of a ring before can prove anything.
func TestUncovered(t *testing.T) {
	host := func(name, ring, domain string) Host {
		return Host{ID: fact.HostID{Site: "hq", Name: name}, Ring: ring, Domain: domain, Install: []patch.Update{outdated("nginx", "1", patch.Yes)}}
	}
	gone := host("t2", "test", "suse 15")
	gone.Problem = &Problem{What: "no route"}
	idle := host("p5", "production", "arch")
	idle.Install = nil
	p := &Plan{
		Rings: []Ring{{Name: "test"}, {Name: "production"}, {Name: "last"}},
		Hosts: []Host{
			host("t1", "test", "debian 12"), gone, host("p1", "production", "debian 12"), host("p2", "production", "suse 15"),
			host("p3", "production", "rocky 9"), host("p4", "production", "rocky 9"), idle, host("p6", "production", ""), host("l1", "last", "rocky 9"), host("l2", "last", ""),
		},
	}
	var got []string
	for _, u := range p.Uncovered() {
		line := []string{u.Ring + "/" + u.Domain}
		for _, id := range u.Hosts {
			line = append(line, id.Name)
		}
		got = append(got, strings.Join(line, " "))
	}
	want := []string{"production/ p6", "production/rocky 9 p3 p4", "production/suse 15 p2", "last/ l2"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
