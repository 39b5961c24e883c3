package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fault"
)

// fakeSSH answers instead of ssh, and counts.
type fakeSSH struct {
	mu    sync.Mutex
	asked []string
	say   func(ctx context.Context, name string) (string, error)
	most  atomic.Int32
	now   atomic.Int32
}

func (s *fakeSSH) run(ctx context.Context, _ *asker, argv []string) (out, errs []byte, err error) {
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	s.mu.Lock()
	s.asked = append(s.asked, strings.Join(argv, " "))
	s.mu.Unlock()
	text, err := s.say(ctx, argv[len(argv)-1])
	return []byte(text), []byte(text), err
}

// withFake is a configuration whose ssh is the fake.
func withFake(t *testing.T, text string, s *fakeSSH) *sshConfig {
	t.Helper()
	c := parseConfig(t, text, nil)
	c.ssh = &asker{program: "ssh", config: "config", limit: askLimit, run: s.run, free: make(chan struct{}, asksAtOnce)}
	c.ssh.usual = func(context.Context) ([]string, error) { return []string{"~/.ssh/id_rsa"}, nil }
	return c
}

// plain is ssh's answer where nothing is said.
func plain(name, more string) string {
	return "hostname " + name + "\nport 22\nuser ann\nidentityfile ~/.ssh/id_rsa\n" + more
}

// Of hosts to which the same lines apply, one is asked for; the others are not.
func TestSSHIsAskedOnceForEachKindOfHost(t *testing.T) {
	fake := &fakeSSH{say: func(_ context.Context, name string) (string, error) {
		more := "hashknownhosts yes\n"
		if strings.HasPrefix(name, "web") {
			return strings.Replace(plain(name, more), "user ann", "user deploy", 1), nil
		}
		return plain(name, more), nil
	}}
	c := withFake(t, "HashKnownHosts yes\nHost web*\n User deploy\n", fake)
	var work sync.WaitGroup
	for i := range 500 {
		work.Go(func() {
			for _, name := range []string{"web", "db"} {
				_, _ = c.lookup(t.Context(), query{name: fmt.Sprint(name, i)})
			}
		})
	}
	work.Wait()
	if s := ask(t, c, query{name: "web7"}); s.user != "deploy" || s.refusal != nil {
		t.Errorf("%+v", s)
	}
	if len(fake.asked) > 2*asksAtOnce || len(fake.asked) < 2 || fake.most.Load() > asksAtOnce {
		t.Errorf("asked %d times, %d at once", len(fake.asked), fake.most.Load())
	}
}

