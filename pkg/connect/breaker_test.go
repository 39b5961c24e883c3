package connect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// Fifty hosts start together with one wrong password: two of them see it.
func TestFiftyHostsSeeAWrongPasswordTwice(t *testing.T) {
	for _, name := range []string{"wrong", "right", "wrong, interactive"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			name, interactive := strings.CutSuffix(name, ", interactive")
			var servers []*server
			for range 50 {
				key := edKey(t)
				s := newServer(t, key)
				s.password = rightPassword
				if interactive {
					s.askForIt()
				}
				s.start(t)
				r.trust(t, s.address, key.PublicKey())
				servers = append(servers, s)
			}
			var all sync.WaitGroup
			var blocked, refused, ok atomic.Int64
			for i, s := range servers {
				all.Go(func() {
					_, err := r.Lease(t.Context(), withPassword(t, host(t, fmt.Sprintf("h%02d", i), s.address), name), site())
					switch fault.CodeOf(err) {
					case fault.CredentialBlocked:
						blocked.Add(1)
					case fault.Auth:
						refused.Add(1)
					default:
						if err == nil {
							ok.Add(1)
						}
					}
				})
			}
			all.Wait()
			var tries int64
			for _, s := range servers {
				tries += s.passwords.Load()
			}
			if name == "right" && (ok.Load() != 50 || tries != 50) {
				t.Errorf("%d of 50 hosts are connected, %d tries", ok.Load(), tries)
			}
			if name == "wrong" && (tries != 2 || refused.Load() != 2 || blocked.Load() != 48) {
				t.Errorf("%d tries, %d refused, %d blocked; want 2, 2, 48", tries, refused.Load(), blocked.Load())
			}
		})
	}
}

// askForIt makes the server ask by keyboard-interactive only, until it is right.
func (s *server) askForIt() {
	s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			s.passwords.Add(1)
			if answers[0] == s.password {
				return nil, nil
			}
		}
	}
}

func TestBlockedFaultSaysWhere(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	var err error
	for _, name := range []string{"a", "b", "c"} {
		_, err = r.Lease(t.Context(), withPassword(t, host(t, name, s.address), "wrong"), site())
	}
	wantFault(t, err, fault.CredentialBlocked, "env:wrong", "hq/a and hq/b", "--limit")
	if s.passwords.Load() != 2 {
		t.Errorf("%d tries", s.passwords.Load())
	}
}

// A key that some host took is not wrong: hosts that refuse it don't block it.
func TestProvenKeyIsNotBlocked(t *testing.T) {
	r := newRig(t, Options{})
	path, public := keyFile(t, "id", "")
	good, _ := keyServer(t, r, public)
	_, other := keyFile(t, "id", "")
	bad, _ := keyServer(t, r, other)
	lease := func(name string, s *server) error {
		h := host(t, name, s.address)
		h.Credentials.Key = path
		_, err := r.Lease(t.Context(), h, site())
		return err
	}
	if err := lease("good", good); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := lease(fmt.Sprintf("bad%d", i), bad); fault.CodeOf(err) != fault.Auth {
			t.Errorf("%v", err)
		}
	}
	if err := lease("good2", good); err != nil {
		t.Error(err)
	}
}

func TestSudoPasswordBreaker(t *testing.T) {
	r := newRig(t, Options{})
	var servers []*server
	for range 20 {
		servers = append(servers, sudoServer(t, r, fakeSudo))
	}
	var all sync.WaitGroup
	var privilege, blocked atomic.Int64
	for i, s := range servers {
		h := withPassword(t, host(t, fmt.Sprintf("h%02d", i), s.address), "right")
		h.Become, h.Credentials.Become = inventory.BecomeSudo, ref(t, "env:wrong")
		l := r.lease(t, h, site())
		all.Go(func() {
			_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
			switch fault.CodeOf(err) {
			case fault.Privilege:
				privilege.Add(1)
			case fault.CredentialBlocked:
				blocked.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	var tries int
	for _, s := range servers {
		tries += sudoTries(t, s)
	}
	if tries != 2 || privilege.Load() != 2 || blocked.Load() != 18 {
		t.Errorf("%d tries, %d refused, %d blocked; want 2, 2, 18", tries, privilege.Load(), blocked.Load())
	}
}

func TestBreakerTable(t *testing.T) {
	password, key := credential{id: "p", name: "p", strict: true}, credential{id: "k", name: "k"}
	for _, c := range []struct {
		name    string
		cred    credential
		went    []outcome
		blocked bool
	}{
		{"one refusal", password, []outcome{rejected}, false},
		{"two refusals", password, []outcome{rejected, rejected}, true},
		{"refusals with a success between", password, []outcome{rejected, accepted, rejected}, true},
		{"unclear counts against an unproven password", password, []outcome{unclear, unclear}, true},
		{"unclear does not count against a proven one", password, []outcome{accepted, unclear, unclear}, false},
		{"never sent", password, []outcome{untried, untried, untried}, false},
		{"unproven key", key, []outcome{rejected, rejected}, true},
		{"unclear does not count against a key", key, []outcome{unclear, unclear, unclear}, false},
		{"proven key", key, []outcome{accepted, rejected, rejected, rejected}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBreaker()
			for i, o := range c.went {
				report, err := b.try(t.Context(), c.cred, fmt.Sprintf("host%d", i))
				if err != nil {
					t.Fatal(err)
				}
				report(o)
			}
			if err := b.check(c.cred, "another"); (err != nil) != c.blocked {
				t.Errorf("blocked: %v", err)
			}
		})
	}
}

// Whatever the order of things, a wrong password is never tried more than twice, and
// everybody gets an answer.
func TestBreakerNeverTriesThrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker()
		c := credential{id: "p", name: "p", strict: true}
		var tries, refusals atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				pass(time.Duration(i%7) * time.Millisecond)
				report, err := b.try(t.Context(), c, strconv.Itoa(i))
				if err != nil {
					refusals.Add(1)
					return
				}
				tries.Add(1)
				pass(3 * time.Millisecond)
				report(rejected)
			})
		}
		all.Wait()
		if tries.Load() != 2 || refusals.Load() != 198 {
			t.Errorf("%d tries, %d blocked", tries.Load(), refusals.Load())
		}
	})
}

// A host that hangs while it tries the password must not cost the others their time.
func TestCanaryHangs(t *testing.T) {
	r := newRig(t, Options{Timeout: 300 * time.Millisecond})
	good := passwordServer(t, r)
	key := edKey(t)
	hanging := newServer(t, key)
	entered := make(chan struct{})
	hanging.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		close(entered)
		<-hanging.done
		return nil, errors.New("too late")
	}
	hanging.start(t)
	r.trust(t, hanging.address, key.PublicKey())
	var all sync.WaitGroup
	all.Go(func() {
		_, err := r.Lease(t.Context(), withPassword(t, host(t, "hangs", hanging.address), "right"), site())
		if fault.CodeOf(err) != fault.Unreachable {
			t.Errorf("%v", err)
		}
	})
	<-entered
	if _, err := r.Lease(t.Context(), withPassword(t, host(t, "good", good.address), "right"), site()); err != nil {
		t.Error(err)
	}
	all.Wait()
}
