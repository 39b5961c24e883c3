package lab_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
)

const nginx = "{name: nginx, version: 1.22.1-9+deb12u1, service: nginx, listen: [80]}"

// TestCounts: a hook is counted by its words and by whom it was called for.
func TestCounts(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	c := dial(t, f, "d")
	run(t, c, "PATCHRING_HOST=web lab-count drain; env PATCHRING_HOST=web lab-count drain; lab-count plain", "")
	if got := f.Host("d").Effects().Counts; len(got) != 2 || got["drain web"] != 2 || got["plain"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestConnections: patchring's own look at who is connected to the host.
func TestConnections(t *testing.T) {
	idle, err := os.ReadFile("../hook/idle.sh")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, "hosts: [{name: d, os: debian-12, connections: 3, installed: ["+nginx+"]}]\n")
	c := dial(t, f, "d")
	if got := run(t, c, "sh -s -- 0", string(idle)); got.out != "patchring-idle 1\nbusy 3 0050\n" || len(f.Host("d").Complaints()) > 0 {
		t.Errorf("%+v, %v", got, f.Host("d").Complaints())
	}
	run(t, c, "sudo lab-connections 0", "")
	if got := run(t, c, "grep -c ' 01 ' /proc/net/tcp", ""); got.out != "0\n" {
		t.Errorf("%+v", got)
	}
}

// TestSickLater: a host that was well after its patch, and was not later on, stays so until
// somebody mends it.
func TestSickLater(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12, installed: ["+nginx+"], repository: ["+strings.Replace(nginx, "deb12u1", "deb12u2", 1)+
		"], faults: {sick_after_patch: 200ms}}]\n")
	c := dial(t, f, "d")
	if got := run(t, c, "sudo apt-get install -y nginx >/dev/null; systemctl is-active nginx", ""); got.out != "active\n" {
		t.Errorf("at once: %+v", got)
	}
	await(t, "it falls sick", func() bool { return run(t, c, "systemctl is-active nginx", "").out == "failed\n" })
	if got := run(t, c, "sudo systemctl restart nginx; sudo lab-mend; sudo systemctl restart nginx; systemctl is-active nginx", ""); got.out != "active\n" {
		t.Errorf("mended: %+v", got)
	}
}

// TestWork: the fleet knows when a host was worked on, its reboot included.
func TestWork(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12, installed: ["+nginx+"], repository: ["+strings.Replace(nginx, "deb12u1", "deb12u2", 1)+"]}, {name: idle, os: debian-12}]\n")
	h := f.Host("d")
	c := dial(t, f, "d")
	before := time.Now()
	run(t, c, "sudo apt-get install -y nginx", "")
	middle := h.Effects().Out()
	run(t, c, "sudo reboot", "")
	await(t, "the reboot", func() bool { return h.Effects().Reboots == 1 })
	whole := h.Effects().Out()
	if middle.From.Before(before) || !middle.To.After(middle.From) || whole.From != middle.From || !whole.To.After(middle.To) {
		t.Errorf("%v, then %v", middle, whole)
	}
	if out := f.Host("idle").Effects().Out(); out != (lab.Span{}) || out.Overlaps(whole) {
		t.Errorf("idle: %v", out)
	}
	at := func(from, to int) lab.Span {
		s := lab.Span{From: before.Add(time.Duration(from))}
		if to > 0 {
			s.To = before.Add(time.Duration(to))
		}
		return s
	}
	for _, c := range []struct {
		a, b lab.Span
		want bool
	}{
		{at(1, 3), at(3, 5), false}, {at(1, 4), at(3, 5), true}, {at(1, 9), at(3, 5), true}, {at(1, 0), at(3, 5), true}, {at(6, 0), at(3, 5), false},
	} {
		if c.a.Overlaps(c.b) != c.want || c.b.Overlaps(c.a) != c.want {
			t.Errorf("%v and %v: want %v", c.a, c.b, c.want)
		}
	}
}
