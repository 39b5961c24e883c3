//go:build linux

package real

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

//go:embed bundle.sh
var bundleScript string

// bundle is the set of namespaces that a lab lives in: mounts, network, processes.
type bundle struct {
	cmd  *exec.Cmd
	hold io.WriteCloser // closing it ends everything inside
	pid  int            // the first process inside, as seen from outside
}

// startBundle makes the namespaces. They end with this process, even by kill -9:
// then the write end of the pipe closes, and the script sees the end of its input.
func startBundle(dir string, groups []string) (*bundle, error) {
	cmd := exec.Command("sh", append([]string{"-c", bundleScript, "patchring-lab", dir}, groups...)...) //nolint:noctx // outlives every context of the test, so that it can clean up
	// A session of its own: Ctrl-C at the test must not end the clean-up half-way.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	says, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &bundle{cmd: cmd, hold: hold}
	if line, err := bufio.NewReader(says).ReadString('\n'); err != nil {
		b.close()
		return nil, fmt.Errorf("namespaces of a lab: said %q: %w", line, err)
	}
	if b.pid, err = firstProcess(cmd.Process.Pid); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// close ends everything inside, and returns when it is gone.
func (b *bundle) close() {
	_ = b.hold.Close()
	_ = b.cmd.Wait() // its verdict is that of the killed cat
}

// inside is a command in the lab's mounts and hub network.
func (b *bundle) inside(ctx context.Context, argv ...string) *exec.Cmd {
	args := []string{"--target", strconv.Itoa(b.pid), "--mount", "--net", "--pid", "--"}
	return exec.CommandContext(ctx, "nsenter", append(args, argv...)...)
}

// sh runs a script inside; its arguments are $1 and on.
func (b *bundle) sh(ctx context.Context, script string, args ...string) error {
	cmd := b.inside(ctx, append([]string{"sh", "-eu", "-c", script, "sh"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("in the lab: %w: %s", err, tail(out))
	}
	return nil
}

// netPath is a network of the bundle as a file: the hub's, or a named one.
func (b *bundle) netPath(name string) string {
	proc := filepath.Join("/proc", strconv.Itoa(b.pid))
	if name == hubNet {
		return filepath.Join(proc, "ns/net")
	}
	return filepath.Join(proc, "root/run/netns", name)
}
