package connect

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// Several processes append, and rotate, in the same file: no line is lost, though a
// rotation replaces the file under those who wait for its lock.
func TestWritersShareAFile(t *testing.T) {
	path := t.TempDir() + "/known_hosts"
	open := func() *knownHosts {
		k := newKnownHosts([]string{path}, func(string) {})
		if err := k.ready(); err != nil {
			t.Fatal(err)
		}
		return k
	}
	old, fresh := ecKey(t).PublicKey(), edKey(t).PublicKey()
	if _, err := open().add(entry{name: "rotating"}, []ssh.PublicKey{old}, false); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			k := open()
			for j := range 5 {
				if _, err := k.add(entry{name: "host" + strconv.Itoa(10*i+j)}, []ssh.PublicKey{edKey(t).PublicKey()}, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		k, from, to := open(), old, fresh
		for range 6 {
			lines, _ := k.about("rotating")
			r := Rotation{Name: "rotating", added: []ssh.PublicKey{to}, gone: lines}
			done, err := k.rotate(r)
			if err != nil || len(done.Added) != 1 || len(done.Removed) != 1 {
				t.Errorf("%+v, %v", done, err)
			}
			from, to = to, from
		}
	})
	all.Wait()
	k := open()
	lines, _ := k.about("rotating")
	if len(k.index.lines) != 41 || len(lines) != 1 {
		t.Errorf("%d lines, %d of the rotating host", len(k.index.lines), len(lines))
	}
}

func TestNewLinesAreHashed(t *testing.T) {
	known, fresh := edKey(t).PublicKey(), edKey(t).PublicKey()
	cases := []struct {
		name, file string
		hash       bool
		hashed     bool
	}{
		{"nothing says so", "plain " + authorized(known) + "\n", false, false},
		{"a line is", hashedName("other") + " " + authorized(known) + "\n", false, true},
		{"ssh_config says so", "", true, true},
	}
	for _, c := range cases {
		path := t.TempDir() + "/known_hosts"
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		k := newKnownHosts([]string{path}, func(string) {})
		if err := k.ready(); err != nil {
			t.Fatal(err)
		}
		added, err := k.add(entry{"web", c.hash}, []ssh.PublicKey{fresh}, false)
		if err != nil || len(added) != 1 || strings.HasPrefix(added[0].names, "|1|") != c.hashed {
			t.Errorf("%s: %+v, %v", c.name, added, err)
		}
		if lines, _ := k.about("web:22"); len(lines) != 1 || lines[0].line != strings.Count(c.file, "\n")+1 {
			t.Errorf("%s: found %+v", c.name, lines)
		}
	}
}

// A survey of keys that are pinned in the inventory, vouched for, revoked, old.
func TestSurveyStandings(t *testing.T) {
	ed, ec, rs, ca := edKey(t), ecKey(t), rsaKey(t), edKey(t)
	sum := func(s ssh.Signer) string { return ssh.FingerprintSHA256(s.PublicKey()) }
	line := func(names string, s ssh.Signer) string { return names + " " + authorized(s.PublicKey()) + "\n" }
	cases := []struct {
		name  string
		shown []ssh.Signer
		known string // for *
		pins  []string
		want  Standing
		keys  string // their standings, in order
		gone  int
	}{
		{"nothing known", []ssh.Signer{ed, ec}, "", nil, Unknown, "unknown unknown", 0},
		{"all known", []ssh.Signer{ed, ec, rs}, line("*", ed) + line("*", ec) + line("*", rs), nil, Trusted, "ok ok ok", 0},
		{"one kind known", []ssh.Signer{ed, rs}, line("*", rs), nil, OtherKind, "other_kind ok", 0},
		{"a kind is gone", []ssh.Signer{ed}, line("*", ed) + line("*", rs), nil, Trusted, "ok", 1},
		{"the only known kind is gone", []ssh.Signer{ed}, line("*", rs), nil, Changed, "other_kind", 1},
		{"one changed beside one known", []ssh.Signer{ed, ec}, line("*", ed) + line("*", ecKey(t)), nil, Changed, "ok changed", 0},
		{"one revoked beside one known", []ssh.Signer{ed, ec}, line("*", ed) + line("@revoked elsewhere", ec), nil, Revoked, "ok revoked", 0},
		{"pinned", []ssh.Signer{ed, ec}, line("*", edKey(t)), []string{sum(ec)}, OtherKind, "other_kind ok", 0},
		{"both pinned", []ssh.Signer{ed, ec}, "", []string{sum(ec), sum(ed)}, Trusted, "ok ok", 0},
		{"another one pinned", []ssh.Signer{ed}, line("*", ed), []string{sum(ec)}, Changed, "other_kind", 0},
		{"certified", []ssh.Signer{hostCert(t, ca, ec, "127.0.0.1", noEnd()), ed}, line("@cert-authority *", ca), nil, Trusted, "ok other_kind other_kind", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			keys := c.shown
			if c.name == "certified" { // a server with a certificate has the bare key as well
				keys = append(keys, ec)
			}
			s := openServer(t, keys...)
			if err := os.WriteFile(r.known, []byte(c.known), 0o600); err != nil {
				t.Fatal(err)
			}
			h := host(t, "web", s.address)
			h.HostKeys = c.pins
			got, err := r.Survey(t.Context(), h, site())
			var words []string
			for _, k := range got.Shown {
				words = append(words, k.Standing.String())
			}
			if err != nil || got.Standing != c.want || strings.Join(words, " ") != c.keys || len(got.Absent) != c.gone {
				t.Errorf("%s: %q, %d gone, %v", got.Standing, words, len(got.Absent), err)
			}
			if most := int64(len(keys) + 2); s.accepts.Load() > most {
				t.Errorf("%d handshakes for %d keys", s.accepts.Load(), len(keys))
			}
		})
	}
}

