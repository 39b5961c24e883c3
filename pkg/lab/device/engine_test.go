package device_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

// kind reads a device file of a test; what every device needs is put before it.
func kind(t *testing.T, src string) *device.Kind {
	t.Helper()
	if !strings.Contains(src, "console:") {
		src = "console: {start: a, modes: {a: 'r1# '}, unknown: \"what? {{.Line}}\\n\", pager: {prompt: ' --More-- '}}\n" + src
	}
	k, err := device.Parse("x", []byte("device: x\n"+src))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const flash = "truth: {members: [{id: '1', volumes: {flash: {size: 4e9, free: 1e6}}}], paths: [{prefix: 'flash:', volume: flash}]}\n"

// hash is a command that tells what was really received.
const hash = "  - {in: 'md5 <f>', out: \"{{.Hash \\\"md5\\\" .Arg.f}} {{(.File .Arg.f).Size}} {{.Free .Arg.f}}\\n\"}\n"

func sum(data []byte) string {
	s := md5.Sum(data)
	return hex.EncodeToString(s[:])
}

func TestLineEditing(t *testing.T) {
	r := startKind(t, kind(t, "commands:\n  - {in: show colour, out: \"red\\n\"}\n"), device.Options{})
	s := r.shell("r1# ")
	for typed, want := range map[string]string{
		"show colour\r":             "show colour\nred\nr1# ",
		"shox\bw colour\n":          "shox\b \bw colour\nred\nr1# ",
		"nonsense\x15show colour\r": "nonsense" + strings.Repeat("\b \b", 8) + "show colour\nred\nr1# ",
		"show\x03":                  "show\nr1# ",
		"color\r\n":                 "color\nwhat? color\nr1# ",
		"\r":                        "\nr1# ",
	} {
		s.raw(typed)
		if got := s.expect("\nr1# "); got != want {
			t.Errorf("%q gives %q, not %q", typed, got, want)
		}
	}
	s.raw("\x04")
	s.gone()
}

// TestWrap: what is typed is broken at the screen's edge, and a shell may begin with a key.
func TestWrap(t *testing.T) {
	r := startKind(t, kind(t, "console: {start: a, modes: {a: 'r1# '}, wrap: \" \\r\"}\nroutines: {login: [{ask: 'press a key', key: true}, {out: \"\\n\"}]}\ncommands: [{in: 'wide <n>', do: [{set: {s.width: '{{.Arg.n}}'}}]}]\n"), device.Options{})
	s := r.on(r.dial())
	s.expect("press a key")
	s.raw("x")
	s.expect("r1# ")
	s.send("wide 10", "r1# ")
	if out := s.send("wide 10 is not", "r1# "); !strings.HasPrefix(out, "wide 1 \r0 is not\n") {
		t.Errorf("%q", out)
	}
}

func TestPager(t *testing.T) {
	r := startKind(t, kind(t, "commands:\n  - {in: show lines, out: \"{{range $i, $x := split (repeat \\\"x\\\" 59) \\\"\\\"}}line {{$i}}\\n{{end}}\"}\n"+
		"  - {in: 'rows <n>', do: [{set: {s.rows: '{{.Arg.n}}'}}]}\n"), device.Options{})
	s := r.shell("r1# ")
	has(t, s.send("show lines", " --More-- "), "line 22\n")
	s.raw("\r")
	has(t, s.expect(" --More-- "), "\b\b \b"[:1], "line 23\n")
	s.raw(" ")
	has(t, s.expect(" --More-- "), "line 46\n")
	s.raw("q")
	if out := s.expect("r1# "); strings.Contains(out, "line") {
		t.Errorf("after q: %q", out)
	}
	s.send("rows 0", "r1# ")
	has(t, s.send("show lines", "r1# "), "line 58\n")
}

func TestExecOne(t *testing.T) {
	r := startKind(t, kind(t, "ssh: {exec: one, ident: SSH-2.0-Old-1}\ncommands:\n  - {in: show colour, out: \"red\\n\"}\n"), device.Options{})
	c := r.dial()
	if got := string(c.ServerVersion()); got != "SSH-2.0-Old-1" {
		t.Error(got)
	}
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.Output("show colour")
	if string(out) != "red\r\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if err := c.Wait(); err == nil {
		t.Error("the connection goes on")
	}
}

