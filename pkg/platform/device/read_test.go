package device

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// smallYAML is a made-up platform with one of everything that is read.
const smallYAML = `
name: acme_os
title: Acme OS
vendor: acme
class: network
proof: vendor_document
match:
  hint: Acme
  probes: [{cmd: show version, all: ['^Acme OS'], none: ['Special']}]
refuse: [{cmd: show version, re: 'mode: Managed', say: managed by a controller}]
why: made up
facts:
  version: [{cmd: show version, re: '^Acme OS (\S+)'}]
  model: [{cmd: show version, re: '^Model: (.+)$'}]
  serial: [{cmd: show version, re: '^Serial: (\S+)'}]
  hostname: [{cmd: show version, re: '^(\S+) is up'}]
  mode: [{cmd: show version, re: '^ *\d .*(INSTALL|BUNDLE)$', all_equal: true, require: [INSTALL]}]
  synced: [{cmd: show stack, re: '^Config: (\w+)', map: {same: "yes", differs: "no"}}]
  members:
    - {cmd: show stack, re: '^(?P<id>\d) (?P<role>\w+) (?P<state>\w+)$', role: {Active: active, Standby: standby}}
    - {cmd: show inventory, per: '^Unit (?P<id>\d)', re: '^  PID (?P<model>\S+) SN (?P<serial>\S+)'}
  slots:
    - {cmd: show images, re: '^(?P<name>\w+): runs (?P<version>\S+)', state: {"-": old}}
    - {cmd: show images, re: '^next: (?P<name>\w+)', state: {"-": next}}
    - {cmd: show images, re: '^(?P<name>\w+): idle (?P<version>\S+)', state: {"-": idle}}
boot_time:
  - {cmd: show version, re: '^\S+ is up (?P<value>.+)$', as: uptime, grain: 1m}
space:
  - {cmd: 'dir {fs}', re: '\((?P<bytes>[\d,]+) bytes free', fs: ['flash-{n}:', 'flash:'], need: 2.2}
hash:
  - {kind: sha512, cmd: 'verify /sha512 {path}', re: '= ([0-9A-Fa-f]+)$'}
`

