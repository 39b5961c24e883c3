package connect

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

func TestConsole(t *testing.T) {
	d := newGear(t, "Welcome\r\nsw1>", basics())
	l := d.lease(t, nil)
	for range 2 { // the banner, also when it is asked for later
		r, err := exchange(t, l, remote.Exchange{Effect: remote.Reads})
		if err != nil || r.Ending != remote.Done || string(r.Out) != "Welcome\nsw1>" || r.At.IsZero() {
			t.Fatalf("%+v %q %v", r, r.Out, err)
		}
		r, err = exchange(t, l, remote.Exchange{Send: "show clock", Effect: remote.Reads})
		if err != nil || r.Ending != remote.Done || string(r.Out) != "12:00\n" {
			t.Fatalf("%+v %q %v", r, r.Out, err)
		}
	}
	if got, want := d.lines(), "terminal length 0\r|show clock\r|show clock\r"; got != want || d.shells.Load() != 1 {
		t.Errorf("%d shells, sent %q", d.shells.Load(), got)
	}
	if d.term.Name != "vt100" || d.term.Columns != 511 || d.term.Rows != 1000 {
		t.Errorf("terminal %+v", d.term)
	}
	other := gear()
	other.Name, other.Open = "other", nil
	if _, err := l.Session().Console.Exchange(t.Context(), remote.Exchange{Dialect: other, Send: "show clock"}); err != nil || d.shells.Load() != 2 {
		t.Errorf("another dialect: %d shells, %v", d.shells.Load(), err)
	}
}

func TestConsoleEnable(t *testing.T) {
	for name, want := range map[string]fault.Code{"right": "", "wrong": fault.Privilege, "": fault.Privilege} {
		t.Run("password "+name, func(t *testing.T) {
			d := newGear(t, "sw1>", basics())
			l := d.lease(t, func(h *inventory.Host) {
				if name != "" {
					h.Credentials.Enable = ref(t, "env:"+name)
				}
			})
			r, err := exchange(t, l, remote.Exchange{Send: "conf", Enable: true})
			if want != "" {
				wantFault(t, err, want, "enable")
				if strings.Contains(d.lines(), "conf") || (name == "" && strings.Contains(d.lines(), "enable")) {
					t.Errorf("sent %q", d.lines())
				}
				return
			}
			if err != nil || r.Ending != remote.Done {
				t.Fatalf("%+v %v", r, err)
			}
			if _, err := exchange(t, l, remote.Exchange{Send: "conf", Enable: true}); err != nil || strings.Count(d.lines(), "enable") != 1 {
				t.Errorf("%v: sent %q", err, d.lines())
			}
		})
	}
}

func TestConsoleEndings(t *testing.T) {
	t.Parallel()
	secret := []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}
	for _, c := range []struct {
		e     remote.Exchange
		want  remote.Ending
		code  fault.Code
		opens int64 // shells after the next exchange
	}{
		{remote.Exchange{Send: "ask", Cancel: "\x03"}, remote.Asked, "", 1},
		{remote.Exchange{Send: "ask"}, remote.Asked, "", 2},
		{remote.Exchange{Send: "boot"}, remote.Stopped, "", 2},
		{remote.Exchange{Send: "reload", MayDrop: true}, remote.Lost, "", 2},
		{remote.Exchange{Send: "reload"}, remote.Lost, fault.Lost, 2},
		{remote.Exchange{Send: "reload", Done: []remote.Pattern{"^bye"}}, remote.Done, "", 2},
		{remote.Exchange{Send: "hang", Quiet: 600 * time.Millisecond}, remote.Lost, fault.Lost, 2},
		{remote.Exchange{Send: "hang", Within: 100 * time.Millisecond}, remote.Lost, fault.Lost, 2},
		{remote.Exchange{Send: "echo it", Questions: secret}, remote.Asked, fault.Privilege, 2},
		{remote.Exchange{Send: "show clock", Done: []remote.Pattern{"("}}, remote.Lost, fault.Internal, 1},
	} {
		t.Run(c.e.Send, func(t *testing.T) {
			t.Parallel()
			d := newGear(t, "sw1>", basics())
			r := bareQuietRig(t)
			d.start(t)
			l := r.lease(t, host(t, "sw1", d.address), site())
			c.e.Dialect = gear()
			result, err := l.Session().Console.Exchange(t.Context(), c.e)
			if result.Ending != c.want || (err == nil) != (c.code == "") {
				t.Fatalf("%+v %q %v", result, result.Out, err)
			}
			if c.code != "" {
				wantFault(t, err, c.code)
			}
			if _, err := exchange(t, l, remote.Exchange{Send: "show clock"}); err != nil || d.shells.Load() != c.opens {
				t.Errorf("afterwards: %d shells, %v", d.shells.Load(), err)
			}
			if n := strings.Count(d.lines(), c.e.Send+"\r"); n > 1 && c.e.Send != "show clock" {
				t.Errorf("sent %d times: %q", n, d.lines())
			}
		})
	}
}

