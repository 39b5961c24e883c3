//go:build unix

package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// shortDir is a folder whose sockets have names that fit.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cm") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startMaster is the user's own ssh, logged in to d, as ssh -fNM makes it. The returned
// function ends it.
func startMaster(t *testing.T, d *realSSHD, key, socket string) func() {
	t.Helper()
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("needs ssh: " + err.Error())
	}
	host, port, _ := net.SplitHostPort(d.address)
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := fmt.Sprintf("[%s]:%s %s %s", host, port, d.hostKey.Type(), strings.Fields(marshal(d))[1])
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-F", "none", "-N", "-M", "-S", socket, "-i", key, "-p", port, "-o", "UserKnownHostsFile="+known,
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", d.user+"@"+host)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	await(t, func() bool { _, err := os.Stat(socket); return err == nil })
	return end
}

// Everything goes through the user's own connection: commands, files, a console; no login
// is made, and the master's end is the end of the command.
func TestRidesTheUsersOwnMaster(t *testing.T) {
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	socket := filepath.Join(shortDir(t), "m")
	kill := startMaster(t, d, path, socket)
	before := logins(t, d)
	told := &said{}
	r := newRig(t, Options{Say: told.say, Keepalive: 500 * time.Millisecond, Dial: refuseDial})
	h := d.host(t, "web", "")
	h.ControlMaster = socket
	l := r.lease(t, h, site())
	got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", "cat; echo e >&2; exit 3"}, Stdin: []byte("in")})
	if err != nil || string(got.Out) != "in" || string(got.Err) != "e\n" || got.Code != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	content := bytes.Repeat([]byte("patchring "), 300_000)
	file := filepath.Join(t.TempDir(), "f")
	if err := l.Session().Files.Put(t.Context(), file, bytes.NewReader(content), patch.DigestOf(content)); err != nil {
		t.Fatal(err)
	}
	if moved, _ := os.ReadFile(file); !bytes.Equal(moved, content) {
		t.Errorf("%d bytes of %d", len(moved), len(content))
	}
	run(t, l, "sleep", "1.2") // two signs of life
	if after := logins(t, d); after != before {
		t.Errorf("%d logins of ours", after-before)
	}
	if len(told.texts) != 1 || !strings.Contains(told.texts[0], "your own ssh") {
		t.Errorf("told %q", told.texts)
	}
	masterDies(t, l, kill, socket)
}

// masterDies ends the master in the middle of a command.
func masterDies(t *testing.T, l *Lease, kill func(), socket string) {
	t.Helper()
	began := filepath.Join(t.TempDir(), "began")
	ended := make(chan error, 1)
	go func() {
		_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", "touch " + began + "; sleep 20"}})
		ended <- err
	}()
	await(t, func() bool { _, err := os.Stat(began); return err == nil })
	kill()
	within(t, func() { wantFault(t, <-ended, fault.Lost, "unknown") })
	_ = os.Remove(socket) // ssh does so, unless it is killed
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}})
	wantFault(t, err, fault.Unreachable, "no master connection at "+socket, "ssh -fNM -S "+socket+" -p ")
}

// The person's login outlives us, also where signs of life were asked for meanwhile.
func TestMasterOutlivesUs(t *testing.T) {
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	socket := filepath.Join(shortDir(t), "m")
	startMaster(t, d, path, socket)
	for range 2 {
		f := New(Options{Keepalive: 500 * time.Millisecond, Dial: refuseDial}) // three misses end it: not less on a busy machine
		h := d.host(t, "web", "")
		h.ControlMaster = socket
		l, err := f.Lease(t.Context(), h, site())
		if err != nil {
			t.Fatal(err)
		}
		run(t, l, "sleep", "1.2")
		l.Release()
		_ = f.Close()
		out, err := exec.Command("ssh", "-F", "none", "-S", socket, "-O", "check", "x").CombinedOutput()
		if err != nil {
			t.Fatalf("the master is gone: %v: %s", err, out)
		}
	}
}

func TestMasterFromSSHConfig(t *testing.T) {
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	dir := shortDir(t)
	host, port, _ := net.SplitHostPort(d.address)
	startMaster(t, d, path, filepath.Join(dir, d.user+"-"+host+"-"+port))
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("ControlPath "+dir+"/%r-%h-%p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{SSHConfig: config, Dial: refuseDial})
	h := d.host(t, "web", "")
	h.ControlMaster = inventory.MasterFromConfig
	run(t, r.lease(t, h, site()), "true")
	h.ControlMaster = dir + "/%r-%h-%p"
	run(t, r.lease(t, h, site()), "true")
}

func TestMasterFaults(t *testing.T) {
	dir := shortDir(t)
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	mute := filepath.Join(dir, "mute")
	for _, path := range []string{open, mute} {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(mute, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		code fault.Code
		says string
	}{
		{dir + "/none", fault.Unreachable, "there is no master connection at"},
		{plain, fault.Unreachable, "not a socket"},
		{open, fault.Unreachable, "others may write to it"},
		{mute, fault.Unreachable, "did not answer within 100ms"},
		{dir + "/" + strings.Repeat("x", 100), fault.Usage, "at most 103 bytes"},
		{inventory.MasterFromConfig, fault.Usage, "no ControlPath"},
	} {
		t.Run(c.says, func(t *testing.T) {
			r := newRig(t, Options{Timeout: 100 * time.Millisecond, Dial: refuseDial})
			h := host(t, "web", "192.0.2.1:22")
			h.ControlMaster = c.path
			within(t, func() {
				_, err := r.Lease(t.Context(), h, site())
				wantFault(t, err, c.code, c.says)
			})
		})
	}
	r := newRig(t, Options{})
	h := host(t, "web", "192.0.2.1:22")
	h.ControlMaster, h.HostKeys = dir+"/none", []string{"SHA256:x"}
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Usage, "host_keys can't be checked")
}

func TestExpandMaster(t *testing.T) {
	tokens := masterTokens{host: "10.0.0.5", port: "22", user: "patch", name: "web"}
	for pattern, want := range map[string]string{
		"/s/%r@%h:%p-%n": "/s/patch@10.0.0.5:22-web", "/s/100%%": "/s/100%", "/s/%%h": "/s/%h", "/s/x": "/s/x",
	} {
		if got, err := expandMaster(pattern, tokens); err != nil || got != want {
			t.Errorf("%s: %q, %v", pattern, got, err)
		}
	}
	for _, bad := range []masterTokens{{host: "../x"}, {user: "a/b"}, {name: ".."}, {port: "\x00"}} {
		if got, err := expandMaster("/s/%h", bad); err == nil {
			t.Errorf("%+v gives %q", bad, got)
		}
	}
}

// refuseDial: over a master nothing is dialled.
func refuseDial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("it was dialled")
}

// logins counts the logins in sshd's log.
func logins(t *testing.T, d *realSSHD) int {
	t.Helper()
	text, err := os.ReadFile(d.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "Accepted ")
}

func marshal(d *realSSHD) string { return string(ssh.MarshalAuthorizedKey(d.hostKey)) }
