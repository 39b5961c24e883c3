package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// step starts with "do" and looks with "look", which prints the state.
func step(change ...func(*platform.Step)) platform.Step {
	s := platform.Step{
		ID: "install", Title: "install 3 updates", On: fact.HostID{Site: "hq", Name: "web-1"},
		Do:       []platform.Operation{{Command: &remote.Command{Argv: []string{"do"}}}},
		Deadline: 10 * time.Minute,
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &remote.Command{Argv: []string{"look"}, Effect: remote.Reads}}},
			Judge: judge,
		},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func judge(results []remote.Result) platform.Standing {
	word, rest, _ := strings.Cut(string(results[0].Out), " ")
	states := map[string]platform.State{"done": platform.Done, "running": platform.Running, "absent": platform.NotDone, "failed": platform.Failed}
	s := platform.Standing{State: states[word], Progress: rest}
	if s.State == platform.Failed || s.State == platform.Unknown {
		s.Reasons = []string{"the judge says " + string(results[0].Out)}
	}
	return s
}

func reconnects(s *platform.Step) { s.Look.Reconnects = true }
func onlyLooks(s *platform.Step)  { s.Do = nil }
func mayDrop(s *platform.Step)    { s.Do[0].MayDrop = true }

func looks(prints ...string) []*remotetest.Stub {
	var stubs []*remotetest.Stub
	for _, p := range prints {
		stubs = append(stubs, remotetest.On("look").Prints(p))
	}
	return stubs
}

func always(out string) *remotetest.Stub { return remotetest.On("look").Prints(out).Always() }

func do() *remotetest.Stub { return remotetest.On("do") }

