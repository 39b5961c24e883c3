package zypper_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/patchring/patchring/pkg/platform/linux"
)

// TestHostile: nothing that a repository or a lock says of itself reaches a screen or a
// command as it is.
func TestHostile(t *testing.T) {
	const bad = "\x1b]0;owned\x07$(reboot)`reboot`"
	for name, tt := range map[string]struct{ old, now string }{
		"a name":       {`name="pr-plain"`, `name="pr-plain` + bad + `"`},
		"a version":    {`edition="1.2-150600.1.1"`, `edition="1.2-1;reboot"`},
		"an alias":     {`alias="SLE-Updates"`, `alias="` + bad + `"`},
		"a lock":       {"<name>pr-locked", "<name>" + bad},
		"a patch":      {`name="SUSE-SLE-15-SP6-2026-1005"`, `name="` + bad + `"`},
		"a CVE":        {`id="CVE-2026-1001"`, `id="` + bad + `"`},
		"what it is":   {"    pr-plain.x86_64 <", "    " + bad + " <"},
		"a repository": {"\tSLE Updates\n", "\t" + bad + "\n"},
		"bad bytes":    {`name="pr-plain"`, "name=\"pr-plain\xff\xfe\x00\""},
		"an entity":    {"<?xml", "<!DOCTYPE x [<!ENTITY a \"aaaaaaaa\">]><?xml"},
	} {
		t.Run(name, func(t *testing.T) {
			r := recorded(t, "probe")
			r.Out = bytes.ReplaceAll(r.Out, []byte(tt.old), []byte(tt.now))
			f := facts(t, r)
			text, err := json.Marshal([]any{f.Updates, f.KeptBack, f.Holds, f.Offers, f.Problems, f.Reboot, f.Manager})
			if err != nil {
				t.Fatal(err)
			}
			for _, sign := range []string{"\\u001b", "\\u0007", "\\ufffe"} {
				if bytes.Contains(text, []byte(sign)) {
					t.Errorf("%s is in %s", sign, text)
				}
			}
			for _, u := range f.Updates {
				if !linux.WellFormed(u) {
					t.Errorf("%+v", u)
				}
			}
		})
	}
}
