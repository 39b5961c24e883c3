package hook

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	header  = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	sshd    = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 130 1 0 100 0 0 10 0\n"
	web     = "   1: 0A00000A:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 131 1 0 100 0 0 10 0\n"
	ours    = "   2: 0A00000A:0016 0100000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 132 2 0 20 4 29 10 -1\n"
	visitor = "   3: 0A00000A:0050 0200000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 133 2 0 20 4 29 10 -1\n"
	leaving = "   4: 0A00000A:0050 0300000A:D431 06 00000000:00000000 02:000A7D8C 00000000     0        0 134 2 0 20 4 29 10 -1\n"
	outward = "   5: 0A00000A:D002 0900000A:0050 01 00000000:00000000 02:000A7D8C 00000000     0        0 135 2 0 20 4 29 10 -1\n"
	local   = "   6: 0100007F:0050 0100007F:D433 01 00000000:00000000 02:000A7D8C 00000000     0        0 136 2 0 20 4 29 10 -1\n"
	web6    = "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 140 1 0 100 0 0 10 0\n"
	mapped  = "   1: 0000000000000000FFFF00000A00000A:01BB 0000000000000000FFFF00000300000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 141 2 0 20 4 29 10 -1\n"
	near6   = "   2: 0000000000000000FFFF00000100007F:01BB 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 142 2 0 20 4 29 10 -1\n"
	loop6   = "   3: 00000000000000000000000001000000:01BB 00000000000000000000000001000000:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 143 2 0 20 4 29 10 -1\n"
)

func TestIdle(t *testing.T) {
	t.Parallel()
	const ssh = "SSH_CONNECTION=10.0.0.1 54321 10.0.0.10 22"
	for name, c := range map[string]struct {
		tcp, tcp6, env string
		want           platform.State
		says           string
	}{
		"idle":             {sshd + web + ours + leaving + outward, web6, ssh, platform.Done, ""},
		"no IPv6":          {sshd + web + ours, "-", ssh, platform.Done, ""},
		"busy":             {sshd + web + ours + visitor, web6, ssh, platform.NotDone, "to port 80"},
		"busy over IPv6":   {sshd + ours, web6 + mapped, ssh, platform.NotDone, "to port 443"},
		"itself":           {sshd + web + local, web6 + near6 + loop6, ssh, platform.Done, ""},
		"another SSH port": {sshd + ours, web6, "SSH_CONNECTION=10.0.0.1 54321 10.0.0.10 2222", platform.Failed, "does not show the SSH server"},
		"no port":          {sshd + web, web6, "X=", platform.Failed, "SSH_CONNECTION"},
		"bad port":         {sshd + web, web6, "SSH_CONNECTION=1 2 3 $(reboot)", platform.Failed, "SSH_CONNECTION"},
		"no table":         {"-", web6, ssh, platform.Failed, "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, sh string) {
				t.Helper()
				got := idle(t, sh, c.env, map[string]string{"tcp": c.tcp, "tcp6": c.tcp6})
				if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, "\n"), c.says) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// What the kernel hands on is in none of the tables of connections.
func TestIdleCantTellOfWhatIsHandedOn(t *testing.T) {
	t.Parallel()
	const (
		ipvs     = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
		service  = "TCP  0A00000A:0050 rr\n  -> AC110002:0050      Masq    1      0          0\n"
		answered = "ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.10 sport=54321 dport=22 src=10.0.0.10 dst=10.0.0.1 sport=22 dport=54321 [ASSURED] mark=0 use=2\n"
		handed   = "ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.10 sport=54321 dport=53 src=172.17.0.2 dst=10.0.0.1 sport=53 dport=54321 mark=0 use=2\n"
	)
	for name, c := range map[string]struct {
		file, text string
		want       platform.State
		says       string
	}{
		"a container":       {"if/veth1a2b3c", "", platform.Failed, "veth1a2b3c"},
		"a cluster":         {"if/cni0", "", platform.Failed, "cni0"},
		"IPVS of a cluster": {"if/kube-ipvs0", "", platform.Failed, "kube-ipvs0"},
		"a guest":           {"if/vnet0/master", "", platform.Failed, "vnet0"},
		"a VPN":             {"if/tap0/carrier", "", platform.Done, ""},
		"no container":      {"if/docker0", "", platform.Done, ""},
		"IPVS":              {"ip_vs", ipvs + service, platform.Failed, "IPVS"},
		"empty IPVS":        {"ip_vs", ipvs, platform.Done, ""},
		"handed on":         {"nf_conntrack", answered + handed, platform.Failed, "other addresses"},
		"answered":          {"nf_conntrack", answered, platform.Done, ""},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, sh string) {
				t.Helper()
				got := idle(t, sh, "SSH_CONNECTION=10.0.0.1 54321 10.0.0.10 22", map[string]string{"tcp": sshd + web + ours, c.file: c.text})
				if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, "\n"), c.says) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// idle asks with these files instead of the kernel's, and without waiting for long.
func idle(t *testing.T, sh, env string, files map[string]string) platform.Standing {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if text == "-" {
			continue
		}
		if strings.HasPrefix(name, "tcp") {
			text = header + text
		}
		name = filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s := waiting(t, Run{Place: job.Root()}, playbook.Wait{Idle: true, Within: time.Second})
	c := *s.Look.Do[0].Command
	if c.Become {
		t.Error("it asks for root")
	}
	script := strings.NewReplacer("/sys/class/net", folder+"/if", "/proc/net", folder, "sleep 1", "sleep 0.01").Replace(string(c.Stdin))
	if strings.Contains(script, "sleep 1") || strings.Count(script, folder) < 5 {
		t.Fatal("idle.sh has changed: this test gives it other files")
	}
	c.Stdin = []byte(script)
	return s.Look.Judge([]remote.Result{run(t, sh, c, env)})
}
