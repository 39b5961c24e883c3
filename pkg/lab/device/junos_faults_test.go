package device_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
)

func TestJunosSwitchesTheMaster(t *testing.T) {
	r, s := junos(t, "junos-vc", "ex4300", junosPackage, device.Fault{At: "switchover", Do: "switch_refused"})
	has(t, s.send("show system switchover", op), "Switchover Status: Ready")
	has(t, s.send("request chassis routing-engine master switch", op), "Not ready for mastership switch")
	s.send("request chassis routing-engine master switch", question)
	s.raw("yes\r")
	s.gone()
	has(t, paged(r.back(op)).send("show virtual-chassis", op), "{master:1}", "Backup  ")
}

// What was cut off by the power has not been installed.
func TestJunosLosesPower(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage, device.Fault{At: "install", Do: "power_cut"})
	s.raw("request system software add " + junosPackage + "\r")
	s.gone()
	s = paged(r.back(op))
	has(t, s.send("show chassis routing-engine", op), "0x1:power cycle/failure")
	if truth := r.Truth(); truth.Members[0].Values["next"] != "" || truth.Members[0].Values["version"] != "21.4R3-S4.9" || len(truth.Armed) != 0 {
		t.Errorf("truth: %+v", truth)
	}
}

// An installation goes on where its connection is lost.
func TestJunosInstallsWithoutAnybody(t *testing.T) {
	r, s := junos(t, "junos", "ex4300", junosPackage, device.Fault{At: "install", Do: "drop"})
	s.raw("request system software add " + junosPackage + "\r")
	s.gone()
	waits(paged(r.back(op)), "show version", "Pending: "+junosTarget)
}

func TestJunosPagesAndExecutes(t *testing.T) {
	r := start(t, "junos-vc", device.Options{})
	s := r.shell(op)
	s.send("show version", `---\(more\)---`)
	s.raw(" ")
	has(t, s.expect(op), "fpc2:")
	exec, err := r.dial().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Output("show version | no-more")
	if err != nil || !strings.Contains(string(out), "Junos: 21.4R3-S4.9") {
		t.Errorf("exec: %v\n%s", err, out)
	}
}

// pushed sends a file as scp does.
func (r *rig) pushed(folder, name string, content []byte) {
	r.t.Helper()
	session, err := r.dial().NewSession()
	if err != nil {
		r.t.Fatal(err)
	}
	session.Stdin = io.MultiReader(strings.NewReader(fmt.Sprintf("C0644 %d %s\n", len(content), name)), bytes.NewReader(content), strings.NewReader("\x00"))
	if err := session.Run("scp -t " + folder); err != nil {
		r.t.Fatal(err)
	}
}

func TestJunosTakesAPackage(t *testing.T) {
	r := start(t, "junos", device.Options{Faults: []device.Fault{{At: "transfer", Do: "hash_mismatch"}}})
	content := device.MakeImage("ex4300", junosTarget, 50_000)
	sum := sha256.Sum256(content)
	right := " = " + hex.EncodeToString(sum[:])
	s := paged(r.shell(op))
	r.pushed("/var/tmp/", "x.tgz", content)
	if out := s.send("file checksum sha-256 /var/tmp/x.tgz", op); strings.Contains(out, right) {
		t.Errorf("the transfer changed nothing: %s", out)
	}
	r.pushed("/var/tmp/", "x.tgz", content)
	has(t, s.send("file checksum sha-256 /var/tmp/x.tgz", op), right)
	has(t, s.send("request system software add /var/tmp/x.tgz no-validate no-copy", op), "A reboot is required")
}

func TestJunosFetchesAPackage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(device.MakeImage("ex4300", junosTarget, 5000))
	}))
	defer server.Close()
	r := start(t, "junos-vc", device.Options{Faults: []device.Fault{{At: "copy", Nth: 2, Do: "flash_full"}}})
	s := paged(r.shell(op))
	s.send("file copy "+server.URL+"/x.tgz /var/tmp/", op)
	has(t, s.send("file list /var/tmp/x.tgz", op), "/var/tmp/x.tgz\n")
	has(t, s.send("file copy /var/tmp/x.tgz fpc1:/var/tmp/", op), "filesystem is full")
	has(t, s.send("request system software add /var/tmp/x.tgz", op), "ERROR: x.tgz fails requirements check")
	s.send("file delete /var/tmp/x.tgz", op)
	has(t, s.send("file list /var/tmp/x.tgz", op), "No such file or directory")
}

func TestJunosRoutingEngineBootsTheOld(t *testing.T) {
	for word, see := range map[string]string{"old_image": "Slot 1:\n    Current state                  Backup", "never_back": "Slot 1:\n    Current state                  Present"} {
		t.Run(word, func(t *testing.T) {
			r, s := junos(t, "junos-dual-re", "mx", mxPackage, device.Fault{At: "boot", Do: word})
			s.send("request system software add "+mxPackage+" re1", op)
			s.send("request system reboot other-routing-engine", question)
			s.send("yes", op)
			for end := time.Now().Add(patience); r.Done().Count("up 1")+r.Done().Count("lost 1") == 0 && time.Now().Before(end); <-time.After(5 * time.Millisecond) {
			}
			has(t, s.send("show chassis routing-engine", op), see)
			if versions(r) != "21.4R3-S4.9 21.4R3-S4.9" {
				t.Errorf("they run %s", versions(r))
			}
		})
	}
}
