//go:build linux

package real

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// labName is unique among all labs of this machine that live at the same time: the
// process's number and its start time, and a counter by folder for its labs.
func labName() string {
	return fmt.Sprintf("patchring-lab-%d-%s-%d", os.Getpid(), startTime(os.Getpid()), time.Now().UnixNano())
}

// startTime is when a process started, in the kernel's ticks; empty if it is gone.
func startTime(pid int) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The second field is the program's name in brackets, which may hold anything.
	_, rest, _ := strings.Cut(string(text), ") ")
	const startField = 19 // field 22 of proc(5), counted from the third
	if f := strings.Fields(rest); len(f) > startField {
		return f[startField]
	}
	return ""
}

// sweep removes what labs of dead processes left: only a machine that went down, or
// a killed clean-up, leaves anything.
func sweep(cache string) {
	var left []string
	roots, err := cgroupRoots()
	if err != nil {
		return
	}
	for _, root := range append(roots, filepath.Join(cache, "labs")) {
		found, err := filepath.Glob(filepath.Join(root, "patchring-lab-*"))
		if err == nil {
			left = append(left, found...)
		}
	}
	for _, path := range left {
		if !ownerAlive(filepath.Base(path)) {
			removeLeft(path)
		}
	}
}

// ownerAlive tells whether the process that a lab is named after still runs.
func ownerAlive(name string) bool {
	parts := strings.Split(strings.TrimPrefix(name, "patchring-lab-"), "-")
	if len(parts) != 3 {
		return true // not ours
	}
	pid, err := strconv.Atoi(parts[0])
	return err != nil || startTime(pid) == parts[1]
}

// removeLeft removes a folder of a lab, or one of its cgroups.
func removeLeft(path string) {
	if strings.HasPrefix(path, "/sys/fs/cgroup/") {
		removeGroups(path)
		return
	}
	_ = os.RemoveAll(path) // best effort: the next lab tries again
}
