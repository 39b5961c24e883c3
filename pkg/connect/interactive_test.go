package connect

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

func timeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// typist answers questions, and notes them.
type typist struct {
	answer func(label string) (string, error)
	mu     sync.Mutex
	asked  []string
	busy   int
	most   int
}

func (p *typist) ask(_ context.Context, label string, _ bool) (secret.Secret, error) {
	p.mu.Lock()
	p.asked = append(p.asked, label)
	p.busy++
	p.most = max(p.most, p.busy)
	p.mu.Unlock()
	defer func() { p.mu.Lock(); p.busy--; p.mu.Unlock() }()
	answer, err := p.answer(label)
	return secret.New(answer), err
}

func always(answer string) *typist {
	return &typist{answer: func(string) (string, error) { return answer, nil }}
}

// asking makes a server ask these questions, round after round, and expect these answers.
func (s *server) asking(rounds [][]string, want ...string) {
	s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		var got []string
		for _, questions := range rounds {
			answers, err := ask("", "", questions, make([]bool, len(questions)))
			if err != nil {
				return nil, err
			}
			got = append(got, answers...)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			s.passwords.Add(1)
			return nil, errors.New("wrong")
		}
		return nil, nil
	}
}

func TestPersonAnswersWhatIsNoPassword(t *testing.T) {
	for _, c := range []struct {
		name   string
		rounds [][]string
		want   []string
		asked  string
	}{
		{"a code", [][]string{{"Password: "}, {"Verification code: "}}, []string{rightPassword, "123456"}, `hq/web asks: "Verification code:"`},
		{"both at once", [][]string{{"Password: ", "One-time password (OATH) for `patch': "}}, []string{rightPassword, "123456"}, "hq/web asks: \"One-time password (OATH) for `patch':\""},
		{"any key", [][]string{{"Press any key "}, {"Password:"}}, []string{"123456", rightPassword}, `hq/web asks: "Press any key"`},
		{"nothing first", [][]string{{}, {"Code: "}, {}}, []string{"123456"}, `hq/web asks: "Code:"`},
		{
			"a menu", [][]string{{"Duo two-factor login\n\n 1. Duo Push to XXX\r\n\x1b[2JPasscode or option (1-1): "}}, []string{"123456"},
			`hq/web asks: "Duo two-factor login 1. Duo Push to XXX \x1b[2JPasscode or option (1-1):"`,
		},
		{"a forged end", [][]string{{"Code\": \nhq/db asks: \"Password: "}}, []string{"123456"}, `hq/web asks: "Code': hq/db asks: 'Password:"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := always("123456")
			r := newRig(t, Options{Ask: p.ask})
			key := edKey(t)
			s := newServer(t, key)
			s.asking(c.rounds, c.want...)
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
			if len(p.asked) != 1 || p.asked[0] != c.asked {
				t.Errorf("asked %q, want %q", p.asked, c.asked)
			}
		})
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	many := [][]string{{"Code: "}, {"Code: "}, {"Code: "}, {"Code: "}}
	for _, c := range []struct {
		name   string
		rounds [][]string
		says   string
		asked  int
	}{
		{"too many rounds", many, "it asked", 3},
		{"too many questions", [][]string{{"a", "b", "c", "d", "e"}}, "it asked", 0},
		{"the password again", [][]string{{"Password:"}, {"Password:"}}, "it asked", 0},
		{"a new password", [][]string{{"Password:"}, {"New password: "}}, "New password", 0},
		{"an expired one", [][]string{{"(current) UNIX password: "}}, "current", 0},
		{"endless", append([][]string{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, many...), "endless rounds", 0},
		{"huge", [][]string{{strings.Repeat("x", 5000)}}, "it asked", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := always("123456")
			r := newRig(t, Options{Ask: p.ask})
			key := edKey(t)
			s := newServer(t, key)
			s.asking(c.rounds, "never")
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "right"), site())
			wantFault(t, err, fault.Auth, c.says)
			if len(p.asked) != c.asked {
				t.Errorf("asked %q", p.asked)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(context.Context, string, bool) (secret.Secret, error)
		says []string
	}{
		"nobody there": {nil, []string{`hq/web asks: "Code:", and nobody can be asked`, "control_master"}},
		"a no": {func(context.Context, string, bool) (secret.Secret, error) {
			return secret.Secret{}, errors.New("no")
		}, []string{"nobody answered"}},
		"too late": {func(ctx context.Context, _ string, _ bool) (secret.Secret, error) {
			<-ctx.Done()
			return secret.Secret{}, ctx.Err()
		}, []string{"nobody answered", "30ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{Ask: c.ask, Patience: 30 * time.Millisecond})
			key := edKey(t)
			s := newServer(t, key)
			s.asking([][]string{{"Code: "}}, "1")
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
			wantFault(t, err, fault.Auth, c.says...)
		})
	}
}

// A key first, then a code: publickey,keyboard-interactive.
func TestKeyThenCode(t *testing.T) {
	p := always("123456")
	r := newRig(t, Options{Ask: p.ask})
	path, public := keyFile(t, "id", "")
	s := secondFactor(t, r, public, "123456")
	r.lease(t, withKeyFile(t, s.address, path), site())
	p.answer = func(string) (string, error) { return "654321", nil }
	h := withKeyFile(t, s.address, path)
	h.ID.Name = "second"
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Auth, "refused")
	if len(p.asked) != 2 || p.asked[1] != `hq/second asks: "Verification code:"` {
		t.Errorf("asked %q", p.asked)
	}
}

// secondFactor takes the key, and then the code.
func secondFactor(t *testing.T, r *rig, public ssh.PublicKey, code string) *server {
	t.Helper()
	host := edKey(t)
	s := newServer(t, host)
	s.config.PublicKeyCallback = func(_ ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
		if !bytes.Equal(given.Marshal(), public.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
			KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				answers, err := ask("", "", []string{"Verification code: "}, []bool{false})
				if err != nil || answers[0] != code {
					return nil, errors.New("wrong code")
				}
				return nil, nil
			},
		}}
	}
	s.start(t)
	r.trust(t, s.address, host.PublicKey())
	return s
}

// Twelve hosts ask for a code: the person sees one question at a time, each with its own
// host's name, and no answer is used for another host.
func TestOneQuestionAtATime(t *testing.T) {
	p := &typist{answer: func(label string) (string, error) {
		name, _, _ := strings.Cut(strings.TrimPrefix(label, "hq/"), " ")
		return "code" + name, nil
	}}
	r := newRig(t, Options{Ask: p.ask})
	path, public := keyFile(t, "id", "")
	var servers []*server
	for i := range 12 {
		servers = append(servers, secondFactor(t, r, public, "code"+strconv.Itoa(i)))
	}
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			h := withKeyFile(t, s.address, path)
			h.ID.Name = strconv.Itoa(i)
			l, err := r.Lease(t.Context(), h, site())
			if err != nil {
				t.Error(err)
				return
			}
			l.Release()
		})
	}
	all.Wait()
	if p.most != 1 || len(p.asked) != 12 {
		t.Errorf("%d questions at once, %d in all", p.most, len(p.asked))
	}
}

// A server that says back what it was told must not bring it into our error.
func TestAnswersAreNotSaidBack(t *testing.T) {
	r := newRig(t, Options{Ask: always("planted-code-123456").ask})
	key := edKey(t)
	s := newServer(t, key)
	s.config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		first, err := ask("", "", []string{"Password: "}, []bool{false})
		if err != nil {
			return nil, err
		}
		second, err := ask("", "", []string{"Code: "}, []bool{false})
		if err != nil {
			return nil, err
		}
		_, err = ask("", "", []string{"so you typed " + second[0] + " after " + first[0], "", "", "", ""}, make([]bool, 5))
		return nil, err
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "right"), site())
	e := wantFault(t, err, fault.Auth)
	if strings.Contains(e.Error(), "planted-code") {
		t.Errorf("%v", err)
	}
}

func FuzzQuestionLabel(f *testing.F) {
	for _, seed := range []string{"Verification code: ", "\x1b]52;c;aGk=\a", "\"\nweb2 asks: \"Password: ", "\u202egnp.exe", strings.Repeat("é", 300)} {
		f.Add("hq/web", "instruction", seed)
	}
	f.Fuzz(func(t *testing.T, who, instruction, question string) {
		label := questionLabel(who, instruction, question)
		quoted := label[strings.Index(label, ` asks: "`)+len(` asks: "`):]
		if len(label) > 200 || strings.Count(quoted, `"`) != 1 || !strings.HasSuffix(quoted, `"`) || !utf8.ValidString(label) {
			t.Fatalf("%q", label)
		}
		for _, r := range label {
			if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
				t.Fatalf("%q holds %U", label, r)
			}
		}
	})
}