func TestPerform(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "no key fits", Hint: "add one"}
	for name, c := range map[string]struct {
		step   platform.Step
		stubs  [][]*remotetest.Stub
		down   []error // once the connection was dropped or cut for the first time
		before []error // from the start
		want   platform.State
		reason string
		not    string // what the reasons must not say
		code   fault.Code
		took   time.Duration // at least; and at most twice as long and a minute
		dos    int
	}{
		"done already":  {stubs: [][]*remotetest.Stub{looks("done")}, want: platform.Done},
		"simple":        {stubs: [][]*remotetest.Stub{looks("absent", "done"), {do()}}, want: platform.Done, dos: 1},
		"waits":         {stubs: [][]*remotetest.Stub{looks("absent", "running 1", "running 2", "done"), {do()}}, want: platform.Done, dos: 1, took: 3 * time.Second},
		"attaches":      {stubs: [][]*remotetest.Stub{looks("running", "running", "done")}, want: platform.Done, took: 3 * time.Second},
		"failed before": {stubs: [][]*remotetest.Stub{looks("failed")}, want: platform.Failed, reason: "the judge says failed"},
		"failed after":  {stubs: [][]*remotetest.Stub{looks("absent", "running", "failed"), {do()}}, want: platform.Failed, reason: "the judge", dos: 1},
		"do fails, nothing began": {stubs: [][]*remotetest.Stub{looks("absent", "absent"), {do().Exits(100, "no\x1b space")}},
			want: platform.Failed, reason: `exit status 100: no\x1b space`, code: fault.HostFailed, dos: 1},
		"do fails, and yet it is done": {stubs: [][]*remotetest.Stub{looks("absent", "done"), {do().Exits(1, "")}}, want: platform.Done, dos: 1},
		"do fails, and yet it runs":    {stubs: [][]*remotetest.Stub{looks("absent", "running", "done"), {do().Exits(1, "")}}, want: platform.Done, dos: 1},
		"do fails, look can't tell":    {stubs: [][]*remotetest.Stub{looks("absent", "?", "?"), {do().Exits(1, "boo")}}, want: platform.Unknown, reason: "boo", dos: 1},
		"do was not permitted":         {stubs: [][]*remotetest.Stub{looks("absent", "absent"), {do().Fails(auth)}}, want: platform.Failed, reason: "no key fits (add one)", code: fault.Auth, dos: 1},
		"cut, and it runs":             {stubs: [][]*remotetest.Stub{looks("absent", "running", "done"), {do().Cuts()}}, want: platform.Done, dos: 1},
		"cut, and away for long": {stubs: [][]*remotetest.Stub{looks("absent", "running", "done"), {do().Cuts()}}, down: make([]error, 9),
			want: platform.Done, dos: 1, took: time.Minute},
		"cut, and nothing began":          {stubs: [][]*remotetest.Stub{looks("absent", "absent", "running", "done"), {do().Cuts(), do()}}, want: platform.Done, dos: 2},
		"cut twice":                       {stubs: [][]*remotetest.Stub{{always("absent")}, {do().Cuts(), do().Cuts()}}, want: platform.Unknown, reason: "sent twice", dos: 2, took: 10 * time.Minute},
		"cut, then refused":               {stubs: [][]*remotetest.Stub{looks("absent", "absent", "absent"), {do().Cuts(), do().Exits(70, "boo")}}, want: platform.Failed, reason: "boo", dos: 2},
		"cut, and away for good":          {stubs: [][]*remotetest.Stub{looks("absent"), {do().Cuts()}}, down: make([]error, 999), want: platform.Unknown, reason: "can't be asked", dos: 1, took: 10 * time.Minute},
		"cut, then the key is refused":    {stubs: [][]*remotetest.Stub{looks("absent"), {do().Cuts()}}, down: []error{auth}, want: platform.Unknown, reason: "no key fits (add one)", dos: 1},
		"never begins":                    {stubs: [][]*remotetest.Stub{{always("absent")}, {do()}}, want: platform.Failed, reason: `"install 3 updates" did not happen within 10m0s`, dos: 1, took: 10 * time.Minute},
		"never ends":                      {stubs: [][]*remotetest.Stub{looks("absent"), {always("running")}, {do()}}, want: platform.Unknown, reason: "still running on the host after 10m0s", dos: 1, took: 10 * time.Minute},
		"vanishes while running":          {stubs: [][]*remotetest.Stub{looks("running", "absent")}, want: platform.Unknown, reason: "as if it had never begun"},
		"can't tell":                      {stubs: [][]*remotetest.Stub{looks("?", "?")}, want: platform.Unknown, reason: `"install 3 updates" was not started by this run`},
		"can't tell at first":             {stubs: [][]*remotetest.Stub{looks("?", "done")}, want: platform.Done},
		"unreachable":                     {before: make([]error, 9), want: platform.Unknown, reason: "connection refused", code: fault.Unreachable},
		"unreachable at first":            {before: []error{nil}, stubs: [][]*remotetest.Stub{looks("done")}, want: platform.Done},
		"wrong key":                       {before: []error{auth, auth, auth}, want: platform.Unknown, reason: "no key fits (add one)"},
		"look is cut":                     {stubs: [][]*remotetest.Stub{{remotetest.On("look").Cuts()}, looks("done")}, want: platform.Done},
		"only looks, cut again and again": {step: step(onlyLooks), stubs: [][]*remotetest.Stub{{remotetest.On("look").Cuts().Times(5)}, looks("done")}, want: platform.Done, took: 15 * time.Second},
		"only looks, cut while waiting":   {step: step(onlyLooks), stubs: [][]*remotetest.Stub{looks("absent"), {remotetest.On("look").Cuts().Times(3)}, looks("absent", "done")}, want: platform.Done, took: 10 * time.Second},
		"only looks, away for long":       {step: step(onlyLooks), before: make([]error, 9), stubs: [][]*remotetest.Stub{looks("done")}, want: platform.Done, took: time.Minute},
		"only looks, away for good":       {step: step(onlyLooks), before: make([]error, 999), want: platform.Unknown, reason: "connection refused", code: fault.Unreachable, took: 10 * time.Minute},
		"only looks, wrong key":           {step: step(onlyLooks), before: []error{auth}, want: platform.Unknown, reason: "no key fits (add one)", code: fault.Auth},
		"only looks, key refused later":   {step: step(onlyLooks), before: []error{nil, nil, auth}, want: platform.Unknown, reason: "no key fits (add one)", code: fault.Auth},
		"only looks, can't tell":          {step: step(onlyLooks), stubs: [][]*remotetest.Stub{looks("?", "?")}, want: platform.Unknown, reason: "the judge says ?", not: "started"},
		"reboot": {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{looks("absent", "running", "done"), {do().Cuts()}}, down: make([]error, 9),
			want: platform.Done, dos: 1, took: time.Minute},
		"reboot, and the connection stays": {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{looks("absent", "absent", "done"), {do()}}, want: platform.Done, dos: 1},
		"reboot that never goes down":      {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{{always("absent")}, {do().Cuts()}}, want: platform.Failed, reason: "did not happen", dos: 1, took: 10 * time.Minute},
		"reboot, not permitted to log in yet": {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{looks("absent", "done"), {do().Cuts()}}, down: []error{nil, auth, nil},
			want: platform.Done, dos: 1},
		"reboot, and the key is refused": {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{looks("absent"), {do().Cuts()}}, down: []error{nil, auth, auth},
			want: platform.Unknown, reason: "no key fits", dos: 1},
		"reboot of an earlier patchring": {step: step(reconnects), before: make([]error, 9), stubs: [][]*remotetest.Stub{looks("done")}, want: platform.Done, took: time.Minute},
		"never comes back":               {step: step(reconnects, mayDrop), stubs: [][]*remotetest.Stub{looks("absent"), {do().Cuts()}}, down: make([]error, 999), want: platform.Unknown, reason: "can't be asked", dos: 1, took: 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := remotetest.New(t, slices.Concat(c.stubs...)...)
				host.Down(c.before...)
				if c.step.ID == "" {
					c.step = step()
				}
				begin := time.Now()
				got := Perform(t.Context(), &fallible{Host: host, later: c.down}, c.step, nil)
				took := time.Since(begin)
				if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, "; "), c.reason) {
					t.Errorf("want %s (%s), got %s %q", c.want, c.reason, got.State, got.Reasons)
				}
				if c.not != "" && strings.Contains(strings.Join(got.Reasons, "; "), c.not) {
					t.Errorf("it says %q: %q", c.not, got.Reasons)
				}
				if got.State != platform.Done && len(got.Reasons) == 0 {
					t.Error("no reason")
				}
				if (c.code != "" || got.State == platform.Done) && got.Code != c.code {
					t.Errorf("want code %q, got %q", c.code, got.Code)
				}
				if took < c.took || took > 2*c.took+time.Minute {
					t.Errorf("took %s, want about %s", took, c.took)
				}
				if dos := count(host.Calls(), "do"); dos != c.dos {
					t.Errorf("did it %d times, want %d", dos, c.dos)
				}
			})
		})
	}
}

