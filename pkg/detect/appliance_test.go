package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

const (
	sure   = "/usr/bin/tmsh"
	unsure = "/EMC"
)

// TestAppliances: an appliance with a shell is not patched as a server; a hypervisor is.
func TestAppliances(t *testing.T) {
	isBox := map[string]string{"cat /etc/box": "BOX=4", "cat /proc/serial": "S1000001"}
	isHyper := map[string]string{"cat /etc/hyper": "hyper/8"}
	isBoth := map[string]string{"cat /etc/box": "BOX=4", "cat /etc/hyper": "hyper/8"}
	nothing := map[string]string{}
	for name, c := range map[string]struct {
		mark    string
		stubs   []*remotetest.Stub
		want    fact.Platform
		version string
		model   string
		says    string
	}{
		"an appliance":            {mark: sure, stubs: []*remotetest.Stub{shell(isBox), shell(isBox)}, want: "box", version: "4"},
		"a hypervisor":            {mark: sure, stubs: []*remotetest.Stub{shell(isHyper), shell(isHyper)}, want: apt.Debian, model: "Hyper 8", version: "12.15"},
		"could be two":            {mark: sure, stubs: []*remotetest.Stub{shell(isBoth)}, want: linux.Other, says: sure},
		"a mark alone":            {mark: sure, stubs: []*remotetest.Stub{shell(nothing)}, want: linux.Other, says: sure},
		"a mark of many":          {mark: unsure, stubs: []*remotetest.Stub{shell(nothing)}, want: apt.Debian},
		"the second exec is mute": {mark: sure, stubs: []*remotetest.Stub{remotetest.On("sh", "-s", "--", "*").Prints("")}, want: linux.Other, says: sure},
	} {
		t.Run(name, func(t *testing.T) {
			h := remotetest.New(t, append([]*remotetest.Stub{server(t, c.mark)}, c.stubs...)...)
			f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{Library: library(t)})
			if err != nil || f.Platform != c.want || f.Model != c.model || f.Hostname == "" || f.BootID == "" {
				t.Fatalf("%v: %+v", err, f)
			}
			if c.version != "" && !strings.HasPrefix(f.Version, c.version[:1]) {
				t.Errorf("version %q", f.Version)
			}
			if (f.Platform == apt.Debian) != (len(f.Updates) > 0) {
				t.Errorf("%d updates of %s", len(f.Updates), f.Platform)
			}
			if problem(f, "platform") != (c.says != "") {
				t.Errorf("%+v", f.Problems)
			}
		})
	}
}

// TestMarkedConsole: what bears a mark and no shell's definition knows is asked on its
// console, as a device whose administrator has a shell.
func TestMarkedConsole(t *testing.T) {
	nothing := shell(map[string]string{})
	h := remotetest.New(t, server(t, unsure), nothing, says("", login), says("show version", "Alpha OS 7.1\n").Times(2), says("show inventory", "SN: A1000001\n"))
	f, err := Host(t.Context(), both(t, h), bare, web, now, Query{Library: library(t)})
	if err != nil || f.Platform != "alpha" {
		t.Errorf("%v: %+v", err, f)
	}
	h = remotetest.New(t, server(t, unsure), shell(nil), remotetest.OnSend("").Fails(&fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, What: "no terminal"}))
	f, err = Host(t.Context(), both(t, h), bare, web, now, Query{Library: library(t)})
	if err != nil || f.Platform != apt.Debian {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestNamedAppliance: one without a mark is found where its inventory says what it is, and
// only where its answers agree; one without an exec of its own by its console.
func TestNamedAppliance(t *testing.T) {
	isBox := map[string]string{"cat /etc/box": "BOX=4", "cat /proc/serial": "S1000001"}
	q := Query{Library: library(t), Platform: "box"}
	for want, stubs := range map[fact.Platform][]*remotetest.Stub{
		"box":      {server(t), shell(isBox).Times(2)},
		apt.Debian: {server(t), shell(nil)},
	} {
		f, err := Host(t.Context(), session(t, remotetest.New(t, stubs...), remote.Reads), openSSH, web, now, q)
		if err != nil || f.Platform != want {
			t.Errorf("%v: %+v", err, f)
		}
	}
	h := remotetest.New(t, refuse(t), says("", login), says("cat /etc/box", "BOX=4").Times(2), says("cat /proc/serial", "S1000001"))
	if f, err := Host(t.Context(), both(t, h), openSSH, web, now, q); err != nil || f.Platform != "box" || f.Serial != "S1000001" {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestLostWhileAsking: a connection that ends is an error, never a server.
func TestLostWhileAsking(t *testing.T) {
	h := remotetest.New(t, server(t, sure), remotetest.On("sh", "-s", "--", "*").Cuts())
	if f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{Library: library(t)}); fault.CodeOf(err) != fault.Lost || f.Platform != "" {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestUnprivilegedAppliance: nothing is asked as root where root is not to be had.
func TestUnprivilegedAppliance(t *testing.T) {
	denied := &fault.Error{Kind: fault.GiveUp, Code: fault.Privilege, What: "no sudo"}
	isBox := map[string]string{"cat /etc/box": "BOX=4", "cat /proc/serial": "S1000001"}
	h := remotetest.New(t, remotetest.On("...").Fails(denied), server(t, sure), shell(isBox).Times(2))
	f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{Library: library(t)})
	if err != nil || f.Platform != "box" || f.Serial != "S1000001" {
		t.Errorf("%v: %+v", err, f)
	}
}

// TestKnownAppliances: every platform with a shell that patchring knows is recognised by
// its samples, among all others.
func TestKnownAppliances(t *testing.T) {
	all, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.All() {
		cases, err := filepath.Glob("../platform/device/testdata/samples/" + p.Definition.Name + "/*")
		if err != nil || !p.Definition.Match.Shell {
			continue
		}
		for _, dir := range cases {
			t.Run(p.Definition.Name+"/"+filepath.Base(dir), func(t *testing.T) { known(t, all, p, answersIn(dir, p)) })
		}
	}
}

func known(t *testing.T, all device.Library, p *device.Platform, answers map[string]string) {
	t.Helper()
	h := remotetest.New(t, server(t, sure), shell(answers).Times(2))
	f, err := Host(t.Context(), session(t, h, remote.Reads), openSSH, web, now, Query{Library: all})
	want := p.Name()
	if p.Definition.Class == string(fact.ClassServer) {
		want = apt.Debian
	}
	if err != nil || f.Platform != want || f.Vendor != p.Definition.Vendor {
		t.Errorf("%v: %q, %+v", err, f.Platform, f.Problems)
	}
}

// answersIn reads a sample's files: each is named by its command.
func answersIn(dir string, p *device.Platform) map[string]string {
	lines := p.Commands()
	for _, probe := range p.Definition.Match.Probes {
		lines = append(lines, probe.Cmd)
	}
	answers := map[string]string{}
	for _, line := range lines {
		name := strings.Map(func(r rune) rune {
			if strings.ContainsRune(` /:*?"<>|\`, r) {
				return '_'
			}
			return r
		}, line)
		if b, err := os.ReadFile(filepath.Join(dir, name+".txt")); err == nil {
			answers[line] = string(b)
		}
	}
	return answers
}
