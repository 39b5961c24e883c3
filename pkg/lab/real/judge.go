//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// execLimit bounds each of the judge's own commands.
const execLimit = 2 * time.Minute

// Exec runs a program as root on the host, past its sshd and its network: this is
// how a test judges what the program under test claims. It gives stdout; an error
// holds stderr.
func (h *Host) Exec(argv ...string) (string, error) {
	pid, err := h.leader()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), execLimit)
	defer cancel()
	args := append([]string{"--target", strconv.Itoa(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--"}, argv...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %s: %w: %s", h.Name, strings.Join(argv, " "), err, tail([]byte(stderr.String())))
	}
	return stdout.String(), nil
}

// Must is Exec for what can't fail on a sound host; it gives trimmed output.
func (h *Host) Must(argv ...string) string {
	h.t.Helper()
	out, err := h.Exec(argv...)
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// Run is Exec for programs whose exit status is the question. It gives both outputs
// together, and -1 where there is no status.
func (h *Host) Run(argv ...string) (out string, code int) {
	h.t.Helper()
	out, err := h.Exec(append([]string{"sh", "-c", `exec "$@" 2>&1`, "sh"}, argv...)...)
	if err == nil {
		return out, 0
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out, exit.ExitCode()
	}
	return out + err.Error(), -1
}

// InstallVersion has the host's package manager install exactly that version from the
// repository, newer or older than what is there, as an admin would by hand.
func (h *Host) InstallVersion(pkg, version string) (out string, code int) {
	h.t.Helper()
	return h.Run(h.OS.kit().exact(pkg, h.OS.Version(version))...)
}

// Version is the installed version of a package by the host's own database, spelled as
// there (see OS.Version); empty where it is not fully installed.
func (h *Host) Version(pkg string) string {
	h.t.Helper()
	k := h.OS.kit()
	out, err := h.Exec(append(k.version, pkg)...)
	if err != nil {
		return ""
	}
	return k.parse(out)
}

// Upgrades counts how often the package manager says that it put that version in
// another's place. SUSE's and Rocky's logs count a first installation too.
func (h *Host) Upgrades(pkg, version string) int {
	h.t.Helper()
	k := h.OS.kit()
	out, err := h.Exec("cat", k.log)
	if err != nil {
		return 0 // nothing was ever changed
	}
	n := 0
	for line := range strings.Lines(out) {
		if k.change(strings.TrimSpace(line), pkg, h.OS.Version(version)) {
			n++
		}
	}
	return n
}

// Configured counts how often the package's own script was run for that version.
// The script keeps this count, so it is a second witness beside dpkg's log.
func (h *Host) Configured(pkg, version string) int {
	h.t.Helper()
	out, err := h.Exec("cat", "/var/lib/lab/"+pkg)
	if err != nil {
		return 0
	}
	return countLines(out, func(f []string) bool { return len(f) == 1 && f[0] == version })
}

// BootID is the host's boot: each boot has another.
func (h *Host) BootID() string {
	h.t.Helper()
	return h.Must("cat", "/proc/sys/kernel/random/boot_id")
}

// Boots counts how often the host was booted in its life.
func (h *Host) Boots() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boots
}

// Up tells whether the host runs (not: whether it answers).
func (h *Host) Up() bool {
	_, err := h.leader()
	return err == nil
}

// AwaitBoot waits until the host answers SSH under another boot id than before.
func (h *Host) AwaitBoot(before string) {
	h.t.Helper()
	h.Await("a new boot", func() bool {
		id, err := h.Exec("cat", "/proc/sys/kernel/random/boot_id")
		return err == nil && strings.TrimSpace(id) != before
	})
	ctx, cancel := context.WithTimeout(h.t.Context(), bootLimit)
	defer cancel()
	if err := h.waitBanner(ctx); err != nil {
		h.t.Fatalf("%s did not come back: %v", h.Name, err)
	}
}

// Await asks again and again until yes, and fails the test after a generous limit.
func (h *Host) Await(what string, yes func() bool) {
	h.t.Helper()
	limit := time.NewTimer(bootLimit)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-limit.C:
			h.t.Fatalf("%s: waited %s for %s", h.Name, bootLimit, what)
		case <-tick.C:
		}
	}
}

// countLines counts the lines whose fields are as asked.
func countLines(text string, match func(fields []string) bool) int {
	n := 0
	for line := range strings.Lines(text) {
		if match(strings.Fields(line)) {
			n++
		}
	}
	return n
}
