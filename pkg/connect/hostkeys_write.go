package connect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
)

// errDiffers: another key of the host stands there already.
var errDiffers = errors.New("another key is known")

// accept records the key of a host that nothing is known of. Another process may
// have learned of it meanwhile: then that counts.
func (k *keyChecker) accept(key ssh.PublicKey) error {
	if len(k.known.files) == 0 {
		return k.unknown(key, nil)
	}
	_, err := k.known.add(entry{knownName(k.to.name), k.to.hashKnown}, []ssh.PublicKey{key}, false)
	if errors.Is(err, errDiffers) {
		k.wanted, k.loose = k.known.about(k.to.name)
		return k.differs(key, k.plainWanted())
	}
	if err != nil {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostKeyUnknown, Step: k.to.step(),
			What: k.to.what("the new host key could not be recorded"), Err: err,
			Hint: "make " + k.known.files[0] + " writable",
		}
	}
	k.standing = Trusted
	k.known.mu.Lock()
	defer k.known.mu.Unlock()
	k.known.fresh[xknownhosts.Normalize(k.to.name)] = true
	return nil
}

// entry is how a host is written down.
type entry struct {
	name string // as knownName gives it
	hash bool   // ssh_config says HashKnownHosts
}

// add appends keys of a host to the first file, under its lock, but for those that stand
// there already. Nothing is written, and the error is errDiffers, where the name has
// another key of the same kind; or, unless beside, any other key.
func (k *knownHosts) add(to entry, keys []ssh.PublicKey, beside bool) (added []knownLine, err error) {
	f, err := openLocked(k.files[0])
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // gives up the lock, too
	if err := k.catchUp(f); err != nil {
		return nil, err
	}
	lines, loose := k.about(to.name)
	if loose {
		lines = nil
	}
	fresh, err := notHeld(lines, keys, beside)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	return k.append(f, to, fresh)
}

// notHeld are the keys that lines do not hold yet; errDiffers where one contradicts them.
func notHeld(lines []knownLine, keys []ssh.PublicKey, beside bool) ([]ssh.PublicKey, error) {
	var out []ssh.PublicKey
	for _, key := range keys {
		held, contradicted := false, false
		for _, l := range lines {
			if l.mark != markNone {
				continue
			}
			same := sameKey(l.key, key)
			held = held || same
			contradicted = contradicted || !same && (!beside || l.key.Type() == key.Type())
		}
		if contradicted && !held {
			return nil, errDiffers
		}
		if !held {
			out = append(out, key)
		}
	}
	return out, nil
}

// replaced is how often a file may be replaced under us while we wait for its lock.
const replaced = 100

// openLocked opens a file for appending under a lock that other processes respect. A
// rotation replaces the file: who then holds the old one's lock begins again.
func openLocked(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	for range replaced {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600) //nolint:gosec // the user's own known_hosts
		if err != nil {
			return nil, err
		}
		if err := lockFile(f); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		held, err := f.Stat()
		if now, statErr := os.Stat(path); err == nil && statErr == nil && os.SameFile(held, now) {
			return f, nil
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("%s is replaced again and again", path)
}

// catchUp reads the files again when another process wrote to the first.
func (k *knownHosts) catchUp(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	k.mu.RLock()
	same := k.stamp != nil && os.SameFile(k.stamp, info) && info.Size() == k.stamp.Size() && info.ModTime().Equal(k.stamp.ModTime())
	k.mu.RUnlock()
	if same {
		return nil
	}
	return k.reload()
}

// append writes one line a key at the end of the file, which holds the lock.
func (k *knownHosts) append(f *os.File, to entry, keys []ssh.PublicKey) ([]knownLine, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if last := make([]byte, 1); end > 0 {
		if _, err := f.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			text.WriteByte('\n')
		}
	}
	var added []knownLine
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, key := range keys {
		l := knownLine{file: k.files[0], line: k.count + i + 1, names: k.written(to), key: key}
		text.WriteString(l.text() + "\n")
		added = append(added, l)
	}
	if _, err := f.WriteString(text.String()); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	k.count += len(added)
	for _, l := range added {
		k.index.add(l)
	}
	k.stamp, err = f.Stat()
	return added, err
}

// written hides the name where the user's own files, or ssh_config, have that done.
func (k *knownHosts) written(to entry) string {
	if k.hash || to.hash {
		return hashedName(to.name)
	}
	return to.name
}

// text is the line as it stands in the file.
func (l knownLine) text() string {
	return l.names + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(l.key)))
}
