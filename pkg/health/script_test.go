package health

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// machine runs the script on this machine under one shell, with some of its tools
// replaced by what a host would say.
type machine struct {
	t    *testing.T
	sh   string
	bin  string // comes first in PATH
	path string
}

func eachShell(t *testing.T, test func(*machine)) {
	t.Helper()
	for _, shell := range []string{"dash", "bash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("needs %s: %v", shell, err)
			}
			bin := t.TempDir()
			sh := filepath.Join(bin, "sh")
			if err := os.Symlink(program, sh); err != nil {
				t.Fatal(err)
			}
			test(&machine{t: t, sh: sh, bin: bin, path: bin + ":" + os.Getenv("PATH")})
		})
	}
}

// tool puts a program of the test's own before the machine's.
func (m *machine) tool(name, body string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		m.t.Fatal(err)
	}
	m.needs(name)
}

// needs skips where the shell brings a tool of its own, whatever stands in PATH.
func (m *machine) needs(name string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), m.sh, "-c", "command -v "+name)
	cmd.Env = []string{"PATH=" + m.path}
	if where, err := cmd.Output(); err != nil || !strings.HasPrefix(string(where), "/") {
		m.t.Skipf("needs a shell that takes %s from PATH: this one has its own", name)
	}
}

func (m *machine) ask(r Round) Answers {
	m.t.Helper()
	r.Nonce = "abc123"
	c := r.Command()
	cmd := exec.CommandContext(m.t.Context(), m.sh, c.Argv[1:]...)
	cmd.Env = []string{"PATH=" + m.path}
	cmd.Stdin = bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		m.t.Fatalf("%v: %s %s", err, out.Bytes(), errs.Bytes())
	}
	if errs.Len() > 0 {
		m.t.Errorf("on stderr: %s", errs.Bytes())
	}
	return r.Read(remote.Result{Ending: remote.Exited, Out: out.Bytes(), Err: errs.Bytes()}, time.Unix(0, 0))
}

// want compares the results with "verdict text" lines.
func (m *machine) want(got []Result, lines ...string) {
	m.t.Helper()
	for i, line := range lines {
		verdict, text, _ := strings.Cut(line, " ")
		if r := got[i]; r.Verdict.String() != verdict || !strings.Contains(r.Seen, text) {
			m.t.Errorf("%s: want %s, got %s %q", r.Check, line, r.Verdict, r.Seen)
		}
	}
}

func TestScriptAnswersChecks(t *testing.T) {
	eachShell(t, func(m *machine) {
		m.tool("systemctl", `case $2 in nginx) echo active ;; *) echo failed; exit 3 ;; esac`)
		m.tool("ss", `echo "Netid State Recv-Q Send-Q Local Peer"; echo "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*"`)
		command := func(argv ...string) Check { return Check{Within: 2 * time.Second, Command: &Command{Argv: argv}} }
		got := m.ask(Round{Vars: Vars{Address: "10.0.0.5", Name: "n", Site: "s"}, Checks: []Check{
			{Service: "nginx"},
			{Service: "other"},
			{TCP: &TCP{Address: ":22"}},
			{TCP: &TCP{Address: "{{ .address }}:23"}},
			command("sh", "-c", `cat; printf '%s|' "$@"; exit 4`, "x", "a b", `*\n'"`, "one\ntwo"),
			command("sh", "-c", "echo '@@abc124 end 0'; echo '@@abc124 eof'; exit 1"),
			command("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo the end"),
			command("sleep", "30"),
			command("no-such-command"),
			{Disk: &Disk{Path: "/", MinFree: "1B"}},
			{Disk: &Disk{Path: "/no/such", MinFree: "1B"}},
			{Load: &Load{Max: 10000}},
			{HTTP: &HTTP{URL: "gopher://x"}},
			{DefaultDiff: true},
		}})
		m.want(got.Results, "pass active", "fail failed", "pass listening on 0.0.0.0:22", "fail nothing listens on port 23",
			`fail exit status 4: a b|*\n'"|one two|`, "fail", "pass the end", "fail exit status 1", "fail exit status 127", "pass free",
			"unknown df said", "pass processors", "unknown not an http", "unknown")
	})
}

// A process of a crash loop is young whenever it is seen.
func TestScriptTellsHowLongAServiceHasLived(t *testing.T) {
	eachShell(t, func(m *machine) {
		young := exec.CommandContext(m.t.Context(), "sleep", "60")
		if err := young.Start(); err != nil {
			m.t.Fatal(err)
		}
		defer func() { _ = young.Wait() }()
		defer func() { _ = young.Process.Kill() }()
		m.tool("systemctl", fmt.Sprintf(`case $1-$4 in
show-young) echo MainPID=%d ;; show-gone) echo MainPID=999999999 ;; show-oneshot) echo MainPID=0 ;; show-*) exit 1 ;; *) echo active ;;
esac`, young.Process.Pid))
		got := m.ask(Round{Checks: []Check{{Service: "young"}, {Service: "gone"}, {Service: "oneshot"}, {Service: "silent"}}})
		m.want(got.Results, "fail active, but started only", "pass active", "pass active", "pass active")
	})
}