func TestConsoleLogin(t *testing.T) {
	for _, c := range []struct {
		greeting, password string
		code               fault.Code
		text               string
	}{
		{"Local password: ", "right", "", ""},
		{"Local password: ", "wrong", fault.Auth, "Local password"},
		{"Local password: ", "", fault.Privilege, "password"},
		{"One-time code: ", "right", fault.Auth, "One-time code"},
		{"rommon 1 >", "", fault.HostFailed, "rommon"},
		{"No lines available" + hangUp, "", fault.Unreachable, "No lines available"},
		{"Accept all terms? [yes/no]: ", "", fault.Auth, "Accept all terms?"},
	} {
		t.Run(c.greeting+c.password, func(t *testing.T) {
			says := basics()
			says[rightPassword], says[wrongPassword] = "\r\nsw1>", "\r\nLocal password: "
			d := newGear(t, c.greeting, says)
			l := d.lease(t, func(h *inventory.Host) {
				if c.password != "" {
					*h = withPassword(t, *h, c.password)
				}
			})
			_, err := exchange(t, l, remote.Exchange{Send: "show clock"})
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantFault(t, err, c.code, c.text)
			if strings.Contains(d.lines(), "show") {
				t.Errorf("sent %q", d.lines())
			}
		})
	}
}

func TestConsoleSecretsStayOut(t *testing.T) {
	says := basics()
	says[rightPassword] = rightPassword + "\r\nyou typed " + rightPassword + "\r\nsw1>"
	d := newGear(t, "sw1>", says)
	l := d.lease(t, func(h *inventory.Host) { *h = withPassword(t, *h, "right") })
	r, err := exchange(t, l, remote.Exchange{Send: "echo it", Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretPassword}}})
	if err != nil || r.Ending != remote.Done || strings.Contains(string(r.Out), rightPassword) || !strings.Contains(string(r.Out), "[secret]") {
		t.Errorf("%d %q %v", r.Ending, r.Out, err)
	}
}

func TestConsoleExec(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		d := newGear(t, "sw1>", basics())
		d.noExec = refuse
		l := d.lease(t, nil)
		dialect := gear()
		dialect.Exec = true
		for range 2 {
			r, err := l.Session().Console.Exchange(t.Context(), remote.Exchange{Dialect: dialect, Send: "show clock", Effect: remote.Reads})
			if err != nil || r.Ending != remote.Done || !strings.Contains(string(r.Out), "12:00\n") {
				t.Errorf("%+v %q %v", r, r.Out, err)
			}
		}
		if want := map[bool]int64{false: 2, true: 0}[refuse]; d.execs.Load() != want {
			t.Errorf("%d exec channels, want %d", d.execs.Load(), want)
		}
		if want := map[bool]int64{false: 0, true: 1}[refuse]; d.shells.Load() != want {
			t.Errorf("%d shells, want %d", d.shells.Load(), want)
		}
	}
}

func TestConsoleContext(t *testing.T) {
	d := newGear(t, "sw1>", basics())
	l := d.lease(t, nil)
	if _, err := exchange(t, l, remote.Exchange{Send: "show clock"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := l.Session().Console.Exchange(ctx, remote.Exchange{Dialect: gear(), Send: "hang", MayDrop: true})
	wantFault(t, err, fault.Lost)
	_, err = l.Session().Console.Exchange(ctx, remote.Exchange{Dialect: gear(), Send: "show clock"})
	wantFault(t, err, fault.Unreachable)
	if got := strings.Count(d.lines(), "show clock"); got != 1 {
		t.Errorf("sent %q", d.lines())
	}
	l.Drop()
	if _, err := exchange(t, l, remote.Exchange{Send: "show clock"}); err != nil || d.accepts.Load() != 2 {
		t.Errorf("after a drop: %v, %d connections", err, d.accepts.Load())
	}
}
