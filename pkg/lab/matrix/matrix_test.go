package matrix

import (
	"hash/fnv"
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

// part is how many plays are left out for each that is played, unless MATRIX=full.
const part = 12

// sampled picks the same plays every time.
func sampled(c cell) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.String())) // never fails
	return os.Getenv("MATRIX") == "full" || h.Sum32()%part == 0
}

// TestMatrix plays a part of what can go wrong, always the same, and compares the table of
// README.md. MATRIX=full: all of it, which takes long. MATRIX_CELL picks plays by a pattern, MATRIX_FAMILY a device, MATRIX_LOG tells all.
func TestMatrix(t *testing.T) {
	library, err := definitions.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	on := ground{library: library, web: newWeb(t)}
	only, counts := os.Getenv("MATRIX_CELL"), &tally{}
	pattern := regexp.MustCompile(only)
	t.Run("plays", func(t *testing.T) {
		for _, f := range families() {
			if !strings.Contains(f.kind, os.Getenv("MATRIX_FAMILY")) {
				continue
			}
			for _, c := range f.cells(f.learn(t, on)) {
				counts.know(c)
				if only == "" && sampled(c) || only != "" && pattern.MatchString(c.String()) {
					t.Run(c.String(), func(t *testing.T) {
						t.Parallel()
						c.playIn(t, on, counts)
					})
				}
			}
		}
	})
	sum := counts.sum()
	t.Logf("done %d, not done %d, unknown %d", sum[saidDone], sum[saidNotDone], sum[saidUnknown])
	if os.Getenv("MATRIX") != "full" && only == "" && os.Getenv("MATRIX_FAMILY") == "" {
		holds(t, counts.page())
	}
}

// playIn plays a cell in a bubble of its own.
func (c cell) playIn(t *testing.T, on ground, counts *tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := c.run(t, on)
		defer p.device.Close()
		counts.add(c, p.said)
		p.judge()
	})
}
