package imports

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checkDraft: whatever is given out parses, and what was left out is told on one line each.
func checkDraft(t *testing.T, d Draft) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Parse("inventory.yaml", []byte(d.Inventory))
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Inventory)
	}
	book, err := playbook.Parse("playbook.yaml", []byte(d.Playbook), inv)
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Playbook)
	}
	for _, n := range d.Notes {
		if strings.ContainsAny(n, "\n\r\x1b") || !strings.Contains(d.Inventory, "# Note: "+n+"\n") {
			t.Errorf("the note %q is not told in the inventory", n)
		}
	}
	for _, h := range inv.Hosts {
		if len(h.Groups) == 0 {
			t.Errorf("%s is in no group", h.ID)
		}
	}
	if len(book.Rings) > 2 {
		t.Errorf("rings %+v", book.Rings)
	}
	return inv
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func text(d Draft) string { return d.Inventory + "----\n" + d.Playbook }

const sampleConfig = `# my hosts
User joe

Host web1 web2
    HostName %h.example.com
    User=admin
    Port 2222
    ProxyJump bastion

Host db-1
    HostName "10.0.0.5"
    IdentityFile ~/.ssh/id_db
    IdentityFile ~/.ssh/second
    ForwardAgent yes
    LocalForward 5432 localhost:5432

Host bastion
    HostName bastion.example.com
    ProxyJump none
    User ops

Host web1
    User second
    ProxyJump a.example,joe@[::1]:22

Host odd
    HostName %n.example
    Port ssh
    User -x
    ProxyCommand nc %h %p
    IdentityFile %d/key
    ProxyJump odd

Host *.internal !x
    User internal

Match host foo
    User foo

Include config.d/*

Host github.com
    User git
Host my-git
    HostName gitlab.com
Host bad/name
    User x
`

func TestFromSSHConfig(t *testing.T) {
	d, err := FromSSHConfig([]byte(sampleConfig))
	if err != nil {
		t.Fatal(err)
	}
	inv := checkDraft(t, d)
	golden(t, "testdata/sshconfig.golden", text(d))
	web1, err := inv.Find("web1")
	if err != nil || web1.Address != "web1.example.com" || web1.User != "admin" || web1.Port != 2222 || len(web1.Jump) != 1 {
		t.Errorf("web1 = %+v, %v", web1.Settings, err)
	}
	db, err := inv.Find("db-1")
	if err != nil || db.Credentials.Key != "~/.ssh/id_db" || db.Address != "10.0.0.5" {
		t.Errorf("db-1 = %+v, %v", db.Settings, err)
	}
	if len(inv.Hosts) != 5 {
		t.Errorf("%d hosts", len(inv.Hosts))
	}
	for _, part := range []string{"*.internal", "Match host foo", "Include", "github.com", "my-git", "bad/name", "settings for all hosts", "Port of odd", "ProxyCommand of odd", "through itself"} {
		if !strings.Contains(strings.Join(d.Notes, "\n"), part) {
			t.Errorf("no note tells of %q: %q", part, d.Notes)
		}
	}
}

