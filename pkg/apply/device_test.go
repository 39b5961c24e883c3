package apply

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
	"github.com/patchring/patchring/pkg/store"
)

// device is a host without a shell, with everything that its steps may need beside it.
type device struct {
	*remotetest.Host
	pushed []string
	refuse error
	kept   map[string]string
	url    string
	stops  int
	drops  int
}

func newDevice(t *testing.T, stubs ...*remotetest.Stub) *device {
	t.Helper()
	return &device{Host: remotetest.New(t, stubs...), kept: map[string]string{}, url: "http://10.0.0.5:8080/0a1b/image.bin"}
}

func (d *device) Session(ctx context.Context) (remote.Session, func(), error) {
	s, release, err := d.Host.Session(ctx)
	s.Runner, s.Files, s.Pusher = nil, nil, d
	return s, release, err
}

func (d *device) Drop() {
	d.drops++
	d.Host.Drop()
}

func (d *device) Push(_ context.Context, how remote.Protocol, path string, content io.Reader, size int64) error {
	b, err := io.ReadAll(content)
	if err != nil || int64(len(b)) != size {
		return errors.New("not what was promised")
	}
	d.pushed = append(d.pushed, string(how)+" "+path+" "+string(b))
	return d.refuse
}

func (d *device) Open(digest patch.Digest) (io.ReadCloser, error) {
	if digest != patch.DigestOf([]byte(packageFile)) {
		return nil, store.ErrNotFound
	}
	return io.NopCloser(strings.NewReader(packageFile)), nil
}

func (d *device) Size(digest patch.Digest) (int64, error) {
	if digest != patch.DigestOf([]byte(packageFile)) {
		return 0, store.ErrNotFound
	}
	return int64(len(packageFile)), nil
}

func (d *device) Serve(context.Context, platform.File) (string, func(), error) {
	return d.url, func() { d.stops++ }, nil
}

func (d *device) Keep(_ context.Context, name string, content []byte) error {
	d.kept[name] = string(content)
	return d.refuse
}

// typing is a step of exchanges: each line changes the device, the look reads it.
func typing(change ...func(*platform.Step)) platform.Step {
	return step(append([]func(*platform.Step){func(s *platform.Step) {
		s.Do = []platform.Operation{{Exchange: &remote.Exchange{Send: "do"}}}
		s.Look.Do = []platform.Operation{{Exchange: &remote.Exchange{Send: "look", Effect: remote.Reads}}}
	}}, change...)...)
}

func sees(prints ...string) []*remotetest.Stub {
	var stubs []*remotetest.Stub
	for _, p := range prints {
		stubs = append(stubs, remotetest.OnSend("look").Ends(remote.Result{Ending: remote.Done, Out: []byte(p)}))
	}
	return stubs
}

func image(how remote.Protocol, digest patch.Digest) func(*platform.Step) {
	return func(s *platform.Step) {
		s.Do = []platform.Operation{{Put: &platform.File{Path: "flash:image.bin", Store: digest, How: how}}}
	}
}

func TestPush(t *testing.T) {
	right := patch.DigestOf([]byte(packageFile))
	for name, c := range map[string]struct {
		digest patch.Digest
		refuse error
		looks  []string
		want   platform.State
		reason string
		pushes int
	}{
		"pushed":          {right, nil, []string{"absent", "done"}, platform.Done, "", 1},
		"there already":   {right, nil, []string{"done"}, platform.Done, "", 0},
		"not in store":    {patch.DigestOf(nil), nil, []string{"absent", "absent"}, platform.Failed, "is not in the store", 0},
		"no space":        {right, &fault.Error{Kind: fault.GiveUp, Code: fault.HostFailed, What: "no space"}, []string{"absent", "absent"}, platform.Failed, "no space", 1},
		"cut, then again": {right, remotetest.Lost(), []string{"absent", "absent", "done"}, platform.Done, "", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sees(c.looks...)...)
			d.refuse = c.refuse
			got := Perform(t.Context(), d, typing(image(remote.SCP, c.digest)), nil)
			if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) {
				t.Errorf("%s: got %+v", name, got)
			}
			want := slices.Repeat([]string{"scp flash:image.bin " + packageFile}, c.pushes)
			if !slices.Equal(d.pushed, want) {
				t.Errorf("%s: pushed %q", name, d.pushed)
			}
		})
	}
}

