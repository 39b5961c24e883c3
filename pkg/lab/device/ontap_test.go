package device_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/device"
)

// ontap starts a cluster, and serves a package of a kind; the second result is its URL.
func ontap(t *testing.T, imageKind string, faults ...device.Fault) (*rig, string) {
	t.Helper()
	content := device.MakeImage(imageKind, "9.14.1P4", 60_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(content) // a client that goes away is part of the test
	}))
	t.Cleanup(server.Close)
	return start(t, "netapp-ontap", device.Options{Name: "cluster1", Faults: faults}), server.URL + "/9141P4_q_image.tgz"
}

// fetched opens a session without a pager and brings the package in.
func fetched(t *testing.T, r *rig, url string) *shell {
	t.Helper()
	s := r.shell("cluster1::> ")
	s.send("rows 0", "cluster1::> ")
	has(t, s.send("cluster image package get -url "+url, "cluster1::> "), "Package download completed.", "Package processing completed.")
	return s
}

func TestOntapUpdate(t *testing.T) {
	r, url := ontap(t, "ontap")
	s := r.shell("cluster1::> ")
	s.send("network interface show", "cluster1::> ")
	s.send("network port show", "cluster1::> ")
	s.send("set -privilege advanced", `\{y\|n\}: `)
	s.key("y", `cluster1::\*> `)
	has(t, s.send("system node image show", `cluster1::\*> `), "image2  true    true    9.13.1P6")
	s.send("set -privilege admin", "cluster1::> ")
	s.send("rows 0", "cluster1::> ")
	for _, cmd := range []string{
		"version", "system node show", "cluster show", "storage failover show", "network interface show -is-home false", "system health status show", "cluster image show",
		"cluster image package show-repository", "cluster image show-update-progress", "cluster image show-update-history", "cluster image show-update-log", "df -h",
		"storage aggregate show", "snapmirror show", "event log show", "system node autosupport show", "system node show -fields model,serialnumber,uptime",
	} {
		if out := s.send(cmd, "cluster1::> "); strings.Count(out, "\n") < 2 || strings.Contains(out, "not a recognized") {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	has(t, s.send("cluster image package get -url "+url, "cluster1::> "), "Package processing completed.")
	has(t, s.send("cluster image package show-repository", "cluster1::> "), "9.14.1P4  ")
	has(t, s.send("cluster image validate -version 9.14.1P4", "cluster1::> "), "Pre-update Check", "Overall Status        Warning")
	s.send("cluster image update -version 9.14.1P4", `proceed with update \? \{y\|n\}: `)
	s.raw("y") // one key answers
	has(t, s.expect("cluster1::> "), "Starting update...")
	s.gone()
	s = r.back("cluster1::> ")
	s.send("rows 0", "cluster1::> ")
	settled(t, r, "status", "completed")
	has(t, s.send("cluster image show-update-progress", "cluster1::> "), "Data ONTAP updates   completed ", "Updated nodes: n1, n2.")
	has(t, s.send("cluster image show", "cluster1::> "), "n1               9.14.1P4", "n2               9.14.1P4")
	has(t, s.send("storage failover show", "cluster1::> "), "Connected to n2", "Connected to n1")
	has(t, s.send("network interface show -is-home false", "cluster1::> "), "no entries matching")
	for _, m := range r.Truth().Members {
		if m.Values["version"] != "9.14.1P4" || m.Values["state"] != "up" || m.Values["current"] != "image1" {
			t.Errorf("member: %+v", m)
		}
	}
}

func TestOntapValidation(t *testing.T) {
	r, url := ontap(t, "ontap", device.Fault{At: "validate", Do: "validation_fails"})
	s := fetched(t, r, url)
	has(t, s.send("cluster image update -version 9.14.1P4", "cluster1::> "), "Cluster health        Error", "Error: command failed: Validation failed")
	has(t, s.send("cluster image show-update-progress", "cluster1::> "), "no entries")
	has(t, s.send("cluster image update -version 9.99", "cluster1::> "), "does not exist in the package repository")
}

func TestOntapPackage(t *testing.T) {
	r, url := ontap(t, "another")
	s := r.shell("cluster1::> ")
	has(t, s.send("cluster image package get -url "+url, "cluster1::> "), "Error: command failed: Package processing failed")
	r, url = ontap(t, "ontap", device.Fault{At: "transfer", Do: "flash_full"})
	s = r.shell("cluster1::> ")
	has(t, s.send("cluster image package get -url "+url, "cluster1::> "), "not enough space")
}

func TestOntapStops(t *testing.T) {
	for word, c := range map[string]struct{ at, comment, state string }{
		"update_paused":   {"update", "timed out", "up"},
		"takeover_fails":  {"takeover", "is not possible", "up"},
		"node_never_back": {"node_boot", "did not boot up", "down"},
		"giveback_vetoed": {"giveback", "was vetoed", "waiting"},
	} {
		t.Run(word, func(t *testing.T) {
			r, url := ontap(t, "ontap", device.Fault{At: c.at, Do: word})
			s := fetched(t, r, url)
			s.send("cluster image update -version 9.14.1P4 -stabilize-minutes 1", `\{y\|n\}: `)
			s.raw("y") // one key answers
			s.expect("cluster1::> ")
			settled(t, r, "status", "paused-on-error")
			has(t, s.send("cluster image show-update-progress", "cluster1::> "), "paused-on-error", c.comment)
			if v := r.Truth().Member("n2").Values; v["state"] != c.state {
				t.Errorf("n2: %+v", v)
			}
			s.send("cluster image resume-update", `\{y\|n\}: `)
			s.key("y", "cluster1::> ")
			settled(t, r, "status", "completed")
		})
	}
}

func TestOntapNotHome(t *testing.T) {
	r, url := ontap(t, "ontap", device.Fault{At: "giveback", Do: "lif_not_home", Nth: 2})
	s := fetched(t, r, url)
	s.send("cluster image update -version 9.14.1P4", `\{y\|n\}: `)
	s.raw("y") // one key answers
	s.expect("cluster1::> ")
	s.gone()
	s = r.back("cluster1::> ")
	settled(t, r, "status", "completed")
	has(t, s.send("network interface show -is-home false", "cluster1::> "), "data2")
	s.send("network interface revert -vserver * -lif *", "cluster1::> ")
	has(t, s.send("network interface show -is-home false", "cluster1::> "), "no entries matching")
}

func TestOntapOldImage(t *testing.T) {
	r, url := ontap(t, "ontap", device.Fault{At: "boot", Do: "old_image"})
	s := fetched(t, r, url)
	s.send("cluster image update -version 9.14.1P4", `\{y\|n\}: `)
	s.raw("y") // one key answers
	s.expect("cluster1::> ")
	settled(t, r, "status", "paused-on-error")
	has(t, s.send("cluster image show", "cluster1::> "), "n2               9.13.1P6")
	has(t, s.send("storage failover show", "cluster1::> "), "Waiting for giveback", "In takeover")
	s.send("cluster image cancel-update", `\{y\|n\}: `)
	s.key("y", "cluster1::> ")
	if status := r.Truth().Values["status"]; status != "canceled" {
		t.Errorf("status %s", status)
	}
}

func TestOntapGetBreaksOff(t *testing.T) {
	r, url := ontap(t, "ontap", device.Fault{At: "transfer", After: "50%", Do: "drop"})
	s := r.shell("cluster1::> ")
	s.raw("cluster image package get -url " + url + "\r")
	s.gone()
	s = r.back("cluster1::> ")
	has(t, s.send("cluster image package show-repository", "cluster1::> "), "no entries")
	has(t, s.send("cluster image package get -url "+url, "cluster1::> "), "Package processing completed.")
	has(t, s.send("cluster image package delete -version 9.14.1P4", "cluster1::> "), "Completed Successfully")
	has(t, s.send("cluster image package show-repository", "cluster1::> "), "no entries")
}

func TestOntapPausesAndLooks(t *testing.T) {
	r, url := ontap(t, "ontap", device.Fault{At: "takeover", Do: "takeover_fails"})
	s := fetched(t, r, url)
	has(t, s.send("cluster image update -version 9.14.1P4 -estimate-only true", "::> "), "Estimated Update Duration")
	s.send("cluster image update -version 9.14.1P4 -skip-validation-warnings true", "::> ")
	settled(t, r, "status", "paused-on-error")
	has(t, s.send("cluster image update -version 9.14.1P4", "::> "), "already in progress")
	for cmd, want := range map[string]string{
		"cluster image show-update-history": "in-progress", "cluster image show-update-log": "update started", "event log show -severity ERROR": "andu.updatePaused", "cluster date show": "n2 ",
		"system health alert show": "currently empty", "autosupport invoke -node * -type all -message MAINT=4h": "successfully invoked", "storage failover giveback -ofnode n2": "nothing to give back",
		"network interface revert -vserver * -lif *": "no entries", "storage disk show -broken": "no entries", "cluster image pause-update": "no update in progress", "version -v": "n2: NetApp Release 9.13.1P6",
	} {
		has(t, s.send(cmd, "::> "), want)
	}
	s.send("set advanced", `\{y\|n\}: `)
	s.key("n", "::> ")
	has(t, s.send("cluster ring show", "::> "), "is not a recognized command")
}
