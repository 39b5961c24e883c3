//go:build unix

package vault

import (
	"os/exec"
	"syscall"
)

// apart gives a command a session of its own: no terminal to ask at, and one blow ends it
// with all that it has started, whatever signals they ignore.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
