package linux

import (
	"os"
	"path"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// jobStands is what the look at a job prints.
func jobStands(state, code string, log ...string) remote.Result {
	text := "patchring-job 1\nstate " + state + "\ncode " + code + "\nboot b\nwhy \nlog\n" + strings.Join(log, "\n") + "\n"
	return remote.Result{Ending: remote.Exited, Out: []byte(text)}
}

const webAndSSH = "restart\tnginx.service\t/usr/lib/libssl.so.3\nrestart\tssh.service\t/usr/lib/libcrypto.so.3\ntell\tlogin\tdbus.service\t/usr/lib/libc.so.6"

func TestServicesJudge(t *testing.T) {
	absent := jobStands("absent", "")
	tests := map[string]struct {
		rule   patch.RestartRule
		init   string
		job    remote.Result
		judged string
		want   platform.State
		say    string
	}{
		"nothing":            {patch.RestartIfNeeded, "systemd", absent, "", platform.Done, ""},
		"not to be done":     {patch.RestartNever, "systemd", absent, webAndSSH, platform.Done, "nginx.service, ssh.service (set restart"},
		"to be done":         {patch.RestartIfNeeded, "systemd", absent, webAndSSH, platform.NotDone, "nginx.service, ssh.service"},
		"claimed":            {patch.RestartIfNeeded, "systemd", jobStands("claimed", ""), webAndSSH, platform.NotDone, ""},
		"told":               {patch.RestartIfNeeded, "systemd", absent, "tell\tlogin\tdbus.service\t/usr/lib/libc.so.6", platform.Done, "dbus.service still uses the replaced /usr/lib/libc.so.6: logins"},
		"another init":       {patch.RestartIfNeeded, "", absent, "tell\tprocess\tnginx\t/usr/lib/libssl.so.3", platform.Done, "nginx still uses"},
		"running":            {patch.RestartIfNeeded, "systemd", jobStands("running", "", "patchring: restarted: a.service"), webAndSSH, platform.Running, "a.service"},
		"done":               {patch.RestartIfNeeded, "systemd", jobStands("exited", "0", "patchring: restarted: nginx.service", "patchring: restarted: ssh.service"), "", platform.Done, "nginx.service, ssh.service"},
		"done, and still":    {patch.RestartIfNeeded, "systemd", jobStands("exited", "0", "patchring: restarted: nginx.service"), "restart\tnginx.service\t/usr/lib/libssl.so.3", platform.Done, "nginx.service still uses"},
		"does not come back": {patch.RestartIfNeeded, "systemd", jobStands("exited", "1", "patchring: failed: nginx.service is failed (Result=exit-code) after its restart: no"), "", platform.Failed, "nginx.service is failed"},
		"exits otherwise":    {patch.RestartIfNeeded, "systemd", jobStands("exited", "2", "sh: what"), "", platform.Failed, "exit status 2"},
		"cut":                {patch.RestartIfNeeded, "systemd", jobStands("interrupted", ""), webAndSSH, platform.Unknown, "cut"},
		"cut, nothing left":  {patch.RestartIfNeeded, "systemd", jobStands("interrupted", ""), "", platform.Done, ""},
		"revoked":            {patch.RestartIfNeeded, "systemd", jobStands("revoked", ""), webAndSSH, platform.Failed, "did not begin"},
		"odd":                {patch.RestartIfNeeded, "systemd", jobStands("odd", ""), webAndSSH, platform.Unknown, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, w := sampleFacts(), sampleWork()
			f.Init, w.Restart = tt.init, tt.rule
			step := stepOf(t, f, w, "services")
			Standing(t, step.Look.Judge([]remote.Result{tt.job, said("judged", tt.judged)}), tt.want, tt.say)
			if acts := tt.rule == patch.RestartIfNeeded && tt.init == "systemd"; len(step.Do) > 0 != acts || step.Changes != acts {
				t.Errorf("acts: %v", len(step.Do))
			}
		})
	}
	w := sampleWork()
	w.Restart = patch.RestartIfNeeded
	step := stepOf(t, sampleFacts(), w, "services")
	Standing(t, step.Look.Judge([]remote.Result{jobStands("absent", ""), said("other", "")}), platform.Unknown, "could not be seen")
	Standing(t, step.Look.Judge(nil), platform.Unknown, "not asked")
}

func TestNoServicesStep(t *testing.T) {
	bsd := sampleFacts()
	bsd.Platform = "freebsd"
	for name, tt := range map[string]struct {
		f fact.Facts
		w patch.Work
	}{"nothing was installed": {sampleFacts(), patch.Work{ID: "w", Reboot: patch.RebootNever}}, "no /proc": {bsd, sampleWork()}} {
		if steps, err := sample().services(tt.f, tt.w); err != nil || len(steps) > 0 {
			t.Errorf("%s: %v %v", name, steps, err)
		}
	}
}

