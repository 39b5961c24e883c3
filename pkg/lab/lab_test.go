package lab_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start brings a fleet up for one test.
func start(t *testing.T, yaml string) *lab.Fleet {
	t.Helper()
	spec, err := lab.Load([]byte("version: 1\ninstall: 5ms\nreboot: 20ms\n" + yaml))
	if err != nil {
		t.Fatal(err)
	}
	return startSpec(t, spec)
}

func startSpec(t *testing.T, spec lab.Spec) *lab.Fleet {
	t.Helper()
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	return fleet
}

// dial opens a connection that the test closes.
func dial(t *testing.T, f *lab.Fleet, name string) *ssh.Client {
	t.Helper()
	client, err := connect(f, name)
	if err != nil {
		t.Fatalf("dial %s: %v", name, err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func connect(f *lab.Fleet, name string) (*ssh.Client, error) {
	signer, err := f.Signer()
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", f.Host(name).Addr(), clientConfig(f, name, ssh.PublicKeys(signer)))
}

func clientConfig(f *lab.Fleet, name string, auth ...ssh.AuthMethod) *ssh.ClientConfig {
	return &ssh.ClientConfig{User: "patch", Auth: auth, Timeout: 5 * time.Second, HostKeyCallback: ssh.FixedHostKey(f.Host(name).Told())}
}

type result struct {
	out, errs string
	code      int // -1: the connection ended
}

// run executes a line and gives what came back.
func run(t *testing.T, client *ssh.Client, line, stdin string) result {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		return result{errs: err.Error(), code: -1}
	}
	defer func() { _ = session.Close() }()
	var out, errs bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(stdin), &out, &errs
	err = session.Run(line)
	code := 0
	var exit *ssh.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitStatus()
	case err != nil:
		code = -1
	}
	return result{out.String(), errs.String(), code}
}

// await asks again until the host has done what is waited for. The host's own
// programs take milliseconds; the bound is for a broken lab.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestCommand(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	c := dial(t, f, "d")
	for line, want := range map[string]result{
		"echo out; echo err >&2; exit 3":                  {"out\n", "err\n", 3},
		"cat; id -u; pwd; echo $PATH":                     {"1000\n/home/patch\n/usr/local/bin:/usr/bin:/bin:/usr/games\n", "", 0},
		"sudo -n -- sh -s -- a b <<'END'\necho $1$2\nEND": {"ab\n", "", 0},
		"nosuch":   {"", "nosuch: not found\n", 127},
		"kill 1":   {"", "lab: sh: outside of the shell subset: line 1: kill\n", 2},
		"if true":  {"", "sh: syntax error: sh:1:1: `if <cond>` must be followed by `then`\n", 2},
		"hostname": {"d\n", "", 0},
	} {
		if got := run(t, c, line, ""); got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", line, got, want)
		}
	}
	if got := run(t, c, "sudo -n sh -s -- x", "read -r l </dev/null; echo \"$0 $1\"\n"); got.out != "sh x\n" {
		t.Errorf("script over stdin: %+v", got)
	}
	h := f.Host("d")
	if e := h.Effects(); e.Logins != 1 || e.Commands != 8 {
		t.Errorf("%+v", e)
	}
	before := len(h.Complaints())
	run(t, c, "ss -Z 2>/dev/null || systemctl cat ssh 2>/dev/null || :", "")
	if got := h.Complaints()[before:]; len(got) < 2 || !strings.Contains(got[0], "ss: option -Z") {
		t.Errorf("what a script hid was not noted: %q", got)
	}
}