// What only ssh can tell it is asked for each host; what it says counts.
func TestSSHDecidesWhatPatchringCant(t *testing.T) {
	fake := &fakeSSH{say: func(_ context.Context, name string) (string, error) {
		return plain("10.0.0."+name[1:], "proxyjump ops@[10.9.9.9]:2222\ncontrolpath /tmp/cm-123\nidentityagent none\nidentityfile /k/%r%%\n"), nil
	}}
	c := withFake(t, "Match exec \"at-home\"\n HostName x\n", fake)
	for _, name := range []string{"h1", "h2"} {
		s, err := c.lookup(t.Context(), query{name: name, user: "bob", port: "2022", master: true})
		if err != nil || s.refusal != nil || s.hostName != "10.0.0."+name[1:] || s.controlPath != "/tmp/cm-123" || s.agent != "none" ||
			!slices.Equal(s.jump, []string{"ops@[10.9.9.9]:2222"}) || s.from["hostname"] != fromSSH || !slices.Equal(s.identities, []string{"/home/ann/.ssh/id_rsa", "/k/ann%"}) {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if want := "-G -T -F config -l bob -p 2022 -- h2"; len(fake.asked) != 2 || fake.asked[1] != want {
		t.Errorf("asked %q", fake.asked)
	}
	_ = ask(t, c, query{name: "h3", address: "fe80::1%eth0"})
	if want := "-G -T -F config -o HostName=fe80::1%%eth0 -- h3"; fake.asked[2] != want {
		t.Errorf("asked %q", fake.asked[2])
	}
}

// Names that ssh would take for something else are never given to it.
func TestNamesThatAreNotForSSH(t *testing.T) {
	fake := &fakeSSH{say: func(_ context.Context, name string) (string, error) { return plain(name, ""), nil }}
	c := withFake(t, "Match exec x\n Port 1\n", fake)
	for _, name := range []string{"-oProxyCommand=x", "a@b", "ssh://a", "a b", "", "a\nb", "a$(x)", "%h"} {
		if s := ask(t, c, query{name: name}); fault.CodeOf(s.refusal) != fault.Unsupported {
			t.Errorf("%q: %+v", name, s)
		}
	}
	if s := ask(t, c, query{name: "a", address: "x HostName=y"}); s.refusal == nil {
		t.Error("an address that is none")
	}
	if len(fake.asked) != 0 {
		t.Errorf("asked %q", fake.asked)
	}
}

// Where both differ, that is said, and patchring's own reading counts no more, not
// even for hosts of a kind on which both agreed.
func TestSSHIsBelievedWhereBothDiffer(t *testing.T) {
	fake := &fakeSSH{say: func(_ context.Context, name string) (string, error) {
		if name[0] == 'a' {
			return plain(name, ""), nil
		}
		return strings.Replace(plain(name, ""), "port 22", "port 222", 1), nil
	}}
	c := withFake(t, "Host b*\n Compression yes\n HashKnownHosts no\n", fake)
	var said []string
	c.warn = func(text string) { said = append(said, text) }
	for _, name := range []string{"a1", "a2", "b1"} {
		_ = ask(t, c, query{name: name})
	}
	if len(fake.asked) != 2 {
		t.Errorf("a2 is of a1's kind: asked %q", fake.asked)
	}
	if s := ask(t, c, query{name: "b2"}); s.port != "222" {
		t.Errorf("%+v", s)
	}
	_ = ask(t, c, query{name: "a3"})
	if len(fake.asked) != 4 || len(said) == 0 || !strings.Contains(said[0], `Port: "22" and "222"`) {
		t.Errorf("asked %q, said %q", fake.asked, said)
	}
}

func TestSSHThatFails(t *testing.T) {
	fake := &fakeSSH{say: func(context.Context, string) (string, error) {
		return "config: line 3: Bad configuration option: usekeychain\x1b[2J\n", errors.New("exit status 255")
	}}
	c := withFake(t, "User ann\n", fake)
	s := ask(t, c, query{name: "a"})
	all := fmt.Sprint(s.refusal, fault.HintOf(s.refusal))
	if fault.CodeOf(s.refusal) != fault.Unsupported || !strings.Contains(all, "usekeychain") || !strings.Contains(all, "ssh -G -T -F config -- a") || strings.Contains(all, "\x1b") {
		t.Errorf("%q", all)
	}
}

// An ssh that hangs costs one time-out, however many hosts there are.
func TestSSHThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeSSH{say: func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}}
		c := withFake(t, "Match exec \"sleep 1000\"\n Port 9\n", fake)
		start := time.Now()
		var work sync.WaitGroup
		for i := range 300 {
			work.Go(func() {
				s, err := c.lookup(t.Context(), query{name: fmt.Sprint("h", i)})
				if err != nil || fault.CodeOf(s.refusal) != fault.Unsupported || !strings.Contains(s.refusal.Error(), "ssh -G gave no answer within 10s") {
					t.Errorf("%v, %v", s.refusal, err)
				}
			})
		}
		work.Wait()
		if took := time.Since(start); took != askLimit || len(fake.asked) > asksAtOnce {
			t.Errorf("it took %s and %d processes", took, len(fake.asked))
		}
	})
}

