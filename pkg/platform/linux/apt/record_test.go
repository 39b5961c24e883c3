package apt

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

var update = flag.Bool("update", false, "write the golden files anew")

// recorded is what a script printed on a real host: testdata/NAME.out and .err.
func recorded(t testing.TB, name string) remote.Result {
	t.Helper()
	return remote.Result{Ending: remote.Exited, Out: content(t, name+".out"), Err: content(t, name+".err")}
}

func content(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what a real command printed to both its outputs, and its exit status.
func said(t testing.TB, name string) linux.Section {
	t.Helper()
	text := string(content(t, name+".txt"))
	at := strings.LastIndex(text, "exit status ")
	if at < 0 {
		t.Fatalf("%s does not tell its exit status", name)
	}
	status, err := strconv.Atoi(strings.TrimSpace(text[at+len("exit status "):]))
	if err != nil {
		t.Fatal(err)
	}
	return linux.Section{Out: text[:at], Err: text[:at], Status: status}
}

func managers() linux.Managers { return linux.Managers{Manager()} }

func facts(t testing.TB, name string) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{recorded(t, name)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func section(t testing.TB, name, of string) linux.Section {
	t.Helper()
	rep, found := linux.ReadReport(recorded(t, name))
	if !found {
		t.Fatalf("%s is no report", name)
	}
	return rep.Get(of)
}

func driver(t testing.TB) linux.Driver {
	t.Helper()
	for _, d := range managers().Drivers() {
		if d, ok := d.(linux.Driver); ok && d.Platform == Debian {
			return d
		}
	}
	t.Fatal("there is no driver for Debian")
	return linux.Driver{}
}

// golden compares got as JSON with testdata/NAME.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := content(t, name); !bytes.Equal(text.Bytes(), want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", name, text.Bytes())
	}
}

// TestRecorded pins what is read of a real host in several states.
func TestRecorded(t *testing.T) {
	for _, name := range []string{"probe", "probe-halfway", "probe-failed", "probe-unmet", "probe-interrupted"} {
		t.Run(name, func(t *testing.T) { golden(t, name+".json", facts(t, name)) })
	}
}

// TestPending says in words what the golden file must hold.
func TestPending(t *testing.T) {
	f := facts(t, "probe")
	if f.Manager.State != fact.ManagerOK || f.Arch != "amd64" || !slices.Equal(f.Holds, []string{"pr-held"}) {
		t.Errorf("manager %+v, arch %s, holds %q", f.Manager, f.Arch, f.Holds)
	}
	security := map[string]patch.Tri{"pr-epoch": patch.Yes, "pr-plain": patch.Yes, "pr-conf": patch.No, "pr-new": patch.No}
	for _, u := range f.Updates {
		if want, ok := security[u.Name]; ok && u.Security != want {
			t.Errorf("%s: security %v, want %v", u.Key(), u.Security, want)
		}
		if u.Size != 20672 || u.Origin == "" || u.CVEs != "" {
			t.Errorf("%+v: want a size and an origin, and no CVEs", u)
		}
	}
	kept := map[string]string{"pr-held": "apt-mark hold", "pr-swap": "would remove pr-old", "pr-unmet": "can't be installed", "pr-pin": "priority 1001"}
	for _, k := range f.KeptBack {
		if want, ok := kept[k.Update.Name]; !ok || !strings.Contains(k.Detail, want) {
			t.Errorf("%s is kept back: %s; want %q", k.Update.Name, k.Detail, want)
		}
		delete(kept, k.Update.Name)
	}
	if len(kept) > 0 {
		t.Errorf("not told why these are kept back: %v", kept)
	}
}