func TestManySessions(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	c := dial(t, f, "d")
	var open []*ssh.Session
	for range 10 {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	if _, err := c.NewSession(); err == nil || !strings.Contains(err.Error(), "open failed") {
		t.Errorf("an eleventh session: %v", err)
	}
	for _, s := range open {
		_ = s.Close()
	}
	await(t, "a free session", func() bool {
		s, err := c.NewSession()
		if err == nil {
			_ = s.Close()
		}
		return err == nil
	})
}

func TestReboot(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}, {name: never, os: debian-12, faults: {reboot_never_returns: true}}]\n")
	h := f.Host("d")
	before := h.Machine().BootID()
	c := dial(t, f, "d")
	if got := run(t, c, "echo x >/tmp/f; sudo -n reboot", ""); got.code != 0 {
		t.Errorf("the answer did not arrive: %+v", got)
	}
	_ = c.Wait() // cut
	refused := 0
	var again *ssh.Client
	await(t, "the host's return", func() bool {
		var err error
		if again, err = connect(f, "d"); err != nil {
			refused++
		}
		return err == nil
	})
	defer func() { _ = again.Close() }()
	if h.Machine().BootID() == before || refused == 0 || h.Effects().Reboots != 1 {
		t.Errorf("boot id %s, %d times refused, %+v", h.Machine().BootID(), refused, h.Effects())
	}
	if got := run(t, again, "cat /tmp/f", ""); got.code == 0 {
		t.Error("/tmp survived")
	}
	c = dial(t, f, "never")
	run(t, c, "sudo -n reboot", "")
	_ = c.Wait()
	if _, err := connect(f, "never"); err == nil {
		t.Error("the host that never returns is back")
	}
}

