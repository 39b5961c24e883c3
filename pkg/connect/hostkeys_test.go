package connect

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
)

func openServer(t *testing.T, keys ...ssh.Signer) *server {
	t.Helper()
	return newServer(t, keys...).start(t)
}

func TestUnknownHostKey(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := openServer(t, key)
	_, err := r.Lease(t.Context(), host(t, "new", s.address), site())
	e := wantFault(t, err, fault.HostKeyUnknown, ssh.FingerprintSHA256(key.PublicKey()), "patchring hostkeys pin hq/new", "--accept-new-host-keys")
	if e.Kind != fault.Ask {
		t.Errorf("kind %d", e.Kind)
	}
	if _, err := os.Stat(r.known); !errors.Is(err, os.ErrNotExist) {
		t.Error("known_hosts was touched")
	}
}

func TestChangedHostKeyIsQuarantined(t *testing.T) {
	for _, accept := range []bool{false, true} {
		t.Run(fmt.Sprint("accept-new=", accept), func(t *testing.T) {
			r := newRig(t, Options{AcceptNew: accept})
			old, now := edKey(t), edKey(t)
			s := openServer(t, now)
			r.trust(t, "elsewhere:22", edKey(t).PublicKey())
			r.trust(t, s.address, old.PublicKey())
			before, _ := os.ReadFile(r.known)
			for range 3 {
				_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
				wantFault(t, err, fault.HostKeyChanged, r.known+":2", ssh.FingerprintSHA256(old.PublicKey()), ssh.FingerprintSHA256(now.PublicKey()), "ssh-keygen -R")
			}
			if s.accepts.Load() != 1 {
				t.Errorf("dialled %d times: not quarantined", s.accepts.Load())
			}
			if after, _ := os.ReadFile(r.known); !bytes.Equal(after, before) {
				t.Error("known_hosts was changed")
			}
		})
	}
}

// A server with several keys must be asked for the kind that is known (golang/go#29286),
// whichever that is.
func TestKindsOfKeys(t *testing.T) {
	keys := map[string]ssh.Signer{"ed25519": edKey(t), "ecdsa": ecKey(t), "rsa": rsaKey(t)}
	for name, known := range keys {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			s := openServer(t, keys["rsa"], keys["ecdsa"], keys["ed25519"])
			r.trust(t, s.address, known.PublicKey())
			r.lease(t, host(t, "web", s.address), site())
		})
		t.Run(name+" pinned", func(t *testing.T) {
			r := newRig(t, Options{})
			s := openServer(t, keys["rsa"], keys["ecdsa"], keys["ed25519"])
			r.trust(t, s.address, edKey(t).PublicKey()) // the pin wins over a stale line
			h := host(t, "web", s.address)
			h.HostKeys = []string{"SHA256:other", ssh.FingerprintSHA256(known.PublicKey())}
			r.lease(t, h, site())
		})
	}
}

func TestKnownKindNotOfferedAnyMore(t *testing.T) {
	r := newRig(t, Options{})
	s := openServer(t, ecKey(t))
	r.trust(t, s.address, edKey(t).PublicKey())
	_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.HostKeyChanged, "ssh-ed25519", "ecdsa-sha2-nistp256")
}

func TestPinnedKeyIsNotThere(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	key := edKey(t)
	s := openServer(t, key, ecKey(t))
	r.trust(t, s.address, key.PublicKey()) // known, but the pin wins
	h := host(t, "web", s.address)
	h.HostKeys = []string{"SHA256:nowhere"}
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.HostKeyChanged, "SHA256:nowhere", ssh.FingerprintSHA256(key.PublicKey()), "host_keys")
	if s.accepts.Load() > maxKinds+1 {
		t.Errorf("dialled %d times", s.accepts.Load())
	}
}

func TestAcceptNew(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	if err := os.WriteFile(r.known, []byte("# no newline at the end"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := edKey(t)
	var servers []*server
	for range 10 {
		servers = append(servers, openServer(t, key))
	}
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			l, err := r.Lease(t.Context(), host(t, strconv.Itoa(i), s.address), site())
			if err != nil {
				t.Error(err)
				return
			}
			l.Drop()
			l.Release()
		})
	}
	all.Wait()
	text, _ := os.ReadFile(r.known)
	if got := strings.Count(string(text), "\n"); got != 11 {
		t.Errorf("%d lines, want 11:\n%s", got, text)
	}
	for i, s := range servers { // known now, also to a fleet that accepts nothing
		strict := bareRig(t, Options{KnownHosts: func(string) []string { return []string{r.known} }})
		if _, err := strict.Lease(t.Context(), host(t, strconv.Itoa(i), s.address), site()); err != nil {
			t.Error(err)
		}
	}
}