// Nothing is recorded over a key that differs, whoever wrote it, and whenever.
func TestRecordNeverOverwrites(t *testing.T) {
	r := newRig(t, Options{})
	s := openServer(t, edKey(t))
	h := host(t, "web", s.address)
	survey, err := r.Survey(t.Context(), h, site())
	if err != nil {
		t.Fatal(err)
	}
	r.trust(t, s.address, edKey(t).PublicKey()) // another process, meanwhile
	before, _ := os.ReadFile(r.known)
	if _, err := r.Record(h, survey, func(ShownKey) bool { return true }); fault.CodeOf(err) != fault.HostKeyChanged {
		t.Errorf("got %v", err)
	}
	for _, standing := range []Standing{Untold, Revoked, Changed, Trusted} {
		survey.Standing = standing
		if added, err := r.Record(h, survey, func(ShownKey) bool { return true }); err != nil || added != nil {
			t.Errorf("%s: %+v, %v", standing, added, err)
		}
	}
	if after, _ := os.ReadFile(r.known); !bytes.Equal(after, before) {
		t.Errorf("written:\n%s", after)
	}
}

func TestNotHeld(t *testing.T) {
	a, b, c := edKey(t).PublicKey(), edKey(t).PublicKey(), ecKey(t).PublicKey()
	one := []knownLine{{key: a}}
	cases := []struct {
		lines  []knownLine
		keys   []ssh.PublicKey
		beside bool
		want   int
		err    error
	}{
		{nil, []ssh.PublicKey{a}, false, 1, nil},
		{one, []ssh.PublicKey{a}, false, 0, nil},
		{one, []ssh.PublicKey{b}, false, 0, errDiffers},
		{one, []ssh.PublicKey{b}, true, 0, errDiffers},
		{one, []ssh.PublicKey{c}, false, 0, errDiffers},
		{one, []ssh.PublicKey{c}, true, 1, nil},
		{one, []ssh.PublicKey{a, c}, true, 1, nil},
		{[]knownLine{{key: a}, {key: b}}, []ssh.PublicKey{b}, false, 0, nil},
		{[]knownLine{{key: a, mark: markAuthority}}, []ssh.PublicKey{b}, true, 1, nil},
	}
	for i, x := range cases {
		got, err := notHeld(x.lines, x.keys, x.beside)
		if len(got) != x.want || !errors.Is(err, x.err) {
			t.Errorf("case %d: %d keys, %v", i, len(got), err)
		}
	}
}

func TestReferenceConfirms(t *testing.T) {
	key, other := edKey(t).PublicKey(), edKey(t).PublicKey()
	h := inventory.Host{}
	h.Port = 2222
	h.ID.Site, h.ID.Name, h.Address = "hq", "web", "10.0.0.5"
	shown := ShownKey{HostKey: HostKey{Name: "[alias]:2222", Type: "ssh-ed25519"}, key: key}
	cases := []struct {
		text           string
		where, differs string
	}{
		{"[10.0.0.5]:2222 " + authorized(key), "f:1", ""},
		{"[web]:2222 " + authorized(key), "f:1", ""},
		{"[alias]:2222 " + authorized(key), "f:1", ""},
		{hashedName("[web]:2222") + " " + authorized(key), "f:1", ""},
		{"10.0.0.5 " + authorized(key), "", ""},
		{"db " + authorized(key), "", ""},
		{"[web]:2222 " + authorized(other), "", "f:1"},
		{"[web]:2222 " + authorized(other) + "\n[web]:2222 " + authorized(key), "f:2", "f:1"},
		{"@revoked * " + authorized(key), "", "f:1"},
		{"@cert-authority * " + authorized(key), "", ""},
		{"[web]:2222 " + authorized(ecKey(t).PublicKey()), "", ""},
	}
	for _, c := range cases {
		ref, skipped, err := ParseReference("f", []byte(c.text+"\n"))
		if err != nil || len(skipped) > 0 {
			t.Fatal(skipped, err)
		}
		if where, differs := ref.Confirms(h, shown); where != c.where || differs != c.differs {
			t.Errorf("%.30q: %q, %q", c.text, where, differs)
		}
	}
	for _, none := range []string{"", "# nothing\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----\n"} {
		_, skipped, err := ParseReference("f", []byte(none))
		if fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), "f holds no host keys") || len(skipped) > 0 {
			t.Errorf("%q: %q, %v", none, skipped, err)
		}
	}
	if _, _, err := ParseReference("f", []byte("@revoked x\n")); fault.CodeOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}
