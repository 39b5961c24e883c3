//go:build linux

package real

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestPickSource(t *testing.T) {
	const targets = `http://mirror.example/debian/ bookworm-updates Debian main
http://mirror.example/debian/ bookworm Debian contrib
http://other.example/apt/ bookworm Vendor main
http://mirror.example/debian/ bookworm Debian main
`
	got, err := pickSource(targets, "bookworm")
	if err != nil {
		t.Fatal(err)
	}
	want := "deb [signed-by=" + debianKeyring + "] http://mirror.example/debian/ bookworm main"
	if got.line() != want {
		t.Errorf("got %q, want %q", got.line(), want)
	}
	for _, missing := range []string{"trixie", ""} {
		if got, err := pickSource(targets, missing); err == nil {
			t.Errorf("release %q: got %v, want an error", missing, got)
		}
	}
}

func TestCodename(t *testing.T) {
	for text, want := range map[string]string{
		"ID=debian\nVERSION_CODENAME=bookworm\n": "bookworm",
		"VERSION_CODENAME=\"noble\"":             "noble",
		"ID=alpine\n":                            "",
	} {
		if got := codename(text); got != want {
			t.Errorf("codename(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got := parseStatus("Name:\tsystemd\nPPid:\t20861\nNSpid:\t20863\t18\t1\nThreads:\t1\n")
	if want := (process{parent: 20861, depth: 3, innermost: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := parseStatus("State:\tZ (zombie)\n"); got != (process{}) {
		t.Errorf("got %+v of a process that says nothing", got)
	}
}

// The sweep must never take the folder of a lab that lives.
func TestOwnerAlive(t *testing.T) {
	mine := labName()
	if !ownerAlive(mine) {
		t.Errorf("%s counts as dead, and it is ours", mine)
	}
	reused := strings.Replace(mine, "-"+startTime(os.Getpid())+"-", "-1-", 1)
	if ownerAlive(reused) {
		t.Errorf("%s counts as alive: its number is in use again, by another process", reused)
	}
	const noSuch = 1 << 30 // above the kernel's largest
	if name := "patchring-lab-" + strconv.Itoa(noSuch) + "-5-7"; ownerAlive(name) {
		t.Errorf("%s counts as alive", name)
	}
	if !ownerAlive("patchring-lab-of-somebody-else-entirely") {
		t.Error("what is not named as ours must be left alone")
	}
}

// What each version of a made-up package does, told by its script alone.
func TestPackagesDifferByVersion(t *testing.T) {
	for _, name := range []string{Slow, BadPost, Reboot} {
		first, second := NewPackage(name, firstVersion), NewPackage(name, newVersion)
		if first.Post != "" || second.Post == "" {
			t.Errorf("%s: 1.0 does %q and 2.0 does %q; only 2.0 should do anything", name, first.Post, second.Post)
		}
		for _, p := range []Package{first, second} {
			if !strings.Contains(p.after(), "echo "+p.Version+" >>/var/lib/lab/"+name) {
				t.Errorf("%s %s does not count its runs:\n%s", name, p.Version, p.after())
			}
		}
	}
}

func TestBackendStatus(t *testing.T) {
	const text = "# pxname,svname,qcur,status,\nshop,FRONTEND,,OPEN,\nweb,prod-1,0,no check,\nweb,prod-10,0,DRAIN,\nweb,BACKEND,0,UP,\n"
	for server, want := range map[string]string{"prod-1": "no check", "prod-10": "DRAIN"} {
		if got, err := backendStatus(text, server); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", server, got, err, want)
		}
	}
	for _, broken := range []string{"", "# pxname,svname,status,\nother,prod-2,UP,\n", "<html>\n\"oops"} {
		if got, err := backendStatus(broken, "prod-2"); err == nil {
			t.Errorf("out of %q came %q, want an error", broken, got)
		}
	}
}

func TestBackendTimes(t *testing.T) {
	const log = `1700000001.100000 lb-1 haproxy[7]: [WARNING]  (7) : Server web/a enters drain state.
1700000002.200000 lb-1 haproxy[7]: [WARNING]  (7) : Server web/ab enters drain state.
1700000003.300000 lb-1 haproxy[7]: [WARNING]  (7) : Server web/a is UP (leaving forced drain).
-- Boot --
`
	out, in := backendTimes(log, "a")
	if !slices.Equal(out, []int64{1700000001}) || !slices.Equal(in, []int64{1700000003}) {
		t.Errorf("out at %v, in at %v", out, in)
	}
}

func TestNeighbours(t *testing.T) {
	got, err := neighbours([]byte(`{"as":65000,"peers":{
		"10.0.0.1":{"state":"Established","connectionsDropped":2},"10.0.0.2":{"state":"Idle","connectionsDropped":1}}}`))
	if err != nil || len(got) != 1 || got["10.0.0.1"] != 2 {
		t.Errorf("got %v, %v, want 10.0.0.1 alone, lost twice", got, err)
	}
	if got, err := neighbours([]byte("bgpd is not running\n")); err == nil {
		t.Errorf("got %v out of nothing", got)
	}
}
