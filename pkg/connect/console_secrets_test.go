package connect

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

func withEnable(t *testing.T, name string) func(*inventory.Host) {
	t.Helper()
	return func(h *inventory.Host) { h.Credentials.Enable = ref(t, "env:"+name) }
}

func enableCredential(t *testing.T, l *Lease) credential {
	t.Helper()
	w, err := l.wanted(remote.SecretEnable)
	if err != nil {
		t.Fatal(err)
	}
	return passwordCredential(w.kind, w.ref, w.label)
}

// canary has another host try the lease's enable password, until the returned function.
func canary(t *testing.T, l *Lease) func(outcome) {
	t.Helper()
	report, err := l.fleet.breaker.try(t.Context(), enableCredential(t, l), "another")
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// asksForSecret tells whether the console has seen that a secret is wanted.
func asksForSecret(l *Lease) bool {
	_, known := l.fleet.resolved.Load(enableKey(l))
	return known
}

func enableKey(l *Lease) string { return valueKey(l.enable, "") }

// A device that goes back to its prompt while the secret is waited for must not get it typed
// there: it would end up in its history and its logs.
func TestSecretIsNotTypedAtAPrompt(t *testing.T) {
	gone := make(chan struct{})
	d := newGear(t, "sw1>", nil)
	d.says = func(line string) string {
		if line == "copy" {
			return "copy\r\nPassword: "
		}
		return basics()[line]
	}
	d.later = func(line string) string {
		if line != "copy" {
			return ""
		}
		<-gone
		return "\r\n% Password: timeout expired!\r\nsw1>"
	}
	l := d.lease(t, withEnable(t, "right"))
	report := canary(t, l)
	var all sync.WaitGroup
	all.Go(func() {
		r, err := exchange(t, l, remote.Exchange{Send: "copy", Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretEnable}}})
		if err != nil || r.Ending != remote.Done {
			t.Errorf("%+v %v", r, err)
		}
	})
	await(t, func() bool { return strings.Contains(d.lines(), "copy") })
	count := func() uint64 {
		s := l.console.current()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.fed
	}
	await(t, func() bool { return count() >= 3 })
	before := count()
	await(t, func() bool { return asksForSecret(l) })
	close(gone)
	await(t, func() bool { return count() > before })
	report(accepted)
	all.Wait()
	if strings.Contains(d.lines(), rightPassword) {
		t.Errorf("sent %q", d.lines())
	}
}

// Enable is sent only when its password is there; and the wait for that has an end.
func TestEnableWaitsBeforeItsLine(t *testing.T) {
	d := newGear(t, "sw1>", basics())
	l := d.lease(t, withEnable(t, "right"))
	report := canary(t, l)
	_, err := exchange(t, l, remote.Exchange{Send: "conf", Enable: true, Within: 300 * time.Millisecond})
	wantFault(t, err, fault.Unreachable, "not to be had in time")
	if strings.Contains(d.lines(), "enable") {
		t.Errorf("sent %q", d.lines())
	}
	report(accepted)
	if r, err := exchange(t, l, remote.Exchange{Send: "conf", Enable: true, Within: time.Minute}); err != nil || r.Ending != remote.Done {
		t.Errorf("%+v %v", r, err)
	}
}

// The wait at a device's own question ends with the exchange's time.
func TestSecretWaitIsBounded(t *testing.T) {
	d := newGear(t, "sw1>", basics())
	l := d.lease(t, withEnable(t, "right"))
	defer canary(t, l)(untried)
	began := time.Now()
	_, err := exchange(t, l, remote.Exchange{
		Send: "echo it", Within: 500 * time.Millisecond, Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretEnable}},
	})
	wantFault(t, err, fault.Lost)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A device that asks three times gets a wrong password once, and nobody waits for himself.
func TestSecretAskedAgain(t *testing.T) {
	says := basics()
	says[wrongPassword] = "\r\nPassword: "
	d := newGear(t, "sw1>", says)
	l := d.lease(t, withEnable(t, "wrong"))
	dialect := gear()
	dialect.Enable.Ask[0].Times = 3
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	_, err := l.Session().Console.Exchange(ctx, remote.Exchange{Dialect: dialect, Send: "conf", Enable: true})
	wantFault(t, err, fault.Privilege, "once more")
	if strings.Count(d.lines(), wrongPassword) != 1 || ctx.Err() != nil {
		t.Errorf("sent %q", d.lines())
	}
}