// TestOffers: of each version where it can be had, older and foreign ones too, and what is
// kept on the host.
func TestOffers(t *testing.T) {
	f := facts(t, "probe")
	want := []fact.Offer{
		{Name: "pr-epoch", Version: "1:1.1-1", Repository: "http://deb.lab.example/lab security/main"},
		{Name: "pr-foreign", Arch: "i386", Version: "1.0", Repository: "http://deb.lab.example/lab base/main"},
		{Name: "pr-plain", Version: "1.0", Repository: "http://deb.lab.example/lab base/main"},
	}
	for _, o := range want {
		if !slices.Contains(f.Offers, o) {
			t.Errorf("%+v is not among %+v", o, f.Offers)
		}
	}
	if len(f.Offers) != 9 {
		t.Errorf("%d offers, want 9: a package for all architectures counts once", len(f.Offers))
	}
	if len(f.Files) != 1 || f.Files[0].Name != "pr-epoch" || f.Files[0].Version != "1:1.0-1" || f.Files[0].Size != 20672 {
		t.Errorf("files %+v, want the one that is kept", f.Files)
	}
}

// TestStaged: every file of the work is named, of a foreign architecture and with an epoch too.
func TestStaged(t *testing.T) {
	files, err := driver(t).ReadStaged(fact.Facts{}, patch.Work{}, recorded(t, "staged"))
	var got []string
	for _, f := range files {
		got = append(got, f.Name+":"+f.Arch+" "+f.Version)
	}
	want := []string{"pr-epoch:amd64 1:1.1-1", "pr-foreign:i386 1.1", "pr-foreign:amd64 1.1", "pr-dep:all 2.0", "pr-new:all 2.0"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// TestStates: what is wrong with a package database, and what a person has to do.
func TestStates(t *testing.T) {
	for name, tt := range map[string]struct {
		state fact.ManagerState
		say   string
	}{
		"probe-halfway":     {fact.ManagerInterrupted, "pr-conf"},
		"probe-failed":      {fact.ManagerInterrupted, "pr-fail"},
		"probe-interrupted": {fact.ManagerInterrupted, "in the middle"},
		"probe-unmet":       {fact.ManagerBroken, "pr-unmet : Depends: pr-nowhere"},
	} {
		if got := facts(t, name).Manager; got.State != tt.state || !strings.Contains(got.Detail, tt.say) {
			t.Errorf("%s: %+v, want %s with %q", name, got, tt.state, tt.say)
		}
	}
	rep, _ := linux.ReadReport(recorded(t, "preflight-unmet"))
	if got := dpkgTrouble(rep); len(got) != 1 || !strings.Contains(got[0], "pr-nowhere") || !strings.Contains(got[0], "apt-get -f install") {
		t.Errorf("%q", got)
	}
	rep, _ = linux.ReadReport(recorded(t, "preflight"))
	if got := dpkgTrouble(rep); len(got) != 0 {
		t.Errorf("%q, though nothing is wrong", got)
	}
}

// TestResolved: the recorded simulation is the work, and nothing else.
func TestResolved(t *testing.T) {
	d := driver(t)
	f := fact.Facts{Platform: Debian, Arch: "amd64", Manager: fact.Manager{Name: "apt"}}
	want := []patch.Update{{Name: "pr-dep", Arch: "all", From: "1.0", To: "2.0"}, {Name: "pr-foreign", Arch: "i386", From: "1.0", To: "1.1"}}
	res, err := d.Resolved(f, want, recorded(t, "resolve"))
	if err != nil || res.Refused != "" || len(res.Removes) != 0 || res.Unsure != "" {
		t.Fatalf("%v %+v", err, res)
	}
	keys := map[string]bool{}
	for _, c := range res.Changes {
		keys[c.Key()+" "+c.To] = true
	}
	for _, key := range []string{"pr-dep:all 2.0", "pr-new:all 2.0", "pr-foreign:i386 1.1", "pr-foreign:amd64 1.1", "pr-epoch:amd64 1:1.1-1"} {
		if !keys[key] {
			t.Errorf("%s is not among %v", key, keys)
		}
	}
	var _ platform.Resolver = d
}

func clean(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 {
		t.Errorf("a control character at %d of %q", i, text)
	}
}

func wellFormed(t *testing.T, u patch.Update) {
	t.Helper()
	if !linux.WellFormed(u) || strings.HasPrefix(u.Name, "-") || u.Size < 0 {
		t.Errorf("not well-formed: %+v", u)
	}
	clean(t, u.Name+u.Arch+u.From+u.To+u.Origin)
}
