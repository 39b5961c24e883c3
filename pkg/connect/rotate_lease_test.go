package connect

import (
	"bytes"
	"crypto/rand"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

func noEnd() time.Time { return time.Now().Add(time.Hour) }

// rotator is a server that tells its keys, honestly or not.
type rotator struct {
	address string
	login   ssh.Signer
	tell    [][]byte                                          // payloads of hostkeys-00, in order
	prove   func(session []byte, asked []byte) (bool, []byte) // nil: never answers
	wg      sync.WaitGroup
	done    chan struct{}
}

func (s *rotator) start(t *testing.T) *rotator {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address, s.done = l.Addr().String(), make(chan struct{})
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(s.login)
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c, config) })
		}
	})
	t.Cleanup(func() { close(s.done); _ = l.Close(); s.wg.Wait() })
	return s
}

func (s *rotator) serve(c net.Conn, config *ssh.ServerConfig) {
	defer func() { _ = c.Close() }()
	conn, chans, reqs, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	s.wg.Go(func() { <-s.done; _ = conn.Close() })
	s.wg.Go(func() {
		for open := range chans {
			_ = open.Reject(ssh.Prohibited, "no")
		}
	})
	for _, payload := range s.tell {
		if _, _, err := conn.SendRequest(announceRequest, false, payload); err != nil {
			return
		}
	}
	for req := range reqs {
		if req.Type == proveRequest && s.prove == nil {
			continue
		}
		ok, reply := false, []byte(nil)
		if req.Type == proveRequest {
			ok, reply = s.prove(conn.SessionID(), req.Payload)
		}
		_ = req.Reply(ok, reply)
	}
}

// honest signs for whatever keys of its own it is asked.
func honest(signers ...ssh.Signer) func(session, asked []byte) (bool, []byte) {
	return func(session, asked []byte) (bool, []byte) {
		var out []byte
		for len(asked) > 0 {
			blob, rest, ok := cutString(asked)
			if !ok {
				return false, nil
			}
			asked = rest
			at := slices.IndexFunc(signers, func(s ssh.Signer) bool { return bytes.Equal(s.PublicKey().Marshal(), blob) })
			if at < 0 {
				return false, nil
			}
			sig, err := signers[at].Sign(rand.Reader, proofText(session, signers[at].PublicKey()))
			if err != nil {
				return false, nil
			}
			out = append(out, listOf(listOf([]byte(sig.Format), sig.Blob))...)
		}
		return true, out
	}
}

func blobOf(s ssh.Signer) []byte { return s.PublicKey().Marshal() }

func TestRotationOfHonestServer(t *testing.T) {
	r := newRig(t, Options{})
	login, fresh := edKey(t), ecKey(t)
	s := (&rotator{login: login, tell: [][]byte{listOf(blobOf(login), blobOf(fresh))}, prove: honest(login, fresh)}).start(t)
	r.trust(t, s.address, login.PublicKey())
	r.trust(t, s.address, rsaKey(t).PublicKey()) // gone
	h := host(t, "web", s.address)
	l := r.lease(t, h, site())
	seen, err := l.Rotation(t.Context())
	if err != nil || !seen.Announced || len(seen.Kept) != 1 || len(seen.Added) != 1 || len(seen.Gone) != 1 {
		t.Fatalf("%+v, %v", seen, err)
	}
	if text, _ := os.ReadFile(r.known); strings.Contains(string(text), "ecdsa") {
		t.Error("recorded before anyone said yes")
	}
	before, _ := os.ReadFile(r.known)
	done, err := r.Rotate(h, seen)
	if err != nil || len(done.Added) != 1 || len(done.Removed) != 1 || len(done.Left) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	text, _ := os.ReadFile(r.known)
	if !strings.Contains(string(text), authorized(fresh.PublicKey())) || strings.Contains(string(text), "ssh-rsa") || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the file is\n%s", text)
	}
	if backup, err := os.ReadFile(done.Backup); err != nil || !bytes.HasPrefix(backup, before) {
		t.Errorf("the backup %q: %v\n%s", done.Backup, err, backup)
	}
	again, err := l.Rotation(t.Context())
	if err != nil || len(again.Kept) != 2 || len(again.Added)+len(again.Gone) != 0 {
		t.Errorf("once more: %+v, %v", again, err)
	}
}

