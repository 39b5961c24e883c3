package app

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/report"
)

func keyHost() inventory.Host {
	return inventory.Host{ID: fact.HostID{Site: "hq", Name: "web"}}
}

func states(one report.LookedKeys) string {
	var all []string
	for _, k := range one.Keys {
		all = append(all, k.State)
	}
	return strings.Join(all, " ")
}

// A rotation is told as it stands: before the yes, after it, and where nothing may be written.
func TestRotationIsTold(t *testing.T) {
	told := connect.Rotation{
		Announced: true,
		Kept:      []connect.KnownKey{{Type: "ssh-ed25519", Fingerprint: "SHA256:a", Where: "f:1"}},
		Added:     []connect.HostKey{{Type: "ssh-rsa", Fingerprint: "SHA256:b"}},
		Gone:      []connect.KnownKey{{Type: "ssh-rsa", Fingerprint: "SHA256:c", Where: "f:2"}, {Type: "ssh-rsa", Fingerprint: "SHA256:d", Where: "g:9"}},
	}
	pinned := told
	pinned.Pins, pinned.Gone = []string{"SHA256:a"}, nil
	done := connect.Rotated{Added: []connect.KnownKey{{Fingerprint: "SHA256:b", Where: "f:3"}}, Removed: told.Gone[:1], Left: told.Gone[1:]}
	cases := []struct {
		name   string
		in     rotated
		state  string
		keys   string
		says   string
		writes int
	}{
		{"asked", rotated{rotation: told}, "ok", "ok proven gone gone", "", 3},
		{"done", rotated{rotation: told, done: done}, "recorded", "ok recorded removed gone", "remove by hand: g:9", 0},
		{"pinned", rotated{rotation: pinned}, "ok", "ok unpinned", "add to its host_keys: SHA256:b", 0},
		{"silent", rotated{}, "ok", "", "does not tell", 0},
		{"certified", rotated{rotation: connect.Rotation{Certified: true}}, "ok", "", "a certificate vouches", 0},
		{"failed", rotated{err: errors.New("no")}, "ok", "", "", 0},
	}
	for _, c := range cases {
		c.in.host = keyHost()
		got := c.in.looked()
		if got.State != c.state || states(got) != c.keys || !strings.Contains(got.Why+" "+got.Hint, c.says) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if n := rotationOf([]rotated{c.in}).Recordable(); c.name != "done" && n != c.writes {
			t.Errorf("%s: %d keys to write or remove, want %d", c.name, n, c.writes)
		}
	}
}

// What a file says decides alone, where one was given: also over what is known already.
func TestPinnedAgainstAFile(t *testing.T) {
	key := func(standing connect.Standing, sum string) connect.ShownKey {
		return connect.ShownKey{HostKey: connect.HostKey{Type: "ssh-ed25519", Fingerprint: sum}, Standing: standing}
	}
	shown := func(standing connect.Standing, keys ...connect.ShownKey) surveyed {
		return surveyed{host: keyHost(), keys: connect.KeySurvey{Standing: standing, Shown: keys}}
	}
	unknown := shown(connect.Unknown, key(connect.Unknown, "SHA256:a"), key(connect.Unknown, "SHA256:b"))
	cases := []struct {
		name  string
		in    pinned
		state string
		keys  string
		wants string
	}{
		{"no file", pinned{surveyed: unknown}, "unknown", "unknown unknown", "SHA256:a SHA256:b"},
		{"both in it", pinned{unknown, map[string]string{"SHA256:a": "f:1", "SHA256:b": "f:2"}, ""}, "confirmed", "confirmed confirmed", "SHA256:a SHA256:b"},
		{"one in it", pinned{unknown, map[string]string{"SHA256:a": "f:1"}, ""}, "confirmed", "confirmed unknown", "SHA256:a"},
		{"none in it", pinned{unknown, map[string]string{}, ""}, "unknown", "unknown unknown", ""},
		{"another one in it", pinned{unknown, map[string]string{"SHA256:a": "f:1"}, "f:2"}, "changed", "confirmed unknown", ""},
		{"known, but another one in it", pinned{shown(connect.Trusted, key(connect.Trusted, "SHA256:a")), map[string]string{}, "f:2"}, "changed", "ok", ""},
	}
	for _, c := range cases {
		got := c.in.looked()
		var wants []string
		for _, k := range c.in.keys.Shown {
			if c.in.wants(k) {
				wants = append(wants, k.Fingerprint)
			}
		}
		if got.State != c.state || states(got) != c.keys || c.wants != strings.Join(wants, " ") && c.name != "known, but another one in it" {
			t.Errorf("%s: %s, %q, wants %q", c.name, got.State, states(got), wants)
		}
	}
}

func TestHostKeyLines(t *testing.T) {
	got := hostKeyLines([]report.HostKeysHost{
		{Host: "hq/web", State: "confirmed", Keys: []report.LookedKey{{Type: "ssh-ed25519", Fingerprint: "SHA256:a", State: "confirmed"}, {Type: "ssh-rsa", Fingerprint: "SHA256:b", State: "unknown"}, {Fingerprint: "SHA256:c", State: "gone"}}},
		{Host: "hq/db", State: "changed", Keys: []report.LookedKey{{Fingerprint: "SHA256:d", State: "changed"}}},
	})
	lines := strings.Split(got, "\n")
	for _, want := range []string{"web:  # hq/web", "  host_keys:", `    - "SHA256:a"  # ssh-ed25519`, `    - "SHA256:b"  # ssh-rsa: compare it first, nobody has`, "# hq/db: changed, not written"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "SHA256:c") || strings.Contains(got, "SHA256:d") {
		t.Errorf("a key that is not the host's is in\n%s", got)
	}
}

// What is to be typed next is for the same hosts, and whole where no pattern was given.
func TestHintsKeepThePattern(t *testing.T) {
	one := report.LookedKeys{Host: keyHost().ID, State: "unknown", Keys: []report.LookedKey{{Type: "ssh-ed25519", Fingerprint: "SHA256:a", State: "unknown"}}}
	doc := report.NewHostKeys("pin", []report.LookedKeys{one})
	for hosts, want := range map[string]string{"": "hostkeys pin --yes", "web": "hostkeys pin web --yes", "web,!db*": "hostkeys pin 'web,!db*' --yes"} {
		end, err := Env{Err: io.Discard, Out: io.Discard}.notRecorded(HostKeysOptions{Hosts: hosts}, doc, true)
		if err != nil || !strings.HasSuffix(end.Next, "patchring "+want) {
			t.Errorf("%q: %q, %v", hosts, end.Next, err)
		}
	}
	if got := (HostKeysOptions{Hosts: "web"}).command("pin"); got != "patchring hostkeys pin web" {
		t.Errorf("after a check: %q", got)
	}
}