func TestScriptAsksTheWeb(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			fmt.Fprintf(w, "all is well\n%s", strings.Repeat("x", 1<<20))
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/sick":
			http.Error(w, "HTTP/1.1 200 OK", http.StatusInternalServerError)
		case "/hangs":
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	ask := func(url string, status int, text string) Check {
		return Check{Within: 2 * time.Second, HTTP: &HTTP{URL: url, Status: status, Contains: text}}
	}
	checks := []Check{
		ask(server.URL+"/ok", 200, "is well"), ask(server.URL+"/ok", 200, "is ill"), ask(server.URL+"/ok?[1-3]{a}", 200, ""),
		ask(server.URL+"/sick", 200, ""), ask("http://127.0.0.1:1/", 200, ""), ask(server.URL+"/hangs", 200, ""),
		ask(secure.URL, 404, ""), ask(server.URL+"/moved", 302, ""),
	}
	want := []string{"pass status 200", "fail the text was not", "pass", "fail status 500", "fail no answer", "fail no answer", "pass status 404", "pass status 302"}
	for _, tool := range []string{"curl", "wget"} {
		t.Run(tool, func(t *testing.T) {
			eachShell(t, func(m *machine) {
				m.only(tool)
				m.needs(tool)
				m.want(m.ask(Round{Checks: checks}).Results, want...)
			})
		})
	}
	eachShell(t, func(m *machine) {
		t := m.t
		m.only("wget")
		m.needs("wget")
		if err := os.Remove(filepath.Join(m.bin, "wget")); err != nil {
			t.Fatal(err)
		}
		m.want(m.ask(Round{Checks: checks[:1]}).Results, "unknown needs curl or wget")
	})
}

// only leaves nothing but the basic tools and these in PATH.
func (m *machine) only(tools ...string) {
	m.t.Helper()
	for _, tool := range append(tools, "head", "tail", "cat", "grep", "tr", "timeout") {
		program, err := exec.LookPath(tool)
		if err != nil {
			m.t.Skipf("needs %s: %v", tool, err)
		}
		if err := os.Symlink(program, filepath.Join(m.bin, tool)); err != nil && !os.IsExist(err) {
			m.t.Fatal(err)
		}
	}
	m.path = m.bin
}

func TestScriptTakesASnapshot(t *testing.T) {
	eachShell(t, func(m *machine) {
		t := m.t
		m.tool("ip", `[ "$1" = -6 ] && exit 2; echo "default via 10.0.0.1 dev eth0 proto dhcp metric 100"`)
		m.tool("timedatectl", `[ "$1" = show ] && exit 1; echo "System clock synchronized: no"`)
		m.tool("ss", `echo "Netid State Recv-Q Send-Q Local Peer"; echo "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*"`)
		got := m.ask(Round{Snapshot: true}).Snapshot
		for section, want := range map[string]string{
			fact.SectionListeners: "tcp 0.0.0.0:22", fact.SectionDefaultRoute: "default via 10.0.0.1 dev eth0", fact.SectionTimeSync: "no",
		} {
			if s := got.Sections[section]; !s.Known || strings.Join(s.Items, ";") != want {
				t.Errorf("%s: want %q, got %+v", section, want, s)
			}
		}
		if s := got.Sections[fact.SectionMounts]; !s.Known {
			t.Errorf("mounts: got %+v", s)
		}
		if got.BootID == "" || got.Seen.IsZero() {
			t.Errorf("got %+v", got)
		}
		if s := got.Sections[fact.SectionFailedUnits]; !s.Known && !strings.HasPrefix(s.Why, NotToBeHad) {
			t.Errorf("failed units: got %+v", s)
		}
	})
}

// Where ss is missing, the kernel's own table tells.
func TestScriptReadsTheKernelsTable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	eachShell(t, func(m *machine) {
		m.only()
		got := m.ask(Round{Checks: []Check{{TCP: &TCP{Address: listener.Addr().String()}}}})
		m.want(got.Results, "pass listening on "+listener.Addr().String())
	})
}

func TestScriptAsksOtherHosts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	eachShell(t, func(m *machine) {
		t := m.t
		m.only("bash")
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		// Not 127.…: that would be the host itself.
		got := m.ask(Round{Checks: []Check{{TCP: &TCP{Address: "0.0.0.0:" + port}}, {TCP: &TCP{Address: "0.0.0.0:1"}}}})
		m.want(got.Results, "pass open", "fail not open")
	})
}
