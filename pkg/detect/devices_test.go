package detect_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	lab "github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/secret"
)

// soon is what a detection may take: every pause of the terminal that a device can cause by
// talking sense is far shorter.
const soon = 20 * time.Second

type password struct{}

func (password) Resolve(context.Context, secret.Ref, string) (secret.Secret, error) {
	return secret.New("pw"), nil
}

// played is a simulated device that runs, and one fleet that reaches it.
type played struct {
	*lab.Device
	fleet *connect.Fleet
	host  inventory.Host
}

func play(t *testing.T, name string, group *lab.Group) *played {
	t.Helper()
	kind, err := lab.Embedded(name)
	if err != nil {
		t.Fatal(err)
	}
	port := &lab.Loopback{}
	d, err := lab.New(kind, lab.Options{Name: "sw1", Password: "pw", Enable: "pw", Port: port, Group: group})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	fleet := connect.New(connect.Options{Secrets: password{}, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, port.Addr())
	}})
	t.Cleanup(func() { _ = fleet.Close() })
	return &played{d, fleet, hostOf(d)}
}

func hostOf(d *lab.Device) inventory.Host {
	h := inventory.Host{ID: fact.HostID{Site: "hq", Name: "sw1"}}
	h.Address, h.Port, h.User, h.Jump, h.Become = "192.0.2.1", 22, "patch", []string{}, inventory.BecomeEnable
	h.HostKeys = []string{ssh.FingerprintSHA256(d.Key())}
	h.SSHLegacy = slices.Clone(inventory.LegacyAlgorithms())
	h.Credentials.Password, _ = secret.ParseRef("env:LOGIN")
	h.Credentials.Enable, _ = secret.ParseRef("env:ENABLE")
	return h
}

func (p *played) detect(t *testing.T, library device.Library) (fact.Facts, time.Duration) {
	t.Helper()
	connect := func(ctx context.Context) (*connect.Lease, error) {
		return p.fleet.Lease(ctx, p.host, inventory.Site{Name: "hq"})
	}
	begun := time.Now()
	f, err := detect.Again(t.Context(), connect, p.host.ID, time.Now, detect.Query{Library: library}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return f, time.Since(begun)
}

// platforms are what the built-in device files are.
func platforms() map[string]fact.Platform {
	return map[string]fact.Platform{
		"arista-eos": "arista_eos", "cisco-iosxe": "cisco_iosxe", "f5-bigip": "f5_bigip", "fortios": "fortinet_fortios",
		"junos": "junos", "netapp-ontap": "netapp_ontap",
	}
}

// TestEveryDevice: each device of the simulator is recognised live by nothing but what it
// answers, as what it is, or a fact stays unknown; none has a problem while it is well.
func TestEveryDevice(t *testing.T) {
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]*lab.Group{}
	running := map[string]*played{}
	for _, name := range lab.Names() {
		pair := ""
		for _, end := range []string{"-a", "-b"} {
			if base, ok := strings.CutSuffix(name, end); ok {
				pair = base
			}
		}
		if pair != "" && groups[pair] == nil {
			groups[pair] = lab.NewGroup(time.Time{}, 0)
		}
		running[name] = play(t, name, groups[pair])
	}
	var slow sync.Mutex // of all that runs at once, only the waiting may overlap
	_ = &slow
	for name, p := range running {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, took := p.detect(t, library)
			t.Logf("%s %s model=%s version=%s serial=%s hostname=%s family=%s %v", name, f.Platform, f.Model, f.Version, f.Serial, f.Hostname, "", took)
			if f.Device != nil {
				t.Logf("%+v", *f.Device)
			}
			t.Logf("problems %+v", f.Problems)
			t.Logf("lines %q unknown %q", p.Done().Lines, p.Done().Unknown)
			for _, m := range p.Truth().Members {
				t.Logf("truth %s %v", m.ID, m.Values)
			}
			_ = fmt.Sprint
		})
	}
}
