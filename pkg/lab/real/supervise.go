//go:build linux

package real

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// rebootStatus is how nspawn ends when its host asked for a reboot and nobody but
// the caller can boot it again (--keep-unit).
const rebootStatus = 133

// Arguments: the files that take a process into the host's cgroups, "--", the command.
// Each boot starts in the host's own group, see cgroupRoots.
const enterGroups = `
while [ "$1" != -- ]; do
	echo 0 >"$1"
	shift
done
shift
exec "$@"
`

// supervise boots the host again whenever it reboots, until it powers off, or until
// StopSupervising.
func (h *Host) supervise() {
	defer close(h.ended)
	for h.bootOnce() {
	}
}

// bootOnce runs the host from one boot to its end and tells whether to boot again.
func (h *Host) bootOnce() (again bool) {
	console, err := os.OpenFile(h.console(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return false
	}
	defer func() { _ = console.Close() }()
	cmd, err := h.nspawn()
	if err != nil {
		_, _ = fmt.Fprintln(console, "cannot start:", err)
		return false
	}
	cmd.Stdout, cmd.Stderr = console, console
	if !h.startUnlessReleased(cmd) {
		return false
	}
	err = cmd.Wait()
	_, _ = fmt.Fprintf(console, "\nnspawn ended: %v\n", err)
	return h.noteEnd(err)
}

// startUnlessReleased starts nspawn, except when StopSupervising came first.
func (h *Host) startUnlessReleased(cmd *exec.Cmd) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released || cmd.Start() != nil {
		return false
	}
	h.starter = cmd.Process.Pid
	h.boots++
	return true
}

// noteEnd forgets the process and tells whether its end asks for another boot.
func (h *Host) noteEnd(err error) (again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starter = 0
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == rebootStatus && !h.released
}

// nspawn builds the command that boots the host inside the lab. No context may end
// it: the lab's namespaces do.
func (h *Host) nspawn() (*exec.Cmd, error) {
	groups, err := makeGroups(h.lab.groups, h.Name)
	if err != nil {
		return nil, err
	}
	args := []string{"-eu", "-c", enterGroups, "sh"}
	for _, group := range groups {
		args = append(args, filepath.Join(group, "cgroup.procs"))
	}
	args = append(args, "--", "nsenter", "--target", strconv.Itoa(h.lab.bundle.pid), "--mount", "--net", "--pid", "--",
		"systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--boot", "--directory="+h.root(),
		"--machine="+h.Name, "--network-namespace-path=/run/netns/"+h.Name, "--kill-signal=SIGRTMIN+3",
		"--console=read-only", "--resolv-conf=off", "--timezone=off", "--capability=CAP_NET_ADMIN")
	return exec.Command("sh", args...), nil //nolint:noctx // see above
}

// StopSupervising leaves the host as it is, but a reboot will be its last: nobody
// boots it again.
func (h *Host) StopSupervising() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
}

// leader is the host's process 1 as the machine sees it.
func (h *Host) leader() (int, error) {
	h.mu.Lock()
	starter := h.starter
	h.mu.Unlock()
	if starter == 0 {
		return 0, errors.New("host is down")
	}
	return firstProcess(starter)
}

// Ready waits until the host answers SSH, then lets the package manager learn what
// the repository offers, as a host's own timer would have.
func (h *Host) Ready() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), bootLimit)
	defer cancel()
	if err := h.waitBanner(ctx); err != nil {
		h.t.Fatalf("%s did not come up: %v\n%s", h.Name, err, h.consoleTail())
	}
	h.Refresh()
}

// Refresh lets the host's package manager read the repository's indexes again.
func (h *Host) Refresh() {
	h.t.Helper()
	h.Must(h.OS.kit().refresh...)
}

// waitBanner asks again and again, bounded by ctx, for the first line of sshd.
func (h *Host) waitBanner(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := h.banner(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-h.ended:
			return errors.New("it is powered off")
		case <-tick.C:
		}
	}
}

// banner asks for the first line that sshd says, from inside the host itself.
func (h *Host) banner(ctx context.Context) error {
	pid, err := h.leader()
	if err != nil {
		return err
	}
	return greets(ctx, filepath.Join("/proc", strconv.Itoa(pid), "ns/net"), "127.0.0.1:22")
}

// greets tells whether an SSH server answers there, asked from a network.
func greets(ctx context.Context, netPath, address string) error {
	conn, err := dialFrom(ctx, netPath, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "SSH-2.0-") {
		err = fmt.Errorf("said %q", line)
	}
	return err
}

// console is the file with all that the host printed while it booted.
func (h *Host) console() string { return filepath.Join(h.dir, "console") }

func (h *Host) consoleTail() string {
	text, err := os.ReadFile(h.console())
	if err != nil {
		return err.Error()
	}
	return tail(text)
}
