package matrix

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	definitions "github.com/patchring/patchring/pkg/platform/device"
)

func TestMain(m *testing.M) {
	// No key of whoever runs the tests is tried.
	dir, err := os.MkdirTemp("", "matrix")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("HOME", dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func TestMatrix(t *testing.T) {
	library, err := definitions.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	on := ground{library, newWeb(t)}
	only := regexp.MustCompile(os.Getenv("MATRIX_CELL"))
	for _, f := range families() {
		if !strings.Contains(os.Getenv("MATRIX_FAMILY"), f.kind) && os.Getenv("MATRIX_FAMILY") != "" {
			continue
		}
		for _, c := range f.cells(f.learn(t, on)) {
			if !only.MatchString(c.String()) {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := c.run(t, on)
					defer p.device.Close()
					p.judge()
				})
			})
		}
	}
}
