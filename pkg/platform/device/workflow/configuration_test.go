package workflow

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// iosxe is the embedded definition.
func iosxe(t *testing.T) Driver {
	t.Helper()
	all, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, ok := all.Find("cisco_iosxe")
	if !ok {
		t.Fatal("there is no cisco_iosxe")
	}
	return Driver{Platform: p}
}

// The snapshot tells configurations apart, and nothing of what stands in them.
func TestConfigurationIsKeptAsDigests(t *testing.T) {
	d := iosxe(t)
	config := "Building configuration...\r\n! Last configuration change at 10:00:00 UTC\r\nhostname sw1\r\n enable secret 9 $9$hidden\r\n\r\nend\r\n"
	read := func(text string, ending remote.Ending) fact.Section {
		return d.configuration(remote.Result{Ending: ending, Out: []byte(text)})
	}
	was := read(config, remote.Done)
	if !was.Known || len(was.Items) == 0 || strings.Contains(strings.Join(was.Items, " "), "hidden") {
		t.Fatalf("%+v", was)
	}
	later := read(strings.Replace(config, "10:00:00", "11:11:11", 1), remote.Done)
	if !slices.Equal(was.Items, later.Items) {
		t.Error("a time that moved on is no change")
	}
	if other := read(strings.Replace(config, "sw1", "sw2", 1), remote.Done); slices.Equal(was.Items, other.Items) {
		t.Error("another hostname is a change")
	}
	for _, ending := range []remote.Ending{remote.Lost, remote.Failed, remote.Asked, remote.Prompted} {
		if s := read(config, ending); s.Known || s.Why == "" {
			t.Errorf("ending %d: %+v", ending, s)
		}
	}
}

func TestWatchAsksForEachCommandOnce(t *testing.T) {
	w := iosxe(t).Watch(fact.Facts{})
	var cmds []string
	for _, e := range w.Ask {
		if e.Effect != remote.Reads || slices.Contains(cmds, e.Send) {
			t.Errorf("%q is asked twice, or changes", e.Send)
		}
		cmds = append(cmds, e.Send)
	}
	sections := w.Read(nil)
	for name, s := range sections {
		if s.Known {
			t.Errorf("%s is known, though nothing was asked", name)
		}
	}
	if !slices.Contains(cmds, "show running-config") || len(sections) == 0 {
		t.Errorf("%q, %v", cmds, sections)
	}
}