func TestAcceptedKeyChangesWithinTheRun(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	known, err := r.knownHosts("hq")
	if err != nil {
		t.Fatal(err)
	}
	to := endpoint{label: "hq/x", site: "hq", address: "10.0.0.1:22", name: "10.0.0.1:22"}
	judge := func(key ssh.PublicKey) error {
		k := &keyChecker{fleet: r.Fleet, to: to, known: known, record: true}
		k.wanted, k.loose = known.about(to.name)
		return k.judge(key)
	}
	first := edKey(t).PublicKey()
	if err := judge(first); err != nil {
		t.Fatal(err)
	}
	if err := judge(first); err != nil {
		t.Error(err)
	}
	if err := judge(edKey(t).PublicKey()); fault.CodeOf(err) != fault.HostKeyChanged {
		t.Errorf("a second key was accepted: %v", err)
	}
}

// Another process may record another key between our reading and our writing.
func TestAcceptNewLosesARace(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	s := openServer(t)
	if _, err := r.knownHosts("hq"); err != nil {
		t.Fatal(err)
	}
	r.trust(t, s.address, edKey(t).PublicKey())
	_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.HostKeyChanged, r.known+":1")
}

func hostCert(t *testing.T, ca, key ssh.Signer, principal string, until time.Time) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{principal},
		ValidAfter: 0, ValidBefore: uint64(until.Unix()),
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestHostCertificates(t *testing.T) {
	ca, later := edKey(t), time.Now().Add(time.Hour)
	authority := "@cert-authority * " + string(ssh.MarshalAuthorizedKey(ca.PublicKey()))
	cases := []struct {
		name  string
		known string
		until time.Time
		who   string
		plain bool
		code  fault.Code
		text  string
	}{
		{name: "good", known: authority, until: later, who: "127.0.0.1"},
		{name: "expired", known: authority, until: time.Now().Add(-time.Hour), who: "127.0.0.1", code: fault.HostKeyUnknown, text: "expired"},
		{name: "for another host", known: authority, until: later, who: "other", code: fault.HostKeyUnknown, text: "principal"},
		{name: "unknown authority", until: later, who: "127.0.0.1", code: fault.HostKeyUnknown},
		{name: "bare key where a certificate is due", known: authority, plain: true, code: fault.HostKeyUnknown},
		{name: "revoked authority", known: authority + "@revoked * " + string(ssh.MarshalAuthorizedKey(ca.PublicKey())), until: later, who: "127.0.0.1", code: fault.HostKeyChanged, text: "the authority of its certificate as revoked"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{AcceptNew: c.known != ""})
			key := edKey(t)
			keys := []ssh.Signer{key}
			if !c.plain {
				keys = []ssh.Signer{hostCert(t, ca, key, c.who, c.until)}
			}
			s := openServer(t, keys...)
			if err := os.WriteFile(r.known, []byte(c.known), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantFault(t, err, c.code, c.text)
		})
	}
}

// As OpenSSH, a certificate is for the name in small letters, however it was typed.
func TestHostCertificateOfAnotherCase(t *testing.T) {
	ca := edKey(t)
	cert, ok := hostCert(t, ca, edKey(t), "web.example", time.Now().Add(time.Hour)).PublicKey().(*ssh.Certificate)
	if !ok {
		t.Fatal("no certificate")
	}
	for name, good := range map[string]bool{"web.example:22": true, "Web.Example:22": true, "db.example:22": false} {
		k := &keyChecker{to: endpoint{name: name}, wanted: []knownLine{{mark: markAuthority, names: "*", key: ca.PublicKey()}}}
		if err := k.certified(cert); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevokedKey(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := openServer(t, key)
	r.trust(t, s.address, key.PublicKey())
	f, _ := os.OpenFile(r.known, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = fmt.Fprintf(f, "@revoked * %s", ssh.MarshalAuthorizedKey(key.PublicKey()))
	_ = f.Close()
	h := host(t, "web", s.address)
	h.HostKeys = []string{ssh.FingerprintSHA256(key.PublicKey())} // even when it is pinned
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.HostKeyChanged, "revoked", r.known+":2")
}

func TestKnownHostsBySite(t *testing.T) {
	right, wrong := edKey(t), edKey(t)
	s := openServer(t, right)
	dir := t.TempDir()
	for name, key := range map[string]ssh.Signer{"hq": right, "acme": wrong} {
		line := xknownhosts.Line([]string{s.address}, key.PublicKey()) + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := bareRig(t, Options{KnownHosts: func(site string) []string { return []string{filepath.Join(dir, site)} }})
	r.lease(t, host(t, "web", s.address), site())
	h := host(t, "web", s.address)
	h.ID.Site = "acme"
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.HostKeyChanged, filepath.Join(dir, "acme")+":1")
}
