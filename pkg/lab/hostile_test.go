package lab_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab"
)

// TestHostilitiesAreTold: each stands in the README, with what it does.
func TestHostilitiesAreTold(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range lab.Hostilities() {
		if row := "| `" + string(a.Name) + "` | " + a.Does + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("README.md lacks %q", row)
		}
	}
	if _, err := lab.Load([]byte("version: 1\nhosts: [{name: a, os: debian-12, hostile: [rude]}]\n")); err == nil || !strings.Contains(err.Error(), "osc52") {
		t.Errorf("%v", err)
	}
}

// hostile is a fleet of one, on its line.
func hostile(t *testing.T, way lab.Hostility) (*lab.Fleet, *ssh.Client) {
	t.Helper()
	f := start(t, "hosts: [{name: d, os: debian-12, hostile: ["+string(way)+"], installed: ["+nginx+"], repository: ["+strings.Replace(nginx, "deb12u1", "deb12u2", 1)+"]}]\n")
	return f, dial(t, f, "d")
}

// TestHostileAnswers: what the host of each behaviour says to a command.
func TestHostileAnswers(t *testing.T) {
	for _, c := range []struct {
		way        lab.Hostility
		line, want string
	}{
		{"osc52", "uname -n", "\x1b]52;c;"},
		{"line_forgery", "uname -n", "hq/honest"},
		{"markup", "uname -n", "<script>"},
		{"workflow_commands", "uname -n", "##vso["},
		{"facts_steer", "uname -n", "ProxyCommand"},
		{"facts_steer", "cat /etc/os-release", "ADDRESS="},
		{"huge_line", "cat /etc/os-release | head -c 5000000", strings.Repeat("A", 1000)},
		{"huge_package_list", "apt-get -s upgrade | tail -n 1", "Inst pkg19999"},
		{"version_injection", "apt-get -s upgrade", "$(touch"},
		{"marker_forgery", "printf '@x begin a\\n'", "@x whole"},
		{"osc52", "sudo apt-get install -y nginx", "\x1b]52;c;"},
		{"lying_versions", "sudo apt-get install -y nginx; dpkg-query -W nginx", "deb12u1"},
		{"fake_sudo_prompt", "true", "[sudo] password for patch: "},
		{"symlink_job_dir", "readlink /var/lib/patchring", "/home/patch/stolen"},
	} {
		t.Run(string(c.way), func(t *testing.T) {
			_, client := hostile(t, c.way)
			if got := run(t, client, c.line, ""); !strings.Contains(got.out, c.want) {
				t.Errorf("%.300q", got.out)
			}
		})
	}
}

// TestHostileEndless: what has no end ends with whoever reads it.
func TestHostileEndless(t *testing.T) {
	for _, way := range []lab.Hostility{"endless_output", "dribble"} {
		_, client := hostile(t, way)
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, err := session.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Start("true"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		_ = session.Close()
	}
}

// TestHostileFiles: names that lead elsewhere, and a file without end.
func TestHostileFiles(t *testing.T) {
	_, client := hostile(t, "endless_files")
	files, err := sftp.NewClient(client)
	if err != nil {
		t.Fatal(err)
	}
	f, err := files.Open("/any")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
	_, client = hostile(t, "sftp_names")
	if files, err = sftp.NewClient(client); err != nil {
		t.Fatal(err)
	}
	if list, err := files.ReadDir("/"); err != nil || len(list) == 0 {
		t.Errorf("%d names, %v", len(list), err)
	}
}

// TestHostileExit: an exit status that is cut off is none.
func TestHostileExit(t *testing.T) {
	_, client := hostile(t, "exit_status_cut")
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Run("true"); err == nil {
		t.Error("it looks like success")
	}
}

// TestHostileHears: what somebody types at a prompt that was made up is heard.
func TestHostileHears(t *testing.T) {
	f, client := hostile(t, "fake_sudo_prompt")
	run(t, client, "cat", "the password\n")
	if heard := string(f.Host("d").Heard()); !strings.Contains(heard, "the password") {
		t.Errorf("%q", heard)
	}
}

// TestRudeServers: these never let anybody in, and stop when they are hung up on.
func TestRudeServers(t *testing.T) {
	for way, want := range map[lab.Hostility]string{"version_flood": "owned", "disconnect_text": "\x1b]52"} {
		f := start(t, "hosts: [{name: d, os: debian-12, hostile: ["+string(way)+"]}]\n")
		conn, err := net.DialTimeout("tcp", f.Host("d").Addr(), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1000)
		if _, err := io.ReadFull(conn, got); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(string(got), want) {
			t.Errorf("%s: %v, %q", way, err, got)
		}
		_ = conn.Close()
	}
}
