//go:build linux

package real

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// snapshotDir is the folder of the fake snapshot archive, on the server and on disk.
const snapshotDir = "snapshot"

// stampLayout is how a snapshot is named, as on snapshot.debian.org.
const stampLayout = "20060102T150405Z"

// Snapshot keeps all that is served now as it was at a time, and gives its address.
// The server answers for any later time too, until the next snapshot, as snapshot
// archives do: http://repo.lab/snapshot/20261121T120000Z/ and below it what the
// repository has at its top.
func (r *Repo) Snapshot(at time.Time) (url string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := filepath.Join(snapshotDir, at.UTC().Format(stampLayout))
	return r.URL() + "/" + name + "/", r.tree.copyPublic(name)
}

// TamperSnapshot changes a byte of every file of a version in the snapshot of a time.
func (r *Repo) TamperSnapshot(at time.Time, name, version string) error {
	return r.tamper(filepath.Join(snapshotDir, at.UTC().Format(stampLayout)), name, version)
}

// copyPublic gives all that is served, but for older snapshots, another name below a folder.
func (t *tree) copyPublic(to string) error {
	root := t.public("")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case below == snapshotDir:
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(t.public(filepath.Join(to, below)), 0o755)
		default:
			return link(path, t.public(filepath.Join(to, below)))
		}
	})
}

// settle turns the time in a path into that of the snapshot that was the last one
// then. Any other path stays as it is.
func settle(path string, snapshots []string) string {
	rest, below := strings.CutPrefix(path, "/"+snapshotDir+"/")
	asked, file, has := strings.Cut(rest, "/")
	if !below || !has {
		return path
	}
	last := ""
	for _, name := range slices.Sorted(slices.Values(snapshots)) {
		if name <= asked {
			last = name
		}
	}
	if last == "" {
		return path
	}
	return "/" + snapshotDir + "/" + last + "/" + file
}
