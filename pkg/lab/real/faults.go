//go:build linux

package real

import "strconv"

// CutNetwork pulls the host's plug: packets are lost, connections stay open until
// somebody's patience ends. What runs on the host runs on.
func (h *Host) CutNetwork() { h.t.Helper(); h.setPort("down") }

// RestoreNetwork puts the plug back and waits until the host can be reached: a bridge
// takes up to a second to notice.
func (h *Host) RestoreNetwork() {
	h.t.Helper()
	h.setPort("up")
	outside := h.lab.bundle.netPath(h.network())
	h.Await("its network", func() bool { return greets(h.t.Context(), outside, h.Address+":22") == nil })
}

// Arguments: the host's network ("hub" or "inner"), the port, "up" or "down".
const setPort = `
if [ "$1" = inner ]; then
	ip -n inner link set "$2" "$3"
else
	ip link set "$2" "$3"
fi
`

func (h *Host) setPort(state string) {
	h.t.Helper()
	if err := h.lab.bundle.sh(h.t.Context(), setPort, h.network(), h.port, state); err != nil {
		h.t.Fatalf("%s: network %s: %v", h.Name, state, err)
	}
}

// FillDisk leaves so many KiB free on the host's root file system. The host needs
// DiskMB, or it is the machine's disk that fills.
func (h *Host) FillDisk(leaveKB int) {
	h.t.Helper()
	const script = `
		free=$(df -k --output=avail / | tail -n 1)
		fallocate -l "$((free - $1))K" /var/tmp/filler`
	h.Must("sh", "-eu", "-c", script, "sh", strconv.Itoa(leaveKB))
}

// FreeDisk takes back what FillDisk did.
func (h *Host) FreeDisk() {
	h.t.Helper()
	h.Must("rm", "-f", "/var/tmp/filler")
}

// ChangeHostKey gives the host another key, as a reinstalled or a false host has.
// Lab.WriteSSH goes on to hand out the first one.
func (h *Host) ChangeHostKey() {
	h.t.Helper()
	h.Must("rm", "-f", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub")
	h.Must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/ssh_host_ed25519_key")
	h.Must("systemctl", "restart", "ssh")
}

// Reboot asks the host to reboot, as its admin would, and waits until it is back.
func (h *Host) Reboot() {
	h.t.Helper()
	before := h.BootID()
	h.Must("systemctl", "reboot")
	h.AwaitBoot(before)
}

// Boot boots a host that is down and from then on supervises it again.
func (h *Host) Boot() {
	h.t.Helper()
	<-h.ended
	h.mu.Lock()
	h.released, h.ended = false, make(chan struct{})
	h.mu.Unlock()
	go h.supervise()
	h.Ready()
}
