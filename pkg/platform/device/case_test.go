package device

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/patchring/patchring/pkg/fact"
)

// made is a library of definitions that have nothing but a way to be told.
func made(t testing.TB, matches map[string]string) Library {
	t.Helper()
	files := fstest.MapFS{}
	for name, match := range matches {
		files[name+".yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, `
name: %s
title: %s
vendor: acme
class: network
proof: recorded
why: made up
match: %s
facts:
  version: [{cmd: show version, re: 'Version (\S+)'}]
  serial: [{cmd: show inventory, re: 'SN (\S+)'}, {cmd: show version, re: 'Serial (\S+)'}]
`, name, strings.ToUpper(name), match)}
	}
	l, err := Library{}.With(files)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func acme(t testing.TB) Library {
	t.Helper()
	return made(t, map[string]string{
		"plain":   `{hint: '^SSH-2.0-Plain', prompt: '^\w+> ?$', probes: [{cmd: show version, all: [ACME]}]}`,
		"special": `{over: [plain], probes: [{cmd: show special, all: [SPECIAL]}]}`,
		"other":   `{ssh_ident: '^SSH-2.0-Other', probes: [{cmd: show version, all: [ACME]}]}`,
		"far":     `{hint: 'far away|E-FAR', probes: [{cmd: version far, all: [FAR]}, {cmd: show far, all: [FAR]}]}`,
		"shelly":  `{shell: true, probes: [{cmd: cat /etc/acme, all: [ACME]}]}`,
	})
}

// play answers a Case, and gives what was asked.
func play(c *Case, answers map[string]string) (asked []string, v Verdict) {
	for cmd, more := c.Next(); more; cmd, more = c.Next() {
		asked = append(asked, cmd)
		c.Observe(cmd, []byte(answers[cmd]))
	}
	return asked, c.Verdict()
}

func TestCase(t *testing.T) {
	for name, c := range map[string]struct {
		sight   Sight
		answers map[string]string
		asked   string
		want    Verdict
	}{
		"the special case is asked for":   {Sight{}, map[string]string{"show version": "ACME"}, "show version, show special", Verdict{Confidence: Unsure}},
		"the identification rules out":    {Sight{Ident: "SSH-2.0-Plain"}, map[string]string{"show version": "ACME"}, "show version, show special", Verdict{Platform: "plain", Confidence: High}},
		"special wins":                    {Sight{Ident: "SSH-2.0-x"}, map[string]string{"show version": "ACME", "show special": "SPECIAL"}, "show version, show special", Verdict{Platform: "special", Confidence: Medium}},
		"a hint asks first":               {Sight{Ident: "SSH-2.0-x", Banner: "far away"}, map[string]string{"version far": "FAR"}, "version far", Verdict{Platform: "far", Confidence: High}},
		"an error message hints":          {Sight{Ident: "SSH-2.0-x"}, map[string]string{"show version": "E-FAR", "version far": "FAR"}, "show version, version far", Verdict{Platform: "far", Confidence: Medium}},
		"an agreeing prompt":              {Sight{Ident: "SSH-2.0-x", Prompt: "sw1> "}, map[string]string{"show version": "ACME"}, "show version, show special", Verdict{Platform: "plain", Confidence: High}},
		"of two, the identification says": {Sight{Ident: "SSH-2.0-Other"}, map[string]string{"show version": "ACME"}, "show version, show special", Verdict{Platform: "other", Confidence: High}},
		"a shell is asked as a shell":     {Sight{Shell: true}, map[string]string{"cat /etc/acme": "ACME"}, "cat /etc/acme", Verdict{Platform: "shelly", Confidence: Medium}},
		"nothing answers":                 {Sight{Ident: "SSH-2.0-x"}, map[string]string{"show version": "bash: show: \x1b[31mnot found"}, "show version, version far, show far", Verdict{}},
	} {
		asked, v := play(acme(t).Begin(c.sight), c.answers)
		if v.Platform != c.want.Platform || v.Confidence != c.want.Confidence || strings.Join(asked, ", ") != c.asked || v.Why == "" {
			t.Errorf("%s: %+v, asked %q", name, v, asked)
		}
		if len(asked) > maxProbes || strings.Contains(v.Why, "\x1b") {
			t.Errorf("%s: %q, %q", name, asked, v.Why)
		}
	}
}

// TestShellPrompts: a user who has a shell instead of the platform's own command line is asked
// as a shell first, and the platform's own commands are not tried there.
func TestShellPrompts(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for prompt, want := range map[string]string{
		"[root@lb1:Active:Standalone] ~ # ": "tmsh -q show sys version", "[admin@lb1:Standby:Changes Pending] ~ # ": "tmsh -q show sys version",
		"[ops@lb1:INOPERATIVE:Not All Devices Synced] log $ ": "tmsh -q show sys version", "[root@lb1:Active] config # ": "tmsh -q show sys version",
		"admin@(lb1)(cfg-sync In Sync)(Active)(/Common)(tmos)# ": "show sys version",
		"root@ex1:RE:0% ": "cli show version", "root@srx1% ": "cli show version", "root@mx1:~ # ": "cli show version", "root@% ": "cli show version", "ops@ex1> ": "show version", "sw1# ": "show version",
	} {
		cmd, _ := l.Begin(Sight{Ident: "SSH-2.0-OpenSSH_7.4", Prompt: prompt}).Next()
		if cmd != want {
			t.Errorf("%q: first %q, not %q", prompt, cmd, want)
		}
	}
	f5, _ := l.Find("f5_bigip")
	if own := f5.ProbesAt("root@(lb1)(cfg-sync Standalone)(Active)(/Common)(tmos)# "); len(own) != 1 || own[0].Cmd != "show sys version" {
		t.Errorf("%+v", own)
	}
}

// TestHostAt: the name in a prompt is the device's own, or none.
func TestHostAt(t *testing.T) {
	l, _ := Embedded()
	for prompt, want := range map[string]string{
		"root@(lb1)(cfg-sync Standalone)(Active)(/Common)(tmos)# ": "lb1", "[root@lb1:Active:Standalone] ~ # ": "", "": "", "sw1#": "",
	} {
		if p, _ := l.Find("f5_bigip"); p.HostAt(prompt) != want {
			t.Errorf("%q: %q", prompt, p.HostAt(prompt))
		}
	}
}

func TestCaseNamesBoth(t *testing.T) {
	c := acme(t).Begin(Sight{})
	c.Observe("show version", []byte("ACME"))
	if v := c.Verdict(); v.Platform != "" || !strings.Contains(v.Why, "other or plain") {
		t.Errorf("%+v", v)
	}
}

func TestIdentify(t *testing.T) {
	l := acme(t)
	version := Recording{Name: "a_show_version.txt", Text: []byte("sw1> show version\r\nACME Version 1.2\r\nSerial S100\r\n")}
	special := Recording{Name: "x", Text: []byte("SPECIAL\n")}
	for name, c := range map[string]struct {
		recordings []Recording
		hint       string
		want       string // platform version serial confidence
	}{
		"two alike":                   {[]Recording{version}, "", "- - - -"},
		"with a hint":                 {[]Recording{version}, "plain", "plain 1.2 S100 high"},
		"a wrong hint reads no more":  {[]Recording{version}, "far", "far 1.2 S100 low"},
		"special wins over plain":     {[]Recording{version, special}, "", "- - - -"},
		"nothing":                     {nil, "", "- - - -"},
		"merged":                      {[]Recording{{Name: "show-inventory", Text: []byte("SN S200")}, {Text: []byte("FAR Version 7")}}, "", "far 7 S200 high"},
		"another command's text":      {[]Recording{{Name: "show_inventory", Text: []byte("FAR Version 7")}}, "", "- - - -"},
		"contradictory":               {[]Recording{version, {Name: "show version 2", Text: []byte("ACME Version 1.3")}}, "plain", "plain - S100 high"},
		"an unknown hint is no hint":  {[]Recording{{Text: []byte("FAR Version 7")}}, "nobody", "far 7 - high"},
		"a field of another's output": {[]Recording{{Name: "show inventory", Text: []byte("Version 9")}, {Name: "version far", Text: []byte("FAR")}}, "", "far - - high"},
	} {
		f := l.Identify(c.recordings, fact.Platform(c.hint))
		got := strings.Join([]string{dash(string(f.Platform)), dash(f.Version), dash(f.Serial), dash(string(f.Confidence))}, " ")
		if got != c.want || f.Why == "" {
			t.Errorf("%s: %q, not %q: %+v", name, got, c.want, f)
		}
	}
}

// TestIdentifyByteByByte: a recording that ends anywhere is read, or left, but never read as
// something else.
func TestIdentifyByteByByte(t *testing.T) {
	l, _ := Embedded()
	whole := smallOutputs()["show version"]
	for i := range whole {
		if f := l.Identify([]Recording{{Text: whole[:i]}}, ""); f.Platform != "" {
			t.Errorf("%q was taken for %s", whole[:i], f.Platform)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	l := acme(f)
	f.Add("show version", []byte("sw1> show version\r\nACME Version 1.2\r\nSerial S100\r\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		got := l.Identify([]Recording{{Name: name, Text: text}}, "")
		if (got.Platform == "") != (got.Confidence == Unsure) || got.Platform == "" && got.Version != "" {
			t.Errorf("%+v", got)
		}
	})
}
