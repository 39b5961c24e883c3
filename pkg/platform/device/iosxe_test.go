package device

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// showVersion is made up after Cisco's command reference: no device was at hand.
func showVersion(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/show-version.txt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, text string) fact.Facts {
	t.Helper()
	f, err := Read([]remote.Result{{Ending: remote.Exited, Out: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func problem(f fact.Facts, what string) bool {
	return slices.ContainsFunc(f.Problems, func(p fact.Problem) bool { return p.What == what })
}

func TestReadIOSXE(t *testing.T) {
	text := string(showVersion(t))
	for name, out := range map[string]string{"LF": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
		f := read(t, out)
		if f.Platform != IOSXEPlatform || f.Class != fact.ClassNetwork || f.Version != "17.09.04a" || f.Model != "C9300-48P" || f.Serial != "FOC0000X001" || f.Hostname != "made-up-sw1" {
			t.Errorf("%s: %+v", name, f)
		}
		if problem(f, "output") || !problem(f, "updates") || f.Reboot.Needed != patch.Unknown {
			t.Errorf("%s: problems %+v, reboot %v", name, f.Problems, f.Reboot)
		}
	}
}

func TestReadOthers(t *testing.T) {
	classic := "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE11, RELEASE SOFTWARE (fc3)\nold uptime is 1 day\nConfiguration register is 0xF\n"
	if f := read(t, classic); f.Platform == IOSXEPlatform || f.Version != "15.0(2)SE11" || !problem(f, "serial") {
		t.Errorf("%+v", f)
	}
	if f := read(t, "Cisco IOS XE Software, Version 17.3\n"); !problem(f, "output") {
		t.Errorf("a cut answer: %+v", f)
	}
	for _, out := range []string{"", "bash: show: command not found\n"} {
		if _, err := Read([]remote.Result{{Out: []byte(out)}}); !errors.Is(err, errNotCisco) {
			t.Errorf("%q: %v", out, err)
		}
	}
	if _, err := Read(nil); !errors.Is(err, errNotCisco) {
		t.Error(err)
	}
}

func TestStepsRefuse(t *testing.T) {
	_, err := IOSXE{}.Steps(fact.Facts{}, patch.Work{})
	if fault.CodeOf(err) != fault.HostFailed || !strings.Contains(err.Error(), "only detected") || fault.HintOf(err) == "" {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	for _, c := range Cisco().Probe(platformQuery()) {
		if c.Effect != remote.Reads || c.Become {
			t.Errorf("%+v: detection only reads, as whoever logged in", c)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(showVersion(f))
	f.Fuzz(func(t *testing.T, out []byte) {
		facts, err := Read([]remote.Result{{Ending: remote.Exited, Out: out}})
		text := facts.Hostname + facts.Model + facts.Serial + facts.Version
		if err != nil {
			text = err.Error()
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("a control character in %q", text)
		}
	})
}
