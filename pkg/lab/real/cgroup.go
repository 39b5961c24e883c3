//go:build linux

package real

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cgroupRoots lists the hierarchies in which systemd keeps its services: the
// unified one, or on a hybrid machine systemd's own beside it. Each host gets a
// group of its own in each, or else two hosts would share one tree of services and
// kill each other's processes.
func cgroupRoots() ([]string, error) {
	const mount = "/sys/fs/cgroup"
	roots := []string{mount}
	if own := filepath.Join(mount, "systemd"); isFile(filepath.Join(own, "cgroup.procs")) {
		roots = []string{own}
	}
	if unified := filepath.Join(mount, "unified"); isDir(unified) {
		roots = append(roots, unified)
	}
	for _, root := range roots {
		if !isFile(filepath.Join(root, "cgroup.procs")) {
			return nil, errors.New("no hierarchy for systemd at " + root)
		}
		if err := unix.Access(root, unix.W_OK); err != nil {
			return nil, fmt.Errorf("%s: %w", root, err)
		}
	}
	return roots, nil
}

// makeGroups makes the group name under each root and returns their folders.
func makeGroups(roots []string, name string) ([]string, error) {
	var groups []string
	for _, root := range roots {
		group := filepath.Join(root, name)
		if err := os.MkdirAll(group, 0o755); err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// removeGroups removes the empty groups under root, deepest first. A group that
// still has processes stays; the kernel refuses.
func removeGroups(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeGroups(filepath.Join(root, e.Name()))
		}
	}
	_ = os.Remove(root) // best effort: the next lab's sweep tries again
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
