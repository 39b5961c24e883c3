package apk_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/platform/linux/apk"
)

// shells are what the scripts must run under, as far as they are here. Alpine has busybox.
func shells(t *testing.T, each func(t *testing.T, run func(script string) (out string, code int))) {
	t.Helper()
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skip("needs " + shell[0] + ": one of the shells that hosts have")
			}
			each(t, func(script string) (string, int) {
				cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-c", "set -u -f\nhas() { command -v \"$1\" >/dev/null 2>&1; }\ntext() { printf '%s\\n' \"$1\"; }\n"+script)...)
				out, err := cmd.Output()
				if err != nil && cmd.ProcessState == nil {
					t.Fatal(err)
				}
				return string(out), cmd.ProcessState.ExitCode()
			})
		})
	}
}

// TestScripts: the shells of hosts take them, and shellcheck.
func TestScripts(t *testing.T) {
	for _, check := range [][]string{{"dash", "-n"}, {"bash", "--posix", "-n"}, {"busybox", "ash", "-n"}, {"shellcheck", "-s", "sh", "-"}} {
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

// TestInstalled reads apk's database in the shell: flags of what is half done, and none of
// others.
func TestInstalled(t *testing.T) {
	db, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Replace(apk.Manager().Script, "db=/lib/apk/db", "db="+db, 1)
	shells(t, func(t *testing.T, run func(string) (string, int)) {
		t.Helper()
		got, code := run(script + "\napk_versions nginx tzdata nope")
		if want := "nginx\tx86_64\t1.26.1-r0\tbroken\ntzdata\tnoarch\t2024b-r0\tinstalled\n"; got != want || code != 0 {
			t.Errorf("%q, %d", got, code)
		}
		if got, _ := run(script + "\napk_broken"); got != "nginx\n" {
			t.Errorf("%q", got)
		}
		if _, code := run(strings.Replace(script, "db="+db, "db=/nowhere", 1) + "\napk_broken"); code != 2 {
			t.Errorf("a database that is not there: %d", code)
		}
	})
}

// TestExactly: what apk would do is held to the files that it is given, once more, by the job.
func TestExactly(t *testing.T) {
	tests := map[string]struct {
		back, remove, plan string
		code               int
		say                string
	}{
		"exact":         {"", "", "(1/1) Upgrading a (1-r0 -> 1-r1)\nOK: 1 MiB", 0, ""},
		"there already": {"", "", "OK: 1 MiB", 0, ""},
		"another":       {"", "", "(1/2) Upgrading a (1-r0 -> 1-r1)\n(2/2) Upgrading b (1-r0 -> 1-r1)", 1, "b-1-r1"},
		"other version": {"", "", "(1/1) Upgrading a (1-r0 -> 1-r2)", 1, "a-1-r2"},
		"new":           {"", "", "(1/2) Installing b (1-r0)\n(2/2) Upgrading a (1-r0 -> 1-r1)", 1, "b-1-r0"},
		"purges":        {"", "b", "(1/1) Purging b (1-r0)", 1, "b-"},
		"purges, back":  {"yes", "b", "(1/1) Purging b (1-r0)", 0, ""},
		"purges more":   {"yes", "b", "(1/1) Purging c (1-r0)", 1, "c-"},
		"downgrade":     {"", "", "(1/1) Downgrading a (1-r2 -> 1-r1)", 79, "something newer"},
		"down, back":    {"yes", "", "(1/1) Downgrading a (1-r2 -> 1-r1)", 0, ""},
		"skipped":       {"", "", "(1/1) [APK unavailable, skipped] Reinstalling a (1-r1)", 1, "not understood"},
		"pinning":       {"", "", "(1/1) Updating pinning a (1-r1)", 1, "not understood"},
	}
	shells(t, func(t *testing.T, run func(string) (string, int)) {
		t.Helper()
		for name, tt := range tests {
			script := apk.Manager().Script + apk.Manager().Acts + "\nback='" + tt.back + "' remove='" + tt.remove + "'\n" +
				"apk() { printf '%s\\n' '" + tt.plan + "'; }\napk_pkg() { printf 'a\\tx86_64\\t1-r1\\t%s\\n' \"$1\"; }\napk_exactly /x/a.apk"
			out, code := run(script)
			if code != tt.code || !strings.Contains(out, tt.say) {
				t.Errorf("%s: %d %q", name, code, out)
			}
		}
	})
}

// TestErrorsAreCounted: apk ends with the number of its errors, of which 256 are none.
func TestErrorsAreCounted(t *testing.T) {
	shells(t, func(t *testing.T, run func(string) (string, int)) {
		t.Helper()
		for said, want := range map[string]int{
			"OK: 8 MiB in 14 packages\\n@0\\n": 0, "1 error; 8 MiB in 14 packages\\n@1\\n": 1, "256 errors; 8 MiB in 14 packages\\n@0\\n": 81, "killed\\n": 1, "": 1,
		} {
			if _, code := run(apk.Manager().Acts + "\nprintf '" + said + "' | apk_watch"); code != want {
				t.Errorf("%q: %d, want %d", said, code, want)
			}
		}
	})
}

// TestPackageFile reads a package as apk-tools 2 makes them: several archives, one after
// the other, of which the first two have no end.
func TestPackageFile(t *testing.T) {
	for _, tool := range []string{"tar", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	var file bytes.Buffer
	member(t, &file, ".SIGN.RSA.key.rsa.pub", "signature", false)
	member(t, &file, ".PKGINFO", "# Generated by abuild\npkgname = nginx\npkgver = 1.26.1-r0\narch = x86_64\norigin = nginx\n", false)
	member(t, &file, "etc/nginx.conf", "pkgname = evil\n", true)
	path := filepath.Join(t.TempDir(), "nginx.apk")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	shells(t, func(t *testing.T, run func(string) (string, int)) {
		t.Helper()
		if got, _ := run(apk.Manager().Script + "\napk_pkg " + path); got != "nginx\tx86_64\t1.26.1-r0\t"+path+"\n" {
			t.Errorf("%q", got)
		}
		if got, _ := run(apk.Manager().Script + "\nunalias tar 2>/dev/null\ntar() { busybox tar \"$@\"; }\napk_pkg " + path); hasBusybox() && !strings.HasPrefix(got, "nginx\tx86_64\t1.26.1-r0\t") {
			t.Errorf("busybox: %q", got)
		}
	})
}

func hasBusybox() bool {
	_, err := exec.LookPath("busybox")
	return err == nil
}

func member(t *testing.T, into *bytes.Buffer, name, content string, end bool) {
	t.Helper()
	packed := gzip.NewWriter(into)
	archive := tar.NewWriter(packed)
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	finish := archive.Flush
	if end {
		finish = archive.Close
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
}