// fallible becomes unreachable once its connection was cut or dropped after a Do.
type fallible struct {
	*remotetest.Host
	later []error
}

func (f *fallible) Session(ctx context.Context) (remote.Session, func(), error) {
	if f.later != nil && slices.Contains(f.Calls(), "do") {
		f.Down(f.later...)
		f.later = nil
	}
	return f.Host.Session(ctx)
}

func count(lines []string, line string) int {
	n := 0
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

func TestProgressIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := remotetest.New(t, looks("running a", "running a", "running b", "done")...)
		var told []string
		Perform(t.Context(), host, step(), func(line string) { told = append(told, line) })
		if !slices.Equal(told, []string{"a", "b"}) {
			t.Errorf("got %q", told)
		}
	})
}

func TestStoppedPatchringKillsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		look   string
		reason string
	}{
		"running": {"running", "on the host, goes on"},
		"before":  {"?", "nothing was started"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				host := remotetest.New(t, always(c.look))
				got := Perform(ctx, host, step(), nil)
				if got.State != platform.Unknown || !strings.Contains(got.Reasons[0], c.reason) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

func TestStepThatCantBeJudgedIsNotBegun(t *testing.T) {
	host := remotetest.New(t)
	got := Perform(t.Context(), host, step(func(s *platform.Step) { s.Look.Judge = nil }), nil)
	if got.State != platform.Unknown || len(got.Reasons) == 0 || len(host.Calls()) > 0 {
		t.Errorf("got %+v", got)
	}
}

func TestLookMayOnlyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := remotetest.New(t)
		got := Perform(t.Context(), host, step(func(s *platform.Step) { s.Look.Do[0].Command.Effect = remote.Changes }), nil)
		if got.State != platform.Unknown || !strings.Contains(got.Reasons[0], "only reads") || len(host.Calls()) > 0 {
			t.Errorf("got %+v %q", got, host.Calls())
		}
	})
}

