package connect

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

const (
	rightPassword = "correct-Horse 7$"
	wrongPassword = "wrong-Battery 9%"
)

// rig is a fleet with its known_hosts file, secrets and warnings.
type rig struct {
	*Fleet
	known    string
	mu       sync.Mutex
	warnings []string
}

// newRig checks for leaked goroutines once the test's servers are gone, too.
func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	return bareRig(t, o)
}

func bareRig(t *testing.T, o Options) *rig {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	r := &rig{known: filepath.Join(t.TempDir(), "known_hosts")}
	if o.KnownHosts == nil {
		o.KnownHosts = func(string) []string { return []string{r.known} }
	}
	if o.Secrets == nil {
		o.Secrets = values{"right": rightPassword, "wrong": wrongPassword}
	}
	o.Warn = func(text string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.warnings = append(r.warnings, text)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	r.Fleet = New(o)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// trust writes a server's key to known_hosts.
func (r *rig) trust(t *testing.T, address string, keys ...ssh.PublicKey) {
	t.Helper()
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString(xknownhosts.Line([]string{address}, key) + "\n")
	}
	f, err := os.OpenFile(r.known, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(lines.String()); err != nil {
		t.Fatal(err)
	}
}

// values resolves env:NAME from a map, for tests that run in parallel with nothing.
type values map[string]string

func (v values) Resolve(_ context.Context, ref secret.Ref, _ string) (secret.Secret, error) {
	value, ok := v[ref.Target()]
	if !ok {
		return secret.Secret{}, fmt.Errorf("no %s", ref)
	}
	return secret.New(value), nil
}

func site() inventory.Site { return inventory.Site{Name: "hq"} }

// host is an inventory host at address.
func host(t *testing.T, name, address string) inventory.Host {
	t.Helper()
	h := inventory.Host{ID: fact.HostID{Site: "hq", Name: name}}
	where, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	h.Address, h.User, h.Jump, h.Become = where, "patch", []string{}, inventory.BecomeNone
	h.Port, err = strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func withPassword(t *testing.T, h inventory.Host, name string) inventory.Host {
	t.Helper()
	h.Credentials.Password = ref(t, "env:"+name)
	return h
}

func ref(t *testing.T, text string) secret.Ref {
	t.Helper()
	r, err := secret.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lease is Lease that must succeed.
func (r *rig) lease(t *testing.T, h inventory.Host, s inventory.Site) *Lease {
	t.Helper()
	l, err := r.Lease(t.Context(), h, s)
	if err != nil {
		t.Fatalf("%v (hint: %s)", err, fault.HintOf(err))
	}
	t.Cleanup(l.Release)
	return l
}

func run(t *testing.T, l *Lease, argv ...string) remote.Result {
	t.Helper()
	r, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: argv})
	if err != nil {
		t.Fatalf("%v (hint: %s)", err, fault.HintOf(err))
	}
	return r
}

// wantFault checks what every error of this package must be.
func wantFault(t *testing.T, err error, code fault.Code, texts ...string) fault.Error {
	t.Helper()
	e := &fault.Error{}
	ok := errors.As(err, &e)
	if !ok {
		t.Fatalf("not a *fault.Error: %T %v", err, err)
	}
	all := e.Error() + " | " + fault.HintOf(e)
	if e.Code != code {
		t.Errorf("code %s, want %s: %s", e.Code, code, all)
	}
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("%q is not in: %s", text, all)
		}
	}
	if fault.HintOf(e) == "" || e.Host == "" || e.Step == "" {
		t.Errorf("no hint, host or step: %#v", e)
	}
	for _, password := range []string{rightPassword, wrongPassword} {
		if strings.Contains(all, password) {
			t.Errorf("a password is in: %s", all)
		}
	}
	for _, c := range all {
		if c < ' ' || c == 0x7f {
			t.Errorf("a control character is in: %q", all)
			break
		}
	}
	return *e
}

// keyFile writes a private key and gives its path and public half.
func keyFile(t *testing.T, name, passphrase string) (string, ssh.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return path, key
}
