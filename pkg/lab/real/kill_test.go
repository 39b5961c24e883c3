//go:build linux

package real_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// victimVar makes the test binary play the process that is killed.
const victimVar = "PRLAB_TEST_VICTIM"

func TestKilledTestLeavesNothing(t *testing.T) {
	if os.Getenv(victimVar) != "" {
		beTheVictim(t)
		return
	}
	real.Need(t)
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledTestLeavesNothing$", "-test.v")
	victim.Env = append(os.Environ(), victimVar+"=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := victim.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dir := labOf(t, out)
	if left := traces(dir); len(left) == 0 {
		t.Fatal("nothing is seen of a lab that runs: this test could not fail")
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it was killed
	awaitNoTraces(t, dir)
}

// beTheVictim makes a lab, says where, and waits for its end.
func beTheVictim(t *testing.T) {
	t.Helper()
	lab := real.New(t)
	lab.Host("victim")
	lab.Ready()
	fmt.Println("lab:", lab.Dir())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Log(err)
	}
}

// labOf reads the victim's output up to the line that says where its lab is.
func labOf(t *testing.T, out io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(out)
	var said strings.Builder
	for lines.Scan() {
		if dir, ok := strings.CutPrefix(lines.Text(), "lab: "); ok {
			return dir
		}
		said.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("the victim made no lab:\n%s", said.String())
	return ""
}

// traces lists what is left of a lab: its folder, cgroups, processes, mounts.
func traces(dir string) []string {
	name := filepath.Base(dir)
	left, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	if _, err := os.Stat(dir); err == nil {
		left = append(left, dir)
	}
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/mountinfo"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), name) {
				left = append(left, file)
			}
		}
	}
	return left
}

// awaitNoTraces gives the clean-up half a minute. It takes less than one second.
func awaitNoTraces(t *testing.T, dir string) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for left := traces(dir); len(left) > 0; left = traces(dir) {
		select {
		case <-limit.C:
			t.Fatalf("half a minute after the kill there is still %v", left)
		case <-tick.C:
		}
	}
}
