package connect

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

// knownHosts is what the files of one site say, and what this run added to them. Only
// the first file is ever written.
type knownHosts struct {
	files []string
	warn  func(string)
	ready func() error // loads once
	// hash: new lines hide the host's name, as the user's own files do.
	hash bool

	mu    sync.RWMutex
	index knownIndex  // of all files, in their order; what this run adds stands last
	stamp fs.FileInfo // of the first file, as last seen; nil: it was not there …
	count int         // … and its lines
	// fresh are the names whose key this run believed because nothing was known of them,
	// as xknownhosts.Normalize writes them.
	fresh map[string]bool
}

func (f *Fleet) knownHosts(site string) (*knownHosts, error) {
	f.mu.Lock()
	k := f.known[site]
	if k == nil {
		k = newKnownHosts(f.opts.KnownHosts(site), f.warn)
		f.known[site] = k
	}
	f.mu.Unlock()
	if err := k.ready(); err != nil {
		return nil, err
	}
	return k, nil
}

func newKnownHosts(files []string, warn func(string)) *knownHosts {
	k := &knownHosts{files: files, warn: warn, fresh: map[string]bool{}}
	k.ready = sync.OnceValue(k.reload)
	return k
}

// reload reads the files anew.
func (k *knownHosts) reload() error {
	var all []knownLine
	var stamp fs.FileInfo
	count := 0
	for i, file := range k.files {
		seen, _ := os.Stat(file)       // before it is read: what changes in between is read again
		text, err := os.ReadFile(file) //nolint:gosec // the user's own known_hosts
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fault.Usagef("make it readable, or name another", "known_hosts: %v", err)
		}
		lines, skipped, err := parseKnown(file, string(text))
		if err != nil {
			return fault.Usagef("a line that takes trust away can't be skipped: correct or remove it", "known_hosts: %v", err)
		}
		for _, line := range skipped {
			k.warn(line)
		}
		all = append(all, lines...)
		if i == 0 {
			stamp, count = seen, countLines(text)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.index, k.stamp, k.count = indexed(all), stamp, count
	k.hash = slices.ContainsFunc(all, func(l knownLine) bool { return strings.HasPrefix(l.names, "|") })
	return nil
}

// countLines also counts a last line without its end.
func countLines(text []byte) int {
	n := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

// about gives the lines that name host:port, revocations left out. Where there is none,
// those of the name without port, as OpenSSH does: loose then, which means that they may
// say yes, but that another key is no contradiction.
func (k *knownHosts) about(name string) (lines []knownLine, loose bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	known := knownName(name)
	if lines = k.linesOf(known); len(lines) > 0 {
		return lines, false
	}
	if bare := withoutPort(known); bare != "" {
		return k.linesOf(bare), true
	}
	return nil, false
}

func (k *knownHosts) linesOf(known string) []knownLine {
	var out []knownLine
	for _, l := range k.index.find(known) {
		if l.mark != markRevoked {
			out = append(out, l)
		}
	}
	return out
}

// revokedBy finds the line that revokes the key, or the authority that signed it. Stricter
// than OpenSSH: whatever name the line is for, since a stolen key is stolen everywhere.
func (k *knownHosts) revokedBy(key ssh.PublicKey) (knownLine, bool) {
	blobs := [][]byte{bareKeys(key)[0].Marshal()}
	if cert, ok := key.(*ssh.Certificate); ok {
		blobs = append(blobs, bareKeys(cert.SignatureKey)[0].Marshal())
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, l := range k.index.lines {
		if l.mark == markRevoked && slices.ContainsFunc(blobs, func(b []byte) bool { return bytes.Equal(b, l.key.Marshal()) }) {
			return l, true
		}
	}
	return knownLine{}, false
}

func (l knownLine) place() string { return fmt.Sprintf("%s:%d", l.file, l.line) }

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }
