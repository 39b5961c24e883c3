package linux

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

const gone = "the bytes of a package that is gone"

// goneWork installs one package that the repositories no longer have, and one that they do.
func goneWork(snapshots ...string) patch.Work {
	return patch.Work{ID: "r1-abcdef", Reboot: patch.RebootNever, Snapshots: snapshots, Install: []patch.Update{
		{Name: "nginx", Arch: "amd64", From: "1:1.0", To: "1:1.1", Digest: patch.DigestOf([]byte(gone)), Source: patch.SourceStore, File: "pool/n/nginx_1.1.pkg", Size: int64(len(gone))},
		{Name: "curl", Arch: "amd64", From: "1.0", To: "1.1"},
	}}
}

// moved is a command whose words lie below a folder of the test's own.
func moved(home string, c remote.Command) remote.Command {
	c.Argv = slices.Clone(c.Argv)
	for i, word := range c.Argv {
		if rest, found := strings.CutPrefix(word, lockHome); found {
			c.Argv[i] = home + rest
		}
	}
	return c
}

func supplySteps(t *testing.T, w patch.Work) map[platform.StepID]platform.Step {
	t.Helper()
	steps, err := sample().Steps(sampleFacts(), w)
	if err != nil {
		t.Fatal(err)
	}
	named := map[platform.StepID]platform.Step{}
	for _, s := range steps {
		named[s.ID] = s
	}
	return named
}

func TestSupplySteps(t *testing.T) {
	plain, archived := supplySteps(t, goneWork()), supplySteps(t, goneWork("https://snapshot.example/a"))
	if _, found := plain["snapshot"]; found {
		t.Error("an archive is asked though none is named")
	}
	if _, found := archived["snapshot"]; !found {
		t.Error("no archive is asked")
	}
	nothing := goneWork("https://snapshot.example")
	nothing.Install = nothing.Install[1:]
	if _, found := supplySteps(t, nothing)["supply"]; found {
		t.Error("there is nothing to send")
	}
	send := plain["supply"]
	if len(send.Do) != 2 || send.Do[1].Put == nil || send.Changes {
		t.Fatalf("%+v", send)
	}
	if put := *send.Do[1].Put; put.Path != SentFolder+"/r1-abcdef/nginx_1_1.1_amd64.pkg" || put.Store != patch.DigestOf([]byte(gone)) {
		t.Errorf("%+v", put)
	}
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"https://snapshot.debian.org/archive/debian/20260101T000000Z": true, "http://127.0.0.1:8080": true, "http://[::1]:80/x": true,
		"": false, "ftp://x": false, "https://": false, "https://a b": false, "https://a;b": false, "-o": false, "https://a/$(id)": false, "file:///etc": false,
	} {
		if isAddress(address) != good {
			t.Errorf("%q: want %v", address, good)
		}
		_, err := sample().Steps(sampleFacts(), goneWork(address))
		if (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// archive serves one tree that has the file, one that has another of that name, and one that is empty.
func archive(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/right/pool/n/nginx_1.1.pkg":
			_, _ = w.Write([]byte(gone))
		case "/wrong/pool/n/nginx_1.1.pkg":
			_, _ = w.Write([]byte(strings.Repeat("x", len(gone))))
		case "/long/pool/n/nginx_1.1.pkg":
			_, _ = w.Write([]byte(gone + strings.Repeat("more", 1<<20)))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSnapshotForReal(t *testing.T) {
	at := archive(t)
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, c := range map[string]struct {
			trees []string
			had   bool
		}{
			"the first":  {[]string{"right"}, true},
			"the last":   {[]string{"none", "wrong", "long", "right/"}, true},
			"none":       {[]string{"none"}, false},
			"only wrong": {[]string{"wrong", "long"}, false},
		} {
			home := filepath.Join(t.TempDir(), "patchring")
			var addresses []string
			for _, tree := range c.trees {
				addresses = append(addresses, at+"/"+tree)
			}
			step := supplySteps(t, goneWork(addresses...))["snapshot"]
			see := func() platform.Standing {
				return step.Look.Judge([]remote.Result{RunIn(t, shell, moved(home, *step.Look.Do[0].Command))})
			}
			Standing(t, see(), platform.NotDone, "")
			if r := RunIn(t, shell, moved(home, *step.Do[0].Command)); r.Code != 0 {
				t.Fatalf("%s: %d %s", name, r.Code, r.Err)
			}
			got := see()
			Standing(t, got, platform.Done, "")
			if (len(got.Notes) == 0) != c.had {
				t.Errorf("%s: notes %q", name, got.Notes)
			}
			if left, _ := filepath.Glob(filepath.Join(home, "sent/*/*.part")); len(left) > 0 {
				t.Errorf("%s: %q", name, left)
			}
			supply := supplySteps(t, goneWork())["supply"]
			sent := supply.Look.Judge([]remote.Result{RunIn(t, shell, moved(home, *supply.Look.Do[0].Command))})
			if (sent.State == platform.Done) != c.had {
				t.Errorf("%s: supply: %+v", name, sent)
			}
		}
	})
}

func TestSupplyFolders(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		home := filepath.Join(t.TempDir(), "patchring")
		step := supplySteps(t, goneWork())["supply"]
		folders := moved(home, *step.Do[0].Command)
		for range 2 {
			if r := RunIn(t, shell, folders); r.Code != 0 {
				t.Fatalf("%s", r.Err)
			}
		}
		folder := filepath.Join(home, "sent/r1-abcdef")
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("%v %v", info, err)
		}
		look := func() platform.Standing {
			return step.Look.Judge([]remote.Result{RunIn(t, shell, moved(home, *step.Look.Do[0].Command))})
		}
		Standing(t, look(), platform.NotDone, "the file of nginx:amd64 1:1.1 is not there")
		file := filepath.Join(folder, "nginx_1_1.1_amd64.pkg")
		for text, want := range map[string]platform.State{"another": platform.NotDone, gone: platform.Done} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			Standing(t, look(), want, "")
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(t.TempDir(), folder); err != nil {
			t.Fatal(err)
		}
		if r := RunIn(t, shell, folders); r.Code == 0 || !strings.Contains(string(r.Err), "symbolic link") {
			t.Errorf("%d %s", r.Code, r.Err)
		}
	})
}

