package device_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/lab/device"
)

const mxPackage = "/var/tmp/junos-install-mx-x86-64-22.4R3.25.tgz"

// alone switches off what keeps the routing engines in step.
func alone(t *testing.T, s *shell) {
	t.Helper()
	conf := `patch@sw1# `
	has(t, s.send("show system switchover", op), "Graceful switchover: On", "Switchover Status: Ready", "\n{master}\n")
	has(t, s.send("show task replication", op), "Complete")
	s.send("configure", conf)
	s.send("deactivate chassis redundancy graceful-switchover", conf)
	s.send("deactivate routing-options nonstop-routing", conf)
	has(t, s.send("commit and-quit", op), "re1:\ncommit complete\nre0:\ncommit complete")
}

// runs is what a member shows that runs the target.
func runs(member string) string {
	return member + ":\n--------------------------------------------------------------------------\nHostname: sw1\nModel: mx480\nJunos: " + junosTarget
}

// TestJunosRoutingEngines is Juniper's way: the backup first, then the switch, then the other.
func TestJunosRoutingEngines(t *testing.T) {
	r, s := junos(t, "junos-dual-re", "mx", mxPackage)
	alone(t, s)
	has(t, s.send("request system software add "+mxPackage+" re1", op), "Pushing bundle "+mxPackage+" to re1", "Validation succeeded", "NOTICE: 'pending' set will be activated at next reboot...")
	s.send("request system reboot other-routing-engine", question)
	s.send("yes", op)
	has(t, s.send("show chassis alarms", op), "Loss of communication with Backup RE")
	waits(s, "show version invoke-on all-routing-engines", runs("re1"))
	waits(s, "request chassis routing-engine master switch check", "Switchover Ready")
	has(t, s.send("request chassis routing-engine master switch", "Toggle mastership between routing engines \\? "+question), "Traffic will be interrupted")
	s.raw("yes\r")
	s.gone()
	s = paged(r.back(op))
	has(t, s.send("show chassis routing-engine", op), "Slot 1:\n    Current state                  Master")
	has(t, s.send("show chassis alarms", op), "Backup RE Active")
	s.send("file copy re0:"+mxPackage+" /var/tmp/", op)
	s.send("request system software add "+mxPackage+" re0", op)
	s.send("request system reboot other-routing-engine", question)
	s.send("yes", op)
	waits(s, "show version invoke-on all-routing-engines", runs("re0"))
	truth := r.Truth()
	if versions(r) != junosTarget+" "+junosTarget || truth.Values["me"] != "1" || truth.Boots != 0 || len(r.Done().Unknown) != 0 {
		t.Errorf("truth: %+v, unknown %q", truth, r.Done().Unknown)
	}
}

func TestJunosRoutingEngineFaults(t *testing.T) {
	t.Run("the backup never comes into step", func(t *testing.T) {
		r, s := junos(t, "junos-dual-re", "mx", mxPackage, device.Fault{At: "boot", Do: "standby_never_syncs"})
		s.send("request system software add "+mxPackage+" re1 no-validate", op)
		s.send("request system reboot other-routing-engine", question)
		s.send("yes", op)
		waits(s, "show chassis routing-engine", "Slot 1:\n    Current state                  Backup")
		has(t, s.send("request chassis routing-engine master switch no-confirm", op), "Not ready for mastership switch, try after ")
		has(t, s.send("show system switchover", op), "Switchover Status: Not Ready")
		if r.Truth().Values["me"] != "0" {
			t.Error("it has switched")
		}
	})
	t.Run("the package fits nowhere", func(t *testing.T) {
		r, s := junos(t, "junos-dual-re", "mx", mxPackage, device.Fault{At: "install", Do: "add_fails"})
		has(t, s.send("request system software add "+mxPackage, op), "ERROR: insufficient space")
		has(t, s.send("request system software add "+mxPackage, op), "'pending' set will be activated")
		has(t, s.send("request system software rollback", op), "NOTICE: The 'pending' set has been removed")
		s = reboots(r, s, "request system reboot both-routing-engines")
		has(t, s.send("show version", op), "Junos: 21.4R3-S4.9")
	})
	t.Run("the master reboots", func(t *testing.T) {
		r, s := junos(t, "junos-dual-re", "mx", mxPackage)
		s = reboots(r, s, "request system reboot")
		has(t, s.send("show chassis routing-engine", op), "Slot 1:\n    Current state                  Master")
	})
}
