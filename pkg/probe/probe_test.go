package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// says is a host that answers each section asked for, as the script would: by the
// words of the question.
func says(answers map[string]string) func(context.Context, remote.Command) (remote.Result, error) {
	return func(_ context.Context, c remote.Command) (remote.Result, error) {
		lines := strings.Split(string(c.Stdin), "\n")
		var out strings.Builder
		var words []string
		for _, line := range lines[1:] {
			kind, value, _ := strings.Cut(line, " ")
			switch kind {
			case "arg":
				words = append(words, value)
			case "do":
				code, body, ok := strings.Cut(answers[strings.Join(words[1:], " ")], " ")
				if !ok {
					code, body = "127", "not asked for"
				}
				fmt.Fprintf(&out, "@@%s begin %s\n%s\n@@%s end %s\n", lines[0], value, body, lines[0], code)
				words = nil
			}
		}
		fmt.Fprintf(&out, "@@%s eof\n", lines[0])
		return remote.Result{Ending: remote.Exited, Out: []byte(out.String())}, nil
	}
}

func script() *remotetest.Stub { return remotetest.On("sh", "-c", "*", "patchring-health") }

func well() map[string]string {
	return map[string]string{
		"check_service nginx": "0 active\n", "snap_units": "0 ", "listeners": "0 1 2\nNetid\ntcp LISTEN 0 128 0.0.0.0:80 *\n",
		"snap_mounts": "0 /dev/sda1 / ext4 rw 0 0\n", "snap_routes": "0 default via 10.0.0.1 dev eth0\n", "snap_time": "0 yes\n", "snap_boot": "0 b\n",
	}
}

func with(key, value string) map[string]string {
	answers := well()
	answers[key] = value
	return answers
}

var nginx = health.Check{Service: "nginx"} //nolint:gochecknoglobals // a constant of the tests

// lines are the results as "check verdict tries".
func lines(results []health.Result) []string {
	var out []string
	for _, r := range results {
		out = append(out, fmt.Sprintf("%s: %s %d", r.Check, r.Verdict, r.Tries))
	}
	return out
}

func TestChecksAreAskedAgainUntilTheyPass(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "no key fits", Hint: "add one"}
	sick := with("check_service nginx", "3 activating\n")
	for name, c := range map[string]struct {
		stubs []*remotetest.Stub
		down  []error
		want  string
		seen  string
		took  time.Duration
	}{
		"at once":        {stubs: []*remotetest.Stub{script().Does(says(well()))}, want: "pass 1", seen: "active"},
		"comes up":       {stubs: []*remotetest.Stub{script().Does(says(sick)).Times(3), script().Does(says(well()))}, want: "pass 4", took: 7 * time.Second},
		"never":          {stubs: []*remotetest.Stub{script().Does(says(sick)).Always()}, want: "fail 10", seen: "activating", took: time.Minute},
		"cut":            {stubs: []*remotetest.Stub{script().Cuts(), script().Does(says(well()))}, want: "pass 2", took: time.Second},
		"loses silently": {stubs: []*remotetest.Stub{script().Ends(remote.Result{}), script().Does(says(well()))}, want: "pass 2", took: time.Second},
		"comes back":     {down: make([]error, 3), stubs: []*remotetest.Stub{script().Does(says(well()))}, want: "pass 4", took: 7 * time.Second},
		"unreachable":    {down: make([]error, 99), want: "unknown 10", seen: "connection refused", took: time.Minute},
		"wrong key":      {down: []error{auth}, want: "unknown 1", seen: "no key fits (add one)"},
		"talks garbage":  {stubs: []*remotetest.Stub{script().Prints("hello\n").Always()}, want: "unknown 10", seen: "can't be read", took: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := remotetest.New(t, c.stubs...)
				host.Down(c.down...)
				begin := time.Now()
				got := Checks(t.Context(), host, []health.Check{nginx}, health.Vars{}, nil)
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if l := lines(got); len(l) != 1 || l[0] != "service nginx: "+c.want || !strings.Contains(got[0].Seen, c.seen) {
					t.Errorf("want %s %q, got %+v", c.want, c.seen, got)
				}
			})
		})
	}
}

// A round asks only what has not passed yet, in one exec for each right.
func TestRoundAsksOnlyWhatIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := health.Check{Name: "smoke", Command: &health.Command{Argv: []string{"smoke"}, Become: true}}
		broken := health.Check{Name: "broken", Service: "--force"}
		left := health.Check{Conffiles: &health.Conffiles{Paths: []string{"/etc/web"}}}
		answers := with("check_command 60 smoke", "0 fine\n")
		answers["check_conffiles 10 /etc/web"] = "0 none\n"
		answers["check_service other"] = "3 failed\n"
		var asked []string
		host := remotetest.New(t, script().Always().Does(func(ctx context.Context, c remote.Command) (remote.Result, error) {
			asked = append(asked, fmt.Sprint(c.Become, strings.Count(string(c.Stdin), "\ndo "), c.Effect == remote.Reads))
			return says(answers)(ctx, c)
		}))
		got := Checks(t.Context(), host, []health.Check{nginx, {Service: "other", Within: 2 * time.Second}, root, broken, left}, health.Vars{}, nil)
		want := []string{"service nginx: pass 1", "service other: fail 3", "smoke: pass 1", "broken: unknown 0", "conffiles /etc/web: pass 1"}
		if !slices.Equal(lines(got), want) {
			t.Errorf("got %+v", got)
		}
		if want := []string{"false 2 true", "true 2 true", "false 1 true", "false 1 true"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q", asked)
		}
	})
}

