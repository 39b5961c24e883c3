package report

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

// sampleKeys has every state of a host and of a key.
func sampleKeys() []LookedKeys {
	const kind, file = "ssh-ed25519", "/site/.patchring/known_hosts/hq"
	key := func(kind, sum, state, where string) LookedKey { return LookedKey{kind, "SHA256:" + sum, state, where} }
	sum := func(c string) string { return strings.Repeat(c, 43) }
	host := func(name, state string, keys ...LookedKey) LookedKeys {
		return LookedKeys{Host: id(name), Name: name, File: file, State: state, Keys: keys}
	}
	changed := host("web2", "changed", key(kind, sum("c"), "changed", file+":2"), key("ssh-rsa", sum("d"), "ok", file+":3"))
	changed.Why, changed.Hint = "host key changed: "+file+":2 holds another", "was it reinstalled? Compare the fingerprint on its console"
	rotated := host("web5", "recorded", key(kind, sum("a"), "ok", file+":5"), key("ecdsa-sha2-nistp256", sum("b"), "recorded", file+":9"), key("ssh-rsa", sum("e"), "removed", file+":6"))
	rotated.Backup, rotated.Skipped = "/site/.patchring/known_hosts/.hq.before-rotation", []string{"a key of the kind ssh-dss\x1b[31m"}
	return []LookedKeys{
		host("web1", "ok", key(kind, sum("a"), "ok", file+":1")),
		changed, rotated,
		host("web3", "unknown", key(kind, sum("f"), "unknown", "")),
		host("web4", "revoked", key(kind, sum("g"), "revoked", file+":4")),
		host("web6", "other_kind", key(kind, sum("h"), "ok", file+":7"), key("ssh-rsa", sum("i"), "other_kind", ""), key("ecdsa-sha2-nistp521", sum("j"), "gone", file+":8")),
		host("web7", ""),
		{Host: id("web8"), Err: &fault.Error{Code: fault.Unreachable, What: "10.0.0.8:22: no answer within 15s", Hint: "is it switched on?"}},
		{Host: id("web9"), Err: &fault.Error{Code: fault.HostKeyChanged, What: "the list of host keys is refused", Hint: "look at sshd"}},
	}
}

// TestHostKeysGolden shows the document in every format.
func TestHostKeysGolden(t *testing.T) {
	doc := NewHostKeys("check", sampleKeys())
	golden(t, "hostkeys.80.txt", render(t, doc, FormatTable, Options{Width: 80}))
	golden(t, "hostkeys.wide.txt", render(t, doc, FormatTable, Options{}))
	golden(t, "hostkeys.brief.txt", render(t, doc, FormatTable, Options{Width: 100, Brief: true}))
	golden(t, "hostkeys.json", render(t, doc, FormatJSON, Options{}))
	golden(t, "hostkeys.csv", render(t, doc, FormatCSV, Options{}))
	golden(t, "hostkeys.xml", render(t, doc, FormatJUnit, Options{}))
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown, FormatCSV, FormatJUnit} {
		out := string(render(t, doc, f, Options{Width: 80}))
		if strings.ContainsRune(out, 0x1b) {
			t.Errorf("%s: an escape of a host came through", f)
		}
		for _, one := range sampleKeys() {
			if !strings.Contains(out, one.Host.Name) {
				t.Errorf("%s: %s is lost", f, one.Host)
			}
		}
	}
}

// TestHostKeysExit: what nobody can vouch for is never done.
func TestHostKeysExit(t *testing.T) {
	one := func(state string) LookedKeys { return LookedKeys{Host: id("web1"), State: state} }
	failed := func(c fault.Code) LookedKeys { return LookedKeys{Host: id("web2"), Err: &fault.Error{Code: c}} }
	cases := []struct {
		in   []LookedKeys
		want int
	}{
		{[]LookedKeys{one("ok"), one("other_kind"), one("recorded"), one("confirmed")}, ExitDone},
		{[]LookedKeys{one("ok"), one("unknown")}, ExitNeedsPerson},
		{[]LookedKeys{one("changed")}, ExitNeedsPerson},
		{[]LookedKeys{one("revoked")}, ExitNeedsPerson},
		{[]LookedKeys{one("")}, ExitNeedsPerson},
		{[]LookedKeys{one("of a later version")}, ExitNeedsPerson},
		{[]LookedKeys{one("changed"), failed(fault.Unreachable)}, ExitUnreachable},
		{[]LookedKeys{failed(fault.Auth), one("ok")}, ExitUnreachable},
		{[]LookedKeys{failed(fault.HostKeyUnknown)}, ExitNeedsPerson},
		{[]LookedKeys{failed(fault.Usage), failed(fault.Unreachable)}, ExitUsage},
	}
	for i, c := range cases {
		doc := NewHostKeys("check", c.in)
		if doc.Exit.Code != c.want || doc.Totals.Hosts != len(c.in) {
			t.Errorf("case %d: %+v, want %d", i, doc.Exit, c.want)
		}
	}
	if n := NewHostKeys("pin", sampleKeys()).Recordable(); n != 3 {
		t.Errorf("%d keys could be written or removed, want 3: unknown, other kind, gone", n)
	}
}