// bare is a host whose connection can do nothing.
type bare struct{ err error }

func (b bare) Session(context.Context) (remote.Session, func(), error) {
	return remote.Session{}, func() {}, b.err
}
func (bare) Drop() {}

func TestConnectionThatCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			on     Sessions
			op     platform.Operation
			reason string
		}{
			"run nothing":      {bare{}, platform.Operation{Command: &remote.Command{}}, "can't do what the step asks for"},
			"type nothing":     {bare{}, platform.Operation{Exchange: &remote.Exchange{}}, "can't do what the step asks for"},
			"send no files":    {bare{}, platform.Operation{Put: &platform.File{}}, "or no files"},
			"do nothing known": {bare{}, platform.Operation{}, "can't do what the step asks for"},
			"fail plainly":     {bare{errors.New("boo")}, platform.Operation{}, "boo"},
		} {
			got := Perform(t.Context(), c.on, step(func(s *platform.Step) {
				s.Look.Do = nil
				s.Look.Judge = func([]remote.Result) platform.Standing { return platform.Standing{State: platform.NotDone} }
				s.Do = []platform.Operation{c.op}
			}), nil)
			if got.State == platform.Done || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) {
				t.Errorf("%s: got %+v", name, got)
			}
		}
	})
}

// A device that asks what nobody foresaw gets no answer, and the look decides.
func TestConsoleStep(t *testing.T) {
	reload := func(s *platform.Step) {
		s.Do = []platform.Operation{{Exchange: &remote.Exchange{Send: "reload", MayDrop: true}}}
	}
	for name, c := range map[string]struct {
		ending remote.Ending
		looks  []string
		want   platform.State
		reason string
	}{
		"done":                 {remote.Done, []string{"absent", "done"}, platform.Done, ""},
		"drops":                {remote.Lost, []string{"absent", "absent", "done"}, platform.Done, ""},
		"asked":                {remote.Asked, []string{"absent", "absent"}, platform.Failed, `the device asked "Save?", which was not expected; nothing was answered`},
		"stops":                {remote.Stopped, []string{"absent", "absent"}, platform.Failed, "a person must look at the device: Save?"},
		"mute, and it is done": {remote.Prompted, []string{"absent", "absent", "done"}, platform.Done, ""},
		"no":                   {remote.Failed, []string{"absent", "absent"}, platform.Failed, "the device said no: Save?"},
	} {
		synctest.Test(t, func(t *testing.T) {
			host := remotetest.New(t, looks(c.looks...)...)
			host.Add(remotetest.OnSend("reload").Ends(remote.Result{Ending: c.ending, Out: []byte("Save?")}))
			got := Perform(t.Context(), host, step(reload, reconnects), nil)
			if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) {
				t.Errorf("%s: got %+v", name, got)
			}
		})
	}
}
