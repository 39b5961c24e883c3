package connect

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

// ann runs patchring in these tests.
func ann() person {
	vars := map[string]string{"KEYS": "/media/keys", "OTHER_AGENT": "/run/other"}
	return person{
		name: "ann", uid: "1000", home: "/home/ann", account: "/home/ann", hostname: "desk.example",
		env: func(name string) (string, bool) { value, ok := vars[name]; return value, ok },
	}
}

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
		return nil, nil
	}
	in := &includer{home: "/home/ann", read: read, glob: func(p string) ([]string, error) { return []string{p}, nil }}
	return parseSSHConfig("config", text, in, ann())
}

// ask is lookup without what is only for explaining.
func ask(t *testing.T, c *sshConfig, q query) settings {
	t.Helper()
	s, err := c.lookup(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	s.from = nil
	return s
}

func TestSSHConfig(t *testing.T) {
	c := parseConfig(t, `
# comment
User = everyone
Include extra
IdentityFile ~/.ssh/always
Host web1 web2
  HostName %h.Example   # ssh writes names in lower case
  Port 2222
  User "deploy"
  IdentityFile %d/.ssh/%r
  CertificateFile ${KEYS}/%n-%p-cert.pub
  ProxyJump ops@b1:2200,b2
  HashKnownHosts yes
Host !bad.dmz *.dmz
	ProxyCommand nc %h %p
	IdentitiesOnly yes
	IdentityAgent $OTHER_AGENT
Match host db1,db2 !user root
  User dba
  HostKeyAlias Database
  IdentityFile none
  ControlPath ~/cm-%r@%h:%p
Match all
  Port 2022
`, map[string]string{"/home/ann/.ssh/extra": "Host inc\n User included\n"})
	always := []string{"/home/ann/.ssh/always"}
	for _, want := range []struct {
		q query
		s settings
	}{
		{query{name: "web1"}, settings{
			hostName: "web1.example", port: "2222", user: "everyone", identities: append(always, "/home/ann/.ssh/everyone"),
			certificates: []string{"/media/keys/web1-2222-cert.pub"}, jump: []string{"ops@b1:2200", "b2"}, hashKnown: true,
		}},
		{query{name: "x.dmz"}, settings{
			port: "2022", user: "everyone", identities: always, proxyCommand: "nc %h %p", identitiesOnly: true, agent: "/run/other",
		}},
		{query{name: "bad.dmz"}, settings{port: "2022", user: "everyone", identities: always}},
		{query{name: "db1", user: "root", master: true}, settings{port: "2022", user: "root", identities: always}},
		{query{name: "db1", port: "9", master: true}, settings{
			port: "9", user: "everyone", alias: "database", identities: always, controlPath: "/home/ann/cm-everyone@db1:9",
		}},
		{query{name: "web1", address: "web1", user: "u"}, settings{
			port: "2222", user: "u", identities: append(always, "/home/ann/.ssh/u"),
			certificates: []string{"/media/keys/web1-2222-cert.pub"}, jump: []string{"ops@b1:2200", "b2"}, hashKnown: true,
		}},
	} {
		got := ask(t, c, want.q)
		if want.s.hostName == "" && want.q.address == "" {
			want.s.hostName = got.hostName
		}
		if !reflect.DeepEqual(got, want.s) {
			t.Errorf("%+v:\ngot  %+v\nwant %+v", want.q, got, want.s)
		}
	}
}

func TestSSHConfigSaysWhereFrom(t *testing.T) {
	c := parseConfig(t, "User a\nInclude extra\n", map[string]string{"/home/ann/.ssh/extra": "\nHost x\n Port 3\n"})
	s, err := c.lookup(t.Context(), query{name: "x"})
	if err != nil || s.from["user"] != "config:1" || s.from["port"] != "/home/ann/.ssh/extra:3" {
		t.Errorf("%v, %v", s.from, err)
	}
}

// What an Include holds counts where the block around it applies, and ends with it.
func TestIncludeInsideBlocks(t *testing.T) {
	c := parseConfig(t, "Include extra\nUser after\nHost a\n Port 1\n Include bare\n User a-user\nHost z\n Include extra\n", map[string]string{
		"/home/ann/.ssh/extra": "Host b\n Port 2\n", "/home/ann/.ssh/bare": "HostName inner\nHost a\n HostKeyAlias k\nHost b\n HostKeyAlias wrong\n",
	})
	a, b, z := ask(t, c, query{name: "a"}), ask(t, c, query{name: "b"}), ask(t, c, query{name: "z"})
	if a.user != "after" || a.port != "1" || a.hostName != "inner" || a.alias != "k" {
		t.Errorf("a %+v", a)
	}
	if b.user != "after" || b.port != "2" || b.alias != "" || z.port != "" {
		t.Errorf("b %+v\nz %+v", b, z)
	}
}

// What can't be judged refuses the hosts whose connection may hang on it, and no others.
func TestMatchThatCantBeHonoured(t *testing.T) {
	for _, c := range []struct {
		text    string
		refused []string
		free    []string
		said    string
	}{
		{"Match exec \"test -f /x\"\n HostName evil\n", []string{"a", "b"}, nil, "config:1: Match exec"},
		{"Match originalhost a,c? exec false\n Port 9\n", []string{"a", "cc"}, []string{"b"}, "exec false"},
		{"Match originalhost \"a\"\n Port 9\n", []string{"a", "b"}, nil, "config:1"},
		{"Match localnetwork 10.0.0.0/8\n Compression yes\n", nil, []string{"a"}, ""},
		{"Match user bob\n Port 9\n", nil, []string{"a"}, ""},
		{"Match canonical all\n ProxyJump x\n", nil, []string{"a"}, ""},
		{"Match exec \"x\" final\n Compression yes\nMatch canonical\n Port 9\n", []string{"a"}, nil, "config:1"},
		{"Match final all\n ProxyJump x,y%h\n", []string{"a"}, nil, "config:2"},
		{"Host a\n Include $X\n", []string{"a"}, []string{"b"}, "config:2: Include $X"},
		{"Host a\n CanonicalizeHostname yes\n", []string{"a"}, []string{"b"}, "config:2"},
		{"Host a\n User %u\n", []string{"a"}, []string{"b"}, "user %u"},
		{"Host b\n Port 2\n\"Host\" a\n Port 9\n", []string{"a", "c"}, nil, "config:3"},
		{"Host a\n ProxyJump none\n ProxyCommand x\n", []string{"a"}, []string{"b"}, "proxycommand"},
		{"Host a\n HostName %n.%C\n", []string{"a"}, []string{"b"}, "hostname"},
	} {
		config := parseConfig(t, c.text+"Host *\n User u\n", nil)
		for _, alias := range c.refused {
			s := ask(t, config, query{name: alias})
			if fault.CodeOf(s.refusal) != fault.Unsupported || !strings.Contains(s.refusal.Error(), c.said) {
				t.Errorf("%q: %s: %+v, want a refusal with %s", c.text, alias, s, c.said)
			}
		}
		for _, alias := range c.free {
			if s := ask(t, config, query{name: alias}); s.refusal != nil || s.user != "u" || s.port == "9" {
				t.Errorf("%q: %s: %+v", c.text, alias, s)
			}
		}
	}
}

// A key that can't be found is said and left out: it changes nothing about where to.
func TestTokensOfKeys(t *testing.T) {
	c := parseConfig(t, "IdentityFile ~/%C\nIdentityFile ~bob/key\nIdentityFile ${NOT_SET}\nControlPath /x/%C\n", nil)
	var said []string
	c.warn = func(text string) { said = append(said, text) }
	s := ask(t, c, query{name: "c"})
	if s.refusal != nil || s.identities != nil || !s.noIdentities || len(said) != 3 {
		t.Errorf("%+v, %q", s, said)
	}
	if s := ask(t, c, query{name: "c", master: true}); s.controlPath != "" || len(said) != 7 {
		t.Errorf("%+v, %q", s, said)
	}
}

func TestNotesOfSettings(t *testing.T) {
	c := parseConfig(t, "Host a\n UserKnownHostsFile /k\n Include i\nHost b\n UserKnownHostsFile /l\n ForwardAgent yes\n",
		map[string]string{"/home/ann/.ssh/i": "PKCS11Provider /lib/p.so\n"})
	got := notes(c.statements)
	if len(got) != 2 || !strings.HasPrefix(got[0], "config:2: userknownhostsfile: ") || !strings.HasPrefix(got[1], "/home/ann/.ssh/i:1: pkcs11provider") {
		t.Errorf("%q", got)
	}
}

func TestIncludeLoop(t *testing.T) {
	if _, err := parseWith("Include loop\n", map[string]string{"/home/ann/.ssh/loop": "Include loop\n"}); err == nil {
		t.Error("an endless Include is accepted")
	}
	bomb := strings.Repeat("Include bomb\n", 200)
	if _, err := parseWith(bomb, map[string]string{"/home/ann/.ssh/bomb": bomb}); err == nil {
		t.Error("Includes that multiply are accepted")
	}
}

func TestSplitWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`a b`, []string{"a", "b"}},
		{`"a b" 'c "d' e\ f`, []string{"a b", `c "d`, "e f"}},
		{`dom\user x#y # z`, []string{`dom\user`, "x#y"}},
		{`"a"b`, []string{"ab"}},
		{`a\"b \\`, []string{`a"b`, `\`}},
		{`"a`, nil},
		{`# only`, nil},
	} {
		got, ok := splitWords(c.text)
		if !slices.Equal(got, c.want) || ok != (c.want != nil) {
			t.Errorf("%s: %q, %t; want %q", c.text, got, ok, c.want)
		}
	}
}

func TestFitsPattern(t *testing.T) {
	for pattern, want := range map[string]bool{
		"*": true, "web1": true, "w*1": true, "w?b?": true, "*e*": true, "w*b1*": true, "": false, "web": false, "web1?": false, "W*": false, "*2": false,
	} {
		if got := fitsPattern("web1", pattern); got != want {
			t.Errorf("%q: %t", pattern, got)
		}
	}
	if fitsPattern(strings.Repeat("a", 5000), strings.Repeat("a*", 2000)+"b") {
		t.Error("it does not fit")
	}
}

func configFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func FuzzSSHConfig(f *testing.F) {
	for _, seed := range []string{"Host a\nUser b", "Match all\n", "Match host a,b\n Port 1", "Include x", "=", "Host \"", "Key \\", "Host a\n#c\nMatch", "\x00Host a", "Match final host \"a\nHostName %", "HostName ${"} {
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
		if s := ask(t, c, query{name: "a"}); s.refusal == nil && (strings.ContainsAny(s.hostName, "\n\x00") || !isPort(s.port)) {
			t.Fatalf("%q: %+v", text, s)
		}
	})
}
