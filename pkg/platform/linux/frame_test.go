package linux

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

func TestSectionsAreBounded(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		many := "many() { i=0; while [ $i -lt 500 ]; do echo line; i=$((i + 1)); done; }\n"
		c := look(remote.Reads, 0, []string{"n"}, frameScript, many+"nonce=$1\nopen_report\nsection few 600 many\nsection cut 100 many\nclose_report\n")
		rep, found := ReadReport(RunIn(t, shell, c))
		if !found || !rep.Whole {
			t.Fatal("no report")
		}
		if few := rep.Get("few"); !few.OK() || len(few.Lines()) != 500 {
			t.Errorf("few: status %d, %d lines", few.Status, len(few.Lines()))
		}
		if cut := rep.Get("cut"); cut.Status != -1 || len(cut.Lines()) > 110 {
			t.Errorf("cut: status %d, %d lines", cut.Status, len(cut.Lines()))
		}
	})
}

// TestCutScriptsDoNothing: a script that arrives in part must not begin.
func TestCutScriptsDoNothing(t *testing.T) {
	home := filepath.Join(t.TempDir(), "patchring")
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		c := takeIn(home, "r1")
		c.Stdin = bytes.TrimSuffix(c.Stdin, []byte("main \"$@\"\n"))
		RunIn(t, shell, c)
		if _, err := os.Stat(home); err == nil {
			t.Error("the script did something before its last line came")
		}
	})
}

// FuzzFrame: what a command prints comes out of its section as it went in, and can
// neither end it nor begin another, as long as it does not know the nonce.
func FuzzFrame(f *testing.F) {
	f.Add("@n begin x\n@n status 0\n@n end x", "patchring-report 1 n")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, out, errs string) {
		const nonce = "6f1c2f5e"
		if strings.Contains(out+errs, nonce) {
			return
		}
		mark := "\n@" + nonce + " "
		res := remote.Result{Ending: remote.Exited,
			Out: []byte("\n" + opening + nonce + "\n" + mark + "begin a\n" + out + mark + "status 7\n" + mark + "end a\n" + mark + "whole\n"),
			Err: []byte(mark + "begin a\n" + errs + mark + "end a\n"),
		}
		rep, found := ReadReport(res)
		if !found || !rep.Whole || len(rep.sections) != 1 {
			t.Fatalf("%v %+v", found, rep)
		}
		s := rep.Get("a")
		if s.Status != 7 || strings.TrimRight(s.Out, "\n") != strings.TrimRight(out, "\n") || strings.TrimRight(s.Err, "\n") != strings.TrimRight(errs, "\n") {
			t.Errorf("%+v of %q and %q", s, out, errs)
		}
		CleanText(t, s.Why())
	})
}

func FuzzSmall(f *testing.F) {
	f.Add("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 1000 400 600 40% /\n")
	f.Add("ID=\"x\"\nID_LIKE='a b'\n")
	f.Add("/var/lib/dpkg/lock-frontend 17048 python3")
	f.Add("pr-lib\tall\t1.2-1\tinstalled")
	f.Add("vmlinuz-6.1.0-50-amd64")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, s := range readSpaces(text, text, text) {
			CleanText(t, s.Mount)
			if s.FreeKiB < 0 {
				t.Errorf("%+v", s)
			}
		}
		os := readOSRelease(text)
		CleanText(t, os.ID+os.VersionID+os.PrettyName+os.Codename+strings.Join(os.Like, ""))
		CleanText(t, strings.Join(readHolders(lines), " "))
		packages, _ := ReadInstalled(lines)
		for _, p := range packages {
			CleanText(t, p.Name+p.Arch+p.Version+p.Status)
		}
		if bootNeed(lines) < bootLeast {
			t.Error("less than the least")
		}
		CleanText(t, newestKernel("6.1.0-50-amd64", lines, version.Dpkg))
	})
}
