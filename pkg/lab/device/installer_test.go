package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

// TestCiscoOneOperationAtATime: the installer refuses a second one, and logs where each began and ended.
func TestCiscoOneOperationAtATime(t *testing.T) {
	r := start(t, "cisco-iosxe", device.Options{})
	if err := r.Leave("flash:x.bin", device.MakeImage("cat9k", "17.12.04", 5000)); err != nil {
		t.Fatal(err)
	}
	s, other := r.shell("sw1>"), r.shell("sw1>")
	enabled(s, "sw1")
	enabled(other, "sw1")
	s.send("install add file flash:x.bin", "sw1#")
	s.send("install activate", `\[y/n\]`) // begun; it waits for the answer
	has(t, other.send("show install log", "sw1#"), "[1|install_add]: START ", "[1|install_add]: END SUCCESS ", "[2|install_activate]: START ")
	for _, cmd := range []string{"install add file flash:x.bin", "install commit", "install remove inactive", "install activate"} {
		has(t, other.send(cmd, "sw1#"), "FAILED: ", "another install operation (install_activate) is in progress")
	}
	s.raw("n")
	s.expect("sw1#")
	has(t, other.send("show install log", "sw1#"), "[2|install_activate]: END FAILED exit(1) ")
	has(t, other.send("install add file flash:y.bin", "sw1#"), "flash:y.bin not found")
	has(t, other.send("show install log", "sw1#"), "[3|install_add]: END FAILED exit(1) ")
	if done := r.Done(); done.Count("added") != 1 || done.Count("activated")+done.Count("committed") != 0 {
		t.Errorf("%+v", done.Effects)
	}
}

// TestCiscoInstallerAfterACut: what goes on behind a lost connection, and what a power cut leaves.
func TestCiscoInstallerAfterACut(t *testing.T) {
	r := start(t, "cisco-iosxe", device.Options{Faults: []device.Fault{{At: "commit", Do: "drop"}, {At: "add_middle", Nth: 2, Do: "power_cut"}}})
	for path, version := range map[string]string{"flash:x.bin": "17.12.04", "flash:y.bin": "17.15.01"} {
		if err := r.Leave(path, device.MakeImage("cat9k", version, 5000)); err != nil {
			t.Fatal(err)
		}
	}
	s := r.shell("sw1>")
	enabled(s, "sw1")
	s.send("install add file flash:x.bin", "sw1#")
	s.send("install activate", `\[y/n\]`)
	s.raw("y")
	s.gone()
	s = r.back("sw1>")
	enabled(s, "sw1")
	s.raw("install commit\r")
	s.gone()
	settled(t, r, "installing", "")
	s = r.shell("sw1>")
	enabled(s, "sw1")
	has(t, s.send("show install log", "sw1#"), "install_op_boot]: END SUCCESS", "[1|install_commit]: END SUCCESS ")
	s.raw("install add file flash:y.bin\r")
	s.gone()
	s = r.back("sw1>")
	enabled(s, "sw1")
	if log := s.send("show install log", "sw1#"); strings.Contains(log, "install_add") || r.Truth().Values["installing"] != "" || r.Truth().Boots != 2 {
		t.Errorf("the installer after a power cut: %s", log)
	}
}

// TestCiscoAskedAndLeft: who leaves a question unanswered ends the operation.
func TestCiscoAskedAndLeft(t *testing.T) {
	r := start(t, "cisco-iosxe", device.Options{Faults: []device.Fault{{At: "add_middle", Ask: "Continue? [y/n]"}}})
	if err := r.Leave("flash:x.bin", device.MakeImage("cat9k", "17.12.04", 5000)); err != nil {
		t.Fatal(err)
	}
	client := r.dial()
	s := r.on(client)
	s.expect("sw1>")
	enabled(s, "sw1")
	s.send("install add file flash:x.bin", `Continue\? \[y/n\]`)
	_ = client.Close() // that it is gone is the test
	settled(t, r, "installing", "")
	s = r.shell("sw1>")
	enabled(s, "sw1")
	has(t, s.send("show install log", "sw1#"), "[1|install_add]: END FAILED exit(1) ")
	has(t, s.send("show line", "sw1#"), "*    866  866 VTY ", "\n     868  868 VTY ", "     881  881 VTY ")
}

// TestCiscoUnlikeMembers: members with other slots stand in a table of their own.
func TestCiscoUnlikeMembers(t *testing.T) {
	r := start(t, "cisco-iosxe-stack", device.Options{Values: map[string]string{"2/i": "17.12.04"}})
	s := r.shell("sw1>")
	enabled(s, "sw1")
	has(t, s.send("show install summary", "sw1#"), "[ Switch 1 3 ] Installed", "[ Switch 2 ] Installed", "IMG   I    17.12.04.0.6")
}

const reloader = `
device: x
console: {start: a, modes: {a: '> '}}
timing: {refuse: 2m}
commands:
  - {in: reload, do: [{reload: {grace: 1h}}]}
  - {in: again, do: [{reload: {grace: 2h}}]}
  - {in: cut, at: cut, out: "no power\n"}
`

// TestOneReloadAtATime: a second reload changes nothing; no power ends the grace of the first.
func TestOneReloadAtATime(t *testing.T) {
	kind, err := device.Parse("x", []byte(reloader))
	if err != nil {
		t.Fatal(err)
	}
	for name, cmd := range map[string]string{"reload twice": "again", "no power": "cut"} {
		t.Run(name, func(t *testing.T) {
			r := startKind(t, kind, device.Options{Speed: 2000, Faults: []device.Fault{{At: "cut", Do: "power_cut"}}})
			s := r.shell("> ")
			s.send("reload", "> ")
			begun := r.Now()
			s.raw(cmd + "\r")
			s.gone()
			r.back("> ")
			early := r.Now().Sub(begun) < time.Hour
			if done := r.Done(); done.Count("reload") != 1 || r.Truth().Boots != 1 || early != (cmd == "cut") {
				t.Errorf("boots %d, effects %+v", r.Truth().Boots, done.Effects)
			}
		})
	}
}
