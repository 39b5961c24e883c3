package linux

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// said makes a report of sections, in pairs of name and text.
func said(pairs ...string) remote.Result {
	var text strings.Builder
	text.WriteString(opening + "n\n")
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&text, "@n begin %s\n%s\n@n status 0\n@n end %s\n", pairs[i], pairs[i+1], pairs[i])
	}
	text.WriteString("@n whole\n")
	return remote.Result{Ending: remote.Exited, Out: []byte(text.String())}
}

func sampleFacts() fact.Facts {
	return fact.Facts{
		Host: Web, Platform: "sample", Arch: "amd64", BootID: "boot-1", Init: "systemd", System: "running",
		Kernel: fact.Kernel{Running: "6.1.0-37-amd64", Newest: "6.1.0-37-amd64"}, Manager: fact.Manager{Name: "sample", State: fact.ManagerOK},
	}
}

func sampleWork() patch.Work {
	return patch.Work{ID: "w1", Reboot: patch.RebootIfNeeded, Install: []patch.Update{{Name: "libx", Arch: "amd64", From: "1", To: "2"}}}
}

func stepOf(t *testing.T, f fact.Facts, w patch.Work, id platform.StepID) platform.Step {
	t.Helper()
	steps, err := sample().Steps(f, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("there is no step %s", id)
	return platform.Step{}
}

const ordered = "order=w1-reboot\nboot_id=boot-1\nup=1000\nkernel=vmlinuz-6.1.0-37-amd64\nkernel=vmlinuz-6.1.0-38-amd64\nfailed=old.service\n"

func TestRebootJudge(t *testing.T) {
	both := "vmlinuz-6.1.0-37-amd64\nvmlinuz-6.1.0-38-amd64"
	holders := map[string]string{"locked": "/var/lib/dpkg/lock 42 apt-get"}
	tests := map[string]struct {
		signs, order, failed, more string
		want                       platform.State
		say                        string
	}{
		"on its way":           {"boot_id=boot-1\nup=1010\nkernel=6.1.0-37-amd64\nrunning=running", ordered, "", "", platform.Running, "restarting"},
		"stopping, for long":   {"boot_id=boot-1\nup=1500\nkernel=6.1.0-37-amd64\nrunning=stopping", ordered, "", "", platform.Running, "restarting"},
		"does not go down":     {"boot_id=boot-1\nup=1181\nkernel=6.1.0-37-amd64\nrunning=running", ordered, "", "backup 0 root 42 backup shutdown  nightly block", platform.Failed, "held off by: backup 0 root"},
		"locked":               {"boot_id=boot-1\nup=10\nkernel=6.1.0-37-amd64\nrunning=running", "", "", "", platform.NotDone, "waiting: the package manager is locked by process 42 (apt-get)"},
		"another's order":      {"boot_id=boot-1\nup=9999\nkernel=6.1.0-37-amd64\nrunning=running", strings.Replace(ordered, "w1-", "w0-", 1), "", "", platform.NotDone, "6.1.0-38-amd64 is installed"},
		"back":                 {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=running", ordered, "", "", platform.Done, "rebooted"},
		"back, newer still":    {"boot_id=boot-2\nup=20\nkernel=6.1.0-39-amd64\nrunning=running", ordered, "", "", platform.Done, "rebooted"},
		"back, old kernel":     {"boot_id=boot-2\nup=20\nkernel=6.1.0-37-amd64\nrunning=running", ordered, "", "", platform.Failed, "kernel 6.1.0-38-amd64 was to run, 6.1.0-37-amd64 runs"},
		"back, another kind":   {"boot_id=boot-2\nup=20\nkernel=6.9.0-1-rt-amd64\nrunning=running", ordered, "", "", platform.Failed, "was to run, 6.9.0-1-rt-amd64 runs"},
		"back, not ordered":    {"boot_id=boot-2\nup=20\nkernel=6.1.0-37-amd64\nrunning=running", "", "", "", platform.Failed, "was to run"},
		"back, as bad":         {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=degraded", ordered, "old.service loaded failed failed Old", "", platform.Done, "rebooted"},
		"back, worse":          {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=degraded", ordered, "old.service loaded failed failed Old\nnew.service loaded failed failed New", "", platform.Failed, "had not before the reboot: new.service"},
		"back, worse, unknown": {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=degraded", "", "", "", platform.Failed, "degraded"},
		"back, rescue":         {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=maintenance", ordered, "", "", platform.Failed, "rescue"},
		"back, starting":       {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=starting", ordered, "", "", platform.Running, "starting"},
		"back, down again":     {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=stopping", ordered, "", "", platform.Running, "down again"},
		"back, mute":           {"boot_id=boot-2\nup=20\nkernel=6.1.0-38-amd64\nrunning=", ordered, "", "", platform.Running, "does not answer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			step := stepOf(t, sampleFacts(), sampleWork(), "reboot")
			got := step.Look.Judge([]remote.Result{said("signs", tt.signs+"\nboot=readable", "kernels", both, "reboot_flag", "", "order", tt.order, "failed", tt.failed, "inhibitors", tt.more, "locks", holders[name])})
			Standing(t, got, tt.want, tt.say)
		})
	}
}

func TestRebootWithin(t *testing.T) {
	w := sampleWork()
	if got := stepOf(t, sampleFacts(), w, "reboot").Deadline; got != rebootWithin {
		t.Error(got)
	}
	w.RebootWithin = 7e9
	if got := stepOf(t, sampleFacts(), w, "reboot").Deadline; got != 7e9 {
		t.Error(got)
	}
}

func TestLivePatchIsTold(t *testing.T) {
	k := fact.Kernel{Running: "6.1.0-37-amd64", Newest: "6.1.0-38-amd64"}
	d := judgeReboot(rebootSigns{kernel: k, boot: true, live: []string{"lp_1\x1b"}, ruler: sample().Manager})
	if d.needed != patch.Yes || len(d.reasons) != 2 || !strings.Contains(d.reasons[1], "live patch") {
		t.Errorf("%+v", d)
	}
	CleanText(t, d.reasons[1])
	k.Newest = k.Running
	if d := judgeReboot(rebootSigns{kernel: k, boot: true, live: []string{"lp"}, ruler: sample().Manager}); d.needed != patch.No {
		t.Errorf("%+v", d)
	}
}

func TestReleaseOf(t *testing.T) {
	for _, tt := range []struct{ name, version, arch, want string }{
		{"linux-image-6.1.0-38-amd64", "6.1.147-1", "amd64", "6.1.0-38-amd64"},
		{"linux-image-unsigned-6.8.0-61-generic", "6.8.0-61.63", "amd64", "6.8.0-61-generic"},
		{"linux-image-6.12.43+deb13-cloud-amd64", "6.12.43-1", "amd64", "6.12.43+deb13-cloud-amd64"},
		{"linux-image-amd64", "6.1.147-1", "amd64", ""},
		{"linux-image-generic", "6.8.0-61.63", "amd64", ""},
		{"kernel-core", "5.14.0-503.15.1.el9_5", "x86_64", "5.14.0-503.15.1.el9_5.x86_64"},
		{"kernel-rt-core", "0:5.14.0-503.el9", "x86_64", "5.14.0-503.el9.x86_64+rt"},
		{"kernel-core", "", "x86_64", ""},
		{"kernel-tools", "5.14.0-503.el9", "x86_64", ""},
		{"bash", "5", "amd64", ""},
	} {
		if got := releaseOf(tt.name, tt.version, tt.arch); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.name, tt.version, got, tt.want)
		}
	}
}

func FuzzRebootOrder(f *testing.F) {
	f.Add(ordered)
	f.Add("up=99999999999999999999\norder\n=\nfailed=\x1b[2J")
	f.Fuzz(func(t *testing.T, text string) {
		o := readOrder(Section{Out: text}.Lines())
		CleanText(t, o.name+o.boot+strings.Join(o.failed, "")+strings.Join(o.kernels, ""))
		if o.up < -1 {
			t.Error(o.up)
		}
	})
}
