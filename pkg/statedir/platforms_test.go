package statedir

import (
	"maps"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

func TestPlatformsAreHints(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	a, b := fact.HostID{Site: "hq", Name: "a"}, fact.HostID{Site: "hq", Name: "b"}
	for _, step := range []struct{ found, want map[fact.HostID]fact.Platform }{
		{map[fact.HostID]fact.Platform{a: "junos", b: "arista_eos"}, map[fact.HostID]fact.Platform{a: "junos", b: "arista_eos"}},
		{map[fact.HostID]fact.Platform{a: ""}, map[fact.HostID]fact.Platform{b: "arista_eos"}},
		{nil, map[fact.HostID]fact.Platform{b: "arista_eos"}},
	} {
		if err := d.LearnPlatforms(t.Context(), step.found); err != nil {
			t.Fatal(err)
		}
		if got := d.Platforms(); !maps.Equal(got, step.want) {
			t.Errorf("got %v, want %v", got, step.want)
		}
	}
	for _, damaged := range []string{"", "{", `{"version": 1, "hosts": {"nobody": "x"}}`, `{"version": 99, "hosts": {}}`} {
		if err := replace(d.root, platformsName, []byte(damaged)); err != nil {
			t.Fatal(err)
		}
		if got := d.Platforms(); len(got) != 0 {
			t.Errorf("%s: %v", damaged, got)
		}
	}
	if err := d.LearnPlatforms(t.Context(), map[fact.HostID]fact.Platform{a: "junos"}); err != nil || d.Platforms()[a] != "junos" {
		t.Errorf("a damaged file is replaced: %v", err)
	}
}
