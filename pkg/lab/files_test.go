package lab_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func TestFiles(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12}]\n")
	c := dial(t, f, "d")
	client, err := sftp.NewClient(c, sftp.UseConcurrentWrites(true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	big := strings.Repeat("0123456789abcdef", 20_000)
	w, err := client.Create("/tmp/up.part")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReadFromWithConcurrency(strings.NewReader(big), 16); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), client.Chmod("/tmp/up.part", 0o600), client.PosixRename("/tmp/up.part", "/tmp/up")); err != nil {
		t.Fatal(err)
	}
	if got := run(t, c, "sha256sum </tmp/up; wc -c </tmp/up; ls -l /tmp/up | cut -c1-10", ""); !strings.HasSuffix(got.out, "\n320000\n-rw-------\n") {
		t.Errorf("%+v", got)
	}
	r, err := client.Open("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(text), "ID=debian") {
		t.Errorf("%q, %v", text, err)
	}
	for what, err := range map[string]error{
		"write": second(client.Create("/etc/x")), "list": second(client.ReadDir("/root")), "mkdir": client.Mkdir("/var/lib/patchring"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s as user: %v", what, err)
		}
	}
	if _, err := client.Stat("/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := client.Rename("/tmp/up", "/home/patch/moved"); err != nil {
		t.Error(err)
	}
	list, err := client.ReadDir("/home/patch")
	if err != nil || len(list) != 1 || list[0].Name() != "moved" {
		t.Errorf("%v, %v", list, err)
	}
	if dir, err := client.Getwd(); err != nil || dir != "/home/patch" {
		t.Errorf("begins in %s, %v", dir, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestBastion: a host forwards to others of the fleet, and nowhere else.
func TestBastion(t *testing.T) {
	f := start(t, "hosts: [{name: bastion, os: debian-12}, {name: inside, os: debian-12}, {name: off, os: debian-12, faults: {unreachable: true}}]\n")
	c := dial(t, f, "bastion")
	conn, err := c.Dial("tcp", f.Host("inside").Addr())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := f.Signer()
	if err != nil {
		t.Fatal(err)
	}
	inner, channels, requests, err := ssh.NewClientConn(conn, "inside", clientConfig(f, "inside", ssh.PublicKeys(signer)))
	if err != nil {
		t.Fatal(err)
	}
	through := ssh.NewClient(inner, channels, requests)
	if got := run(t, through, "hostname", ""); got.out != "inside\n" {
		t.Errorf("%+v", got)
	}
	_ = through.Close()
	for _, target := range []string{f.Host("off").Addr(), "192.0.2.1:22"} {
		if _, err := c.Dial("tcp", target); err == nil {
			t.Errorf("%s was reached", target)
		}
	}
}

func TestWrite(t *testing.T) {
	f := start(t, "hosts: [{name: d, os: debian-12, groups: [web, test]}, {name: s, os: cisco-iosxe}, {name: w, os: debian-12, faults: {wrong_host_key: true}}]\n")
	dir := filepath.Join(t.TempDir(), "new")
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "id_ed25519"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "id_ed25519")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info.Mode(), err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	known, err := knownhosts.New(filepath.Join(dir, "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	for name, right := range map[string]bool{"d": true, "w": false} {
		config := clientConfig(f, name, ssh.PublicKeys(signer))
		config.HostKeyCallback = known
		c, err := ssh.Dial("tcp", f.Host(name).Addr(), config)
		if (err == nil) != right {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
	inventory := string(f.Inventory())
	for _, want := range []string{"  d:\n    address: 127.0.0.1\n    port: ", "groups: [web, test]", "user: patch", "become: none"} {
		if !strings.Contains(inventory, want) {
			t.Errorf("no %q in\n%s", want, inventory)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, yaml := range map[string]string{
		"unknown key":   "version: 1\nhosts: [{name: a, os: debian-12, colour: red}]",
		"unknown os":    "version: 1\nhosts: [{name: a, os: plan-9}]",
		"unknown fault": "version: 1\nhosts: [{name: a, os: debian-12, faults: {gremlins: true}}]",
		"duration":      "version: 1\nreboot: soon\nhosts: [{name: a, os: debian-12}]",
		"twice":         "version: 1\nhosts: [{name: a, os: debian-12}, {name: a, os: rocky-9}]",
		"no hosts":      "version: 1",
		"no yaml":       "{",
	} {
		if _, err := lab.Load([]byte(yaml)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	demo, err := os.ReadFile("fleets/demo.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(demo)
	f.Add([]byte("version: 1\nhosts: [{name: a, os: debian-12, faults: {apt_locked: forever}}]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		spec, err := lab.Load(src)
		if err == nil && len(spec.Hosts) == 0 {
			t.Error("a fleet without hosts was taken")
		}
	})
}

// TestReadme: the page lists exactly what there is.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := func(title string) []string {
		_, rest, _ := strings.Cut(string(page), "\n"+title+":\n\n")
		block, _, _ := strings.Cut(rest, "\n\n")
		words := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(block, -1)
		var names []string
		for _, w := range words {
			names = append(names, w[1])
		}
		return names
	}
	if got := listed("Built into the shell"); !slices.Equal(got, posix.Builtins()) {
		t.Errorf("built in: the page says\n%v\nthere are\n%v", got, posix.Builtins())
	}
	common := lab.Tools("debian-12")
	common = slices.DeleteFunc(slices.Clone(common), func(name string) bool { return !slices.Contains(lab.Tools("rocky-9"), name) })
	if got := listed("On every host"); !slices.Equal(got, common) {
		t.Errorf("the page says\n%v\nthere are\n%v", got, common)
	}
	for title, os := range map[string]string{"On Debian and Ubuntu": "debian-12", "On Rocky Linux": "rocky-9"} {
		own := slices.DeleteFunc(lab.Tools(os), func(name string) bool { return slices.Contains(common, name) })
		if got := listed(title); !slices.Equal(got, own) {
			t.Errorf("%s: the page says\n%v\nthere are\n%v", title, got, own)
		}
	}
}
