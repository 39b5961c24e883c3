package linux_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

var update = flag.Bool("update", false, "write the golden files anew")

// recorded is what a script printed on a real host: testdata/NAME.out and .err. The
// packages are made up; apt, dpkg, dnf and rpm were real.
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
	b := text.Bytes()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := content(t, name); !bytes.Equal(b, want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", name, b)
	}
}

// managers are those whose recordings lie here; package drivers has all.
func managers() linux.Managers {
	return linux.Managers{apt.Manager(), dnf.Manager(), {Name: "changes-whole", Refused: "its packages can't be patched one by one"}}
}

// driverOf is the driver of one platform.
func driverOf(name fact.Platform) linux.Driver {
	for _, d := range managers().Drivers() {
		if d, ok := d.(linux.Driver); ok && d.Platform == name {
			return d
		}
	}
	panic("no driver for " + name)
}
