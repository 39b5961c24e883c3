package connect

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/fault"
)

// keyServer takes one public key, or a certificate of ca, and notes what is offered.
func keyServer(t *testing.T, r *rig, allowed ssh.PublicKey) (*server, *[]string) {
	t.Helper()
	key := edKey(t)
	s := newServer(t, key)
	offered := &[]string{}
	checker := ssh.CertChecker{
		IsUserAuthority: func(ca ssh.PublicKey) bool { return bytes.Equal(ca.Marshal(), allowed.Marshal()) },
		UserKeyFallback: func(_ ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(given.Marshal(), allowed.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("unknown key")
		},
	}
	s.config.PublicKeyCallback = func(c ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
		s.mu.Lock()
		*offered = append(*offered, given.Type())
		s.mu.Unlock()
		return checker.Authenticate(c, given)
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	return s, offered
}

// keysOnly lets in one key.
func keysOnly(allowed ssh.PublicKey) func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
	return func(_ ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
		if bytes.Equal(given.Marshal(), allowed.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}
}

func TestKeyFile(t *testing.T) {
	for _, passphrase := range []string{"", rightPassword} {
		t.Run("passphrase="+strconv.FormatBool(passphrase != ""), func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", passphrase)
			s, _ := keyServer(t, r, public)
			h := host(t, "web", s.address)
			h.Credentials.Key = path
			if passphrase != "" {
				_, err := r.Lease(t.Context(), h, site())
				wantFault(t, err, fault.Auth, "passphrase", "ssh-add "+path)
				h.Credentials.Passphrase = ref(t, "env:wrong")
				_, err = r.Lease(t.Context(), h, site())
				wantFault(t, err, fault.Auth, "does not open "+path)
				h.Credentials.Passphrase = ref(t, "env:right")
			}
			r.lease(t, h, site())
		})
	}
}

func TestKeyFileFaults(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	s, _ := keyServer(t, r, public)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	h := host(t, "web", s.address)
	h.Credentials.Key = path
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Auth, "chmod 600 "+path)
	h.Credentials.Key = path + ".gone"
	_, err = r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Usage, "there is no key "+path+".gone")
}

func TestNoCredentialAtAll(t *testing.T) {
	r := newRig(t, Options{})
	_, public := keyFile(t, "id", "")
	s, _ := keyServer(t, r, public)
	_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.Auth, "no credential to try", "publickey", "credentials")
}

func TestUserCertificate(t *testing.T) {
	ca := edKey(t)
	for _, c := range []struct {
		name  string
		until time.Time
		wrong string
	}{{"good", time.Now().Add(time.Hour), ""}, {"expired", time.Now().Add(-time.Hour), "expired"}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			path, public := keyFile(t, "id", "")
			cert := &ssh.Certificate{
				Key: public, CertType: ssh.UserCert, ValidPrincipals: []string{"patch"}, ValidBefore: uint64(c.until.Unix()),
			}
			if err := cert.SignCert(rand.Reader, ca); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+"-cert.pub", ssh.MarshalAuthorizedKey(cert), 0o600); err != nil {
				t.Fatal(err)
			}
			s, _ := keyServer(t, r, ca.PublicKey())
			h := host(t, "web", s.address)
			h.Credentials.Key = path
			_, err := r.Lease(t.Context(), h, site())
			if c.wrong == "" && err != nil {
				t.Fatal(err)
			}
			if c.wrong != "" {
				wantFault(t, err, fault.Auth, c.wrong, path+"-cert.pub")
			}
		})
	}
}

// startAgent serves an SSH agent on a socket.
func startAgent(t *testing.T, keys ...any) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, key := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done; _ = os.RemoveAll(dir) })
	return socket
}

// rawKey reads back a key file as the agent wants it.
func rawKey(t *testing.T, path string) any {
	t.Helper()
	pem, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAgent(t *testing.T) {
	path, public := keyFile(t, "id", "")
	socket := startAgent(t, rawKey(t, path))
	r := newRig(t, Options{AgentSocket: socket})
	s, _ := keyServer(t, r, public)
	l := r.lease(t, host(t, "web", s.address), site())
	run(t, l, "true")
	if s.sentAgent.Load() {
		t.Error("the agent was forwarded")
	}
	_ = r.Close()
}

func TestAgentIsGone(t *testing.T) {
	r := newRig(t, Options{AgentSocket: "/nonexistent/agent"})
	path, public := keyFile(t, "id_ed25519", "")
	s, _ := keyServer(t, r, public)
	home, _ := os.UserHomeDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(home, ".ssh", "id_ed25519")); err != nil {
		t.Fatal(err)
	}
	r.lease(t, host(t, "web", s.address), site()) // by the default key
	if len(r.warnings) != 1 || !strings.Contains(r.warnings[0], "SSH agent") {
		t.Errorf("warnings %q", r.warnings)
	}
}

// The encrypted key of the inventory is used through the agent, without a passphrase.
func TestConfiguredKeyHeldByAgent(t *testing.T) {
	path, public := keyFile(t, "id", "")
	socket := startAgent(t, rawKey(t, path))
	locked, _ := keyFile(t, "locked", rightPassword)
	if err := os.WriteFile(locked+".pub", ssh.MarshalAuthorizedKey(public), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{AgentSocket: socket})
	s, offered := keyServer(t, r, public)
	h := host(t, "web", s.address)
	h.Credentials.Key = locked
	r.lease(t, h, site())
	if len(*offered) == 0 {
		t.Error("no key was offered")
	}
	_ = r.Close()
}

func TestOnlyAFewKeysAreOffered(t *testing.T) {
	var keys []any
	for range 9 {
		path, _ := keyFile(t, "id", "")
		keys = append(keys, rawKey(t, path))
	}
	r := newRig(t, Options{AgentSocket: startAgent(t, keys...)})
	_, other := keyFile(t, "id", "")
	s, offered := keyServer(t, r, other)
	_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.Auth, "the SSH agent's keys")
	if len(*offered) > maxOffered {
		t.Errorf("%d keys were offered", len(*offered))
	}
	if len(r.warnings) != 1 || !strings.Contains(r.warnings[0], "9 keys") {
		t.Errorf("warnings %q", r.warnings)
	}
	_ = r.Close()
}