func sentSays(asked, sent string) remote.Result { return said("asked", asked, "sent", sent) }

func TestSentLooks(t *testing.T) {
	steps := supplySteps(t, goneWork("https://snapshot.example"))
	right := hexOf(patch.DigestOf([]byte(gone))) + " nginx_1_1.1_amd64.pkg"
	for name, c := range map[string]struct {
		r                remote.Result
		snapshot, supply platform.State
	}{
		"there":        {sentSays("no", right), platform.Done, platform.Done},
		"not yet":      {sentSays("no", ""), platform.NotDone, platform.NotDone},
		"under way":    {sentSays("going", ""), platform.Running, platform.NotDone},
		"in vain":      {sentSays("over", ""), platform.Done, platform.NotDone},
		"another":      {sentSays("over", strings.Repeat("0", 64)+" nginx_1_1.1_amd64.pkg"), platform.Done, platform.NotDone},
		"another name": {sentSays("no", hexOf(patch.DigestOf([]byte(gone)))+" nginx"), platform.NotDone, platform.NotDone},
		"odd":          {sentSays("\x1b[2J", "\x1b[2J"), platform.Unknown, platform.NotDone},
		"no answer":    {remote.Result{}, platform.Unknown, platform.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			Standing(t, steps["snapshot"].Look.Judge([]remote.Result{c.r}), c.snapshot, "")
			Standing(t, steps["supply"].Look.Judge([]remote.Result{c.r}), c.supply, "")
		})
	}
}
