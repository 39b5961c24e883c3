package connect

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// realSSHD is an OpenSSH server on loopback, run as whoever runs the test.
type realSSHD struct {
	address string
	hostKey ssh.PublicKey
	user    string
	log     string // file
}

func needSSHD(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/libexec/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skip("needs sshd: OpenSSH's server is not installed")
	return ""
}

// startSSHD lets in the key, and a certificate of it if ca is set.
func startSSHD(t *testing.T, allowed ssh.PublicKey, more string) *realSSHD {
	t.Helper()
	sshd, dir := needSSHD(t), t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" {
		_ = os.MkdirAll("/run/sshd", 0o755)
	}
	hostPath, hostKey := keyFile(t, "host", "")
	authorized := filepath.Join(dir, "authorized")
	if err := os.WriteFile(authorized, ssh.MarshalAuthorizedKey(allowed), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	// An empty home: the rc files of whoever runs the tests like to talk, and to collide.
	config := fmt.Sprintf("SetEnv HOME=%s\nPort %s\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 100\n%s\n", dir, port, hostPath, authorized, more)
	path := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &realSSHD{address: address, hostKey: hostKey, user: me.Username, log: filepath.Join(dir, "log")}
	cmd := exec.Command(sshd, "-D", "-E", d.log, "-f", path)
	if err := cmd.Start(); err != nil {
		t.Skip("needs a working sshd: " + err.Error())
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	d.await(t)
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// await waits until sshd says its version.
func (d *realSSHD) await(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		c, err := net.DialTimeout("tcp", d.address, time.Second)
		if err != nil {
			<-time.After(20 * time.Millisecond)
			continue
		}
		_, err = c.Read(make([]byte, 1))
		_ = c.Close()
		if err == nil {
			return
		}
	}
	said, _ := os.ReadFile(d.log)
	t.Skipf("needs a working sshd: it does not answer: %s", said)
}

func (d *realSSHD) host(t *testing.T, name, key string) inventory.Host {
	t.Helper()
	h := host(t, name, d.address)
	h.User, h.Credentials.Key = d.user, key
	return h
}

func TestRealSSHD(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	r.trust(t, d.address, d.hostKey)
	l := r.lease(t, d.host(t, "real", path), site())
	if !strings.HasPrefix(l.Ident(), "SSH-2.0-OpenSSH") {
		t.Errorf("ident %q", l.Ident())
	}
	var all sync.WaitGroup
	for i := range 20 { // more than MaxSessions
		all.Go(func() {
			got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", "cat; echo e >&2; exit 3"}, Stdin: fmt.Append(nil, i)})
			if err != nil || string(got.Out) != strconv.Itoa(i) || string(got.Err) != "e\n" || got.Code != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
	// A login shell that does not become the command reports 128 + 9 instead.
	if got := run(t, l, "sh", "-c", "kill -9 $$"); got.Ending != remote.Signaled && got.Code != 137 {
		t.Errorf("%+v", got)
	}
	content := bytes.Repeat([]byte("patchring "), 300_000)
	file := filepath.Join(t.TempDir(), "f")
	if err := l.Session().Files.Put(t.Context(), file, bytes.NewReader(content), patch.DigestOf(content)); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d", len(got), len(content))
	}
}

func TestRealSSHDChangedKeyAndLogin(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	other, _ := keyFile(t, "other", "")
	r.trust(t, d.address, d.hostKey)
	_, err := r.Lease(t.Context(), d.host(t, "refused", other), site())
	wantFault(t, err, fault.Auth, "key "+other)
	changed := bareRig(t, Options{})
	changed.trust(t, d.address, edKey(t).PublicKey())
	_, err = changed.Lease(t.Context(), d.host(t, "changed", path), site())
	wantFault(t, err, fault.HostKeyChanged)
}

func TestRealSSHDJumpChain(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	one, two, target := startSSHD(t, public, ""), startSSHD(t, public, ""), startSSHD(t, public, "")
	for _, d := range []*realSSHD{one, two, target} {
		r.trust(t, d.address, d.hostKey)
	}
	h := target.host(t, "inner", path)
	h.Jump = []string{one.user + "@" + one.address, two.user + "@" + two.address}
	l := r.lease(t, h, site())
	if got := run(t, l, "sh", "-c", "echo $SSH_CONNECTION"); !strings.HasPrefix(string(got.Out), "127.0.0.1 ") {
		t.Errorf("%+v", got)
	}
}

func TestRealSSHDCertificate(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("needs ssh-keygen: " + err.Error())
	}
	r := newRig(t, Options{})
	caPath, ca := keyFile(t, "ca", "")
	path, public := keyFile(t, "id", "")
	if err := os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(public), 0o600); err != nil {
		t.Fatal(err)
	}
	me, _ := user.Current()
	if out, err := exec.Command(keygen, "-s", caPath, "-I", "test", "-n", me.Username, "-V", "+1h", path+".pub").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	caFile := filepath.Join(t.TempDir(), "ca.pub")
	if err := os.WriteFile(caFile, ssh.MarshalAuthorizedKey(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startSSHD(t, edKey(t).PublicKey(), "TrustedUserCAKeys "+caFile)
	r.trust(t, d.address, d.hostKey)
	run(t, r.lease(t, d.host(t, "cert", path), site()), "true")
}

// MaxStartups drops what comes beyond it; with bounded handshakes nothing does.
func TestRealSSHDManyHostsAtOneAddress(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "MaxStartups 10:100:11")
	r.trust(t, d.address, d.hostKey)
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			l, err := r.Lease(t.Context(), d.host(t, strconv.Itoa(i), path), site())
			if err != nil {
				t.Error(err)
				return
			}
			l.Release()
		})
	}
	all.Wait()
}

func TestRealSudo(t *testing.T) {
	if _, err := exec.LookPath("sudo"); err != nil {
		t.Skip("needs sudo: " + err.Error())
	}
	if os.Getuid() == 0 {
		t.Skip("needs a user other than root: root is never asked")
	}
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	r.trust(t, d.address, d.hostKey)
	for name, password := range map[string]string{"wrong": wrongPassword, "given": os.Getenv("PATCHRING_TEST_SUDO_PASSWORD")} {
		t.Run(name, func(t *testing.T) {
			if password == "" {
				t.Skip("needs PATCHRING_TEST_SUDO_PASSWORD: this user's own password")
			}
			r.opts.Secrets = values{"become": password}
			h := d.host(t, name, path)
			h.Become, h.Credentials.Become = inventory.BecomeSudo, ref(t, "env:become")
			got, err := r.lease(t, h, site()).Session().Runner.Run(t.Context(), remote.Command{
				Argv: []string{"sh", "-c", "id -u; cat; echo own >&2"}, Become: true, Stdin: []byte("data"),
			})
			if err != nil {
				wantFault(t, err, fault.Privilege)
			}
			if (err != nil) != (name == "wrong") && os.Getenv("PATCHRING_TEST_SUDO_PASSWORD") != "" {
				t.Errorf("%+v, %v", got, err)
			}
			if err == nil && (string(got.Out) != "0\ndata" || string(got.Err) != "own\n") {
				t.Errorf("out %q, err %q", got.Out, got.Err)
			}
		})
	}
}
