//go:build unix

package connect

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/lab/farm"
	"github.com/patchring/patchring/pkg/remote"
)

// concurrency of both sides of the comparison.
const concurrency = 50

// answer is the size of what detection reads of a host: 28 KB.
func answer() []byte { return bytes.Repeat([]byte("package 1.2.3-4 amd64 installed\n"), 900) }

// BenchmarkConnect compares Lease, Run, Release with the least that x/crypto/ssh
// needs, over the same farm, in turns within one run. The farm is another process, so
// CPU is the client's own. Aim: cpu-ratio at most 1.25.
func BenchmarkConnect(b *testing.B) {
	for _, hosts := range []int{100, 1000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) { compare(b, hosts) })
	}
}

func compare(b *testing.B, hosts int) {
	b.Helper()
	d, stop, err := farm.Spawn(b.Context(), farm.Config{Hosts: hosts, Answer: answer()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = stop() }()
	var ours, least farm.Meter
	for b.Loop() {
		least.Measure(func() { runMinimal(b, d) })
		ours.Measure(func() { runFleet(b, d) })
	}
	per := float64(hosts * b.N)
	b.ReportMetric(ours.CPU.Seconds()/least.CPU.Seconds(), "cpu-ratio")
	b.ReportMetric(ours.CPU.Seconds()*1e3/per, "cpu-ms/host")
	b.ReportMetric(per/ours.Wall.Seconds(), "hosts/s")
	b.ReportMetric(least.Wall.Seconds()/ours.Wall.Seconds(), "speed-ratio")
	b.ReportMetric(heldPerHost(b, d, min(hosts, 400)), "KiB/open-host")
}

func runMinimal(b *testing.B, d farm.Directory) {
	b.Helper()
	config, err := d.ClientConfig()
	if err != nil {
		b.Fatal(err)
	}
	farm.Parallel(len(d.Addresses), concurrency, func(i int) {
		if out, err := farm.Minimal(d.Addresses[i], config, "detect"); err != nil || len(out) != len(answer()) {
			b.Errorf("%d bytes, %v", len(out), err)
		}
	})
}

func runFleet(b *testing.B, d farm.Directory) {
	b.Helper()
	f, hosts := farmFleet(b, d, Options{})
	defer func() { _ = f.Close() }()
	farm.Parallel(len(hosts), concurrency, func(i int) {
		l, err := f.Lease(b.Context(), hosts[i], inventory.Site{Name: "farm"})
		if err != nil {
			b.Error(err)
			return
		}
		defer l.Release()
		r, err := l.Session().Runner.Run(b.Context(), remote.Command{Argv: []string{"detect"}, Effect: remote.Reads})
		if err != nil || len(r.Out) != len(answer()) {
			b.Errorf("%d bytes, %v", len(r.Out), err)
		}
	})
}

// farmFleet is a Fleet that knows the farm's keys, and the farm's hosts.
func farmFleet(tb testing.TB, d farm.Directory, o Options) (*Fleet, []inventory.Host) {
	tb.Helper()
	known, key := filepath.Join(tb.TempDir(), "known_hosts"), filepath.Join(tb.TempDir(), "key")
	for path, content := range map[string][]byte{known: d.KnownHosts(), key: d.Login} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	o.KnownHosts = func(string) []string { return []string{known} }
	var hosts []inventory.Host
	for i, address := range d.Addresses {
		host, port, _ := net.SplitHostPort(address)
		number, _ := strconv.Atoi(port)
		h := inventory.Host{ID: fact.HostID{Site: "farm", Name: fmt.Sprintf("h%04d", i)}}
		h.Address, h.Port, h.User, h.Jump = host, number, "farm", []string{}
		h.Credentials.Key = key
		hosts = append(hosts, h)
	}
	return New(o), hosts
}

// heldPerHost is how much the process grows, in KiB, for each connection that is held
// open after one command.
func heldPerHost(b *testing.B, d farm.Directory, count int) float64 {
	b.Helper()
	f, hosts := farmFleet(b, d, Options{MaxConnections: count})
	defer func() { _ = f.Close() }()
	debug.FreeOSMemory()
	before := rss(b)
	farm.Parallel(count, concurrency, func(i int) {
		l, err := f.Lease(context.WithoutCancel(b.Context()), hosts[i], inventory.Site{Name: "farm"})
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := l.Session().Runner.Run(b.Context(), remote.Command{Argv: []string{"detect"}}); err != nil {
			b.Error(err)
		}
	})
	debug.FreeOSMemory()
	return float64(rss(b)-before) / float64(count) / 1024
}

// rss is the resident memory of this process in bytes; 0 where /proc is missing.
func rss(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
