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
const part = 16

func full() bool { return os.Getenv("MATRIX") == "full" }

// picks tells whether a play is to be played: those that the environment names, else a
// part of them, the same every time.
func picks(c cell) bool {
	if only := os.Getenv("MATRIX_CELL"); only != "" {
		return regexp.MustCompile(only).MatchString(c.String())
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.String())) // never fails
	return full() || h.Sum32()%part == 0
}

// TestMatrix plays a part of what can go wrong, always the same, and compares what is said
// with what is written. MATRIX=full: all of it, which takes long, and with -update writes it.
// MATRIX_CELL picks plays by a pattern, MATRIX_FAMILY a device, MATRIX_LOG tells all.
func TestMatrix(t *testing.T) {
	library, err := definitions.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	on := ground{library: library, web: newWeb(t)}
	counts := newTally()
	t.Run("plays", func(t *testing.T) {
		for _, f := range families() {
			if strings.Contains(f.kind, os.Getenv("MATRIX_FAMILY")) {
				f.playAll(t, on, counts)
			}
		}
	})
	n := sum(counts.said, "")
	t.Logf("done %d, not done %d, unknown %d", n[saidDone], n[saidNotDone], n[saidUnknown])
	switch only := os.Getenv("MATRIX_CELL"); {
	case only == "" && full() && *update:
		counts.write(t)
	case only == "" && os.Getenv("MATRIX_FAMILY") == "":
		counts.holds(t)
	}
}

// playAll plays those of a family that are picked.
func (f family) playAll(t *testing.T, on ground, counts *tally) {
	t.Helper()
	for _, c := range f.cells(f.learn(t, on)) {
		counts.know(c)
		if picks(c) {
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				c.playIn(t, on, counts)
			})
		}
	}
}

// playIn plays a cell in a bubble of its own.
func (c cell) playIn(t *testing.T, on ground, counts *tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := c.run(t, on)
		defer p.close()
		counts.add(c, p.said)
		p.judge()
	})
}
