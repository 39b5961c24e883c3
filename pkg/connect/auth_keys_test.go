package connect

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/fault"
)

// fido is an agent with one security key, made of software (PROTOCOL.u2f of OpenSSH).
type fido struct {
	agent.ExtendedAgent
	private ed25519.PrivateKey
	public  ssh.PublicKey
	touch   func() error // waits for the touch

	mu      sync.Mutex
	waiting int
	most    int // touches that were waited for at once
}

func newFido(t *testing.T, touch func() error) *fido {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, public, "ssh:"}))
	if err != nil {
		t.Fatal(err)
	}
	return &fido{private: private, public: key, touch: touch}
}

func (f *fido) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: f.public.Type(), Blob: f.public.Marshal(), Comment: "jane's \x1b[31mkey"}}, nil
}

func (f *fido) SignWithFlags(_ ssh.PublicKey, data []byte, _ agent.SignatureFlags) (*ssh.Signature, error) {
	f.count(1)
	defer f.count(-1)
	if err := f.touch(); err != nil {
		return nil, err
	}
	app, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{1}, 7)
	signed := bytes.Join([][]byte{app[:], rest, message[:]}, nil)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(f.private, signed), Rest: rest}, nil
}

func (f *fido) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting += n
	f.most = max(f.most, f.waiting)
}

// serveAgent serves any agent on a socket, each connection on its own.
func serveAgent(t *testing.T, a agent.Agent) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _ = agent.ServeAgent(a, c); _ = c.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait(); _ = os.RemoveAll(dir) })
	return socket
}

// said collects what Say is told.
type said struct {
	mu    sync.Mutex
	texts []string
}

func (s *said) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, text)
}

// The person is told of the touch, before it is waited for, with the host's name.
func TestTouchIsToldToThePerson(t *testing.T) {
	told := &said{}
	key := newFido(t, func() error {
		told.mu.Lock()
		defer told.mu.Unlock()
		if len(told.texts) != 1 {
			return errors.New("nobody was told")
		}
		return nil
	})
	r := newRig(t, Options{AgentSocket: serveAgent(t, key), Say: told.say})
	s, _ := keyServer(t, r, key.public)
	r.lease(t, host(t, "web", s.address), site())
	want := `hq/web: touch the security key to log in as patch: the agent's key jane's \x1b[31mkey (SHA256:`
	if len(told.texts) != 1 || !strings.HasPrefix(told.texts[0], want) {
		t.Errorf("told %q", told.texts)
	}
}

// Ten hosts want a touch: one at a time, and none is left waiting inside a login.
func TestTouchesAreOneAtATime(t *testing.T) {
	told := &said{}
	key := newFido(t, func() error { return nil })
	r := newRig(t, Options{AgentSocket: serveAgent(t, key), Say: told.say})
	var servers []*server
	for range 10 {
		s, _ := keyServer(t, r, key.public)
		servers = append(servers, s)
	}
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			l, err := r.Lease(t.Context(), host(t, strconv.Itoa(i), s.address), site())
			if err != nil {
				t.Error(err)
				return
			}
			l.Release()
		})
	}
	all.Wait()
	if key.most != 1 || len(told.texts) != 10 {
		t.Errorf("%d touches at once, %d told", key.most, len(told.texts))
	}
}

func TestUntouchedKey(t *testing.T) {
	gone := make(chan struct{})
	key := newFido(t, func() error { <-gone; return errors.New("too late") })
	r := newRig(t, Options{AgentSocket: serveAgent(t, key), Patience: 50 * time.Millisecond})
	defer close(gone)
	s, _ := keyServer(t, r, key.public)
	within(t, func() {
		_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
		wantFault(t, err, fault.Auth, "nobody touched the security key within 50ms", "control_master")
	})
}

// An agent that lists a key and refuses to sign with it (ssh-add -c, -h, -x): the keys
// after it are tried, and the reason is told where none of them is good.
func TestAgentRefusesToSign(t *testing.T) {
	ring := &stubborn{ExtendedAgent: agent.NewKeyring().(agent.ExtendedAgent)}
	var publics []ssh.PublicKey
	for i := range 2 {
		path, public := keyFile(t, "id", "")
		publics = append(publics, public)
		if err := ring.Add(agent.AddedKey{PrivateKey: rawKey(t, path), Comment: "key" + strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	ring.bound = publics[0]
	r := newRig(t, Options{AgentSocket: serveAgent(t, ring)})
	takesAny := newServer(t, edKey(t))
	takesAny.config.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }
	takesAny.start(t)
	h := host(t, "any", takesAny.address)
	h.HostKeys = takesAny.pins
	r.lease(t, h, site())
	s, _ := keyServer(t, r, publics[0])
	h = host(t, "web", s.address)
	h.HostKeys = s.pins
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Auth, "does not sign with the agent's key key0", "ssh-add -c", "ssh-add -h")
}

// stubborn signs with every key but one.
type stubborn struct {
	agent.ExtendedAgent
	bound ssh.PublicKey
}

func (s *stubborn) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (*ssh.Signature, error) {
	if bytes.Equal(key.Marshal(), s.bound.Marshal()) {
		return nil, errors.New("bound")
	}
	return s.ExtendedAgent.SignWithFlags(key, data, flags)
}

// The key that opened one door is offered first at the next one.
func TestProvenKeyGoesFirst(t *testing.T) {
	var keys []any
	var publics []ssh.PublicKey
	for range 4 {
		path, public := keyFile(t, "id", "")
		keys, publics = append(keys, rawKey(t, path)), append(publics, public)
	}
	r := newRig(t, Options{AgentSocket: startAgent(t, keys...)})
	first, tries := keyServer(t, r, publics[3])
	second, again := keyServer(t, r, publics[3])
	r.lease(t, host(t, "one", first.address), site())
	r.lease(t, host(t, "two", second.address), site())
	if len(*tries) < 4 || len(*again) > 2 { // asked for, then signed
		t.Errorf("%d and %d tries", len(*tries), len(*again))
	}
}

// A silent agent costs a login its time, no more; and leaves nothing behind.
func TestSilentAgent(t *testing.T) {
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := newRig(t, Options{AgentSocket: filepath.Join(dir, "s")})
	s, _ := keyServer(t, r, edKey(t).PublicKey())
	within(t, func() {
		ctx, cancel := timeout(t, 100*time.Millisecond)
		defer cancel()
		_, err := r.Lease(ctx, host(t, "web", s.address), site())
		wantFault(t, err, fault.Unreachable, "gave up")
	})
}
