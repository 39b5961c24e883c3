package detect_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	gear "github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/secret"
)

// soon is what the detection of a device that answers may take, on a loaded machine too: less
// than the wait for one that does not.
const soon = 12 * time.Second

// word is every secret of the simulated devices.
type word struct{}

func (word) Resolve(context.Context, secret.Ref, string) (secret.Secret, error) {
	return secret.New("pw"), nil
}

// played is a simulated device that runs, and a fleet that reaches it.
type played struct {
	*gear.Device
	name  string
	fleet *connect.Fleet
	host  inventory.Host
}

func play(t *testing.T, name string, o gear.Options) *played {
	t.Helper()
	kind, err := gear.Embedded(name)
	if err != nil {
		t.Fatal(err)
	}
	port := &gear.Loopback{}
	o.Name, o.Password, o.Enable, o.Port = name, "pw", "pw", port
	o.Values = map[string]string{"hostname": name}
	d, err := gear.New(kind, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	fleet := connect.New(connect.Options{Secrets: word{}, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, port.Addr())
	}})
	t.Cleanup(func() { _ = fleet.Close() })
	return &played{d, name, fleet, hostOf(d, name, cmp.Or(o.User, "patch"))}
}

func hostOf(d *gear.Device, name, user string) inventory.Host {
	h := inventory.Host{ID: fact.HostID{Site: "hq", Name: name}}
	h.Address, h.Port, h.User, h.Jump, h.Become = "192.0.2.1", 22, user, []string{}, inventory.BecomeEnable
	h.HostKeys = []string{ssh.FingerprintSHA256(d.Key())}
	h.SSHLegacy = slices.Clone(inventory.LegacyAlgorithms())
	h.Credentials.Password, _ = secret.ParseRef("env:LOGIN")
	h.Credentials.Enable, _ = secret.ParseRef("env:ENABLE")
	return h
}

func (p *played) detect(t *testing.T, library device.Library) (fact.Facts, time.Duration) {
	t.Helper()
	lease := func(ctx context.Context) (*connect.Lease, error) {
		return p.fleet.Lease(ctx, p.host, inventory.Site{Name: "hq"})
	}
	begun := time.Now()
	f, err := detect.Again(t.Context(), lease, p.host.ID, time.Now, detect.Query{Library: library}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return f, time.Since(begun)
}

// platformOf is what a built-in device file plays.
func platformOf(name string) fact.Platform {
	for prefix, platform := range map[string]fact.Platform{
		"arista-eos": "arista_eos", "cisco-iosxe": "cisco_iosxe", "f5-bigip": "f5_bigip", "fortios": "fortinet_fortios",
		"junos": "junos", "netapp-ontap": "netapp_ontap",
	} {
		if strings.HasPrefix(name, prefix) {
			return platform
		}
	}
	return "no such platform"
}

// pairOf is the group that two device files play together, "" for one that is alone.
func pairOf(name string) string {
	for _, end := range []string{"-a", "-b"} {
		if base, ok := strings.CutSuffix(name, end); ok {
			return base
		}
	}
	return ""
}

// roleOf is that of a member of a pair, before anything was done to it.
func roleOf(name string) string {
	if pairOf(name) == "" {
		return ""
	}
	return map[byte]string{'a': fact.RoleActive, 'b': fact.RoleStandby}[name[len(name)-1]]
}

// TestRootOnJunos: root has a shell there, and is asked as well as anybody.
func TestRootOnJunos(t *testing.T) {
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p := play(t, "junos", gear.Options{User: "root"})
	f, took := p.detect(t, library)
	for _, wrong := range p.wrong(f, took) {
		t.Error(wrong)
	}
	if t.Failed() {
		t.Logf("lines %q", p.Done().Lines)
	}
}

// TestEveryDevice: each device of the simulator is recognised over SSH by nothing but its
// answers, and what is read of it is what it is, or unknown. A healthy one has no problem.
func TestEveryDevice(t *testing.T) {
	t.Parallel()
	library, err := device.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]*gear.Group{}
	var all []*played
	for _, name := range gear.Names() {
		pair := pairOf(name)
		if groups[pair] == nil && pair != "" {
			groups[pair] = gear.NewGroup(time.Time{}, 0)
		}
		all = append(all, play(t, name, gear.Options{Group: groups[pair]}))
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			f, took := p.detect(t, library)
			for _, wrong := range p.wrong(f, took) {
				t.Error(wrong)
			}
			if t.Failed() {
				t.Logf("%v: %+v, truth %+v, lines %q", took, f, p.Truth().Members, p.Done().Lines)
			}
		})
	}
}

// wrong is all that differs from the truth, and all that is told of a healthy device.
func (p *played) wrong(f fact.Facts, took time.Duration) []string {
	if f.Platform != platformOf(p.name) || f.Device == nil {
		return []string{fmt.Sprintf("taken for %q: %v", f.Platform, f.Problems)}
	}
	var wrong []string
	for _, problem := range f.Problems {
		wrong = append(wrong, fmt.Sprintf("a healthy device has a problem: %+v", problem))
	}
	if took > soon {
		wrong = append(wrong, fmt.Sprintf("it took %s", took))
	}
	if f.Hostname != p.name || f.Version == "" || f.Model == "" || f.Device.Booted.IsZero() || f.Device.Family == "" {
		wrong = append(wrong, fmt.Sprintf("not read: %q %q %q %q, up since %s", f.Hostname, f.Version, f.Model, f.Device.Family, f.Device.Booted))
	}
	if want := roleOf(p.name); want != "" && f.Device.Role != want {
		wrong = append(wrong, fmt.Sprintf("its role is %q, not %q", f.Device.Role, want))
	}
	return append(wrong, p.members(f)...)
}

// members compares the units by serial number: all of them, and nothing false of any.
func (p *played) members(f fact.Facts) []string {
	var wrong []string
	truth := map[string]map[string]string{}
	for _, m := range p.Truth().Members {
		truth[m.Values["serial"]] = m.Values
	}
	if got := f.Device.Serials(); len(got) != len(truth) {
		wrong = append(wrong, fmt.Sprintf("of %d serial numbers %q are read", len(truth), got))
	}
	for _, m := range f.Device.Members {
		is, ok := truth[m.Serial]
		if !ok || m.Version != "" && release(m.Version) != release(is["version"]) || m.Model != "" && m.Model != is["model"] {
			wrong = append(wrong, fmt.Sprintf("%+v is none of %v", m, truth))
		}
	}
	own := func(is map[string]string) bool {
		whole := cmp.Or(is["chassis"], is["serial"]) // of two routing engines, the chassis they are in
		return (f.Serial == "" || f.Serial == whole) && release(f.Version) == release(is["version"]) && (f.Model == is["model"] || is["chassis"] != "")
	}
	for _, is := range truth {
		if own(is) {
			return wrong
		}
	}
	return append(wrong, fmt.Sprintf("%s %s %s is none of %v", f.Model, f.Version, f.Serial, truth))
}

var padded = regexp.MustCompile(`\b0+(\d)`)

// release is a version without the zeros that some outputs pad it with.
func release(version string) string { return padded.ReplaceAllString(version, "$1") }
