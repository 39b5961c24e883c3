//go:build unix

package connect

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// muteAgent is an agent that never says a word; asked counts who spoke to it.
func muteAgent(t *testing.T) (socket string, asked *atomic.Int64) {
	t.Helper()
	socket, asked = filepath.Join(shortDir(t), "s"), &atomic.Int64{}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	gone := make(chan struct{})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			all.Go(func() { <-gone; _ = c.Close() })
		}
	})
	t.Cleanup(func() { close(gone); _ = l.Close(); all.Wait() })
	return socket, asked
}

// Fifty hosts and a mute agent: it is waited for once, said once, and the logins go on
// without it; so does the look at certificates.
func TestMuteAgentIsWaitedForOnce(t *testing.T) {
	socket, asked := muteAgent(t)
	r := bareRig(t, Options{AgentSocket: socket}) // the agent outlives it
	r.agentFor(endpoint{}).wait = 20 * time.Millisecond
	s, _ := keyServer(t, r, edKey(t).PublicKey())
	within(t, func() {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
				wantFault(t, err, fault.Auth, "the SSH agent at "+socket+" is left out: it did not answer in time", "ssh-add -l")
			})
		}
		for range 50 {
			all.Go(func() {
				if _, err := r.Expiry(t.Context(), host(t, "web", s.address), site()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	said := 0
	for _, text := range r.warnings {
		if strings.Contains(text, "is left out") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("said %d times: %q", said, r.warnings)
	}
}

// Who waits for another's question leaves when their own time is up.
func TestWaitingForTheAgentEndsWithItsContext(t *testing.T) {
	socket, asked := muteAgent(t)
	a := newAgentKeys(socket)
	first, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = a.list(first) }()
	await(t, func() bool { return asked.Load() == 1 })
	ctx, cancel := timeout(t, time.Millisecond)
	defer cancel()
	within(t, func() {
		if _, err := a.list(ctx); err == nil {
			t.Error("there is a list")
		}
		end()
		<-ended
	})
	if !a.until.IsZero() {
		t.Error("the end of one caller counts for the others")
	}
}

// nobody is a person who never answers.
type nobody struct{ asked atomic.Int64 }

func (a *nobody) Resolve(ctx context.Context, _ secret.Ref, _ string) (secret.Secret, error) {
	a.asked.Add(1)
	<-ctx.Done()
	return secret.Secret{}, context.Cause(ctx)
}

// A passphrase that nobody types holds no login for ever, and is asked for once.
func TestPassphraseIsWaitedForOnce(t *testing.T) {
	path, _ := keyFile(t, "id", rightPassword)
	phrase := ref(t, "env:right")
	synctest.Test(t, func(t *testing.T) {
		away := &nobody{}
		k := newKeyring("", away)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				_, err := k.load(t.Context(), path, phrase)
				if fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), "nobody gave it within 2m") {
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		if n := away.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// What is no plain file is no key: a FIFO would hold the login, and rights are not what is
// wrong with a folder.
func TestKeysArePlainFiles(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip("needs FIFOs: " + err.Error())
	}
	path, public := keyFile(t, "id", "")
	if err := syscall.Mkfifo(path+"-cert.pub", 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{})
	s, _ := keyServer(t, r, public)
	within(t, func() {
		for key, text := range map[string]string{fifo: "is not a plain file", "/dev/zero": "is not a plain file", filepath.Dir(fifo): "is not a plain file", fifo + "x": "there is no key"} {
			h := host(t, "web", s.address)
			h.Credentials.Key = key
			_, err := r.Lease(t.Context(), h, site())
			if e := wantFault(t, err, fault.Usage, text); strings.Contains(e.Hint, "chmod") {
				t.Errorf("%s: %s", key, e.Hint)
			}
		}
		h := host(t, "web", s.address)
		h.Credentials.Key = path
		r.lease(t, h, site()) // without the certificate that is none
	})
}
