package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const image = "the bytes of an image"

func loopback() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:0") }

// stream can't be read in parts, like what the store gives.
func stream() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(image)), nil }

// seekable can.
type seekable struct{ *bytes.Reader }

func (seekable) Close() error { return nil }

func parts() (io.ReadCloser, error) { return seekable{bytes.NewReader([]byte(image))}, nil }

func serving(t *testing.T, open func() (io.ReadCloser, error)) (string, func() (int64, error)) {
	t.Helper()
	at, stop, err := new(Server).File(t.Context(), loopback(), "image-1.2.bin", int64(len(image)), open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = stop() })
	return at, stop
}

// ask is one request over a connection of its own.
func ask(t *testing.T, method, at string, headers ...string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ": ")
		r.Header.Set(key, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	got, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	return got.StatusCode, string(body), err
}

func TestFile(t *testing.T) {
	for name, open := range map[string]func() (io.ReadCloser, error){"stream": stream, "in parts": parts} {
		at, stop := serving(t, open)
		u, err := url.Parse(at)
		if err != nil || u.User != nil || !strings.HasSuffix(u.Path, "/image-1.2.bin") || len(u.Path) < len("/image-1.2.bin")+32 {
			t.Errorf("%s: the address is %s", name, at)
		}
		for range 2 {
			if code, body, err := ask(t, http.MethodGet, at); code != http.StatusOK || body != image || err != nil {
				t.Errorf("%s: %d %q %v", name, code, body, err)
			}
		}
		if code, body, err := ask(t, http.MethodHead, at); code != http.StatusOK || body != "" || err != nil {
			t.Errorf("%s: HEAD gives %d %q %v", name, code, body, err)
		}
		if n, err := stop(); n != 2*int64(len(image)) || err != nil {
			t.Errorf("%s: %d bytes were served, %v", name, n, err)
		}
		if _, _, err := ask(t, http.MethodGet, at); err == nil {
			t.Errorf("%s: it is served after its end", name)
		}
	}
}

func TestRange(t *testing.T) {
	at, _ := serving(t, parts)
	if code, body, err := ask(t, http.MethodGet, at, "Range: bytes=4-8"); code != http.StatusPartialContent || body != "bytes" || err != nil {
		t.Errorf("%d %q %v", code, body, err)
	}
	at, _ = serving(t, stream)
	if code, body, err := ask(t, http.MethodGet, at, "Range: bytes=4-8"); code != http.StatusOK || body != image || err != nil {
		t.Errorf("a stream: %d %q %v", code, body, err)
	}
}

func TestNothingElse(t *testing.T) {
	at, stop := serving(t, stream)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + u.Host
	for _, c := range [][2]string{
		{http.MethodGet, base + "/"},
		{http.MethodGet, base + "/image-1.2.bin"},
		{http.MethodGet, base + "/" + strings.Repeat("0", 32) + "/image-1.2.bin"},
		{http.MethodGet, at + "/"},
		{http.MethodGet, at + "?x"},
		{http.MethodGet, base + "/x/.." + u.Path},
		{http.MethodGet, base + strings.Replace(u.Path, "image", "%69mage", 1)},
		{http.MethodPost, at},
		{http.MethodPut, at},
		{http.MethodOptions, at},
		{http.MethodDelete, at},
	} {
		if code, body, err := ask(t, c[0], c[1]); code != http.StatusNotFound || strings.Contains(body, image) || err != nil {
			t.Errorf("%s %s: %d %q %v", c[0], c[1], code, body, err)
		}
	}
	if n, err := stop(); n != 0 || err != nil {
		t.Errorf("%d bytes were served, %v", n, err)
	}
}

func TestPathsDiffer(t *testing.T) {
	one, _ := serving(t, stream)
	other, _ := serving(t, stream)
	if strings.Split(one, "/")[3] == strings.Split(other, "/")[3] {
		t.Error("two files have the same path")
	}
}

// broken is a stream that fails in the middle: it must not pass for whole.
func broken() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader(image[:5]), failing{})), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is on fire") }

func TestSourcesThatFail(t *testing.T) {
	at, stop := serving(t, broken)
	if code, body, err := ask(t, http.MethodGet, at); err == nil && code == http.StatusOK {
		t.Errorf("half a file passes for whole: %q", body)
	}
	if _, err := stop(); err == nil || !strings.Contains(err.Error(), "on fire") {
		t.Errorf("nobody is told why: %v", err)
	}
	at, stop = serving(t, func() (io.ReadCloser, error) { return nil, errors.New("not in the store") })
	if code, body, err := ask(t, http.MethodGet, at); code != http.StatusInternalServerError || strings.Contains(body, "store") || err != nil {
		t.Errorf("%d %q %v", code, body, err)
	}
	if _, err := stop(); err == nil {
		t.Error("nobody is told")
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	at, stop, err := new(Server).File(ctx, loopback(), "a", 1, stream)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(c); err == nil || !errors.Is(err, io.EOF) {
		_ = c.Close() // closed from the other side, in whichever way
	}
	if _, err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := stop(); err != nil {
		t.Error("twice: ", err)
	}
}

// More connections than a device needs are closed, and those who say too much too.
func TestLimits(t *testing.T) {
	at, _ := serving(t, stream)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if code, _, err := ask(t, http.MethodGet, at, "X-Long: "+strings.Repeat("x", 2*headerBytes)); err == nil && code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header without end: %d", code)
	}
	held := 0
	for range 3 * maxConns {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := fmt.Fprintf(c, "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n", u.Path); err != nil {
			continue
		}
		if n, err := c.Read(make([]byte, 1)); n == 1 && err == nil {
			held++
		}
	}
	if held == 0 || held > maxConns {
		t.Errorf("%d connections were held open at once", held)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct{ on, name string }{
		{"0.0.0.0:0", "a"},
		{"[::]:0", "a"},
		{"[::ffff:0.0.0.0]:0", "a"},
		{"224.0.0.1:0", "a"},
		{"127.0.0.1:0", ""},
		{"127.0.0.1:0", ".."},
		{"127.0.0.1:0", "a/b"},
		{"127.0.0.1:0", "a b"},
	} {
		if _, _, err := new(Server).File(t.Context(), netip.MustParseAddrPort(c.on), c.name, 1, stream); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%q at %s: %v", c.name, c.on, err)
		}
	}
	if _, _, err := new(Server).File(t.Context(), netip.AddrPort{}, "a", 1, stream); err == nil {
		t.Error("it is served nowhere")
	}
	_, _, err := new(Server).File(t.Context(), netip.MustParseAddrPort("192.0.2.1:0"), "a", 1, stream)
	if fault.CodeOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "own addresses") {
		t.Errorf("an address of somebody else: %v", err)
	}
}
