package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// maxFile bounds an encrypted file, which may hold many secrets.
const maxFile = 4 << 20

// fromFile refuses what others can read, as ssh does with keys.
func (v *Vault) fromFile(ref secret.Ref) (secret.Secret, error) {
	raw, err := v.read(ref.Target(), private)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	return valueOf(ref, raw)
}

// told puts the reference before an error about its file, and keeps the hint.
func told(ref secret.Ref, err error) error {
	hint := fault.HintOf(err)
	return fault.Usagef(hint, "%s: %v", ref, err)
}

// privacy is what the mode of a file must say.
type privacy bool

const (
	private   privacy = true  // nobody else can read it
	encrypted privacy = false // it may lie in a repository: its key keeps it secret
)

// read gives a file that the inventory or the operator names.
func (v *Vault) read(path string, how privacy) ([]byte, error) {
	path, err := v.inHome(path)
	if err != nil {
		return nil, err
	}
	if err := plain(os.Stat(path)); err != nil { // a pipe would not even open
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // the user names their own file
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of the open file: it can't be swapped any more
	if err := plain(info, err); err != nil {
		return nil, err
	}
	limit := int64(maxFile)
	if how == private {
		limit = maxSecret
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fault.Usagef(privately(path, info), "others can read it (mode %03o)", info.Mode().Perm())
		}
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, unreadable(err)
	case int64(len(raw)) > limit:
		return nil, fault.Usagef("a password is one short line", "more than %d KiB", limit>>10)
	}
	return raw, nil
}

// privately is what to do about a file that others can read. To close somebody else's to
// them may break what is theirs.
func privately(path string, info os.FileInfo) string {
	if !owned(info) {
		return "it is another user's: keep the secret in a file of your own that nobody else can read"
	}
	return "chmod 600 " + path
}

func plain(info os.FileInfo, err error) error {
	if err != nil {
		return unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return fault.Usagef("name a plain file; for a command write exec:", "not a plain file")
	}
	return nil
}

// unreadable tells why without the path, which the reference has.
func unreadable(err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return fault.Usagef("create it, or correct the reference", "%v", err)
}

func (v *Vault) inHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	if v.o.Home == "" {
		return "", fault.Usagef("write the whole path", "no home folder is known here")
	}
	return filepath.Join(v.o.Home, rest), nil
}

var errTooLong = fmt.Errorf("more than %d KiB", maxSecret>>10)

// valueOf is all of raw but one trailing newline.
func valueOf(ref secret.Ref, raw []byte) (secret.Secret, error) {
	if len(raw) > maxSecret {
		return secret.Secret{}, fault.Usagef("a password is one short line", "%s: %v", ref, errTooLong)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if value == "" {
		return secret.Secret{}, fault.Usagef("it must hold the secret, and nothing else", "%s: it is empty", ref)
	}
	return secret.New(value), nil
}
