package connect

import (
	"slices"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

func TestExplain(t *testing.T) {
	path := configFile(t, "Host web\n HostName 10.1.1.1\n User deploy\n ProxyJump b1\n IdentityFile /k/one\n IdentityFile /k/two\n HostKeyAlias Known\nHost bad\n ProxyCommand x\n")
	r := newRig(t, Options{SSHConfig: path})
	h := host(t, "web", "x:2222")
	h.Address, h.User, h.Jump = "", "", nil
	got, err := r.Explain(t.Context(), h, site())
	want := []Line{
		{"address", "10.1.1.1", path + ":2"},
		{"port", "2222", "inventory"},
		{"user", "deploy", path + ":3"},
		{"known_hosts name", "known:22", path + ":7"},
		{"jump", localUser() + "@b1:22", path + ":4"},
		{"keys", "/k/one /k/two", path + ":5"},
		{"certificates", "", "default"},
		{"agent", "", "default"},
		{"control_path", "", "default"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q, %v", got, want, err)
	}
	h.Credentials.Key, h.Jump, h.Address = "~/key", []string{}, "10.0.0.1"
	got, err = r.Explain(t.Context(), h, site())
	if err != nil || got[0] != (Line{"address", "10.0.0.1", "inventory"}) || got[4] != (Line{"jump", "", "inventory"}) || got[5] != (Line{"keys", "~/key", "inventory"}) {
		t.Errorf("%q, %v", got, err)
	}
	h.Jump, h.Address = nil, "bad"
	_, err = r.Explain(t.Context(), h, site())
	wantFault(t, err, fault.Unsupported, "ProxyCommand")
}
