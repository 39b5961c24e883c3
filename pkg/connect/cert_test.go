package connect

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// certified is a user certificate for key, as ca would make it.
func certified(t *testing.T, ca ssh.Signer, key ssh.PublicKey, change func(*ssh.Certificate)) *ssh.Certificate {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.UserCert, KeyId: "jane", ValidPrincipals: []string{"patch"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return cert
}

// putBeside writes the certificate where ssh looks for it.
func putBeside(t *testing.T, path string, cert *ssh.Certificate) {
	t.Helper()
	if err := os.WriteFile(path+"-cert.pub", ssh.MarshalAuthorizedKey(cert), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withKeyFile is a host with a key in the inventory.
func withKeyFile(t *testing.T, address, path string) inventory.Host {
	t.Helper()
	h := host(t, "web", address)
	h.Credentials.Key = path
	return h
}

// A certificate that can't be used is left out, and said; the plain key is offered.
func TestStaleCertificateIsNotOffered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ssh.Certificate)
		says   string
	}{
		"expired": {func(c *ssh.Certificate) { c.ValidBefore = 1000 }, "expired at 1970-01-01T00:16:40Z"},
		"too early": {func(c *ssh.Certificate) {
			c.ValidAfter, c.ValidBefore = 4102444800, 4102448400
		}, "not valid before 2100-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", "")
			putBeside(t, path, certified(t, edKey(t), public, c.change))
			s, offered := keyServer(t, r, public)
			r.lease(t, withKeyFile(t, s.address, path), site())
			if strings.Contains(strings.Join(*offered, " "), "cert") {
				t.Errorf("offered %v", *offered)
			}
			if len(r.warnings) != 1 || !strings.Contains(r.warnings[0], c.says) {
				t.Errorf("warnings %q", r.warnings)
			}
			other, _ := keyServer(t, r, edKey(t).PublicKey())
			h := withKeyFile(t, other.address, path)
			h.ID.Name, h.HostKeys = "other", other.pins
			_, err := r.Lease(t.Context(), h, site())
			wantFault(t, err, fault.Auth, c.says, path+"-cert.pub")
		})
	}
}

// A certificate that was renewed meanwhile is seen by a run that goes on for hours.
func TestRenewedCertificateIsSeen(t *testing.T) {
	r := newRig(t, Options{})
	ca := edKey(t)
	path, public := keyFile(t, "id", "")
	putBeside(t, path, certified(t, ca, public, func(c *ssh.Certificate) { c.ValidBefore = 1000 }))
	s, _ := keyServer(t, r, ca.PublicKey())
	_, err := r.Lease(t.Context(), withKeyFile(t, s.address, path), site())
	wantFault(t, err, fault.Auth, "expired")
	putBeside(t, path, certified(t, ca, public, nil))
	r.lease(t, withKeyFile(t, s.address, path), site())
}

// sshd may map principals in its own way, so such a certificate is offered; but where it is
// refused, the likely reason is said.
func TestPrincipalsAreSaidWhereRefused(t *testing.T) {
	for says, principals := range map[string][]string{
		`is for [ann bob\x1b], not for patch`: {"ann", "bob\x1b"}, "names no principal": nil,
	} {
		t.Run(says, func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", "")
			putBeside(t, path, certified(t, edKey(t), public, func(c *ssh.Certificate) { c.ValidPrincipals = principals }))
			s, offered := keyServer(t, r, edKey(t).PublicKey())
			_, err := r.Lease(t.Context(), withKeyFile(t, s.address, path), site())
			wantFault(t, err, fault.Auth, says)
			if len(*offered) == 0 || !strings.Contains((*offered)[0], "cert") {
				t.Errorf("offered %v", *offered)
			}
		})
	}
}

// CertificateFile of ssh_config stands beside the key that it is for, and no other.
func TestCertificateFileOfSSHConfig(t *testing.T) {
	ca := edKey(t)
	path, public := keyFile(t, "id", "")
	cert := filepath.Join(t.TempDir(), "elsewhere.pub")
	if err := os.WriteFile(cert, ssh.MarshalAuthorizedKey(certified(t, ca, public, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("IdentityFile "+path+"\nCertificateFile "+cert+"\nIdentitiesOnly yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{SSHConfig: config})
	s, offered := keyServer(t, r, ca.PublicKey())
	r.lease(t, host(t, "web", s.address), site())
	if len(*offered) == 0 || !strings.Contains((*offered)[0], "cert") {
		t.Errorf("offered %v", *offered)
	}
}

// A certificate and its plain key are two of the few tries that a server gives.
func TestCertificatesCountAgainstTheLimit(t *testing.T) {
	ca := edKey(t)
	r := newRig(t, Options{})
	var lines strings.Builder
	for range 4 {
		path, public := keyFile(t, "id", "")
		putBeside(t, path, certified(t, ca, public, nil))
		lines.WriteString("IdentityFile " + path + "\n")
	}
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(lines.String()+"IdentitiesOnly yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.opts.SSHConfig = config
	f := New(r.opts)
	defer func() { _ = f.Close() }()
	s, offered := keyServer(t, r, edKey(t).PublicKey())
	_, err := f.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.Auth)
	if len(*offered) != maxOffered {
		t.Errorf("offered %v", *offered)
	}
}

func TestRSACertificateCostsTwo(t *testing.T) {
	key := rsaKey(t)
	c := candidate{public: key.PublicKey()}
	if c.cost() != 1 {
		t.Errorf("a plain key costs %d", c.cost())
	}
	c.cert = certified(t, edKey(t), key.PublicKey(), nil)
	c.public = c.cert
	if c.cost() != 2 {
		t.Errorf("an RSA certificate costs %d", c.cost())
	}
}

func TestExpiry(t *testing.T) {
	r := newRig(t, Options{Dial: nil})
	ca := edKey(t)
	soon := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	path, public := keyFile(t, "id", "")
	h := withKeyFile(t, "192.0.2.1:22", path)
	for _, c := range []struct {
		name  string
		until time.Time
		cert  *ssh.Certificate
	}{
		{"none", time.Time{}, nil},
		{"for ever", time.Time{}, certified(t, ca, public, func(c *ssh.Certificate) { c.ValidBefore = ssh.CertTimeInfinity })},
		{"soon", soon, certified(t, ca, public, func(c *ssh.Certificate) { c.ValidBefore = uint64(soon.Unix()) })},
		{"over", time.Time{}, certified(t, ca, public, func(c *ssh.Certificate) { c.ValidBefore = 1000 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			_ = os.Remove(path + "-cert.pub")
			if c.cert != nil {
				putBeside(t, path, c.cert)
			}
			for _, jump := range [][]string{{}, {"ops@192.0.2.9"}} {
				h.Jump = jump
				v, err := r.Expiry(t.Context(), h, site())
				if err != nil || !v.Until.Equal(c.until) {
					t.Fatalf("%+v, %v", v, err)
				}
				if c.until.IsZero() {
					continue
				}
				server, user := "hq/web", "patch"
				if len(jump) > 0 { // both offer it; the bastion comes first
					server, user = "ops@192.0.2.9", "ops"
				}
				if v.Server != server || v.User != user || !strings.Contains(v.Certificate, "jane") {
					t.Errorf("%+v", v)
				}
			}
		})
	}
	h.ControlMaster = "/tmp/none"
	if v, err := r.Expiry(t.Context(), h, site()); err != nil || v != (Validity{}) {
		t.Errorf("over a master: %+v, %v", v, err)
	}
}