func TestFromCSV(t *testing.T) {
	const src = "\ufeffHostname;IP;Login;Port;Groups;Client;Rack\n" +
		"web-01;10.0.0.1;admin;22;web|production;hq;a1\n" +
		"web-02;;;;web;hq;\n" +
		";;;;;;\n" +
		"web-t;10.0.0.3;;2222;\"web, test\";hq;\n" +
		"web-01;10.1.0.1;;;;acme;b1\n"
	d, err := FromCSV([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	inv := checkDraft(t, d)
	golden(t, "testdata/csv.golden", text(d))
	got, err := inv.Select("hq/test:acme/test", nil)
	if err != nil || len(got) != 2 {
		t.Errorf("test ring: %v, %v", got, err)
	}
	if h, err := inv.Find("hq/web-01"); err != nil || h.Address != "10.0.0.1" || h.User != "admin" || h.Port != 22 {
		t.Errorf("hq/web-01 = %+v, %v", h, err)
	}
	if !strings.Contains(strings.Join(d.Notes, "\n"), "rack") && !strings.Contains(strings.Join(d.Notes, "\n"), "Rack") {
		t.Errorf("notes %q", d.Notes)
	}
}

func TestBadCSV(t *testing.T) {
	tests := map[string]string{ // source: what the error must say
		"":                                     "empty",
		"address\n10.0.0.1\n":                  "no column `name`",
		"web-01,10.0.0.1\n":                    "no column `name`",
		"name\n":                               "no host",
		"name,ip,address\na,1,2\n":             "two columns",
		"name,port\na,ssh\n":                   "line 2: port",
		"name,port\na,22\nb,70000\n":           "line 3: port",
		"name,user\na,-x\n":                    "line 2: user",
		"name,address\n\na,10.0.0.1:22\n":      "line 3: address",
		"name\n-x\n":                           "line 2: name",
		"name\nweb\nb\nweb\n":                  "line 4: the host web stands on line 2",
		"name,address\n,10.0.0.1\n":            "line 2: the name is missing",
		"name,site\na,hq\nb,\n":                "some have none",
		"name,site\na,a/b\n":                   "line 2: `a/b`",
		"name,groups\na,b\nb,\n":               "`b` is both",
		"name,become\na,sudoo\n":               "line 2: become",
		"name\n\"a\n":                          "can't be read",
		"name,jump\na,ops@a\n":                 "itself",
		"name\n\xff\n":                         "UTF-8",
		"name,key\na,-----BEGIN hunter2\n":     "line 2: key",
		strings.Repeat("x", maxBytes+1) + "\n": "larger",
	}
	for src, want := range tests {
		_, err := FromCSV([]byte(src))
		if err == nil || fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.60q: %v", src, err)
		}
	}
}

func TestFromAnswers(t *testing.T) {
	d, err := FromAnswers(Answers{
		Site: "hq", Timezone: "Europe/London", Owner: "it: \"us\" # x", User: "patch", Become: "sudo", Jump: []string{"ops@bastion"},
		Test: []string{"web-t1=10.0.0.1"}, Production: []string{"web-[01:03]=10.0.1.[1:3]", "db-01"},
	})
	if err != nil {
		t.Fatal(err)
	}
	inv := checkDraft(t, d)
	golden(t, "testdata/answers.golden", text(d))
	if s := inv.Sites["hq"]; s.Owner != "it: \"us\" # x" || s.Timezone.String() != "Europe/London" {
		t.Errorf("site %+v", s)
	}
	if got, err := inv.Select("production", nil); err != nil || len(got) != 4 {
		t.Errorf("production = %v, %v", got, err)
	}
}

func TestFewAnswers(t *testing.T) {
	d, err := FromAnswers(Answers{Production: []string{"test"}, Jump: []string{"bastion"}})
	if err != nil {
		t.Fatal(err)
	}
	inv := checkDraft(t, d)
	if h := inv.Hosts[0]; len(h.Jump) != 1 || len(inv.Hosts) != 1 {
		t.Errorf("%+v", h)
	}
	for _, a := range []Answers{
		{}, {Production: []string{""}}, {Production: []string{"a b"}}, {Production: []string{"a=b=c"}}, {Production: []string{"a"}, User: "-x"},
		{Production: []string{"a"}, Timezone: "Mars"}, {Production: []string{"a"}, Owner: "a\nb"}, {Production: []string{"a"}, Become: "magic"},
		{Production: []string{"a"}, Site: "a/b"}, {Production: []string{"a"}, Jump: []string{"a"}}, {Production: []string{"a[1:"}},
		{Test: []string{"a"}, Production: []string{"a"}},
	} {
		if _, err := FromAnswers(a); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func FuzzFromSSHConfig(f *testing.F) {
	f.Add([]byte(sampleConfig))
	f.Add([]byte("Host test production\n"))
	f.Fuzz(func(t *testing.T, src []byte) { fuzzed(t, src, FromSSHConfig) })
}

func FuzzFromCSV(f *testing.F) {
	f.Add([]byte("name,address,user,port,groups,site,jump,become,key\nweb-01,10.0.0.1,a,1,\"web,test\",hq,b,sudo,~/k\n"))
	f.Add([]byte("name;groups\ntest;production\nweb;x|y\n"))
	f.Fuzz(func(t *testing.T, src []byte) { fuzzed(t, src, FromCSV) })
}

func FuzzFromAnswers(f *testing.F) {
	f.Add("hq", "UTC", "it", "patch", "ops@b", "t=1.1.1.1", "web-[1:3]")
	f.Fuzz(func(t *testing.T, site, zone, owner, user, jump, test, production string) {
		a := Answers{Site: site, Timezone: zone, Owner: owner, User: user, Test: []string{test}, Production: []string{production}}
		if jump != "" {
			a.Jump = []string{jump}
		}
		fuzzed(t, nil, func([]byte) (Draft, error) { return FromAnswers(a) })
	})
}

// fuzzed: an import gives either parseable files or a usage error, which is never one
// about the YAML that it wrote itself.
func fuzzed(t *testing.T, src []byte, from func([]byte) (Draft, error)) {
	t.Helper()
	d, err := from(src)
	if err == nil {
		checkDraft(t, d)
		return
	}
	if fault.CodeOf(err) != fault.Usage {
		t.Errorf("%v", err)
	}
	if errors.Is(err, errOwnText) {
		t.Errorf("what was written can't be read: %v", err)
	}
}
