package device_test

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

// TestCiscoFaults: what is true of the device after an upgrade in which something went wrong.
func TestCiscoFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault                         device.Fault
		version, committed, activated string
		armed                         bool
		last                          string // what is typed last; the session may end there
	}{
		"none":            {device.Fault{At: "nowhere", Do: "drop"}, "17.12.04", "17.12.04", "", false, "install commit"},
		"reply lost":      {device.Fault{At: "commit", Do: "lose_reply"}, "17.12.04", "17.12.04", "", false, "install commit"},
		"cut at commit":   {device.Fault{At: "commit", Do: "drop"}, "17.12.04", "17.12.04", "", false, "install commit"},
		"commit refused":  {device.Fault{At: "commit", Do: "error", Text: "FAILED: install_commit\n"}, "17.12.04", "17.09.04a", "17.12.04", true, "install commit"},
		"old image":       {device.Fault{At: "boot", Do: "old_image"}, "17.09.04a", "17.09.04a", "17.12.04", true, "show version"},
		"timer not there": {device.Fault{At: "activated", Do: "timer_inactive"}, "17.12.04", "17.09.04a", "17.12.04", false, "show version"},
		"power cut":       {device.Fault{At: "commit", Do: "power_cut"}, "17.12.04", "17.09.04a", "17.12.04", true, "install commit"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, "cisco-iosxe", device.Options{Faults: []device.Fault{c.fault}})
			if err := r.Leave("flash:x.bin", device.MakeImage("cat9k", "17.12.04", 5000)); err != nil {
				t.Fatal(err)
			}
			s := r.shell("sw1>")
			enabled(s, "sw1")
			s.send("install add file flash:x.bin", "sw1#")
			s.send("install activate", `\[y/n\]`)
			s.raw("y")
			s.gone()
			s = r.back("sw1>")
			enabled(s, "sw1")
			s.raw(c.last + "\r")
			s.until("sw1#")
			right := func() bool {
				truth := r.Truth()
				v := truth.Members[0].Values
				return v["version"] == c.version && v["c"] == c.committed && v["u"] == c.activated && (truth.Armed["abort"] > 0) == c.armed
			}
			for end := time.Now().Add(patience / 4); !right() && time.Now().Before(end); {
				<-time.After(5 * time.Millisecond) // some of it goes on by itself
			}
			if !right() {
				t.Errorf("the truth is %+v", r.Truth())
			}
		})
	}
}

// TestCiscoRefuses: what a device of another kind, or half of an image, is answered.
func TestCiscoRefuses(t *testing.T) {
	r := start(t, "cisco-iosxe", device.Options{})
	whole := device.MakeImage("cat9k", "17.12.04", 5000)
	for path, content := range map[string][]byte{
		"flash:other.bin": device.MakeImage("router", "17.12.04", 5000), "flash:half.bin": whole[:3000],
		"flash:text.bin": []byte("hello"), "flash:same.bin": device.MakeImage("cat9k", "17.09.04a", 5000),
	} {
		if err := r.Leave(path, content); err != nil {
			t.Fatal(err)
		}
	}
	s := r.shell("sw1>")
	enabled(s, "sw1")
	for _, file := range []string{"other", "half", "text"} {
		has(t, s.send("install add file flash:"+file+".bin", "sw1#"), "FAILED: install_add ")
	}
	has(t, s.send("install add file flash:same.bin", "sw1#"), "Same Image File-No Change")
	has(t, s.send("install activate", "sw1#"), "FAILED: install_activate")
	has(t, s.send("install commit", "sw1#"), "FAILED: install_commit")
	s.send("configure terminal", `\(config\)#`)
	s.send("hostname sw1", `\(config\)#`)
	s.send("banner motd x", `\(config\)#`)
	s.send("end", "sw1#")
	has(t, s.send("show archive config differences", "sw1#"), "+banner motd x")
	if done := r.Done(); done.Count("added")+done.Count("activated")+done.Count("committed") != 0 {
		t.Errorf("%+v", done)
	}
}
