package fact_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

func TestHostIDText(t *testing.T) {
	var id fact.HostID
	if err := id.UnmarshalText([]byte("hq/web-01")); err != nil || id.String() != "hq/web-01" {
		t.Errorf("%v, %v", id, err)
	}
	for _, bad := range []string{"", "web-01", "/web", "hq/", "hq/a/b"} {
		if err := new(fact.HostID).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q must be refused", bad)
		}
	}
}

func TestInstalledMindsTheArchitecture(t *testing.T) {
	f := fact.Facts{Packages: []fact.Package{{Name: "libc6", Arch: "i386", Version: "1"}, {Name: "libc6", Arch: "amd64", Version: "2"}}}
	if p, ok := f.Installed("libc6", "amd64"); !ok || p.Version != "2" {
		t.Errorf("got %+v, %v", p, ok)
	}
	if _, ok := f.Installed("libc6", "arm64"); ok {
		t.Error("another architecture is another package")
	}
}
