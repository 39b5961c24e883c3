package lab_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start brings a fleet up for one test.
func start(t *testing.T, yaml string) *lab.Fleet {
	t.Helper()
	spec, err := lab.Load([]byte("version: 1\n" + yaml))
	if err != nil {
		t.Fatal(err)
	}
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
	client, err := connect(t.Context(), f, name)
	if err != nil {
		t.Fatalf("dial %s: %v", name, err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func connect(_ context.Context, f *lab.Fleet, name string) (*ssh.Client, error) {
	signer, err := f.Signer()
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", f.Host(name).Addr(), &ssh.ClientConfig{
		User: "patch", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, Timeout: 5 * time.Second,
		HostKeyCallback: ssh.FixedHostKey(f.Host(name).Told()),
	})
}

type result struct {
	out, errs string
	code      int
}

// run executes a line and gives what came back. A connection that ended gives code -1.
func run(t *testing.T, client *ssh.Client, line, stdin string) result {
	t.Helper()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
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

func TestSmoke(t *testing.T) {
	f := start(t, `
hosts:
  - {name: d, os: debian-12, repository: [{name: openssl, version: 3.0.17-1~deb12u2, suite: security}]}
`)
	c := dial(t, f, "d")
	for _, line := range []string{
		"echo hello; id; uname -a; cat /etc/os-release | head -n 2; exit 3",
		"apt-get -s -V --with-new-pkgs upgrade", "sudo -n apt-get -y install openssl=3.0.17-1~deb12u2", "dpkg-query -W openssl",
		"sudo -n sh -c 'echo $0 $1 $$; cat /proc/$$/cmdline | tr \"\\0\" \" \"' name arg",
		"command -v nosuch; echo $?; nosuch", "apt-get install openssl; systemctl is-system-running; df -P -k / /boot; ss -Hltn",
		"apt-cache policy openssl; apt-cache policy", "x=1; kill 1", "sudo -n reboot",
	} {
		r := run(t, c, line, "")
		t.Logf("$ %s\n%s%s-> %d", line, r.out, r.errs, r.code)
	}
}
