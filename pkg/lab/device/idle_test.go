package device_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

// thousand is how many devices idle.
const thousand = 1000

// BenchmarkIdle is what a thousand idle devices cost, without and with a session each.
// The figures of a session hold both of its ends.
func BenchmarkIdle(b *testing.B) {
	k, err := device.Embedded("cisco-iosxe")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := memory()
		rigs := make([]*device.Loopback, thousand)
		all := make([]*device.Device, thousand)
		for i := range all {
			rigs[i] = &device.Loopback{}
			all[i], err = device.New(k, device.Options{Name: fmt.Sprint("sw", i), Password: "pw", Port: rigs[i]})
			if err == nil {
				err = all[i].Start(b.Context())
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		bare := memory()
		clients := make([]*ssh.Client, thousand)
		for i := range clients {
			clients[i] = idle(b, rigs[i].Addr())
		}
		full := memory()
		b.ReportMetric(float64(bare-start)/thousand, "B/device")
		b.ReportMetric(float64(full-bare)/thousand, "B/session")
		b.ReportMetric(float64(runtime.NumGoroutine())/thousand, "goroutines/session")
		for i, d := range all {
			_ = clients[i].Close()
			d.Close()
		}
	}
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// idle opens a shell and reads its prompt.
func idle(b *testing.B, addr string) *ssh.Client {
	b.Helper()
	client, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "patch", Auth: []ssh.AuthMethod{ssh.Password("pw")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		b.Fatal(err)
	}
	session, err := client.NewSession()
	if err != nil {
		b.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := session.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil {
		b.Fatal(err)
	}
	return client
}