func pulls(s *platform.Step) {
	s.Do = []platform.Operation{{
		Exchange: &remote.Exchange{Send: "copy {url} flash:", Questions: []remote.Question{{Ask: "Address", Answer: "{url}"}}},
		Serve:    &platform.File{Path: "image.bin", Store: patch.DigestOf([]byte(packageFile))},
	}}
}

func TestServeWhileTheDevicePulls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sees("absent", "done")...)
		d.Add(remotetest.OnSend("copy http://10.0.0.5:8080/0a1b/image.bin flash:"))
		s := typing(pulls)
		if got := Perform(t.Context(), d, s, nil); got.State != platform.Done || d.stops != 1 {
			t.Errorf("got %+v, stopped %d times", got, d.stops)
		}
		if e := s.Do[0].Exchange; e.Send != "copy {url} flash:" || e.Questions[0].Answer != "{url}" {
			t.Errorf("the step itself was changed: %+v", e)
		}
	})
}

func TestOddAddressIsNotTyped(t *testing.T) {
	for _, url := range []string{"", "http://10.0.0.5/x\rreload", "http://u:p@10.0.0.5/x", "tftp://10.0.0.5/x", "http://10.0.0.5/x y"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sees("absent", "absent")...)
			d.url = url
			if got := Perform(t.Context(), d, typing(pulls), nil); got.State != platform.Failed || d.stops != 1 {
				t.Errorf("%q: got %+v, stopped %d times", url, got, d.stops)
			}
		})
	}
}

func saves(s *platform.Step) { s.Do[0].Save = "running-config" }

func TestSave(t *testing.T) {
	for name, c := range map[string]struct {
		answer remote.Result
		refuse error
		want   platform.State
		reason string
		kept   string
	}{
		"kept":     {remote.Result{Ending: remote.Done, Out: []byte("hostname x")}, nil, platform.Done, "", "hostname x"},
		"cut off":  {remote.Result{Ending: remote.Done, Out: []byte("hostname"), Truncated: true}, nil, platform.Failed, "printed more than is taken", ""},
		"refused":  {remote.Result{Ending: remote.Failed, Out: []byte("% Denied")}, nil, platform.Failed, "% Denied", ""},
		"no space": {remote.Result{Ending: remote.Done, Out: []byte("x")}, errors.New("disk full"), platform.Failed, "disk full", "x"},
	} {
		synctest.Test(t, func(t *testing.T) {
			after := "absent"
			if c.want == platform.Done {
				after = "done"
			}
			d := newDevice(t, append(sees("absent", after), remotetest.OnSend("do").Ends(c.answer))...)
			d.refuse = c.refuse
			got := Perform(t.Context(), d, typing(saves), nil)
			if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) || d.kept["running-config"] != c.kept {
				t.Errorf("%s: got %+v, kept %q", name, got, d.kept)
			}
		})
	}
}

// What the sessions can't do is refused before anything is sent.
func TestNeedsWhatItNeeds(t *testing.T) {
	for name, change := range map[string]func(*platform.Step){"push": image(remote.SCP, patch.DigestOf(nil)), "serve": pulls, "save": saves} {
		synctest.Test(t, func(t *testing.T) {
			host := remotetest.New(t, sees("absent", "absent")...)
			got := Perform(t.Context(), host, typing(change), nil)
			if got.State != platform.Failed || slices.Contains(host.Calls(), "do") {
				t.Errorf("%s: got %+v, calls %q", name, got, host.Calls())
			}
		})
	}
}

// An exchange that changes is sent once: not again after a cut, and not after a prompt that
// told nothing.
func TestExchangesAreSentOnce(t *testing.T) {
	for name, c := range map[string]struct {
		do     *remotetest.Stub
		want   platform.State
		reason string
	}{
		"cut":      {remotetest.OnSend("do").Cuts(), platform.Unknown, "was not sent again"},
		"prompted": {remotetest.OnSend("do").Ends(remote.Result{Ending: remote.Prompted, Out: []byte("hm")}), platform.Failed, "did not say how it went: hm"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, c.do, remotetest.OnSend("look").Ends(remote.Result{Ending: remote.Done, Out: []byte("absent")}).Always())
			got := Perform(t.Context(), d, typing(), nil)
			if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, ";"), c.reason) || count(d.Calls(), "do") != 1 {
				t.Errorf("%s: got %+v, sent %d times", name, got, count(d.Calls(), "do"))
			}
		})
	}
}

func TestFreshLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, append(sees("absent", "running", "done"), remotetest.OnSend("do"))...)
		got := Perform(t.Context(), d, typing(func(s *platform.Step) { s.Fresh = true }), nil)
		if got.State != platform.Done || d.drops != 3 || d.Opens() != 3 {
			t.Errorf("got %+v, %d drops, %d connections", got, d.drops, d.Opens())
		}
	})
}

// A look may take as long as its exchanges say.
func TestLongLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t)
		d.Add(remotetest.OnSend("look").Does(func(ctx context.Context, _ remote.Command) (remote.Result, error) {
			select {
			case <-ctx.Done():
				return remote.Result{}, remotetest.Lost()
			case <-time.After(14 * time.Minute):
				return remote.Result{Ending: remote.Done, Out: []byte("done")}, nil
			}
		}))
		got := Perform(t.Context(), d, typing(func(s *platform.Step) { s.Look.Do[0].Exchange.Within = 15 * time.Minute }), nil)
		if got.State != platform.Done {
			t.Errorf("got %+v", got)
		}
	})
}

// After a reload the device may refuse everybody until its directory answers. The tries are
// few and far apart; where it is gone in between, it has restarted once more.
func TestGraceAfterReload(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "login refused"}
	key := &fault.Error{Kind: fault.Ask, Code: fault.HostKeyChanged, What: "host key changed"}
	again := []error{auth, auth, auth, auth, nil}
	for name, c := range map[string]struct {
		down  []error
		looks []string
		want  platform.State
		opens int
		took  time.Duration
	}{
		"directory down":       {[]error{auth, auth, auth}, []string{"done"}, platform.Done, 4, 6 * time.Minute},
		"down for longer":      {slices.Repeat([]error{auth}, 5), []string{"done"}, platform.Done, 6, 20 * time.Minute},
		"down for too long":    {slices.Repeat([]error{auth}, 6), nil, platform.Unknown, 6, 20 * time.Minute},
		"the session is lost":  {[]error{auth, remotetest.Lost(), auth, remotetest.Lost(), auth, auth, auth, auth}, nil, platform.Unknown, 8, 20 * time.Minute},
		"a second restart":     {slices.Concat(again, []error{auth, auth}), []string{"done"}, platform.Done, 8, 14 * time.Minute},
		"restarts for ever":    {slices.Repeat([]error{auth, nil}, 20), nil, platform.Unknown, 23, 6 * time.Minute},
		"another key":          {[]error{key}, nil, platform.Unknown, 1, 0},
		"another key later on": {[]error{nil, auth, key}, nil, platform.Unknown, 3, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice(t, sees(c.looks...)...)
			d.Down(c.down...)
			begin := time.Now()
			got := Perform(t.Context(), d, typing(reconnects, func(s *platform.Step) { s.Deadline = time.Hour }), nil)
			if took := time.Since(begin); got.State != c.want || d.Opens() != c.opens || took < c.took || took > c.took+2*time.Minute {
				t.Errorf("%s: got %+v after %d connections and %s", name, got, d.Opens(), took)
			}
		})
	}
}

// The last try is at the deadline, however long the pause would be.
func TestGraceEndsAtTheDeadline(t *testing.T) {
	auth := &fault.Error{Kind: fault.GiveUp, Code: fault.Auth, What: "login refused"}
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, sees("done")...)
		d.Down(auth, auth, auth, auth)
		begin := time.Now()
		got := Perform(t.Context(), d, typing(reconnects, func(s *platform.Step) { s.Deadline = 8 * time.Minute }), nil)
		if took := time.Since(begin); got.State != platform.Done || took != 8*time.Minute {
			t.Errorf("got %+v after %s", got, took)
		}
	})
}
