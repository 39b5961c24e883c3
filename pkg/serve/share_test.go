package serve

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func second() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("another")), nil }

// endless never comes to its end by itself.
func endless() (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func hostOf(t *testing.T, at string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// Two devices pull from one port at the same time; the end of one is not that of the other.
func TestOnePortForTwoFiles(t *testing.T) {
	s := &Server{}
	free, stopFree, err := s.File(t.Context(), loopback(), "a", 1, stream)
	if err != nil {
		t.Fatal(err)
	}
	on := netip.MustParseAddrPort(hostOf(t, free))
	if _, err := stopFree(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the port is free again after each round
		long, stopLong, err := s.File(t.Context(), on, "a", 1<<40, endless)
		if err != nil {
			t.Fatal(err)
		}
		short, stopShort, err := s.File(t.Context(), on, "b", 7, second)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.Get(long)
		if err != nil {
			t.Fatal(err)
		}
		if code, body, err := ask(t, http.MethodGet, short); code != http.StatusOK || body != "another" || err != nil {
			t.Errorf("%d %q %v", code, body, err)
		}
		if n, err := stopLong(); n == 0 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if _, err := io.Copy(io.Discard, got.Body); err == nil {
			t.Error("what was under way goes on")
		}
		_ = got.Body.Close()
		if code, _, err := ask(t, http.MethodGet, long); code != http.StatusNotFound || err != nil {
			t.Errorf("after its end: %d %v", code, err)
		}
		if code, _, err := ask(t, http.MethodGet, short); code != http.StatusOK || err != nil {
			t.Errorf("it ended with the other: %d %v", code, err)
		}
		if n, err := stopShort(); n != 14 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// Connections that say nothing don't keep a device out.
func TestIdleConnections(t *testing.T) {
	at, _ := serving(t, stream)
	for range 3 * maxConns {
		c, err := net.Dial("tcp", hostOf(t, at))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	if code, body, err := ask(t, http.MethodGet, at); code != http.StatusOK || body != image || err != nil {
		t.Errorf("%d %q %v", code, body, err)
	}
}
