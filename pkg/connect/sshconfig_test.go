package connect

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

func parseConfig(t *testing.T, text string, included map[string]string) *sshConfig {
	t.Helper()
	c, err := parseWith(text, included)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parseWith(text string, included map[string]string) (*sshConfig, error) {
	read := func(name string) ([]byte, error) {
		if text, ok := included[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	in := includer{home: "/home/ann", read: read, glob: func(p string) ([]string, error) { return []string{p}, nil }}
	return parseSSHConfig("config", text, in)
}

func TestSSHConfig(t *testing.T) {
	c := parseConfig(t, `
# comment
User = everyone
Include extra
IdentityFile ~/.ssh/always
Host web1 web2
  HostName %h.example
  Port 2222
  User "deploy"
  IdentityFile %d/.ssh/%r
  ProxyJump ops@b1:2200,b2
Host !bad *.dmz
	ProxyCommand nc %h %p
	IdentitiesOnly yes
Match host db1,db2
  User dba
Match all
  Port 2022
`, map[string]string{"/home/ann/.ssh/extra": "Host inc\n User included\n"})
	for _, want := range []struct {
		alias string
		s     settings
	}{
		{"web1", settings{hostName: "web1.example", port: "2222", user: "everyone", identities: []string{"/home/ann/.ssh/always", "/home/ann/.ssh/everyone"}, jump: []string{"ops@b1:2200", "b2"}}},
		{"x.dmz", settings{port: "2022", user: "everyone", identities: []string{"/home/ann/.ssh/always"}, proxyCommand: "nc %h %p", identitiesOnly: true}},
		{"other", settings{port: "2022", user: "everyone", identities: []string{"/home/ann/.ssh/always"}}},
	} {
		got, err := c.lookup(want.alias, true)
		if err != nil || !reflect.DeepEqual(got, want.s) {
			t.Errorf("%s:\ngot  %+v\nwant %+v, %v", want.alias, got, want.s, err)
		}
	}
	if len(c.doubts) != 0 {
		t.Errorf("doubts %+v", c.doubts)
	}
}

// What follows an Include belongs to the including file's block again.
func TestIncludeDoesNotSwallowWhatFollows(t *testing.T) {
	c := parseConfig(t, "Include extra\nUser after\nHost a\n Port 1\n Include bare\n User a-user\n",
		map[string]string{"/home/ann/.ssh/extra": "Host b\n Port 2\n", "/home/ann/.ssh/bare": "HostName inner\n"})
	a, _ := c.lookup("a", true)
	b, _ := c.lookup("b", true)
	if a.user != "after" || a.port != "1" || a.hostName != "inner" || b.user != "after" || b.port != "2" || b.hostName != "" {
		t.Errorf("a %+v\nb %+v", a, b)
	}
}

func TestMatchThatCantBeHonoured(t *testing.T) {
	for _, c := range []struct {
		text    string
		refused []string
		free    []string
		said    string
	}{
		{"Match exec \"test -f /x\"\n HostName evil\n", []string{"a", "b"}, nil, "Match exec"},
		{"Match originalhost a,c? user bob\n Port 9\n", []string{"a", "cc"}, []string{"b"}, "user bob"},
		{"Match localuser bob\n Compression yes\n", nil, []string{"a"}, "localuser"},
		{"Match canonical all\n ProxyJump x\n", []string{"a"}, nil, "canonical"},
		{"Host a\n Include blocks\n", []string{"a"}, []string{"b"}, "Include"},
	} {
		config := parseConfig(t, c.text+"Host *\n User u\n", map[string]string{"/home/ann/.ssh/blocks": "Host z\n Port 1\n"})
		if len(config.doubts) != 1 || !strings.Contains(config.doubts[0].text(), c.said) {
			t.Errorf("%q: doubts %+v", c.text, config.doubts)
		}
		for _, alias := range c.refused {
			if s, err := config.lookup(alias, true); err != nil || fault.CodeOf(s.refusal) != fault.Unsupported {
				t.Errorf("%q: %s is not refused: %+v, %v", c.text, alias, s, err)
			}
		}
		for _, alias := range c.free {
			if s, err := config.lookup(alias, true); err != nil || s.refusal != nil || s.user != "u" || s.port != "" {
				t.Errorf("%q: %s: %+v, %v", c.text, alias, s, err)
			}
		}
	}
}

func TestTokensThatChangeWhereWeConnect(t *testing.T) {
	c := parseConfig(t, "Host a\n HostName %h.%C\nHost b\n User ${SUDO_USER}\nHost c\n IdentityFile ~/%C\n", nil)
	for _, alias := range []string{"a", "b"} {
		if s, _ := c.lookup(alias, true); fault.CodeOf(s.refusal) != fault.Unsupported {
			t.Errorf("%s is not refused", alias)
		}
	}
	var said []string
	c.warn = func(text string) { said = append(said, text) }
	if s, _ := c.lookup("c", true); s.refusal != nil || len(s.identities) != 0 || len(said) != 1 {
		t.Errorf("%+v, %q", s, said)
	}
}

func TestIncludeLoop(t *testing.T) {
	if _, err := parseWith("Include loop\n", map[string]string{"/home/ann/.ssh/loop": "Include loop\n"}); err == nil {
		t.Error("an endless Include is accepted")
	}
}

// The inventory wins; ssh_config fills the rest.
func TestRouteFromSSHConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	text := "Host web\n HostName 10.1.1.1\n Port 2222\n User deploy\n ProxyJump b1\nHost b1\n HostName 10.2.2.2\n User ops\nHost 10.9.9.9\n User byaddress\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{SSHConfig: file})
	h := host(t, "web", "x:1")
	h.Address, h.Port, h.User, h.Jump = "", 0, "", nil
	w, err := r.route(h, site())
	if err != nil || w.host.address != "10.1.1.1:2222" || w.host.user != "deploy" || len(w.hops) != 1 || w.hops[0].address != "10.2.2.2:22" || w.hops[0].user != "ops" {
		t.Errorf("%+v, %v", w, err)
	}
	h.Address, h.Port, h.Jump = "10.9.9.9", 22, []string{}
	w, err = r.route(h, site())
	if err != nil || w.host.address != "10.9.9.9:22" || w.host.user != "byaddress" || len(w.hops) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestProxyCommandIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("Host *\n ProxyCommand corkscrew\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{SSHConfig: file})
	h := host(t, "web", "127.0.0.1:1")
	h.Jump = nil
	_, err := r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Unsupported, "ProxyCommand", "jump:")
	h.Jump = []string{}
	_, err = r.Lease(t.Context(), h, site())
	wantFault(t, err, fault.Unreachable)
}

func FuzzSSHConfig(f *testing.F) {
	for _, seed := range []string{"Host a\nUser b", "Match all\n", "Match host a,b\n Port 1", "Include x", "=", "Host \"", "Key \\", "Host a\n#c\nMatch", "\x00Host a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseWith(text, nil)
		if err != nil {
			if !errors.As(err, new(*fault.Error)) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if s, err := c.lookup("a", true); err == nil && s.refusal == nil && strings.Contains(s.hostName, "%") {
			t.Fatalf("%q: %+v", text, s)
		}
	})
}
