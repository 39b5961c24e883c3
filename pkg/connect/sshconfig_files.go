package connect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxConfig bounds one file of ssh_config.
const maxConfig = 8 << 20

// configFiles reads ssh_config and what it includes, and remembers why ssh itself
// should not be given them.
type configFiles struct {
	me   person
	main string
	why  string // "": ssh may be asked
}

// newConfigFiles: only what lies in the user's own ~/.ssh, or the system's folder,
// is theirs for certain. Any other file may have been brought along by an inventory.
func newConfigFiles(main string, me person) *configFiles {
	c := &configFiles{me: me, main: main}
	full := filepath.Clean(main)
	switch {
	case !under(full, filepath.Join(me.home, ".ssh")) && !under(full, "/etc/ssh"):
		c.doubt("%s is not in ~/.ssh", main)
	case !sameFile(me.home, me.account):
		c.doubt("HOME is not the home folder of %s", me.name) // ssh would look elsewhere for "~"
	}
	return c
}

func under(path, dir string) bool { return strings.HasPrefix(path, dir+string(filepath.Separator)) }

func sameFile(a, b string) bool {
	if a == b {
		return a != ""
	}
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

func (c *configFiles) doubt(format string, args ...any) {
	if c.why == "" {
		c.why = fmt.Sprintf(format, args...)
	}
}

// read gives a file's text, nil for one that is missing. What is checked is what is read.
func (c *configFiles) read(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the user names their own file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := c.check(name, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxConfig>>20)
	}
	return append([]byte{}, text...), err
}

// check is OpenSSH's own (readconf.c, SSHCONF_CHECKPERM): it does not read the usual
// file, nor any that is included, where others can write to it. One given with -F it reads.
func (c *configFiles) check(name string, info fs.FileInfo) error {
	usual := name != c.main || filepath.Clean(name) == filepath.Join(c.me.home, ".ssh", "config")
	if info.Mode().Perm()&0o022 != 0 {
		if usual {
			return fmt.Errorf("others can write to %s: chmod go-w %s", name, name)
		}
		c.doubt("others can write to %s", name)
	}
	if uid, ok := owner(info); !ok || (uid != "0" && uid != c.me.uid) {
		c.doubt("%s does not belong to %s", name, c.me.name)
	}
	return nil
}
