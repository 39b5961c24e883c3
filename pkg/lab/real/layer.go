//go:build linux

package real

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed layer.sh
var layerScript string

// lower is what the root file systems of hosts with this system and gear start from, as
// the kernel's overlay wants it: folders from top to bottom.
func lower(ctx context.Context, cache, base string, system OS, gear Gear) (string, error) {
	k := system.kit()
	if system == Debian {
		k = gear.kit()
	}
	if len(k.packages) == 0 {
		return base, nil
	}
	dir := layerDir(cache, base, k)
	err := once(dir, func(building string) error { return makeLayer(ctx, base, building, k) })
	return filepath.Join(dir, "upper") + ":" + base, err
}

// layerKey names a layer by what went into it, except the mirror's state.
func layerKey(base string, k kit) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		filepath.Base(base), strings.Join(k.packages, "\n"), k.customize, layerScript,
	}, "\n")))
	return hex.EncodeToString(sum[:6])
}

func makeLayer(ctx context.Context, base, building string, k kit) error {
	src, err := machineSource(ctx)
	if err != nil {
		return err
	}
	args := append([]string{
		"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-eu", "-c", layerScript, "sh", base, building, src.line(),
	}, k.packages...)
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.Env = append(os.Environ(), "PRLAB_CUSTOMIZE="+k.customize)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s on top of Debian: %w: %s", k.name, err, tail(out))
	}
	return nil
}

// once makes a folder that the cache has not, beside it and then renamed, so that it
// is whole or absent. Of several test processes one does the work.
func once(dir string, build func(building string) error) error {
	unlock, err := lockFile(dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if isDir(dir) {
		return nil
	}
	building := dir + ".building"
	if err := os.RemoveAll(building); err != nil {
		return err
	}
	if err := build(building); err != nil {
		return err
	}
	return os.Rename(building, dir)
}
