package pacman_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/remote"
)

func recorded(t testing.TB, name string) remote.Result {
	t.Helper()
	r := remote.Result{Ending: remote.Exited}
	for ending, into := range map[string]*[]byte{".out": &r.Out, ".err": &r.Err} {
		text, err := os.ReadFile(filepath.Join("testdata", name+ending))
		if err != nil {
			t.Fatal(err)
		}
		*into = text
	}
	return r
}

// TestRecorded reads what the real tool said.
func TestRecorded(t *testing.T) {
	f := facts(t, recorded(t, "probe"))
	wantDetected(t, f)
	for name, tt := range resolutions() {
		t.Run(name, func(t *testing.T) { tt.check(t, f, recorded(t, "resolve-"+strings.ReplaceAll(name, " ", "-"))) })
	}
}

func TestPlatform(t *testing.T) {
	for want, list := range map[fact.Platform][]fact.OS{
		pacman.Arch: {{ID: "arch"}, {ID: "manjaro"}, {ID: "endeavouros", Like: []string{"arch"}}, {ID: "cachyos", Like: []string{"arch"}}},
		"":          {{ID: "debian"}, {ID: "msys2"}, {}},
	} {
		for _, os := range list {
			if got := pacman.Manager().Is(os); got != want {
				t.Errorf("%+v is %q, want %q", os, got, want)
			}
		}
	}
}

// section is one of a report that was made up.
type section struct {
	name, out, err string
	status         string
}

func report(t testing.TB, sections ...section) linux.Report {
	t.Helper()
	var out, errs strings.Builder
	out.WriteString("\npatchring-report 1 0f\n")
	for _, s := range sections {
		if s.status == "" {
			s.status = "0"
		}
		fmt.Fprintf(&out, "\n@0f begin %s\n%s\n@0f status %s\n\n@0f end %s\n", s.name, s.out, s.status, s.name)
		fmt.Fprintf(&errs, "\n@0f begin %s\n%s\n@0f end %s\n", s.name, s.err, s.name)
	}
	rep, found := linux.ReadReport(remote.Result{Ending: remote.Exited, Out: []byte(out.String() + "\n@0f whole\n"), Err: []byte(errs.String())})
	if !found {
		t.Fatal("not a report")
	}
	return rep
}

func readFacts(t testing.TB, sections ...section) fact.Facts {
	t.Helper()
	r := &linux.Reader{Report: report(t, sections...)}
	pacman.Manager().Read(r)
	return r.Facts
}

func problem(f fact.Facts, what string) string {
	for _, p := range f.Problems {
		if p.What == what {
			return p.Detail
		}
	}
	return ""
}

// TestNothingIsExitOne: -Qu says 1 for "nothing pending" and for "can't tell".
func TestNothingIsExitOne(t *testing.T) {
	tests := map[string]struct {
		out, err, status, problem string
		updates                   int
	}{
		"nothing":           {"", "", "1", "", 0},
		"some":              {"a 1-1 -> 1-2\n", "", "0", "", 1},
		"some, and 1":       {"a 1-1 -> 1-2\n", "", "1", "exit status 1", 0},
		"no lists":          {"", "warning: database file for 'core' does not exist (use '-Sy' to download)\n", "1", "does not exist", 0},
		"killed":            {"", "", "137", "exit status 137", 0},
		"a line of another": {"a 1-1 -> 1-2\nb -> 2\nc 1 => 2\n", "", "0", "2 lines", 1},
	}
	for name, tt := range tests {
		f := readFacts(t, section{"plan", "", tt.err, ""}, section{name: "updates", out: tt.out}, section{name: "updates_status", out: tt.status})
		if got := problem(f, "updates"); !strings.Contains(got, tt.problem) || tt.problem == "" && got != "" || len(f.Updates) != tt.updates {
			t.Errorf("%s: %q, %+v", name, got, f.Updates)
		}
	}
}

// TestUnknownTarget: an update of which no details came has no size, and is there.
func TestUnknownTarget(t *testing.T) {
	f := readFacts(t, section{name: "plan"}, section{name: "updates", out: "a 1-1 -> 1-2\n"}, section{name: "updates_status", out: "0"},
		section{"details", "a 1-3 7 https://user:secret@mirror/a-1-3-any.pkg.tar.zst core\n", "error: target not found: a", "1"})
	if len(f.Updates) != 1 || f.Updates[0].Size != 0 || f.Updates[0].Arch != "" || problem(f, "sizes") == "" {
		t.Errorf("%+v %+v", f.Updates, f.Problems)
	}
}

// TestState: what is wrong with pacman, worst first; what could not be looked at is not in order.
func TestState(t *testing.T) {
	tests := map[string]struct {
		sections []section
		state    fact.ManagerState
		say      string
	}{
		"in order":   {[]section{{name: "stale"}, {name: "check", out: "No database errors have been found!\n"}}, fact.ManagerOK, ""},
		"stale lock": {[]section{{name: "stale", out: "/var/lib/pacman/db.lck\n"}, {name: "check"}}, fact.ManagerInterrupted, "sudo rm /var/lib/pacman/db.lck"},
		"broken":     {[]section{{name: "stale"}, {"check", "", "error: missing 'b' dependency for 'a'\n", "1"}}, fact.ManagerBroken, "missing 'b'"},
		"not asked":  {nil, fact.ManagerUnknown, "pacman's lock"},
		"cut off":    {[]section{{name: "stale"}}, fact.ManagerUnknown, "pacman -Dk"},
	}
	for name, tt := range tests {
		said := strings.Join(pacman.Manager().Health(report(t, tt.sections...)), " ")
		if f := readFacts(t, tt.sections...); f.Manager.State != tt.state || !strings.Contains(said, tt.say) || (said == "") != (tt.state == fact.ManagerOK) {
			t.Errorf("%s: %+v, %q", name, f.Manager, said)
		}
	}
}

