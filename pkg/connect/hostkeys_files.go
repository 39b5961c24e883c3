package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/patchring/patchring/pkg/fault"
)

// knownHosts is what the files of one site say, and what this run added to them.
type knownHosts struct {
	files []string
	warn  func(string)
	ready func() error // loads once

	mu    sync.RWMutex
	db    *knownhosts.HostKeyDB
	names map[string]string // name of a filtered copy -> the file itself
	// authorities are the places of @cert-authority lines, in the copies.
	authorities map[place]bool
	fresh       map[string]wantedKey // by normal name: accepted by this run
	size        int64                // of the first file, as last seen
}

// place is a line of a file.
type place struct {
	file string
	line int
}

// copies are filtered known_hosts files, as the library can read them.
type copies struct {
	files       []string
	names       map[string]string
	authorities map[place]bool
	size        int64
}

func (f *Fleet) knownHosts(site string) (*knownHosts, error) {
	f.mu.Lock()
	k := f.known[site]
	if k == nil {
		k = &knownHosts{files: f.opts.KnownHosts(site), warn: f.warn, fresh: map[string]wantedKey{}}
		k.ready = sync.OnceValue(k.reload)
		f.known[site] = k
	}
	f.mu.Unlock()
	if err := k.ready(); err != nil {
		return nil, err
	}
	return k, nil
}

// reload reads the files through the line filter. The library only takes file names,
// so it gets filtered copies, gone again before this returns.
func (k *knownHosts) reload() error {
	dir, err := os.MkdirTemp("", "patchring-known-hosts-")
	if err != nil {
		return fmt.Errorf("known_hosts: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c, err := k.copyAll(dir)
	if err != nil {
		return fault.Usagef("a line that takes trust away can't be skipped: correct or remove it", "known_hosts: %v", err)
	}
	db, err := knownhosts.NewDB(c.files...)
	if err != nil {
		return fmt.Errorf("known_hosts: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.db, k.names, k.authorities, k.size = db, c.names, c.authorities, c.size
	return nil
}

func (k *knownHosts) copyAll(dir string) (copies, error) {
	c := copies{names: map[string]string{}, authorities: map[place]bool{}}
	for i, file := range k.files {
		text, err := os.ReadFile(file) //nolint:gosec // the user's own known_hosts
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		if i == 0 {
			c.size = int64(len(text))
		}
		copied := filepath.Join(dir, fmt.Sprintf("known_hosts.%d", i))
		if err := k.copyOne(&c, file, copied, string(text)); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (k *knownHosts) copyOne(c *copies, file, copied, text string) error {
	clean, skipped, err := filterKnown(file, text)
	if err != nil {
		return err
	}
	for _, line := range skipped {
		k.warn(line)
	}
	number := 0
	for line := range strings.Lines(clean) {
		number++
		if strings.HasPrefix(line, "@cert-authority") {
			c.authorities[place{copied, number}] = true
		}
	}
	c.files, c.names[copied] = append(c.files, copied), file
	return os.WriteFile(copied, []byte(clean), 0o600)
}

// original gives the real file of a filtered copy.
func (k *knownHosts) original(name string) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if file := k.names[name]; file != "" {
		return file
	}
	return name
}

// wanted lists the keys that are known for name (host:port), by file and line.
func (k *knownHosts) wanted(name string) []wantedKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if w, ok := k.fresh[xknownhosts.Normalize(name)]; ok {
		return []wantedKey{w}
	}
	var out []wantedKey
	err := k.db.HostKeyCallback()(name, noAddr(), nobodysKey{})
	keyErr, ok := errors.AsType[*xknownhosts.KeyError](err)
	if !ok {
		return nil
	}
	for _, known := range keyErr.Want {
		out = append(out, wantedKey{
			key: known.Key, file: k.names[known.Filename], line: known.Line,
			authority: k.authorities[place{known.Filename, known.Line}],
		})
	}
	slices.SortStableFunc(out, k.byPlace)
	return out
}

// byPlace orders by file as given, then by line.
func (k *knownHosts) byPlace(a, b wantedKey) int {
	if c := slices.Index(k.files, a.file) - slices.Index(k.files, b.file); c != 0 {
		return c
	}
	return a.line - b.line
}

// check asks the library whether key is right for name.
func (k *knownHosts) check(name string, key ssh.PublicKey) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	w, ok := k.fresh[xknownhosts.Normalize(name)]
	err := k.db.HostKeyCallback()(name, noAddr(), key)
	if ok && errors.As(err, new(*xknownhosts.KeyError)) && slices.Equal(w.key.Marshal(), key.Marshal()) {
		return nil
	}
	return err
}

// nobodysKey matches no line, so that asking with it lists the keys of a name.
type nobodysKey struct{}

func (nobodysKey) Type() string                        { return "none" }
func (nobodysKey) Marshal() []byte                     { return []byte("none") }
func (nobodysKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