func TestOldCrypto(t *testing.T) {
	r := startKind(t, kind(t, "ssh: {kex: [group14-sha1], ciphers: [aes128-cbc], macs: [hmac-sha1], host_key: ssh-rsa}\n"), device.Options{})
	if _, err := ssh.Dial("tcp", r.port.Addr(), r.config()); err == nil {
		t.Error("modern SSH got in")
	}
	config := r.config()
	config.KeyExchanges, config.Ciphers, config.MACs = []string{"diffie-hellman-group14-sha1"}, []string{"aes128-cbc"}, []string{"hmac-sha1"}
	config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSA}
	c, err := ssh.Dial("tcp", r.port.Addr(), config)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// scp sends a file as scp does, and gives what the device answered.
func scp(t *testing.T, r *rig, cmd string, data []byte) (string, error) {
	t.Helper()
	session, err := r.dial().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	fmt.Fprintf(&in, "C0644 %d new.bin\n", len(data))
	in.Write(data)
	in.WriteByte(0)
	session.Stdin, session.Stdout = &in, &out
	err = session.Run(cmd)
	return out.String(), err
}

func TestSCP(t *testing.T) {
	r := startKind(t, kind(t, "ssh: {scp: ios}\n"+flash+"commands:\n"+hash), device.Options{})
	data := bytes.Repeat([]byte("abc"), 100_000)
	for _, refused := range []string{"scp -p -t flash:new.bin", "scp -d -t flash:new.bin", "scp -f flash:new.bin", "scp -t nowhere:new.bin"} {
		if out, err := scp(t, r, refused, data); err == nil || !strings.Contains(out, "\x01") {
			t.Errorf("%s: %q, %v", refused, out, err)
		}
	}
	if out, err := scp(t, r, "scp -v -t flash:", data); err != nil || out != "\x00\x00\x00" {
		t.Errorf("%q, %v", out, err)
	}
	s := r.shell("r1# ")
	has(t, s.send("md5 flash:new.bin", "r1# "), sum(data)+" 300000 700000\n")
	if _, err := scp(t, r, "scp -t flash:big.bin", bytes.Repeat(data, 3)); err == nil {
		t.Error("more than the flash holds got in")
	}
	r.Strike(device.Fault{At: "transfer", Do: "hash_mismatch"})
	if _, err := scp(t, r, "scp -t flash:new.bin", data); err != nil {
		t.Error(err)
	}
	if out := s.send("md5 flash:new.bin", "r1# "); strings.Contains(out, sum(data)) || !strings.Contains(out, " 300000 ") {
		t.Errorf("the fault: %s", out)
	}
	r.Strike(device.Fault{At: "transfer", Do: "drop", After: "30%"})
	if _, err := scp(t, r, "scp -t flash:half.bin", data); err == nil {
		t.Error("the drop was not seen")
	}
	if got := r.Truth().Members[0].Files["flash"]["half.bin"]; got != 90000 {
		t.Errorf("%d bytes arrived", got)
	}
}

func TestPull(t *testing.T) {
	data := device.MakeImage("k", "2.0", 70_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/once/new.bin" {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(data)
	}))
	defer server.Close()
	r := startKind(t, kind(t, flash+"commands:\n"+hash+
		"  - {in: 'copy <u> <f>', do: [{copy: {from: '{{.Arg.u}}', to: '{{.Arg.f}}'}}, {when: .Err, fail: \"failed: {{.Err}}\\n\"}, {out: \"{{(.Image .Arg.f).Version}}\\n\"}]}\n"), device.Options{})
	s := r.shell("r1# ")
	has(t, s.send("copy "+server.URL+"/once/new.bin flash:new.bin", "r1# "), "\n2.0\n")
	has(t, s.send("md5 flash:new.bin", "r1# "), sum(data)+" 70000 930000\n")
	has(t, s.send("copy "+server.URL+"/other flash:other.bin", "r1# "), "failed: can't fetch: 404")
	has(t, s.send("copy flash:nothing flash:other.bin", "r1# "), "failed: no such file")
	has(t, s.send("copy flash:new.bin flash:other.bin", "r1# "), "\n2.0\n")
}