// TestSimulated: what pacman prints without blinking is refused here.
func TestSimulated(t *testing.T) {
	tests := map[string]struct {
		out, err string
		status   int
		back     bool
		refused  string
	}{
		"fine":                {"loading packages...\nchange a 1-2 5 /f/a-1-2-any.pkg.tar.zst local\nis a 1-1\n", "", 0, false, ""},
		"downgrade":           {"change a 1-2 5 /f/a-1-2-any.pkg.tar.zst local\nis a 1-3\n", "", 0, false, "would take something newer back: a 1-3"},
		"downgrade, back":     {"change a 1-2 5 /f/a-1-2-any.pkg.tar.zst local\nis a 1-3\n", "", 0, true, ""},
		"ignored":             {"hold linux*\nchange linux-lts 6-2 5 /f/x local\n", "", 0, false, "held on the host"},
		"ignored, back":       {"hold a\nchange a 1-2 5 /f/x local\n", "", 0, true, "held on the host"},
		"a pattern that errs": {"hold [a\nchange [a 1-2 5 /f/x local\nchange b 1-2 5 /f/x local\n", "", 0, false, "not understood"},
		"half a line":         {"change a\n", "", 0, false, "not understood"},
		"breaks":              {":: installing a (2) breaks dependency 'a=1' required by b\n", "error: failed to prepare transaction (could not satisfy dependencies)\n", 1, false, "breaks dependency 'a=1' required by b"},
		"cut off":             {"", "", -1, false, "cut off"},
	}
	for name, tt := range tests {
		got := pacman.Manager().Simulated(fact.Facts{}, patch.Work{Back: tt.back}, linux.Section{Out: tt.out, Err: tt.err, Status: tt.status})
		if !strings.Contains(got.Refused, tt.refused) || tt.refused == "" && got.Refused != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestDue: pacman takes the running kernel's modules away.
func TestDue(t *testing.T) {
	identity := func(container string) section {
		return section{name: "identity", out: "kernel=6.11.5-arch1-1\ncontainer=" + container + "\n"}
	}
	tests := map[string]struct {
		sections []section
		due, why string
	}{
		"runs":           {[]section{identity(""), {name: "modules", out: "6.11.5-arch1-1 linux\n6.6.1-1-lts linux-lts\n"}}, "", ""},
		"gone":           {[]section{identity(""), {name: "modules", out: "6.11.6-arch1-1 linux\n"}}, "modules of the running kernel 6.11.5-arch1-1 are gone, 6.11.6-arch1-1 is installed", ""},
		"kept beside":    {[]section{identity(""), {name: "modules", out: "6.11.5-arch1-1 linux\n6.11.6-arch1-1 linux\n"}}, "6.11.6-arch1-1 is installed", ""},
		"another's":      {[]section{identity(""), {name: "modules", out: "6.11.5-arch1-1 linux\n6.12.1-zen1-1 linux-zen\n"}}, "", ""},
		"container":      {[]section{identity("docker"), {"modules", "", "there is no /usr/lib/modules", "1"}}, "", ""},
		"can't be told":  {[]section{identity(""), {"modules", "", "there is no /usr/lib/modules", "1"}}, "", "no /usr/lib/modules"},
		"no kernel here": {[]section{identity(""), {name: "modules"}}, "", "can't be told"},
	}
	for name, tt := range tests {
		got := pacman.Manager().Due(report(t, tt.sections...))
		reasons := strings.Join(got.Reasons, " ")
		if !strings.Contains(reasons, tt.due) || (reasons == "") != (tt.due == "") || !strings.Contains(got.Unclear, tt.why) || (got.Unclear == "") != (tt.why == "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestScripts: the shells of hosts take them, and shellcheck.
func TestScripts(t *testing.T) {
	checks := [][]string{{"dash", "-n"}, {"bash", "--posix", "-n"}, {"busybox", "ash", "-n"}, {"shellcheck", "-s", "sh", "-"}}
	for _, check := range checks {
		t.Run(check[0], func(t *testing.T) {
			if _, err := exec.LookPath(check[0]); err != nil {
				t.Skip("needs " + check[0])
			}
			for name, text := range managers().Texts() {
				cmd := exec.CommandContext(t.Context(), check[0], check[1:]...)
				cmd.Stdin = strings.NewReader(text)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			}
		})
	}
}

// TestWatch: the status of a job, whatever pacman prints while it works.
func TestWatch(t *testing.T) {
	for said, want := range map[string]int{
		"fine\n@0\n": 0, "@0\n": 0, "x\n@1\n": 1, "@0\nmore\n@7\n": 7, "killed\n": 1, "": 1,
		"error: command failed to execute correctly\n@0\n":                               81,
		"error: command failed to execute correctly\n@1\n":                               1,
		"error: failed to init transaction (unable to lock database)\n@1\n":              200,
		"a script says: unable to lock database\n@0\n":                                   0,
		":: x? [y/N] error: command failed to execute correctly\nlast\n@0\n":             81,
		"error: failed to init transaction (unable to lock database)\nand went on\n@0\n": 0,
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "set -u\nsaid=$1\n"+pacman.Manager().Acts+"\nprintf %s \"$said\" | pacman_watch >/dev/null", "sh", said)
		_ = cmd.Run() // its status is what is asked for
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: %d, want %d", said, got, want)
		}
	}
}