// One host that refuses the enable password does not take it from the others; within the
// grace after a reload it does not even count for itself.
func TestEnableRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		ctx   context.Context
		tries int
	}{"else": {t.Context(), 1}, "in grace": {Grace(t.Context()), 3}} {
		d := newGear(t, "sw1>", basics())
		l := d.lease(t, withEnable(t, "wrong"))
		for range 3 {
			_, err := l.Session().Console.Exchange(c.ctx, remote.Exchange{Dialect: gear(), Send: "conf", Enable: true})
			if code := fault.CodeOf(err); code != fault.Privilege && code != fault.CredentialBlocked {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := strings.Count(d.lines(), wrongPassword); got != c.tries {
			t.Errorf("%s: tried %d times, want %d", name, got, c.tries)
		}
		if err := l.fleet.breaker.check(enableCredential(t, l), "another"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What ends a talk counts against its secret only where it is plainly about that.
func TestUnrelatedEndsAreNoRefusals(t *testing.T) {
	t.Parallel()
	for after, blocked := range map[string]bool{
		"\r\nErase all? [y/n] ": false, "\r\n% Error: no space left\r\nsw1>": false, "\r\nPassword: ": true, "\r\n% Bad passwords\r\n" + hangUp: true,
	} {
		t.Run(after, func(t *testing.T) {
			t.Parallel()
			says := basics()
			says[wrongPassword] = after
			d := newGear(t, "sw1>", says)
			r := bareQuietRig(t)
			r.opts.Secrets = values{"wrong": wrongPassword}
			d.start(t)
			h := host(t, "sw1", d.address)
			h.HostKeys = d.pins
			withEnable(t, "wrong")(&h)
			l := r.lease(t, h, site())
			_, _ = exchange(t, l, remote.Exchange{
				Send: "echo it", Questions: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretEnable}}, Failed: []remote.Pattern{"^% Error"},
			})
			if !strings.Contains(d.lines(), wrongPassword) {
				t.Fatalf("sent %q", d.lines())
			}
			if err := r.breaker.check(enableCredential(t, l), "hq/sw1"); (err != nil) != blocked {
				t.Errorf("%v", err)
			}
		})
	}
}

// A secret that was given once is in no later result: not in the greeting, not where the
// output was cut in the middle of it.
func TestSecretsStayOutOfLaterResults(t *testing.T) {
	says := basics()
	says["show run"] = "show run\r\nenable password " + rightPassword + "\r\nsw1#"
	d := newGear(t, "motd "+rightPassword+"\r\nsw1>", says)
	l := d.lease(t, withEnable(t, "right"))
	if _, err := exchange(t, l, remote.Exchange{Send: "conf", Enable: true}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []remote.Exchange{{}, {Send: "show run"}, {Send: "show run", MaxOut: int64(len("enable password ") + len(rightPassword) - 2)}} {
		r, err := exchange(t, l, e)
		if err != nil || r.Ending != remote.Done || !strings.Contains(string(r.Out), mask) || strings.Contains(string(r.Out), rightPassword[:leastPart]) {
			t.Errorf("%q: %q %v", e.Send, r.Out, err)
		}
	}
}

// Detection and work share the compiled dialects of a fleet, and a console stays open.
func TestDialectsAreCompiledOnce(t *testing.T) {
	d := &dialects{}
	one, err := d.compiled(gear())
	if err != nil {
		t.Fatal(err)
	}
	other := gear()
	other.Quiet = time.Hour
	changed, err := d.compiled(other)
	if err != nil || changed == one {
		t.Errorf("another dialect of that name passes for the first: %v", err)
	}
	for range 3 {
		if again, err := d.compiled(gear()); err != nil || again != one {
			t.Errorf("it is compiled again: %v", err)
		}
		if again, err := d.compiled(other); err != nil || again != changed {
			t.Errorf("it is compiled again: %v", err)
		}
	}
}

// The exchange that only opens says how long the first prompt may take.
func TestOpeningHasItsOwnQuiet(t *testing.T) {
	d := newGear(t, "booting", basics())
	l := d.lease(t, nil)
	dialect := gear()
	dialect.Quiet = time.Hour
	_, err := l.Session().Console.Exchange(t.Context(), remote.Exchange{Dialect: dialect, Quiet: 300 * time.Millisecond})
	wantFault(t, err, fault.Auth)
}
