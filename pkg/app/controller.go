package app

import (
	"os"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// isController tells whether a host is the machine that this process runs on, or the one
// that its container runs on: both see the same boot. Where that can't be read, nobody
// can tell, and the host is taken for another one.
func isController(f fact.Facts) bool {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	here := strings.TrimSpace(string(raw))
	return err == nil && here != "" && f.BootID == here
}
