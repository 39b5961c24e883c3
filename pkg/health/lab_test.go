package health

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab"
	"github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/remote"
)

// On the simulated hosts the same script runs.
func TestScriptOnSimulatedHosts(t *testing.T) {
	loops := []linux.Service{{Name: "loops", State: "auto-restart"}}
	fleet, err := lab.Start(t.Context(), lab.Spec{Version: 1, Hosts: []lab.HostSpec{
		{Name: "h", OS: "debian-12", Services: loops}, {Name: "r", OS: "rocky-9", Services: loops}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	for _, name := range []string{"h", "r"} {
		ssh := map[string]string{"h": "ssh", "r": "sshd"}[name]
		round := Round{Nonce: "abc", Snapshot: true, Checks: []Check{
			{Service: ssh}, {Service: "no-such"}, {TCP: &TCP{Address: ":22"}}, {TCP: &TCP{Address: ":81"}}, {Load: &Load{Max: 1000}},
			{Disk: &Disk{Path: "/", MinFree: "1%"}}, {Command: &Command{Argv: []string{"sh", "-c", "echo hello; exit 2"}}},
			{HTTP: &HTTP{URL: "http://127.0.0.1:22/", Contains: "ok"}}, {HTTP: &HTTP{URL: "http://127.0.0.1:81/"}},
		}}
		c := round.Command()
		var out, errs bytes.Buffer
		p := fleet.Host(name).Machine().Login()
		p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
		code := p.Exec(t.Context(), c.Argv)
		got := round.Read(remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}, time.Unix(0, 0))
		want := []Verdict{Pass, Fail, Pass, Fail, Pass, Pass, Fail, Pass, Fail}
		for i, r := range got.Results {
			if r.Verdict != want[i] {
				t.Errorf("%s: want %s, got %+v", name, want[i], r)
			}
		}
		for _, rule := range diffRules() {
			if rule.section == fact.SectionBGP {
				continue
			}
			if s := got.Snapshot.Sections[rule.section]; !s.Known || len(s.Items) == 0 && rule.section != fact.SectionFailedUnits {
				t.Errorf("%s: %s: %+v", name, rule.section, s)
			}
		}
		if units := got.Snapshot.Sections[fact.SectionFailedUnits].Items; !slices.Equal(units, []string{"loops.service (auto-restart)"}) {
			t.Errorf("%s: failed units: %q", name, units)
		}
		if bgp := got.Snapshot.Sections[fact.SectionBGP]; bgp.Known || bgp.Why != NotToBeHad+"vtysh is not on this host" {
			t.Errorf("%s: BGP neighbours: %+v", name, bgp)
		}
		if got.Snapshot.BootID == "" {
			t.Errorf("%s: no boot id", name)
		}
	}
}

func TestScriptKeepsToTheSubset(t *testing.T) {
	for _, outside := range posix.Check("health.sh", []byte(script)) {
		t.Error(outside)
	}
}

func TestScriptPleasesShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("needs shellcheck: it checks the script")
	}
	cmd := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
