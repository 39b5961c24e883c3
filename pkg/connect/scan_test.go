package connect

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

func TestScan(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	key := edKey(t)
	s := newServer(t, key)
	s.password = rightPassword
	s.start(t)
	h := withPassword(t, host(t, "web", s.address), "right")
	seen, err := r.Scan(t.Context(), h, site())
	wantFault(t, err, fault.HostKeyUnknown)
	if seen.Fingerprint != ssh.FingerprintSHA256(key.PublicKey()) || seen.Type != "ssh-ed25519" || s.passwords.Load() != 0 {
		t.Errorf("%+v", seen)
	}
	if _, err := os.Stat(r.known); !errors.Is(err, os.ErrNotExist) {
		t.Error("a scan recorded the key")
	}
	if err := os.WriteFile(r.known, []byte(seen.Line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := bareRig(t, Options{KnownHosts: r.opts.KnownHosts, Timeout: time.Second})
	if _, err := again.Scan(t.Context(), h, site()); err != nil {
		t.Errorf("its own line is not good: %v", err)
	}
	again.lease(t, h, site())
	_, err = again.Scan(t.Context(), host(t, "mute", silent(t, "")), site())
	if err == nil {
		t.Error("a scan of nothing")
	}
}
