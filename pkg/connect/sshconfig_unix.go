//go:build unix

package connect

import (
	"io/fs"
	"os/exec"
	"strconv"
	"syscall"
)

// ownGroup makes cmd end with everything that it started.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// owner is who owns a file.
func owner(info fs.FileInfo) (uid string, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return strconv.FormatUint(uint64(stat.Uid), 10), true
}
