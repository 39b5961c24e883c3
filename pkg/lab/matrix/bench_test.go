package matrix

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/connect"
	definitions "github.com/patchring/patchring/pkg/platform/device"
)

// BenchmarkWaiting upgrades many devices in one process, and measures what each costs while it is
// waited for: memory half-way through the restart, processor time of the whole upgrade. The
// simulated device itself is not in the memory; what it does is in the time. MATRIX_DEVICES
// is how many: 100, where it is not set.
func BenchmarkWaiting(b *testing.B) {
	devices := 100
	if n, err := strconv.Atoi(os.Getenv("MATRIX_DEVICES")); err == nil {
		devices = n
	}
	library, err := definitions.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		began := processor(b)
		kib := upgradeMany(b, devices, ground{library: library, web: &web{}})
		b.ReportMetric(kib, "KiB/device")
		b.ReportMetric(float64((processor(b)-began).Microseconds())/1000/float64(devices), "cpu-ms/device")
	}
}

// TestManyAtOnce is the same with fewer, and asks that all of them end well.
func TestManyAtOnce(t *testing.T) {
	library, err := definitions.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f KiB for each device that is waited for", upgradeMany(t, 50, ground{library: library, web: &web{}}))
}

// many are devices that one fleet connects to.
type many struct {
	fleet *connect.Fleet

	mu    sync.Mutex
	ports map[string]*Port // by address
}

func newMany() *many {
	m := &many{ports: map[string]*Port{}}
	m.fleet = connect.New(connect.Options{Secrets: secrets{}, MaxConnections: 5000, Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
		m.mu.Lock()
		port := m.ports[address]
		m.mu.Unlock()
		return port.Dial(ctx)
	}})
	return m
}

// take gives a device an address of its own.
func (m *many) take(l *link, port *Port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.ports)
	l.fleet, l.host.ID.Name, l.host.Address = m.fleet, fmt.Sprintf("sw%d", n), fmt.Sprintf("198.18.%d.%d", n/250, n%250+1)
	m.ports[net.JoinHostPort(l.host.Address, "22")] = port
}

// upgradeMany gives the memory that each device takes while it restarts.
func upgradeMany(t testing.TB, devices int, on ground) float64 {
	t.Helper()
	var kib float64
	run := func() {
		begin()
		on.many = newMany()
		ended := make(chan *play, devices)
		plays := make([]*play, devices)
		for i := range plays {
			plays[i] = cell{family: families()[0], moment: "all", name: "well"}.prepared(t, on)
		}
		before := memory()
		for _, p := range plays {
			go func() { p.goes(); ended <- p }()
		}
		pass(15 * time.Minute) // all of them are down
		synctest.Wait()
		kib = float64(memory()-before) / 1024 / float64(devices)
		for range devices {
			p := <-ended
			if p.said != saidDone {
				t.Errorf("it said %s at %s: %v", p.said, p.at, p.why)
			}
			p.close()
		}
		_ = on.many.fleet.Close()
	}
	switch t := t.(type) {
	case *testing.T:
		synctest.Test(t, func(*testing.T) { run() })
	default:
		inBubble(run)
	}
	return kib
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Skipf("processor time can't be read: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
