package detect_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/farm"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// concurrency of both sides of the comparison: the program's default.
const concurrency = 50

// nonce of the recorded answer, so that a canned one can be read.
const nonce = "bench"

// BenchmarkDetect compares a whole detection (lease, one exec, parse, close) with the
// least that x/crypto/ssh needs for one exec, over the same farm, in turns within
// one run. The farm is another process, so CPU is the client's own. Aim: cpu-ratio at
// most 1.25 and memory that does not grow with the number of hosts.
func BenchmarkDetect(b *testing.B) {
	answer := recorded(b)
	for _, hosts := range []int{100, 1000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) { compare(b, hosts, answer) })
	}
}

func compare(b *testing.B, hosts int, answer []byte) {
	d, stop, err := farm.Spawn(b.Context(), farm.Config{Hosts: hosts, Answer: answer})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = stop() }()
	var ours, least farm.Meter
	for b.Loop() {
		least.Measure(func() { minimal(b, d) })
		ours.Measure(func() { whole(b, d) })
	}
	per := float64(hosts * b.N)
	b.ReportMetric(ours.CPU.Seconds()/least.CPU.Seconds(), "cpu-ratio")
	b.ReportMetric(ours.CPU.Seconds()*1e3/per, "cpu-ms/host")
	b.ReportMetric(per/ours.Wall.Seconds(), "hosts/s")
	b.ReportMetric(least.Wall.Seconds()/ours.Wall.Seconds(), "speed-ratio")
	b.ReportMetric(peak(b), "peak-MiB")
}

// peak is the most resident memory of this process so far, in MiB.
func peak(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Maxrss) / 1024
}

func minimal(b *testing.B, d farm.Directory) {
	config, err := d.ClientConfig()
	if err != nil {
		b.Fatal(err)
	}
	farm.Parallel(len(d.Addresses), concurrency, func(i int) {
		if _, err := farm.Minimal(d.Addresses[i], config, "detect"); err != nil {
			b.Error(err)
		}
	})
}

func whole(b *testing.B, d farm.Directory) {
	fleet, hosts := fleetOf(b, d.Addresses, d.KnownHosts(), d.Login)
	defer func() { _ = fleet.Close() }()
	farm.Parallel(len(hosts), concurrency, func(i int) {
		facts, err := look(b.Context(), fleet, hosts[i])
		if err != nil || facts.Platform != "debian" || len(facts.Updates) == 0 {
			b.Errorf("platform %q, %d updates, %v", facts.Platform, len(facts.Updates), err)
		}
	})
}

func look(ctx context.Context, fleet *connect.Fleet, h inventory.Host) (fact.Facts, error) {
	lease, err := fleet.Lease(ctx, h, inventory.Site{Name: h.ID.Site})
	if err != nil {
		return fact.Facts{}, err
	}
	defer lease.Drop() // as the minimal loop: the connection is not kept
	defer lease.Release()
	session := remote.ReadOnly(lease.Session(), remote.Reads)
	return detect.Host(ctx, session, lease.Ident(), h.ID, time.Unix(1_800_000_000, 0), detect.Query{Query: platform.Query{Nonce: nonce}})
}

func fleetOf(b *testing.B, addresses []string, known, key []byte) (*connect.Fleet, []inventory.Host) {
	b.Helper()
	dir := b.TempDir()
	files := map[string][]byte{"known_hosts": known, "key": key}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var hosts []inventory.Host
	for i, address := range addresses {
		name, port, err := net.SplitHostPort(address)
		if err != nil {
			b.Fatal(err)
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			b.Fatal(err)
		}
		h := inventory.Host{ID: fact.HostID{Site: "farm", Name: fmt.Sprintf("h%04d", i)}}
		h.Address, h.Port, h.User, h.Jump = name, number, "patch", []string{}
		h.Credentials.Key = filepath.Join(dir, "key")
		hosts = append(hosts, h)
	}
	return connect.New(connect.Options{KnownHosts: func(string) []string { return []string{filepath.Join(dir, "known_hosts")} }}), hosts
}

// recorded is what a simulated Debian host answers to the probe.
func recorded(b *testing.B) []byte {
	b.Helper()
	fleet, err := lab.Start(b.Context(), lab.Demo())
	if err != nil {
		b.Fatal(err)
	}
	defer fleet.Close()
	dir := b.TempDir()
	if err := fleet.Write(dir); err != nil {
		b.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "id_ed25519"))
	if err != nil {
		b.Fatal(err)
	}
	conn, hosts := fleetOf(b, []string{fleet.Host("test-deb").Addr()}, fleet.KnownHosts(), key)
	defer func() { _ = conn.Close() }()
	hosts[0].Become = inventory.BecomeSudo
	lease, err := conn.Lease(b.Context(), hosts[0], inventory.Site{Name: "farm"})
	if err != nil {
		b.Fatal(err)
	}
	defer lease.Release()
	tape := &recorder{Runner: lease.Session().Runner}
	if _, err := detect.Host(b.Context(), remote.Session{Runner: tape}, lease.Ident(), hosts[0].ID, time.Unix(0, 0), detect.Query{Query: platform.Query{Nonce: nonce}}); err != nil {
		b.Fatal(err)
	}
	if !strings.Contains(string(tape.out), nonce) {
		b.Fatalf("no answer was recorded: %q", tape.out)
	}
	return tape.out
}

// recorder keeps what the last command printed.
type recorder struct {
	remote.Runner
	out []byte
}

func (r *recorder) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	result, err := r.Runner.Run(ctx, c)
	r.out = result.Out
	return result, err
}
