package device_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

func TestFaults(t *testing.T) {
	r := startKind(t, kind(t, slow), device.Options{Faults: []device.Fault{
		{At: "work", Do: "lose_reply"}, {At: "work", Nth: 2, Do: "drop"}, {At: "work", Nth: 3, Ask: "Erase nvram? [confirm]", Key: true},
		{At: "work", Nth: 4, Do: "error", Text: "% nothing works\n"}, {At: "boot", Do: "key_changes"}, {At: "boot", Do: "second_reboot"}, {At: "boot", Nth: 3, Do: "never_back"},
	}})
	key := r.Key().Marshal()
	for range 2 {
		s := r.shell("r1# ")
		s.raw("work\r")
		s.gone()
		s.mu.Lock()
		if strings.Contains(s.seen.String(), "done") {
			t.Errorf("the reply was heard: %s", s.seen.String())
		}
		s.mu.Unlock()
	}
	s := r.shell("r1# ")
	s.send("work", `\[confirm\]`)
	s.raw("y")
	s.expect("r1# ")
	has(t, s.send("work", "r1# "), "nothing works")
	if done := r.Done(); done.Count("worked") != 1 || done.Count("surprised") != 1 || done.Answers[0].Accepted {
		t.Errorf("%+v", done)
	}
	s.raw("reboot\r")
	s.gone()
	await(t, func() bool { return r.Truth().Boots == 2 && !r.Truth().Down })
	if bytes.Equal(key, r.Key().Marshal()) {
		t.Error("the key is the same")
	}
	s = r.back("r1# ")
	s.raw("reboot\r")
	s.gone()
	r.Advance(24 * time.Hour)
	if _, err := ssh.Dial("tcp", r.port.Addr(), r.config()); err == nil || !r.Truth().Down {
		t.Error("it came back")
	}
}

func TestAAADown(t *testing.T) {
	r := startKind(t, kind(t, "timing: {refuse: 1m, aaa_down: 9000h}\n"+slow), device.Options{Speed: 1000})
	s := r.shell("r1# ")
	s.raw("reboot\r")
	s.gone()
	await(t, func() bool { return r.Truth().Boots == 1 && !r.Truth().Down })
	if _, err := ssh.Dial("tcp", r.port.Addr(), r.config()); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("logged in: %v", err)
	}
	r.Advance(9001 * time.Hour)
	r.back("r1# ")
}

// TestGroup: two devices share a clock, and one changes the other.
func TestGroup(t *testing.T) {
	k := kind(t, `truth: {values: {role: standby}}
commands:
  - {in: take over, do: [{on: peer, set: {role: standby}}, {set: {role: active}}, {after: {name: x, in: 30m, do: late, deadline: true}}]}
  - {in: show role, out: "{{.V.role}}, peer {{.Peer.V.hostname}} {{.Peer.V.role}}\n"}
routines: {late: [{on: group, effect: late}]}
`)
	group := device.NewGroup(time.Time{}, 0)
	a := startKind(t, k, device.Options{Name: "a", Group: group})
	b := startKind(t, k, device.Options{Name: "b", Group: group})
	s := a.shell("r1# ")
	s.send("take over", "r1# ")
	has(t, s.send("show role", "r1# "), "active, peer b standby")
	s = b.shell("r1# ")
	has(t, s.send("show role", "r1# "), "standby, peer a active")
	b.Advance(time.Hour)
	await(t, func() bool { return a.Done().Count("late") == 1 && b.Done().Count("late") == 1 })
}
