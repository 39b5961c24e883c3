package connect

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "wrong"), site())
	wantFault(t, err, fault.Auth, "env:wrong", "refused")
	if s.passwords.Load() != 1 {
		t.Errorf("tried %d times", s.passwords.Load())
	}
}

func TestUnresolvedPassword(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "unset"), site())
	if fault.CodeOf(err) != fault.Auth || !strings.Contains(err.Error(), "env:unset") {
		t.Errorf("%v", err)
	}
}

func TestKeyboardInteractive(t *testing.T) {
	cases := []struct {
		name    string
		prompts []string
		echo    bool
		code    fault.Code
		asked   string
	}{
		{name: "password", prompts: []string{"Password: "}},
		{name: "with user", prompts: []string{"(patch@web) Password for patch@web:"}},
		{name: "echoed", prompts: []string{"Password: "}, echo: true, code: fault.Auth, asked: "Password:"},
		{name: "code", prompts: []string{"Verification code: "}, code: fault.Auth, asked: "Verification code"},
		{name: "new password", prompts: []string{"New password: "}, code: fault.Auth, asked: "New password"},
		{name: "two at once", prompts: []string{"Password: ", "Password: "}, code: fault.Auth},
		{name: "hostile", prompts: []string{"\x1b[2JPassword\u202e: "}, code: fault.Auth, asked: `\x1b`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			key := edKey(t)
			s := newServer(t, key)
			s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				echos := make([]bool, len(c.prompts))
				echos[0] = c.echo
				answers, err := ask("", "\x1b[31mbanner", c.prompts, echos)
				if err == nil && len(answers) == 1 && answers[0] == rightPassword {
					return nil, nil
				}
				s.passwords.Add(1)
				return nil, errors.New("no")
			}
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "right"), site())
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantFault(t, err, c.code, c.asked)
		})
	}
}

// A server that takes both ways sees a wrong password once.
func TestPasswordGoesOneWayOnly(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := newServer(t, key)
	count := func() (*ssh.Permissions, error) { s.passwords.Add(1); return nil, errors.New("no") }
	s.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return count() }
	s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		if _, err := ask("", "", []string{"Password: "}, []bool{false}); err != nil {
			return nil, err
		}
		return count()
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "wrong"), site())
	wantFault(t, err, fault.Auth)
	if s.passwords.Load() != 1 {
		t.Errorf("tried %d times", s.passwords.Load())
	}
}

func FuzzAsksPassword(f *testing.F) {
	for _, seed := range []string{"Password:", "new password:", "\x00Password:", "password for a@b: ", "one-time password:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, question string) {
		if !asksPassword(question) {
			return
		}
		if strings.Count(strings.ToLower(question), "password") < 1 || strings.ContainsAny(question, "\x1b\x00") {
			t.Fatalf("%q passes for a password prompt", question)
		}
	})
}

func TestServerTakesNoPassword(t *testing.T) {
	r := newRig(t, Options{})
	s, _ := keyServer(t, r, edKey(t).PublicKey())
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "unset"), site())
	wantFault(t, err, fault.Auth, "the inventory gives a password, and the server takes none", "publickey")
}
