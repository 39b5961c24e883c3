package connect

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// The inventory's list is what the library has, but for RC4 and certificates.
func TestLegacyNamesAreTrue(t *testing.T) {
	safe, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	all := slices.Concat(safe.MACs, old.KeyExchanges, old.Ciphers, old.MACs, old.HostKeys)
	for _, name := range inventory.LegacyAlgorithms() {
		if !slices.Contains(all, name) {
			t.Errorf("the library has no %s", name)
		}
	}
	for _, name := range slices.Concat(old.KeyExchanges, old.Ciphers, old.MACs, old.HostKeys) {
		odd := strings.HasPrefix(name, "arcfour") || strings.Contains(name, "-cert-")
		if !odd && !slices.Contains(inventory.LegacyAlgorithms(), name) {
			t.Errorf("the library has %s, which the inventory does not know", name)
		}
	}
}

// What the inventory allows stands behind all that is safe; without it nothing old is offered.
func TestProposals(t *testing.T) {
	safe, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	none := endpoint{}.proposals()
	for _, weak := range slices.Concat(old.KeyExchanges, old.Ciphers, old.MACs) {
		if slices.Contains(slices.Concat(none.KeyExchanges, none.Ciphers, none.MACs), weak) {
			t.Errorf("%s is offered though nobody allowed it", weak)
		}
	}
	all := endpoint{legacy: inventory.LegacyAlgorithms()}.proposals()
	for _, c := range [][2][]string{{all.KeyExchanges, safe.KeyExchanges}, {all.Ciphers, safe.Ciphers}, {all.MACs, safe.MACs}} {
		if !slices.Equal(c[0][:len(c[1])], c[1]) || len(c[0]) == len(c[1]) {
			t.Errorf("%q does not begin with %q, or adds nothing", c[0], c[1])
		}
	}
}

// old is a server of the year 2005.
func oldServer(t *testing.T) *server {
	t.Helper()
	rsa, ok := rsaKey(t).(ssh.AlgorithmSigner)
	if !ok {
		t.Fatal("not an RSA key of the library")
	}
	key, err := ssh.NewSignerWithAlgorithms(rsa, []string{ssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, key)
	s.config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
	s.config.Ciphers = []string{ssh.InsecureCipherTripleDESCBC}
	s.config.MACs = []string{ssh.HMACSHA1}
	return s.start(t)
}

func TestLegacyServer(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	s := oldServer(t)
	h := host(t, "old-sw", s.address)
	wanted := []string{"diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc"}
	for i, name := range wanted {
		h.SSHLegacy = wanted[:i]
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.Unreachable, "no algorithm in common", "ssh_legacy: ["+strings.Join(append(slices.Clone(wanted[:i]), name), ", ")+"]")
	}
	h.SSHLegacy = wanted
	l := r.lease(t, h, site())
	if got := run(t, l, "echo", "hello"); string(got.Out) != "hello\n" {
		t.Errorf("got %+v", got)
	}
	if got := l.Legacy(); !slices.Equal(got, []string{"3des-cbc", "diffie-hellman-group1-sha1", "ssh-rsa"}) {
		t.Errorf("it uses %q", got)
	}
	if _, err := r.Scan(t.Context(), h, site()); err != nil {
		t.Errorf("scan: %v", err)
	}
}

// A server that has better is not spoken to in the old way, whatever is allowed.
func TestLegacyIsTheLastResort(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	s := newServer(t)
	s.config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1, ssh.KeyExchangeCurve25519}
	s.start(t)
	h := host(t, "sw", s.address)
	h.SSHLegacy = inventory.LegacyAlgorithms()
	if got := r.lease(t, h, site()).Legacy(); got != nil {
		t.Errorf("it uses %q", got)
	}
}

func TestNoAlgorithmOfOurs(t *testing.T) {
	err := noAlgorithm(endpoint{address: "10.0.0.1:22"}, &ssh.AlgorithmNegotiationError{What: "client to server cipher", RequestedAlgorithms: []string{"aes256-cbc", "x\x1b[31m"}})
	if text := err.Error(); !strings.Contains(fault.HintOf(err), "has none of these") || strings.ContainsRune(text, 0x1b) {
		t.Errorf("%q (%s)", text, fault.HintOf(err))
	}
}

func TestEnableIsNotForShells(t *testing.T) {
	_, _, err := asRoot(inventory.BecomeEnable, []string{"id"}, false, newNonces())
	if fault.CodeOf(err) != fault.Privilege || !strings.Contains(err.Error(), "for devices") {
		t.Errorf("got %v", err)
	}
}

// Within the grace after a reload, refusals are not held against a credential.
func TestGraceIsNotCounted(t *testing.T) {
	for name, c := range map[string]struct {
		ctx     context.Context
		blocked bool
	}{"in grace": {Grace(t.Context()), false}, "else": {t.Context(), true}} {
		b, pw := newBreaker(), credential{id: "pw", name: "the password", strict: true}
		for range 2 * maxRefusals {
			report, err := b.try(t.Context(), pw, "sw1")
			if err != nil {
				break
			}
			lenient(c.ctx, report)(rejected)
		}
		if err := b.check(pw, "sw1"); (err != nil) != c.blocked {
			t.Errorf("%s: %v", name, err)
		}
	}
}