func TestDefaultDiff(t *testing.T) {
	check := health.Check{DefaultDiff: true}
	for name, c := range map[string]struct {
		after map[string]string
		want  health.Verdict
		tries int
	}{
		"the same":      {well(), health.Pass, 1},
		"a unit failed": {with("snap_units", "0 nginx.service loaded failed dead x\n"), health.Fail, 10},
		"can't tell":    {with("snap_routes", "1 ip: no\n"), health.Unknown, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			host := remotetest.New(t, script().Does(says(well())))
			session, release, err := host.Session(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			before, err := Snapshot(t.Context(), session, time.Now())
			release()
			if err != nil || before.BootID != "b" || !before.Seen.Equal(time.Now()) {
				t.Fatalf("%+v %v", before, err)
			}
			host.Add(script().Does(says(c.after)).Always())
			got := Checks(t.Context(), host, []health.Check{check}, health.Vars{}, &before)
			if health.Worst(got) != c.want || len(got) != 6 || got[0].Tries != c.tries {
				t.Errorf("%s: got %q", name, lines(got))
			}
		})
	}
	got := Checks(t.Context(), remotetest.New(t), []health.Check{check}, health.Vars{}, nil)
	if len(got) != 1 || got[0].Verdict != health.Unknown || !strings.Contains(got[0].Seen, "no state before") {
		t.Errorf("without a state before: got %+v", got)
	}
}

func TestSnapshotOfAHostThatCantBeAsked(t *testing.T) {
	for name, c := range map[string]struct {
		stubs []*remotetest.Stub
		code  fault.Code
	}{
		"no commands": {nil, fault.HostFailed},
		"cut":         {[]*remotetest.Stub{script().Cuts()}, fault.Lost},
		"lost":        {[]*remotetest.Stub{script().Ends(remote.Result{})}, fault.Lost},
	} {
		s := remote.Session{}
		if c.stubs != nil {
			s = session(t, c.stubs...)
		}
		got, err := Snapshot(t.Context(), s, time.Now())
		if fault.CodeOf(err) != c.code || len(got.Sections) > 0 {
			t.Errorf("%s: got %+v %v", name, got, err)
		}
	}
}

func session(t *testing.T, stubs ...*remotetest.Stub) remote.Session {
	t.Helper()
	s, _, err := remotetest.New(t, stubs...).Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoppedPatchringKeepsWhatItSaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		host := remotetest.New(t, script().Does(says(with("check_service nginx", "3 failed\n"))).Always())
		got := Checks(ctx, host, []health.Check{nginx}, health.Vars{}, nil)
		if l := lines(got); l[0] != "service nginx: fail 2" {
			t.Errorf("got %+v", got)
		}
		cancel()
		got = Checks(ctx, host, []health.Check{nginx}, health.Vars{}, nil)
		if l := lines(got); l[0] != "service nginx: unknown 0" || !strings.Contains(got[0].Seen, "stopped") {
			t.Errorf("got %+v", got)
		}
	})
}

// unused is a host that must not be asked.
type unused struct{ t *testing.T }

func (u unused) Session(context.Context) (remote.Session, func(), error) {
	u.t.Error("the host was asked")
	return remote.Session{}, func() {}, errors.New("the host was asked")
}
func (unused) Drop() {}

func TestControllerAsksByItself(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			fmt.Fprint(w, "all is well", strings.Repeat("x", 1<<20))
		case "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/hangs":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	address, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const patience = 5 * time.Second // what fails is asked until then, also on a busy machine
	web := func(path string, status int, text string) health.Check {
		return health.Check{Within: patience, HTTP: &health.HTTP{URL: "https://{{ .address }}:" + port + path, Status: status, Contains: text, From: health.FromController}}
	}
	tcp := func(a string) health.Check {
		return health.Check{Within: patience, TCP: &health.TCP{Address: a, From: health.FromController}}
	}
	checks := []health.Check{
		web("/ok", 200, "is well"), web("/ok", 200, "is ill"), web("/moved", 302, ""), web("/none", 200, ""), web("/hangs", 200, ""),
		tcp(":" + port), tcp("127.0.0.1:1"), {HTTP: &health.HTTP{URL: "ftp://x", From: health.FromController}},
	}
	want := []string{"pass status 200", "fail status 200, but", "pass status 302", "fail status 404", "fail no answer", "pass open", "fail refused", "unknown not an http"}
	got := Checks(t.Context(), unused{t}, checks, health.Vars{Address: address, Name: "n", Site: "s"}, nil)
	for i, line := range want {
		verdict, text, _ := strings.Cut(line, " ")
		if r := got[i]; r.Verdict.String() != verdict || !strings.Contains(r.Seen, text) {
			t.Errorf("%s: want %s, got %s %q", r.Check, line, r.Verdict, r.Seen)
		}
	}
}

func TestEmptyFact(t *testing.T) {
	if got := Checks(t.Context(), unused{t}, nil, health.Vars{}, &fact.Snapshot{}); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}