// Who gives up waiting does not spoil the answer for others.
func TestSSHAndAContextThatEnds(t *testing.T) {
	fake := &fakeSSH{say: func(ctx context.Context, name string) (string, error) { return plain(name, ""), ctx.Err() }}
	c := withFake(t, "User ann\n", fake)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.lookup(ctx, query{name: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if s := ask(t, c, query{name: "a"}); s.refusal != nil || s.user != "ann" {
		t.Errorf("%+v", s)
	}
}

// A real ssh whose Match exec never ends is ended with all that it started.
func TestRealSSHThatHangs(t *testing.T) {
	needSSH(t)
	before := goleak.IgnoreCurrent()
	mark := filepath.Join(t.TempDir(), "pid")
	path := configFile(t, "Match exec \"echo $$ > "+mark+"; sleep 1000; true\"\n Port 9\n")
	c := realConfig(t, path)
	c.ssh.limit = time.Second
	s := ask(t, c, query{name: "a"})
	if fault.CodeOf(s.refusal) != fault.Unsupported || !strings.Contains(s.refusal.Error(), "no answer within 1s") {
		t.Errorf("%v", s.refusal)
	}
	pid, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	gone := func() bool {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z")
	}
	for until := time.Now().Add(10 * time.Second); !gone() && time.Now().Before(until); {
		<-time.After(10 * time.Millisecond) // the kernel takes it down
	}
	if !gone() {
		t.Error("what Match exec started still runs")
	}
	goleak.VerifyNone(t, before)
}

// realConfig asks the real ssh about a file that lies anywhere.
func realConfig(t testing.TB, path string) *sshConfig {
	t.Helper()
	me := somebody(t)
	c, err := openSSHConfig(path, me, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	c.ssh = newAsker(path, c.statements, me)
	return c
}

// No secret of the environment reaches ssh or what it runs, unless the file names it.
func TestEnvironmentOfSSH(t *testing.T) {
	needSSH(t)
	t.Setenv("CORE_ENABLE", "correct-Horse")
	t.Setenv("PATCHRING_TEST_SITE", "hq")
	mark := filepath.Join(t.TempDir(), "env")
	c := realConfig(t, configFile(t, "Match exec \"env > "+mark+"; test $PATCHRING_TEST_SITE = hq\"\n Port 9\n"))
	if s := ask(t, c, query{name: "a"}); s.port != "9" {
		t.Errorf("%+v", s)
	}
	env, err := os.ReadFile(mark)
	if err != nil || strings.Contains(string(env), "CORE_ENABLE") || !strings.Contains(string(env), "HOME=") {
		t.Errorf("%s, %v", env, err)
	}
}

func TestSSHThatSaysTooMuch(t *testing.T) {
	k := &keeper{limit: 10}
	for range 5 {
		if n, err := k.Write(bytes.Repeat([]byte("1"), 6)); n != 6 || err != nil {
			t.Error(n, err)
		}
	}
	if k.String() != "1111111111" {
		t.Errorf("%q", k)
	}
	if _, err := parseDump([]byte(plain("a", strings.Repeat("identityfile x\n", maxDump/10)))); !errors.Is(err, errDump) {
		t.Errorf("%v", err)
	}
}

func FuzzDump(f *testing.F) {
	f.Add([]byte(plain("a", "proxyjump b\n")))
	f.Add([]byte("hostname a\nport 99999\nuser b\n"))
	f.Add([]byte("HostName a\x1b\nport 1\nuser b"))
	f.Fuzz(func(t *testing.T, out []byte) {
		d, err := parseDump(out)
		if err != nil {
			return
		}
		s, _ := settle(query{name: "a"}, d.reading(query{name: "a"}, nil), ann())
		if s.port == "" || s.user == "" || !isPort(s.port) || strings.ContainsAny(s.user+s.hostName+s.controlPath+s.agent, "\x00\x1b\n\x7f") {
			t.Fatalf("%q: %+v", out, s)
		}
	})
}