// TestUnreachable covers the ways in which a host can't be worked with at all.
func TestUnreachable(t *testing.T) {
	f := start(t, `
password: pw
hosts:
  - {name: off, os: debian-12, faults: {unreachable: true}}
  - {name: mute, os: debian-12, faults: {silent: true}}
  - {name: other, os: debian-12, faults: {wrong_host_key: true}}
  - {name: locked, os: debian-12, faults: {rejects_key: true}}
  - {name: nosudo, os: debian-12, faults: {no_sudo: true}}
`)
	for name, want := range map[string]string{"off": "connection refused", "other": "host key mismatch", "locked": "unable to authenticate"} {
		if _, err := connect(f, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if got := run(t, dial(t, f, "nosudo"), "sudo -n true", ""); got.errs != "sudo: a password is required\n" || got.code != 1 {
		t.Errorf("%+v", got)
	}
	c, err := ssh.Dial("tcp", f.Host("locked").Addr(), clientConfig(f, "locked", ssh.Password("pw")))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	gone := make(chan error, 1)
	go func() {
		_, err := connect(f, "mute")
		gone <- err
	}()
	select {
	case err := <-gone:
		t.Errorf("the silent host answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	f.Host("mute").Cut()
	await(t, "the silent host's end", func() bool { f.Host("mute").Cut(); return len(gone) > 0 })
}

func TestConnectionLostInTransaction(t *testing.T) {
	f := start(t, `
hosts:
  - name: d
    os: debian-12
    repository: [{name: tzdata, version: 2025b-0+deb12u2}, {name: bash, version: "5.3"}]
    faults: {dies_during: install}
`)
	c := dial(t, f, "d")
	if got := run(t, c, "sudo -n apt-get -q -y install tzdata bash", ""); got.code != -1 {
		t.Errorf("the connection held: %+v", got)
	}
	h := f.Host("d")
	await(t, "the host to go on alone", func() bool { return h.Machine().Version("bash") == "5.3" })
	c = dial(t, f, "d")
	if got := run(t, c, "sudo -n apt-get -q -y install tzdata bash; echo $?", ""); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if e := h.Effects(); e.Times("tzdata") != 1 || e.Times("bash") != 1 || e.Logins != 2 {
		t.Errorf("%+v", e)
	}
}

func TestCutAfterBytes(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12, faults: {cut_after_bytes: 100}}]\n")
	got := run(t, dial(t, f, "d"), "seq 1 1000", "")
	if got.code != -1 || len(got.out) > 100 {
		t.Errorf("%d bytes, status %d", len(got.out), got.code)
	}
	if got := run(t, dial(t, f, "d"), "seq 1 1000", ""); got.code != 0 {
		t.Errorf("again: %+v", got)
	}
}

func TestSwitch(t *testing.T) {
	f := start(t, "hosts: [{name: sw1, os: cisco-iosxe, model: C9500-24Y4C, release: 17.12.04}]\n")
	c := dial(t, f, "sw1")
	if ident := string(c.ServerVersion()); ident != "SSH-2.0-Cisco-1.25" {
		t.Errorf("ident %s", ident)
	}
	got := run(t, c, "show version", "")
	for _, want := range []string{"Cisco IOS XE Software, Version 17.12.04\r\n", "\r\nsw1 uptime is ", "Model Number                       : C9500-24Y4C\r\n", "Version 17.12.4,"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("no %q in\n%s", want, got.out)
		}
	}
	for _, line := range []string{"LC_ALL=C; export LC_ALL", "sh -s", "config terminals"} {
		if got := run(t, dial(t, f, "sw1"), line, ""); !strings.Contains(got.out, "% Invalid input detected at '^' marker.") {
			t.Errorf("%s: %+v", line, got)
		}
	}
	s, err := dial(t, f, "sw1").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	s.Stdin, s.Stdout = strings.NewReader("terminal length 0\nsudo su\nexit\n"), &screen
	if err := errors.Join(s.Shell(), s.Wait()); err != nil || strings.Count(screen.String(), "sw1#") != 3 || !strings.Contains(screen.String(), "% Invalid") {
		t.Errorf("console: %v\n%s", err, screen.String())
	}
	if e := f.Host("sw1").Effects(); e.Logins != 5 || e.Commands != 7 || f.Host("sw1").Device().Kind() != "cisco-iosxe" {
		t.Errorf("%+v", e)
	}
}

// TestDevices: a device file beside the fleet file, one that is built in, what the
// fleet file says of them, and what is written for patchring.
func TestDevices(t *testing.T) {
	spec, err := lab.Load([]byte(`{version: 1, enable: opensesame, hosts: [
  {name: own, device: gear/own.yaml, values: {colour: green}, cluster: pair}, {name: other, device: gear/own.yaml, cluster: pair},
  {name: st, device: cisco-iosxe-stack, serial: FOC1, device_faults: [{at: boot, do: never_back}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	spec.Files = fstest.MapFS{"gear/own.yaml": {Data: []byte(`
device: a lamp
ssh: {exec: "yes"}
console: {start: only, modes: {only: "> "}, unknown: "what?\n"}
truth: {values: {colour: red}}
commands: [{in: colour, out: "{{.V.colour}}, the other is {{.Peer.V.colour}}\n"}]
`)}}
	f := startSpec(t, spec)
	c := dial(t, f, "own")
	if got := run(t, c, "colour", ""); got.out != "green, the other is red\r\n" || got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := run(t, c, "color", ""); got.out != "what?\r\n" || got.code != 1 {
		t.Errorf("%+v", got)
	}
	if members := f.Host("st").Device().Truth().Members; len(members) != 3 || members[0].Values["serial"] != "FOC1" {
		t.Errorf("%+v", members)
	}
	dir := t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	inventory, err := os.ReadFile(filepath.Join(dir, "inventory.yaml"))
	if want := "    become: enable\n    serve: 127.0.0.1\n    credentials: {key: \"" + dir + "/id_ed25519\", enable: \"file:" + dir + "/enable\"}\n"; err != nil || !strings.Contains(string(inventory), want) {
		t.Errorf("no %q in\n%s", want, inventory)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "enable"))
	if err != nil || string(secret) != "opensesame\n" {
		t.Errorf("%q, %v", secret, err)
	}
}

func TestDemoFleet(t *testing.T) {
	spec := lab.Demo()
	f := startSpec(t, spec)
	systems, rings := map[string]int{}, map[string][]string{}
	for _, name := range f.Names() {
		h := f.Host(name).Spec()
		systems[h.OS+h.Device]++
		for _, g := range h.Groups {
			rings[g] = append(rings[g], h.OS+h.Device)
		}
	}
	if len(f.Names()) < 12 || systems["cisco-iosxe"] != 3 || len(systems) != 4 {
		t.Errorf("%d hosts, %v", len(f.Names()), systems)
	}
	if got := strings.Join(rings["test"], " "); got != "debian-12 ubuntu-24.04 rocky-9 cisco-iosxe" || len(rings["production"]) < 8 {
		t.Errorf("test %v, production %v", got, rings["production"])
	}
	for _, name := range f.Names() {
		h := f.Host(name)
		if h.Spec().Faults.Unreachable || h.Machine() == nil {
			continue
		}
		line := "apt-get -qq -s --with-new-pkgs upgrade | grep -q ^Inst"
		if h.Spec().OS == "rocky-9" {
			line = "[ -n \"$(dnf -q check-update)\" ]"
		}
		if got := run(t, dial(t, f, name), line, ""); got.code != 0 {
			t.Errorf("%s has nothing to update: %+v", name, got)
		}
	}
}

// TestRefuse: the port closes and opens, and the host goes on behind it.
func TestRefuse(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	h := f.Host("d")
	c := dial(t, f, "d")
	run(t, c, "sudo -n systemd-run --quiet --unit=job sh -c 'while [ ! -f /root/end ]; do sleep 0.005; done; echo ended >/root/rc'", "")
	if err := h.Refuse(true); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if _, err := connect(f, "d"); err == nil {
		t.Error("a closed port took a connection")
	}
	var out, errs bytes.Buffer
	if code := h.Exec(t.Context(), &out, &errs, "sh", "-c", "touch /root/end; while [ ! -f /root/rc ]; do sleep 0.005; done; id -u; cat /root/rc"); code != 0 || out.String() != "0\nended\n" {
		t.Errorf("at the console: %d %q %q", code, out.String(), errs.String())
	}
	if err := h.Refuse(false); err != nil {
		t.Fatal(err)
	}
	if got := run(t, dial(t, f, "d"), "hostname", ""); got.out != "d\n" {
		t.Errorf("%+v", got)
	}
}

func TestSlow(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12, faults: {slow: 80ms}}]\n")
	begin := time.Now()
	if got := run(t, dial(t, f, "d"), "hostname", ""); got.code != 0 || time.Since(begin) < 80*time.Millisecond {
		t.Errorf("%+v after %v", got, time.Since(begin))
	}
}

// TestLateWriter: output and input of a program that outlives its connection hurt
// nobody, and Close does not wait for them.
func TestLateWriter(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	c := dial(t, f, "d")
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	fed := make(chan error, 1)
	go func() {
		_, err := io.WriteString(in, strings.Repeat("x", 4<<20)) // more than any buffer holds, and nobody reads it
		fed <- err
	}()
	if err := s.Start("while :; do echo line; sleep 0.001; done"); err != nil {
		t.Fatal(err)
	}
	f.Host("d").Cut()
	_ = c.Wait()
	f.Close()
	if err := <-fed; err == nil {
		t.Error("4 MiB went to a program that reads nothing")
	}
}

// TestManyHosts: one process serves a fleet.
func TestManyHosts(t *testing.T) {
	spec := lab.Spec{Version: 1}
	for i := range 120 {
		spec.Hosts = append(spec.Hosts, lab.HostSpec{Name: "h" + string(rune('a'+i/26)) + string(rune('a'+i%26)), OS: []string{"debian-12", "rocky-9"}[i%2]})
	}
	f := startSpec(t, spec)
	codes := make(chan int, len(spec.Hosts))
	for _, name := range f.Names() {
		go func() {
			c, err := connect(f, name)
			if err != nil {
				codes <- -2
				return
			}
			defer func() { _ = c.Close() }()
			codes <- run(t, c, "sudo -n uname -r >/dev/null && systemctl is-system-running", "").code
		}()
	}
	for range spec.Hosts {
		if code := <-codes; code != 0 {
			t.Errorf("status %d", code)
		}
	}
}
