package connect

import (
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// A host whose key this run has only just recorded gets no password of any kind: whoever
// answered there first would have it. The next run trusts the file.
func TestStrangersGetNoSecrets(t *testing.T) {
	path, public := keyFile(t, "id", "")
	t.Run("login password", func(t *testing.T) {
		r := newRig(t, Options{AcceptNew: true})
		s := newServer(t, edKey(t))
		s.password = rightPassword
		s.start(t)
		h := withPassword(t, host(t, "web", s.address), "right")
		for range 2 {
			_, err := r.Lease(t.Context(), h, site())
			wantFault(t, err, fault.HostKeyUnknown, "recorded only now", "hostkeys check hq/web", "run the same command again")
		}
		if s.passwords.Load() != 0 {
			t.Error("the password was sent")
		}
		next := New(r.opts)
		defer func() { _ = next.Close() }()
		l, err := next.Lease(t.Context(), h, site())
		if err != nil {
			t.Fatal(err)
		}
		l.Release()
	})
	t.Run("a code", func(t *testing.T) {
		p := always("123456")
		r := newRig(t, Options{AcceptNew: true, Ask: p.ask})
		s := newServer(t, edKey(t))
		s.asking([][]string{{"Code: "}}, "123456")
		s.start(t)
		_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
		wantFault(t, err, fault.HostKeyUnknown, "no code")
		if len(p.asked) != 0 {
			t.Errorf("asked %q", p.asked)
		}
	})
	t.Run("sudo", func(t *testing.T) {
		r := newRig(t, Options{AcceptNew: true})
		s := newServer(t, edKey(t))
		s.config.PublicKeyCallback = keysOnly(public)
		s.path = scripts(t, fakeSudo)
		s.start(t)
		h := withKeyFile(t, s.address, path)
		h.Become, h.Credentials.Become = inventory.BecomeSudo, ref(t, "env:right")
		l := r.lease(t, h, site()) // a key gives nothing away
		run(t, l, "true")
		_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"id"}, Become: true})
		wantFault(t, err, fault.HostKeyUnknown, "recorded only now")
		if sudoTries(t, s) != 0 {
			t.Error("the password was sent")
		}
	})
	t.Run("pinned", func(t *testing.T) {
		r := newRig(t, Options{AcceptNew: true})
		s := newServer(t, edKey(t))
		s.password = rightPassword
		s.start(t)
		h := withPassword(t, host(t, "web", s.address), "right")
		h.HostKeys = s.pins
		r.lease(t, h, site())
	})
}