func small(t testing.TB) *Platform {
	t.Helper()
	p, err := Parse("acme_os.yaml", []byte(smallYAML))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func smallOutputs() map[string][]byte {
	return map[string][]byte{
		"show version":   []byte("Acme OS 1.2.3\r\nModel: A-9000 X\r\nSerial: N/A\r\nsw1 is up 2 days, 3:04\r\n 1 A INSTALL\r\n 2 B INSTALL\r\n"),
		"show stack":     []byte("1 Active Ready\n2 Standby Ready\nConfig: same\n"),
		"show inventory": []byte("Unit 1\n  PID A-9000 SN ACM001\nUnit 2\n  PID A-9000 SN ACM002\n"),
		"show images":    []byte("primary: runs 1.2.3\nnext: primary\nsecondary: idle 1.2.2\n"),
	}
}

func readSmall(t *testing.T, change func(map[string][]byte)) fact.Facts {
	t.Helper()
	outputs := smallOutputs()
	change(outputs)
	f, err := small(t).Read(outputs, sampled())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func problem(f fact.Facts, what string) bool {
	return slices.ContainsFunc(f.Problems, func(p fact.Problem) bool { return p.What == what })
}

func TestRead(t *testing.T) {
	f := readSmall(t, func(map[string][]byte) {})
	d := f.Device
	if f.Platform != "acme_os" || f.Version != "1.2.3" || f.Model != "A-9000 X" || f.Hostname != "sw1" || f.Serial != "ACM001" {
		t.Errorf("%+v", f)
	}
	if p, ok := f.Installed(patch.ImageName, ""); !ok || p.Version != "1.2.3" {
		t.Errorf("%+v", f.Packages)
	}
	if d.Mode != "INSTALL" || d.Synced != patch.Yes || len(d.Refused) != 0 || !slices.Equal(d.Serials(), []string{"ACM001", "ACM002"}) {
		t.Errorf("%+v", d)
	}
	if want := sampled().Add(-51*time.Hour - 4*time.Minute); !d.Booted.Equal(want) || d.Grain != time.Minute {
		t.Errorf("booted %v, not %v", d.Booted, want)
	}
	if got := slotLines(d.Slots); !slices.Equal(got, []string{"primary 1.2.3 running", "secondary 1.2.2 idle"}) {
		t.Errorf("%q", got)
	}
	if f.Reboot.Needed != patch.No || len(f.Problems) != 0 {
		t.Errorf("%+v, %+v", f.Reboot, f.Problems)
	}
}

// TestReadNeverGuesses: what is missing, mad or contradicts itself is a Problem.
func TestReadNeverGuesses(t *testing.T) {
	replace := func(cmd, from, to string) func(map[string][]byte) {
		return func(o map[string][]byte) { o[cmd] = []byte(strings.ReplaceAll(string(o[cmd]), from, to)) }
	}
	for name, c := range map[string]struct {
		change  func(map[string][]byte)
		problem string
		check   func(fact.Facts) bool
	}{
		"version is no version": {replace("show version", "1.2.3", "<b>"), "version", func(f fact.Facts) bool { return f.Version == "" && len(f.Packages) == 0 }},
		"modes differ":          {replace("show version", "2 B INSTALL", "2 B BUNDLE"), "mode", func(f fact.Facts) bool { return f.Device.Mode == "" && len(f.Device.Refused) == 1 }},
		"not asked":             {func(o map[string][]byte) { delete(o, "show stack") }, "synced", func(f fact.Facts) bool { return f.Device.Synced == patch.Unknown }},
		"a word nobody knows":   {replace("show stack", "same", "perhaps"), "synced", func(f fact.Facts) bool { return f.Device.Synced == patch.Unknown }},
		"no way to agree":       {replace("show stack", "Config: ", ""), "synced", func(f fact.Facts) bool { return f.Device.Synced == patch.Unknown }},
		"two serials":           {replace("show inventory", "Unit 2", "Unit 1"), "members", func(f fact.Facts) bool { return !slices.Contains(f.Device.Serials(), "ACM002") }},
		"no boot time":          {replace("show version", "2 days, 3:04", "a while"), "boot_time", func(f fact.Facts) bool { return f.Device.Booted.IsZero() }},
		"a serial with escapes": {replace("show inventory", "ACM002", "ACM\x1b[31m;reload"), "members", func(f fact.Facts) bool { return len(f.Device.Serials()) == 1 }},
	} {
		f := readSmall(t, c.change)
		if !problem(f, c.problem) || !c.check(f) {
			t.Errorf("%s: %+v, %+v, %+v", name, f, f.Device, f.Problems)
		}
	}
}

// TestAloneNeedsNoPartner: what only a pair or stack has is no problem where there is none,
// unless a way to read or upgrade the device hangs on it.
func TestAloneNeedsNoPartner(t *testing.T) {
	outputs := smallOutputs()
	outputs["show stack"], outputs["show inventory"] = []byte("not a stack\n"), []byte("Unit 1\n  PID A-9000 SN ACM001\n")
	outputs["show version"] = []byte(strings.ReplaceAll(string(outputs["show version"]), "INSTALL", ""))
	for when, want := range map[string]bool{"{}": false, "{mode: INSTALL}": true} {
		src := strings.Replace(smallYAML, "{cmd: show images, re: '^next", "{when: "+when+", cmd: show images, re: '^next", 1)
		p, err := Parse("acme_os.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		f, err := p.Read(outputs, sampled())
		if err != nil || problem(f, "synced") || problem(f, "mode") != want || f.Device.Synced != patch.Unknown {
			t.Errorf("%q: %v, %+v", when, err, f.Problems)
		}
	}
}

func TestReadStates(t *testing.T) {
	pending := readSmall(t, func(o map[string][]byte) {
		o["show images"] = []byte("primary: runs 1.2.3\nnext: secondary\nsecondary: idle 1.2.2\n")
	})
	if got := slotLines(pending.Device.Slots); pending.Reboot.Needed != patch.Yes || !slices.Equal(got, []string{"primary 1.2.3 old", "secondary 1.2.2 next"}) {
		t.Errorf("%v, %q", pending.Reboot, got)
	}
	silent := readSmall(t, func(o map[string][]byte) { delete(o, "show images") })
	if silent.Reboot.Needed != patch.Unknown {
		t.Errorf("%v", silent.Reboot)
	}
	managed := readSmall(t, func(o map[string][]byte) { o["show version"] = append(o["show version"], "mode: Managed\n"...) })
	if !slices.Contains(managed.Device.Refused, "managed by a controller") {
		t.Errorf("%q", managed.Device.Refused)
	}
}

// TestCommands: what is only read in recordings is never asked for.
func TestCommands(t *testing.T) {
	src := strings.Replace(smallYAML, "model: [", "model: [{cmd: show recorded, re: '(x)', recorded: true}, ", 1)
	p, err := Parse("acme_os.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Commands(); !slices.Equal(got, []string{"show version", "show stack", "show inventory", "show images"}) {
		t.Errorf("%q", got)
	}
}

func TestReadIsOfThisPlatform(t *testing.T) {
	for _, out := range []string{"", "% Invalid input", "Acme OS 1.2.3\nSpecial\n"} {
		if _, err := small(t).Read(map[string][]byte{"show version": []byte(out)}, sampled()); err == nil {
			t.Errorf("%q was taken for Acme OS", out)
		}
	}
}

// FuzzRead: whatever a device prints, the facts are bounded, and clean enough to be shown.
func FuzzRead(f *testing.F) {
	for cmd, out := range smallOutputs() {
		f.Add(cmd, out)
	}
	p := small(f)
	f.Fuzz(func(t *testing.T, cmd string, out []byte) {
		outputs := smallOutputs()
		outputs[cmd] = out
		facts, err := p.Read(outputs, sampled())
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q", err)
			}
			return
		}
		var all []string
		for _, m := range facts.Device.Members {
			all = append(all, m.ID, m.Model, m.Serial, m.Role, m.State, m.Version)
		}
		for _, p := range facts.Problems {
			all = append(all, p.Detail)
		}
		all = append(all, facts.Version, facts.Model, facts.Serial, facts.Hostname)
		all = append(all, slotLines(facts.Device.Slots)...)
		for _, text := range all {
			if len(text) > 2000 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q", text)
			}
		}
	})
}