// TestSpared: the words keep what would cut us off, and nothing else.
func TestSpared(t *testing.T) {
	spared := func(unit string) bool {
		for word := range strings.FieldsSeq(neverWords()) {
			_, pattern, _ := strings.Cut(word, "=")
			if ok, err := path.Match(pattern, unit); ok && err == nil {
				return true
			}
		}
		return false
	}
	for unit, want := range map[string]bool{
		"dbus.service": true, "dbus-broker.service": true, "systemd-logind.service": true, "getty@tty1.service": true, "user@0.service": true,
		"gdm3.service": true, "NetworkManager.service": true, "NetworkManager-dispatcher.service": true, "systemd-networkd.service": true, "firewalld.service": true,
		"docker.service": true, "sshd@1-2.service": true, "patchring-w1-services.service": true,
		"ssh.service": false, "sshd.service": false, "nginx.service": false, "systemd-journald.service": false, "systemd-udevd.service": false,
		"systemd-resolved.service": false, "postgresql@16-main.service": false, "cron.service": false, "networkd-dispatcher.service": false,
	} {
		if got := spared(unit); got != want {
			t.Errorf("%s: %v", unit, got)
		}
	}
}

// TestOwners: whose a process is, by its control group, as every shell reads it.
func TestOwners(t *testing.T) {
	tests := map[string]string{
		"/system.slice/nginx.service":                                            "unit nginx.service",
		"/system.slice/system-postgresql.slice/postgresql@16-main.service":       "unit postgresql@16-main.service",
		"/system.slice/php8.2-fpm.service/worker":                                "unit php8.2-fpm.service",
		"/system.slice/docker.service":                                           "unit docker.service",
		"/system.slice/docker-0123.scope":                                        "container",
		"/docker/0123":                                                           "container",
		"/machine.slice/libpod-1.scope/container":                                "container",
		"/machine.slice/systemd-nspawn@x.service/payload/system.slice/a.service": "container",
		"/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope":             "container",
		"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt":                 "tell guest",
		"/user.slice/user-1000.slice/session-3.scope":                            "tell session",
		"/user.slice/user-1000.slice/user@1000.service/app.slice/x.service":      "tell session",
		"/init.scope":                      "init",
		"/":                                "tell process",
		"":                                 "tell process",
		"/system.slice/-x.service":         "tell process",
		"/system.slice/a$(reboot).service": "tell process",
	}
	script := servicesScript + "main() { for x in \"$@\"; do owner \"$x\"; done; }\nmain \"$@\"\n"
	var paths, want []string
	for p, w := range tests {
		paths, want = append(paths, p), append(want, w)
	}
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		got := strings.Split(strings.TrimSuffix(string(RunIn(t, shell, look(remote.Reads, 0, paths, "never=''\n", script)).Out), "\n"), "\n")
		for i := range paths {
			if i >= len(got) || got[i] != want[i] {
				t.Errorf("%s: got %q, want %q", paths[i], got, want[i])
			}
		}
	})
}

// TestServicesLookHere runs the real look against this machine. It only reads.
func TestServicesLookHere(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to read the memory maps of all processes")
	}
	step := stepOf(t, sampleFacts(), sampleWork(), "services")
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		r := RunIn(t, shell, *step.Look.Do[1].Command)
		rep, trouble := WholeReport([]remote.Result{r})
		if s := rep.Get("judged"); trouble != "" || !s.OK() || s.Err != "\n" && s.Err != "" && strings.TrimSpace(s.Err) != "" {
			t.Errorf("%s %+v", trouble, rep)
		}
		for _, line := range rep.Get("judged").Lines() {
			t.Log(line)
		}
		readUsers(rep.Get("judged").Lines())
	})
}

// FuzzUsers: nothing that a host says of its processes gets lost, or out uncleaned.
func FuzzUsers(f *testing.F) {
	f.Add(webAndSSH)
	f.Add("tell\tsession\tbash\t/usr/bin/bash\nreexec\tsystemd\t/usr/lib/x\nrestart\t\t\n\x1b[2J\tx")
	f.Fuzz(func(t *testing.T, text string) {
		lines := Section{Out: text}.Lines()
		u := readUsers(lines)
		if len(lines) > 0 && len(u.restart)+len(u.told) == 0 {
			t.Errorf("%q was not told", text)
		}
		CleanText(t, strings.Join(u.names(), " ")+strings.Join(u.told, " ")+strings.Join(u.still(), " ")+strings.Join(u.untold(true), " "))
	})
}
