package connect

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

// hostKeyFiles writes a host key for a real sshd, and a certificate of it if ca is set.
func hostKeyFiles(t *testing.T, kind string, ca ssh.Signer, principal string, until time.Time) (config string, key ssh.PublicKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host_"+kind)
	argv := []string{"-q", "-N", "", "-t", kind, "-f", path}
	if kind == "rsa" {
		argv = append(argv, "-b", "2048")
	}
	if out, err := exec.Command(needTool(t, "ssh-keygen"), argv...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if key, _, _, _, err = ssh.ParseAuthorizedKey(text); err != nil {
		t.Fatal(err)
	}
	config = "HostKey " + path + "\n"
	if ca == nil {
		return config, key
	}
	private, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert := path + "-cert.pub"
	if err := os.WriteFile(cert, ssh.MarshalAuthorizedKey(hostCert(t, ca, signer, principal, until).PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	return config + "HostCertificate " + cert + "\n", key
}

// TestVerdictAgreesWithSSH: a real ssh with StrictHostKeyChecking=yes against a real sshd.
// Where we are stricter, on purpose, the case says so; more lenient is a finding.
func TestVerdictAgreesWithSSH(t *testing.T) {
	client := needTool(t, "ssh")
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	ca, later := edKey(t), time.Now().Add(time.Hour)
	rsaConfig, rsa := hostKeyFiles(t, "rsa", nil, "", later)
	plain := startSSHD(t, public, rsaConfig)
	goodConfig, _ := hostKeyFiles(t, "ecdsa", ca, "127.0.0.1", later)
	certified := startSSHD(t, public, goodConfig)
	oldConfig, oldKey := hostKeyFiles(t, "ecdsa", ca, "127.0.0.1", time.Now().Add(-time.Hour))
	expired := startSSHD(t, public, oldConfig)
	otherConfig, _ := hostKeyFiles(t, "ecdsa", ca, "elsewhere", later)
	elsewhere := startSSHD(t, public, otherConfig)

	line := func(names string, key ssh.PublicKey) string { return names + " " + authorized(key) + "\n" }
	stale, staleEC := edKey(t).PublicKey(), ecKey(t).PublicKey()
	authority := line("@cert-authority *", ca.PublicKey())
	cases := []struct {
		name     string
		d        *realSSHD
		known    func(at string) string // by [host]:port
		stricter bool
	}{
		{"by port", plain, func(at string) string { return line(at, plain.hostKey) }, false},
		{"hashed", plain, func(at string) string { return line(hashedName(at), plain.hostKey) }, false},
		{"hashed, of the name alone", plain, func(string) string { return line(hashedName("127.0.0.1"), plain.hostKey) }, false},
		{"without port", plain, func(string) string { return line("127.0.0.1", plain.hostKey) }, false},
		{"without port, another key", plain, func(string) string { return line("127.0.0.1", stale) }, false},
		{"another port", plain, func(string) string { return line("[127.0.0.1]:1", plain.hostKey) }, false},
		{"any name", plain, func(string) string { return line("*", plain.hostKey) }, false},
		{"a pattern without port", plain, func(string) string { return line("127.0.?.*", plain.hostKey) }, false},
		{"negated", plain, func(at string) string { return line("*,!127.0.0.1,!"+at, plain.hostKey) }, false},
		{"a list", plain, func(at string) string { return line("web,"+at+",db", plain.hostKey) }, false},
		{"nothing", plain, func(string) string { return "" }, false},
		{"changed", plain, func(at string) string { return line(at, stale) }, false},
		{"only another kind, another key", plain, func(at string) string { return line(at, staleEC) }, false},
		{"only another kind, the right key", plain, func(at string) string { return line(at, rsa) }, false},
		{"stale and right", plain, func(at string) string { return line(at, stale) + line(at, plain.hostKey) }, false},
		{"right beside a bad line", plain, func(at string) string { return at + " ssh-ed25519 !!!\n" + line(at, plain.hostKey) }, false},
		{"revoked", plain, func(at string) string { return line(at, plain.hostKey) + line("@revoked *", plain.hostKey) }, false},
		{"revoked for another name", plain, func(at string) string { return line(at, plain.hostKey) + line("@revoked web", plain.hostKey) }, true},
		{"a revocation that can't be read", plain, func(at string) string { return line(at, plain.hostKey) + "@revoked * garbage\n" }, true},
		{"its key as an authority", plain, func(at string) string { return line("@cert-authority "+at, plain.hostKey) }, false},
		{"certificate", certified, func(string) string { return authority }, false},
		{"certificate, authority for another name", certified, func(string) string { return line("@cert-authority web", ca.PublicKey()) }, false},
		{"certificate, authority as a plain key", certified, func(at string) string { return line(at, ca.PublicKey()) }, false},
		{"certificate, authority revoked", certified, func(string) string { return authority + line("@revoked *", ca.PublicKey()) }, false},
		{"certificate expired", expired, func(string) string { return authority }, false},
		{"certificate expired, key known", expired, func(at string) string { return authority + line(at, oldKey) }, false},
		{"certificate of another host", elsewhere, func(string) string { return authority }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host, port, _ := net.SplitHostPort(c.d.address)
			file := filepath.Join(t.TempDir(), "known_hosts")
			if err := os.WriteFile(file, []byte(c.known(knownName(c.d.address))), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(client, "-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile="+file, "-o", "GlobalKnownHostsFile=/dev/null",
				"-o", "UpdateHostKeys=no", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", path, "-p", port, c.d.user+"@"+host, "true").CombinedOutput()
			want := err == nil
			f := New(Options{KnownHosts: func(string) []string { return []string{file} }, Timeout: 10 * time.Second, Warn: func(string) {}, Secrets: r.opts.Secrets})
			defer func() { _ = f.Close() }()
			l, err := f.Lease(t.Context(), c.d.host(t, "real", path), site())
			if err == nil {
				l.Release()
			}
			switch got := err == nil; {
			case got == want && c.stricter:
				t.Error("not stricter than ssh any more: correct the case")
			case got != want && (got || !c.stricter):
				t.Errorf("we say %v (%v), ssh says %v: %s", got, err, want, out)
			}
		})
	}
}

// TestKeyChangesBetweenConnections: a real sshd is replaced by one with another key while
// the run goes on; the host is refused, the line named, and it is dialled no more.
func TestKeyChangesBetweenConnections(t *testing.T) {
	path, public := keyFile(t, "id", "")
	before, after := startSSHD(t, public, ""), startSSHD(t, public, "")
	var dials atomic.Int64
	var at atomic.Pointer[string]
	at.Store(&before.address)
	r := newRig(t, Options{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, *at.Load())
	}})
	r.trust(t, "elsewhere:22", edKey(t).PublicKey())
	r.trust(t, "192.0.2.1:22", before.hostKey)
	h := before.host(t, "web", path)
	h.Address, h.Port = "192.0.2.1", 22
	l := r.lease(t, h, site())
	run(t, l, "true")

	at.Store(&after.address)
	l.Drop()
	dials.Store(0)
	for range 3 {
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.HostKeyChanged, r.known+":2", "ssh-ed25519 "+ssh.FingerprintSHA256(after.hostKey), "not tried again in this run")
	}
	if _, err := l.conn(t.Context()); fault.CodeOf(err) != fault.HostKeyChanged {
		t.Errorf("the lease that was there goes on: %v", err)
	}
	if dials.Load() != 1 {
		t.Errorf("dialled %d times", dials.Load())
	}
	s, err := r.Survey(t.Context(), h, site())
	if err != nil || s.Standing != Changed || len(s.Shown) != 1 || s.Shown[0].Where != r.known+":2" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestSurveyRealSSHD: every kind of key is seen, and what ssh-keyscan sees agrees.
func TestSurveyRealSSHD(t *testing.T) {
	scan := needTool(t, "ssh-keyscan")
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	rsaConfig, rsa := hostKeyFiles(t, "rsa", nil, "", time.Time{})
	ecConfig, ec := hostKeyFiles(t, "ecdsa", nil, "", time.Time{})
	d := startSSHD(t, public, rsaConfig+ecConfig)
	h := d.host(t, "real", path)
	s, err := r.Survey(t.Context(), h, site())
	if err != nil || s.Standing != Unknown || len(s.Shown) != 3 {
		t.Fatalf("%+v, %v", s, err)
	}
	_, port, _ := net.SplitHostPort(d.address)
	out, err := exec.Command(scan, "-p", port, "-t", "rsa,ecdsa,ed25519", "127.0.0.1").Output()
	if err != nil {
		t.Fatal(err)
	}
	ref, skipped, err := ParseReference("keys.txt", out)
	if err != nil || len(skipped) > 0 {
		t.Fatal(skipped, err)
	}
	for _, k := range s.Shown {
		if where, differs := ref.Confirms(h, k); !strings.HasPrefix(where, "keys.txt:") || differs != "" {
			t.Errorf("%s: %q, %q in\n%s", k.Type, where, differs, out)
		}
	}
	added, err := r.Record(h, s, func(ShownKey) bool { return true })
	if err != nil || len(added) != 3 {
		t.Fatalf("%+v, %v", added, err)
	}
	for _, key := range []ssh.PublicKey{d.hostKey, rsa, ec} { // each alone would do
		if !strings.Contains(fmt.Sprint(added), ssh.FingerprintSHA256(key)) {
			t.Errorf("%s was not recorded", key.Type())
		}
	}
	if again, err := r.Survey(t.Context(), h, site()); err != nil || again.Standing != Trusted {
		t.Errorf("%+v, %v", again, err)
	}
	r.lease(t, h, site())
}
