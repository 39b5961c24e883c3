package connect

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writer makes up configurations: few names and values, so that lines meet.
type writer struct {
	*rand.Rand
	dir   string
	me    person
	files int
}

func (w *writer) pick(from ...string) string { return from[w.IntN(len(from))] }

// some writes each of the words with a small chance, at least one.
func (w *writer) some(join string, from ...string) string {
	out := []string{w.pick(from...)}
	for w.IntN(3) == 0 {
		out = append(out, w.pick(from...))
	}
	return strings.Join(out, join)
}

func (w *writer) pattern() string {
	return w.pick("", "", "", "!") + w.pick("*", "web1", "web?", "WEB*", "db1", "*.dmz", "10.0.0.*", "inner", "2001:db8::*", "*1", "w*b*1")
}

func (w *writer) patterns(join string) string {
	out := []string{w.pattern()}
	for w.IntN(2) == 0 {
		out = append(out, w.pattern())
	}
	return strings.Join(out, join)
}

func (w *writer) criterion() string {
	name := w.pick("", "", "", "!")
	switch w.IntN(9) {
	case 0, 1:
		return name + "host " + w.patterns(",")
	case 2, 3:
		return name + "originalhost " + w.patterns(",")
	case 4:
		return name + "user " + w.some(",", "ann", "bob", "a*", "!bob", w.me.name)
	case 5:
		return name + "localuser " + w.some(",", "nobody", w.me.name, "*")
	case 6:
		return name + w.pick("exec true", `exec "test -d /"`, "exec false")
	}
	return name + w.pick("canonical", "final")
}

func (w *writer) header() string {
	if w.IntN(2) == 0 {
		return "Host" + w.pick(" ", "=", " = ", "\t") + w.patterns(" ")
	}
	if w.IntN(8) == 0 {
		return "Match " + w.pick("all", "!all", "final all", "canonical all")
	}
	line := []string{"Match", w.criterion()}
	for w.IntN(3) == 0 {
		line = append(line, w.criterion())
	}
	return strings.Join(line, " ")
}

// odd are settings at which ssh stumbles, or patchring can't follow it.
func (w *writer) odd() string {
	return w.pick("Port 0", "Port http", "HostName %n", "User %u", "ProxyJump b1 # no", "User a b", "Bogus yes", `User "a`, "HostName", "User == x",
		"ProxyJump none", "CanonicalizePermittedCNAMEs none", "Match tagged x", `"User" ann`, "IdentityFile /k/%C", "User\fann", "ControlPath /tmp/%j")
}

func (w *writer) setting() string {
	if w.IntN(100) == 0 {
		return w.odd()
	}
	is := w.pick(" ", " ", "=", " = ", "   ", "\t")
	switch w.IntN(17) {
	case 0, 1:
		return "HostName" + is + w.pick("inner", "%h.example", "10.0.0.7", "2001:db8::7", "web1", `"inn\er"`, "a%%b", "Inner.Example")
	case 2:
		return "Port" + is + w.pick("22", "2222", "022", `"2200"`)
	case 3, 4:
		return "User" + is + w.pick("ann", "bob", `"a b"`, `'c d'`, "e\\ f", "dom\\user", "x#y", "ann # note")
	case 5, 6:
		return "ProxyJump" + is + w.pick("none", "b1", "ops@b1:2200,b2", "[2001:db8::9]:22", "ssh://ops@b3:2022", "10.0.0.1")
	case 7:
		return "ProxyCommand" + is + w.pick("none", "nc %h %p", "corkscrew a | b # c")
	case 8:
		return "HostKeyAlias" + is + w.pick("Alias", "other")
	case 9, 10:
		return "IdentityFile" + is + w.pick("~/.ssh/one", "/keys/%h/%r", "%d/.ssh/%n-%p", "none", `"/with blank/key"`, "~nobody/key", "/k/%C", "/keys/%u%%", "/same", "/same")
	case 11:
		return "IdentitiesOnly" + is + w.pick("yes", "no", "true", "YES")
	case 12:
		return "CertificateFile" + is + w.pick("~/c-cert.pub", "/certs/%h-%r")
	case 13:
		return "IdentityAgent" + is + w.pick("none", "SSH_AUTH_SOCK", "~/agent-%r", "$PATCHRING_TEST_UNSET", "/run/%i/agent")
	case 14:
		return "HashKnownHosts" + is + w.pick("yes", "no")
	case 15:
		return "ControlPath" + is + w.pick("~/cm-%r@%h:%p", "none", "/tmp/cm-%C", "/tmp/%n-%k")
	}
	return w.pick("# a comment", "", "ServerAliveInterval 5", "ForwardAgent yes", "SendEnv A B", "\tCompression yes", "CanonicalizeHostname no")
}

// config writes a file with blocks, some of them in files that it includes.
func (w *writer) config(t *testing.T, depth int) string {
	t.Helper()
	var out strings.Builder
	for range 1 + w.IntN(4) {
		for range w.IntN(4) {
			fmt.Fprintf(&out, "%s%s\n", w.pick("", "  ", "\t"), w.setting())
		}
		if depth < 3 && w.IntN(5) == 0 {
			fmt.Fprintf(&out, "Include %s\n", w.config(t, depth+1))
		}
		fmt.Fprintf(&out, "%s\n", w.header())
		for range 1 + w.IntN(4) {
			fmt.Fprintf(&out, "%s%s\n", w.pick("", "  ", "\t"), w.setting())
		}
		if depth < 3 && w.IntN(6) == 0 {
			fmt.Fprintf(&out, "Include %s\n", w.config(t, depth+1))
		}
	}
	w.files++
	path := filepath.Join(w.dir, fmt.Sprintf("config%d", w.files))
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *writer) query() query {
	q := query{name: w.pick("web1", "WEB1", "web1.dmz", "db1", "10.0.0.1", "2001:db8::1", "other"), master: w.IntN(2) == 0}
	if w.IntN(3) == 0 {
		q.user = w.pick("ann", "bob", "a b")
	}
	if w.IntN(4) == 0 {
		q.port = "2022"
	}
	if w.IntN(4) == 0 {
		q.name = w.pick("10.0.0.1", "web1", "fe80::1%eth0")
		q.address = q.name
	}
	return q
}
