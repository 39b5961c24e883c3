//go:build linux

package real

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// firstProcess finds, among the descendants of pid, the one that is process 1 of
// a process namespace directly below pid's own.
func firstProcess(pid int) (int, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	above := all[pid].depth
	for next := []int{pid}; len(next) > 0; {
		var children []int
		for child, p := range all {
			if !slices.Contains(next, p.parent) {
				continue
			}
			if p.depth > above && p.innermost == 1 {
				return child, nil
			}
			children = append(children, child)
		}
		next = children
	}
	return 0, fmt.Errorf("process %d has no process namespace below it", pid)
}

// process is what /proc/PID/status says about namespaces.
type process struct {
	parent    int
	depth     int // how many process namespaces see it
	innermost int // its number in the innermost one
}

// processes reads every process that is visible here.
func processes() (map[int]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return nil, err
	}
	all := make(map[int]process, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			all[pid] = parseStatus(string(text))
		}
	}
	return all, nil
}

// parseStatus reads PPid and NSpid from the text of a status file.
func parseStatus(text string) process {
	var p process
	for line := range strings.Lines(text) {
		key, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		switch {
		case key == "PPid" && len(fields) == 1:
			p.parent, _ = strconv.Atoi(fields[0])
		case key == "NSpid" && len(fields) > 0:
			p.depth = len(fields)
			p.innermost, _ = strconv.Atoi(fields[len(fields)-1])
		}
	}
	return p
}