// Whatever a server sends, nothing is recorded, and the connection's other work goes on
// unless the server itself stopped answering.
func TestRotationOfHostileServer(t *testing.T) {
	login, other, victim := edKey(t), ecKey(t), edKey(t)
	var hundreds [][]byte
	for range 300 {
		hundreds = append(hundreds, blobOf(edKey(t)))
	}
	list := listOf(blobOf(login), blobOf(other))
	cases := []struct {
		name  string
		tell  [][]byte
		prove func(session, asked []byte) (bool, []byte)
		code  fault.Code
		text  string
	}{
		{"hundreds of keys", [][]byte{listOf(hundreds...)}, honest(login), fault.HostKeyChanged, "more than 16 keys"},
		{"one key twice", [][]byte{listOf(blobOf(login), blobOf(other), blobOf(other))}, honest(login, other), fault.HostKeyChanged, "twice"},
		{"a huge key", [][]byte{listOf(blobOf(login), make([]byte, 60_000))}, honest(login), fault.HostKeyChanged, "60000 bytes"},
		{"a huge list", [][]byte{make([]byte, 100_000)}, honest(login), fault.HostKeyChanged, "refused"},
		{"garbage", [][]byte{[]byte("\x1b]0;owned\x07")}, honest(login), fault.HostKeyChanged, "cut off"},
		{"without the key of the login", [][]byte{listOf(blobOf(other))}, honest(other), fault.HostKeyChanged, "lacks the one"},
		{"the key of another host", [][]byte{listOf(blobOf(login), blobOf(victim))}, honest(login), fault.HostKeyChanged, "did not prove"},
		{"signed by another key", [][]byte{listOf(blobOf(login), blobOf(victim))}, func(session, _ []byte) (bool, []byte) {
			return true, proofBy(t, session, "", login)
		}, fault.HostKeyChanged, "did not prove"},
		{"a proof of another session", [][]byte{list}, func(_, asked []byte) (bool, []byte) { return honest(login, other)([]byte("old"), asked) }, fault.HostKeyChanged, "did not prove"},
		{"an empty proof", [][]byte{list}, func(_, _ []byte) (bool, []byte) { return true, nil }, fault.HostKeyChanged, "missing"},
		{"a giant proof", [][]byte{list}, func(_, _ []byte) (bool, []byte) { return true, make([]byte, 200_000) }, fault.HostKeyChanged, "did not prove"},
		{"no answer", [][]byte{list}, nil, fault.Unreachable, "did not answer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{Timeout: 2 * time.Second})
			s := (&rotator{login: login, tell: c.tell, prove: c.prove}).start(t)
			r.trust(t, s.address, login.PublicKey())
			before, _ := os.ReadFile(r.known)
			h := host(t, "web", s.address)
			seen, err := r.lease(t, h, site()).Rotation(t.Context())
			wantFault(t, err, c.code, c.text)
			if seen.added != nil && c.code == "" {
				t.Errorf("%+v", seen)
			}
			if after, _ := os.ReadFile(r.known); !bytes.Equal(before, after) {
				t.Errorf("recorded:\n%s", after)
			}
		})
	}
}

// A list that is repeated for ever is heard once, and holds nothing up.
func TestRotationIsHeardOnce(t *testing.T) {
	r := newRig(t, Options{})
	login, other := edKey(t), ecKey(t)
	tell := [][]byte{listOf(blobOf(login))}
	for range 2000 {
		tell = append(tell, listOf(blobOf(login), blobOf(other)))
	}
	s := (&rotator{login: login, tell: tell, prove: honest(login, other)}).start(t)
	r.trust(t, s.address, login.PublicKey())
	seen, err := r.lease(t, host(t, "web", s.address), site()).Rotation(t.Context())
	if err != nil || len(seen.Kept) != 1 || len(seen.Added) != 0 {
		t.Errorf("%+v, %v", seen, err)
	}
}

