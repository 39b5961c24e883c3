package health

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
)

// bgpSummary is in the form of FRR 8.4, made up.
const bgpSummary = `{
"default":{
"ipv4Unicast":{"routerId":"10.0.0.1","as":65001,"peerCount":3,
  "peers":{
    "10.0.0.2":{"remoteAs":65002,"pfxRcd":12,"state":"Established","peerState":"OK"},
    "10.0.0.3":{"dynamicPeer":true,"remoteAs":65003,"state":"Established"},
    "10.0.0.4":{"remoteAs":65004,"peerUptime":"never","state":"Idle (Admin)"}},
  "failedPeers":1,"totalPeers":3},
"ipv6Unicast":{"peers":{"10.0.0.2":{"state":"NoNeg"},"swp1":{"state":"Established"}}},
"l2VpnEvpn":{"warning":"no neighbours"}
}
,
"red":{
"ipv4Unicast":{"peers":{"10.0.0.2":{"state":"Established"}}}
}
}
`

func TestReadBGP(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
		bad  bool
	}{
		"summary": {bgpSummary, []string{
			"10.0.0.2 ipv4Unicast", "10.0.0.2 ipv4Unicast in VRF red", "10.0.0.3 ipv4Unicast", "swp1 ipv6Unicast"}, false},
		"no BGP":            {"{\n}\n", nil, false},
		"a VRF without it":  {`{"default":{}}`, nil, false},
		"a warning in it":   {`{"default":{"warning":"BGP is not configured"}}`, nil, false},
		"peers without one": {`{"default":{"ipv4Unicast":{"peers":{"a":{}}}}}`, nil, false},
		"nothing":           {"", nil, true},
		"null":              {"null", nil, true},
		"words":             {"% Unknown command", nil, true},
		"a warning":         {`{"warning":"x"}`, nil, true},
		"cut off":           {bgpSummary[:len(bgpSummary)/2], nil, true},
		"two of them":       {"{}\n{}\n", nil, true},
		"strange peers":     {`{"default":{"ipv4Unicast":{"peers":[1]}}}`, nil, true},
		"strange state":     {`{"default":{"ipv4Unicast":{"peers":{"a":{"state":1}}}}}`, nil, true},
	} {
		got, err := readBGP([]byte(c.body))
		slices.Sort(got)
		if !slices.Equal(got, c.want) || (err != nil) != c.bad {
			t.Errorf("%s: want %q, got %q, %v", name, c.want, got, err)
		}
	}
}

func FuzzBGP(f *testing.F) {
	for _, body := range []string{bgpSummary, "{}", `{"default":{"x":1}}`, `{"a\u001b":{"b\n":{"peers":{"c\u0000":{"state":"Established"}}}}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := readBGP(body)
		if err != nil && items != nil {
			t.Errorf("items beside an error: %q, %v", items, err)
		}
		for _, text := range items {
			if strings.ContainsFunc(text, unicode.IsControl) || len(text) > seenBytes {
				t.Errorf("not clean: %q", text)
			}
		}
		if len(items) > 0 && !strings.Contains(strings.ToLower(string(body)), "state") && !strings.Contains(string(body), `\u`) {
			t.Errorf("neighbours out of nothing: %q", body)
		}
	})
}

// The script asks as the user who logs in, then by sudo; and a tool that answers nobody is
// one that is not to be had.
func TestScriptAsksForNeighbours(t *testing.T) {
	if _, err := os.Stat("/etc/frr"); err == nil {
		t.Skip("needs a machine without FRR: the tools are fakes")
	}
	const denied = "echo 'Exiting: failed to connect to any daemons.' >&2; exit 1"
	answers := "echo '% Can'\\''t open configuration file x'; echo '" + strings.ReplaceAll(bgpSummary, "\n", "") + "'"
	for name, c := range map[string]struct {
		vtysh, sudo string
		want        int // neighbours; -1: not to be had
	}{
		"answers":        {answers, "exit 1", 4},
		"bgpd is away":   {"echo 'bgpd is not running' >&2; exit 1", "exit 1", 0},
		"through sudo":   {`[ -n "$AS_ROOT" ] || { ` + denied + "; }; " + answers, `shift; AS_ROOT=1 "$@"`, 4},
		"not even sudo":  {denied, "exit 1", -1},
		"strange answer": {"echo hello", "exit 1", -2},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			eachShell(t, func(m *machine) {
				m.tool("vtysh", c.vtysh)
				m.tool("sudo", strings.Replace(c.sudo, "AS_ROOT=1", "AS_ROOT=1 exec env AS_ROOT=1", 1))
				m.tool("id", "echo 1000")
				got := m.ask(Round{Snapshot: true}).Snapshot.Sections[fact.SectionBGP]
				switch {
				case c.want >= 0 && (!got.Known || len(got.Items) != c.want), c.want < 0 && got.Known,
					c.want == -1 && !strings.HasPrefix(got.Why, NotToBeHad), c.want == -2 && strings.HasPrefix(got.Why, NotToBeHad):
					m.t.Errorf("want %d, got %+v in %s", c.want, got, filepath.Base(m.sh))
				}
			})
		})
	}
}
