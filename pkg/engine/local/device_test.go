package local

import (
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/serve"
)

// A boot time that moved by less than the two clocks' grain is the same boot.
func TestRestarted(t *testing.T) {
	at := func(minutes int) *fact.Device {
		return &fact.Device{Booted: time.Date(2026, 11, 22, 9, minutes, 0, 0, time.UTC), Grain: time.Minute}
	}
	for name, c := range map[string]struct {
		before, after *fact.Device
		want          bool
	}{
		"much later":       {at(0), at(30), true},
		"within the grain": {at(0), at(2), false},
		"just beyond":      {at(0), at(3), true},
		"earlier":          {at(30), at(0), false},
		"not told before":  {&fact.Device{}, at(30), false},
		"not told after":   {at(0), &fact.Device{}, false},
		"no device":        {nil, at(30), false},
	} {
		if got := restarted(c.before, c.after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFileNames(t *testing.T) {
	for path, want := range map[string]string{"flash:a.bin": "a.bin", "/var/tmp/a.tgz": "a.tgz", "flash-2:/x/a.bin": "a.bin", `cf3:\a.tim`: "a.tim", "a": "a"} {
		if got := fileName(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// weak is a link that rests on old algorithms.
type weak struct{ Link }

func (weak) Legacy() []string { return []string{"ssh-rsa", "aes128-cbc"} }

func TestOldCryptoIsTold(t *testing.T) {
	s := &sessions{}
	if s.oldCrypto() != nil {
		t.Error("nothing is known before there is a connection")
	}
	if s.last = (weak{}); !slices.Equal(s.oldCrypto(), []string{"the connection rests on old SSH algorithms (ssh_legacy): ssh-rsa, aes128-cbc"}) {
		t.Errorf("%q", s.oldCrypto())
	}
}

// What a step keeps is found again by the note; what it serves is served until it stops.
func TestDevicesAreServed(t *testing.T) {
	s := &sessions{store: &shelf{}, files: &serve.Server{}, host: fact.HostID{Site: "hq", Name: "sw1"}}
	if err := s.Keep(t.Context(), "config\x1b-before", []byte("hostname sw1")); err != nil {
		t.Fatal(err)
	}
	digest := patch.DigestOf([]byte("hostname sw1"))
	if want := `config\x1b-before is kept: ` + string(digest); !slices.Equal(s.keeping(), []string{want}) {
		t.Errorf("%q", s.keeping())
	}
	file := platform.File{Path: "flash:a.bin", Store: digest}
	if _, _, err := s.Serve(t.Context(), file); fault.HintOf(err) == "" || !strings.Contains(err.Error(), "no address of this controller") {
		t.Errorf("without an address: %v", err)
	}
	s.serve = netip.MustParseAddrPort("127.0.0.1:0")
	url, stop, err := s.Serve(t.Context(), file)
	if err != nil || !strings.HasSuffix(url, "/a.bin") {
		t.Fatalf("%q, %v", url, err)
	}
	if got := fetch(t, url); got != "hostname sw1" {
		t.Errorf("served %q", got)
	}
	stop()
	if _, err := http.Get(url); err == nil { //nolint:bodyclose // there is nobody any more
		t.Error("it is served after its end")
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
