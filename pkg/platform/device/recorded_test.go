package device

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

func TestFlush(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"a\n  b\n":                     "a\n  b\n",
		"  a\n\n    b\n":               "a\n\n  b\n",
		"a\n      b\n        c\n\n":    "a\nb\n  c\n\n",
		"a\n  b\n  c\n":                "a\n  b\n  c\n", // a form of the device's own
		"Item\n          Chassis X1\n": "Item\n          Chassis X1\n",
		"\t\ta\n\t\tb\n":               "a\nb\n",
	} {
		if got := flush(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

func TestSections(t *testing.T) {
	known := []string{"show version all", "show version", "/system resource print"}
	for text, want := range map[string][]string{
		"sw1#show version\nV 1\n":                                            nil,
		"sw1#sh ver\nV 1\nsw1#show clock\n10:00\n":                           {"show version", "show clock"},
		"banner\nsw1> show version | no-more\nV 1\nsw1> exit\n":              {"", "show version", "exit"},
		"[a@b] > /system resource print\nv: 7\n[a@b] > /export terse\n# x\n": {"/system resource print", "/export terse"},
		"Load > 5\nfree > show\n":                                            nil,
	} {
		var got []string
		for _, part := range sections(text, known) {
			got = append(got, part.cmd)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

// TestNeighboursAreOthers: what a device tells of the one at the other end of a cable is
// not what it is itself.
func TestNeighboursAreOthers(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	const line = "Cisco IOS Software, C3750E Software (C3750E-UNIVERSALK9-M), Version 15.2(4)E8, RELEASE SOFTWARE (fc2)\n"
	for text, want := range map[string]fact.Platform{
		line: "cisco_ios",
		"Device ID: sw2\nHoldtime : 164 sec\n\nVersion :\n" + line:  "",
		"Chassis id: 0200.0000.0001\nSystem Description: \n" + line: "",
		"System description :S7706\nHuawei Versatile Routing Platform Software\nVRP (R) software, Version 5.170 (S7700 V200R010C00SPC600)\nExpired time :92s\n": "",
		"sw1#show cdp neighbors detail\nVersion :\n" + line + "sw1#show version\n" + line:                                                                       "cisco_ios",
	} {
		if got := l.Identify([]Recording{{Name: "a.txt", Text: []byte(text)}}, ""); got.Platform != want {
			t.Errorf("%q: %q, not %q: %s", text, got.Platform, want, got.Why)
		}
	}
}

func TestNameFromPrompt(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	const answer = "Dell SmartFabric OS10 Enterprise\nOS Version: 10.5.4.2\nSystem Type: S4112F-ON\n"
	for text, want := range map[string]string{
		answer:                      "",
		"sw-1# show ver\n" + answer: "sw-1",
		"sw-1# show ver\n" + answer + "sw-1# quit\n":                                 "sw-1",
		"sw-1# show clock\nsw-2# show version\n" + answer:                            "", // whose is it?
		"sw-1# " + strings.Repeat("x", 200) + "\nsw-2# terminal length 0\n" + answer: "sw-2",
	} {
		if got := l.Identify([]Recording{{Name: "a.txt", Text: []byte(text)}}, ""); got.Hostname != want {
			t.Errorf("%q: %q, not %q", text, got.Hostname, want)
		}
	}
}

func FuzzSections(f *testing.F) {
	f.Add("  sw1#sh ver\n  V 1\n  sw1#show clock\n  10:00\n")
	f.Add("a\n     b\n\t\tc\nSystem Description:\n")
	known := []string{"show version", "display version"}
	f.Fuzz(func(t *testing.T, text string) {
		flat := flush(text)
		if len(flat) > len(text) || strings.Count(flat, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q became %q", text, flat)
		}
		rest := flat
		for _, part := range sections(flat, known) {
			at := strings.Index(rest, part.text)
			if at < 0 {
				t.Fatalf("%q is none of %q", part.text, flat)
			}
			rest = rest[at+len(part.text):]
		}
	})
}
