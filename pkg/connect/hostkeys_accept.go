package connect

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
)

// accept records the key of a host that nothing is known of. Another process may
// have learned of it meanwhile: then that counts.
func (k *keyChecker) accept(key ssh.PublicKey) error {
	if len(k.known.files) == 0 {
		return k.unknown(key, &xknownhosts.KeyError{})
	}
	known, err := k.known.add(k.to.name, key)
	if err != nil {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostKeyUnknown, Step: k.to.step(),
			What: k.to.what("the new host key could not be recorded"), Err: err,
			Hint: "make " + k.known.files[0] + " writable",
		}
	}
	if len(known) > 0 {
		k.wanted = known
		return k.differs(key, known)
	}
	return nil
}

// add appends the key to the first file, under a lock that other processes respect.
// It returns keys that stand there already and differ.
func (k *knownHosts) add(name string, key ssh.PublicKey) ([]wantedKey, error) {
	path := k.files[0]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600) //nolint:gosec // the user's own known_hosts
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // gives up the lock, too
	if err := lockFile(f); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := k.catchUp(f); err != nil {
		return nil, err
	}
	if known := k.wanted(name); len(known) > 0 {
		if k.check(name, key) == nil {
			return nil, nil
		}
		return known, nil
	}
	return nil, k.append(f, name, key)
}

// catchUp reads the files again when another process wrote to the first.
func (k *knownHosts) catchUp(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	k.mu.RLock()
	same := info.Size() == k.size
	k.mu.RUnlock()
	if same {
		return nil
	}
	return k.reload()
}

func (k *knownHosts) append(f *os.File, name string, key ssh.PublicKey) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	line := xknownhosts.Line([]string{name}, key) + "\n"
	if last := make([]byte, 1); end > 0 {
		if _, err := f.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.size = end + int64(len(line))
	k.fresh[xknownhosts.Normalize(name)] = wantedKey{key: key, file: k.files[0]}
	return nil
}