func TestRotationLeavesAlone(t *testing.T) {
	login, fresh, gone, revoked, ca := edKey(t), ecKey(t), rsaKey(t), ecKey(t), edKey(t)
	cases := []struct {
		name  string
		known func(at string) string // behind the line of the login
		pins  []string
		want  func(Rotation, Rotated, error) bool
	}{
		{"a line for several names", func(at string) string { return at + ",web9 " + authorized(gone.PublicKey()) + "\n" }, nil,
			func(_ Rotation, d Rotated, err error) bool { return err == nil && len(d.Left) == 1 && d.Backup == "" }},
		{"a pattern", func(string) string { return "[127.0.0.1]:* " + authorized(gone.PublicKey()) + "\n" }, nil,
			func(_ Rotation, d Rotated, err error) bool { return err == nil && len(d.Left) == 1 && d.Backup == "" }},
		{"a host with an authority", func(string) string { return "@cert-authority * " + authorized(ca.PublicKey()) + "\n" }, nil,
			func(r Rotation, d Rotated, err error) bool { return err == nil && r.Certified && len(d.Added) == 0 }},
		{"the name without port", func(string) string { return "" }, nil, // known as 127.0.0.1 alone: gets lines of its own
			func(r Rotation, d Rotated, err error) bool {
				return err == nil && len(r.Added) == 2 && len(d.Added) == 2 && len(r.Gone) == 0
			}},
		{"pins of the inventory", func(string) string { return "" }, []string{ssh.FingerprintSHA256(login.PublicKey())},
			func(r Rotation, d Rotated, err error) bool {
				return err == nil && len(r.Added) == 1 && len(d.Added) == 0 && len(r.Gone) == 0
			}},
		{"a revoked key", func(string) string { return "@revoked * " + authorized(revoked.PublicKey()) + "\n" }, nil,
			func(_ Rotation, _ Rotated, err error) bool { return fault.CodeOf(err) == fault.HostKeyChanged }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			tell := listOf(blobOf(login), blobOf(fresh))
			if strings.Contains(c.name, "revoked") {
				tell = listOf(blobOf(login), blobOf(revoked))
			}
			s := (&rotator{login: login, tell: [][]byte{tell}, prove: honest(login, fresh, revoked)}).start(t)
			at := knownName(s.address)
			if strings.Contains(c.name, "without port") {
				at = "127.0.0.1"
			}
			text := at + " " + authorized(login.PublicKey()) + "\n" + c.known(at)
			if err := os.WriteFile(r.known, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			h := host(t, "web", s.address)
			h.HostKeys = c.pins
			seen, err := r.lease(t, h, site()).Rotation(t.Context())
			var done Rotated
			if err == nil {
				done, err = r.Rotate(h, seen)
			}
			if !c.want(seen, done, err) {
				t.Errorf("%+v, %+v, %v", seen, done, err)
			}
			if after, _ := os.ReadFile(r.known); !strings.HasPrefix(string(after), text) {
				t.Errorf("lines that are not ours were changed:\n%s", after)
			}
		})
	}
}

func TestRotationRealSSHD(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	rsaConfig, rsa := hostKeyFiles(t, "rsa", nil, "", time.Time{})
	ecConfig, ec := hostKeyFiles(t, "ecdsa", nil, "", time.Time{})
	d := startSSHD(t, public, rsaConfig+ecConfig)
	at := knownName(d.address)
	text := hashedName(at) + " " + authorized(d.hostKey) + "\n" + hashedName(at) + " " + authorized(ecKey(t).PublicKey()) + "\n# kept\n"
	if err := os.WriteFile(r.known, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := d.host(t, "real", path)
	l := r.lease(t, h, site())
	seen, err := l.Rotation(t.Context())
	if err != nil || len(seen.Kept) != 1 || len(seen.Added) != 2 || len(seen.Gone) != 1 {
		t.Fatalf("%+v, %v", seen, err)
	}
	done, err := r.Rotate(h, seen)
	if err != nil || len(done.Added) != 2 || len(done.Removed) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	after, _ := os.ReadFile(r.known)
	if strings.Contains(string(after), "127.0.0.1") || !strings.Contains(string(after), "# kept\n") {
		t.Errorf("not hashed as the user's own lines are, or a comment is lost:\n%s", after)
	}
	for _, key := range []ssh.PublicKey{rsa, ec} { // ssh-keygen finds them, too
		lines, _, err := parseKnown("kh", string(after))
		if err != nil || !slices.ContainsFunc(lines, func(l knownLine) bool { return l.only(at) && sameKey(l.key, key) }) {
			t.Errorf("%s is not recorded: %v", key.Type(), err)
		}
	}
	if found := newKeygen(t).finds(t, at, r.known); len(found) != 3 {
		t.Errorf("ssh-keygen finds %v in\n%s", found, after)
	}
	if run(t, l, "echo", "still here"); t.Failed() {
		t.Error("the connection does not go on")
	}
}