const slow = `commands:
  - {in: work, at: work, do: [{out: "begun\n", wait: 10m}, {effect: worked, out: "done\n"}]}
  - {in: last, lasts: true, do: [{out: "begun\n", wait: 10m}, {effect: lasted}]}
  - {in: sleep, do: [{out: "begun\n", wait: 8000h}, {effect: slept}]}
  - {in: ask, do: [{ask: "sure? [y/n] ", key: true, accept: 'y', else: "\nno\n"}, {effect: agreed, out: "\nok\n"}]}
  - {in: line, do: [{ask: "name? ", accept: '[a-z]+', again: true, else: "enough\n"}, {out: "hello {{.Answer}}\n"}]}
  - {in: reboot, do: [{reload: {refuse: 5m}}]}
`

func TestTimeAndInterrupts(t *testing.T) {
	r := startKind(t, kind(t, slow), device.Options{})
	before := r.Now()
	s := r.shell("r1# ")
	has(t, s.send("work", "r1# "), "begun\ndone\n")
	if passed := r.Now().Sub(before); passed < 10*time.Minute || passed > 20*time.Minute {
		t.Errorf("%s passed", passed)
	}
	s.raw("sleep\r")
	s.expect("begun\n")
	s.raw("\x03")
	s.expect("r1# ")
	s.send("ask", `\[y/n\] `)
	s.raw("\x03")
	has(t, s.expect("r1# "), "no\n")
	s.send("ask", `\[y/n\] `)
	s.raw("y")
	has(t, s.expect("r1# "), "ok\n")
	s.send("line", `name\? `)
	s.send("4", `name\? `)
	has(t, s.send("bob", "r1# "), "hello bob")
	done := r.Done()
	if done.Count("interrupted") != 1 || done.Count("agreed") != 1 || len(done.Answers) != 4 || done.Answers[0].Accepted || done.Answers[3].Given != "bob" {
		t.Errorf("%+v", done)
	}
}

// TestLasts: what lasts goes on without its connection, the rest ends with it.
func TestLasts(t *testing.T) {
	r := startKind(t, kind(t, slow), device.Options{Speed: 5000})
	for _, cmd := range []string{"last", "sleep"} {
		s := r.shell("r1# ")
		s.send(cmd, "begun\n")
		r.Cut()
		s.gone()
	}
	await(t, func() bool { return r.Done().Count("lasted") == 1 })
	r.Advance(9000 * time.Hour)
	if r.Done().Count("slept") != 0 {
		t.Error("a command outlived its connection")
	}
}

// await waits for something that happens by itself.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
	}
}

func TestSessions(t *testing.T) {
	r := startKind(t, kind(t, "ssh: {vtys: 2, vty_refuse: \"full\\n\", idle: 10m}\ncommands:\n  - {in: tell, do: [{log: \"*log*\\n\"}]}\n"), device.Options{})
	one, two := r.shell("r1# "), r.shell("r1# ")
	three := r.on(r.dial())
	three.gone()
	one.send("tell", "r1# ")
	has(t, two.expect("log\\*\n"), "*log*")
	r.Advance(11 * time.Minute)
	one.gone()
	two.gone()
	r.shell("r1# ")
}

func TestSecondLogin(t *testing.T) {
	r := startKind(t, kind(t, "console: {start: a, modes: {a: 'r1# '}, motd: \"hello\\n\", login: {user: 'Username: ', password: 'Password: ', wrong: \"bad\\n\"}}\nssh: {auth: [none], banner: \"keep out\\n\"}\n"), device.Options{})
	config := r.config()
	var banner string
	config.BannerCallback = func(text string) error { banner = text; return nil }
	c, err := ssh.Dial("tcp", r.port.Addr(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := r.on(c)
	s.expect("Username: ")
	s.send("patch", "Password: ")
	has(t, s.send("no", "Username: "), "bad\n")
	s.send("patch", "Password: ")
	if out := s.send("pw", "r1# "); strings.Contains(out, "pw") || !strings.Contains(out, "hello\n") {
		t.Error(out)
	}
	if banner != "keep out\r\n" {
		t.Errorf("banner %q", banner)
	}
}
