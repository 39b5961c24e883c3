package connect

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// Rotated is what was written of a rotation.
type Rotated struct {
	Added   []KnownKey
	Removed []KnownKey // from the site's own file
	Left    []KnownKey // no longer the host's, but in a file or a line that is not ours
	Backup  string     // the file before; "": nothing was removed
}

// Rotate records the proven keys of a rotation in the site's known_hosts, and takes those
// that are no longer the host's out of that file, in one step: it is replaced, with the
// file as it was beside it. Lines for other names too, and other files, are left alone.
func (f *Fleet) Rotate(h inventory.Host, r Rotation) (Rotated, error) {
	if len(r.Pins) > 0 || r.Certified || len(r.added)+len(r.gone) == 0 {
		return Rotated{}, nil
	}
	known, err := f.knownHosts(h.ID.Site)
	if err == nil && len(known.files) == 0 {
		err = errors.New("there is no known_hosts to write")
	}
	if err != nil {
		return Rotated{}, fault.On(err, h.ID.String(), stepRotate)
	}
	done, err := known.rotate(r)
	if err != nil {
		return Rotated{}, recordFault(h.ID.String(), known.files[0], err)
	}
	return done, nil
}

func (k *knownHosts) rotate(r Rotation) (Rotated, error) {
	f, err := openLocked(k.files[0])
	if err != nil {
		return Rotated{}, err
	}
	defer func() { _ = f.Close() }()
	if err := k.catchUp(f); err != nil {
		return Rotated{}, err
	}
	fresh := slices.DeleteFunc(slices.Clone(r.added), func(key ssh.PublicKey) bool { return k.holds(r.Name, key) })
	var done Rotated
	if len(fresh) > 0 { // first what is new: a crash in between leaves both
		added, err := k.append(f, entry{r.Name, r.hash}, fresh)
		if err != nil {
			return done, err
		}
		done.Added = describeLines(added)
	}
	ours, left := k.ours(r.Name, r.gone)
	done.Left = describeLines(left)
	if len(ours) == 0 {
		return done, nil
	}
	if done.Backup, err = k.remove(ours); err != nil {
		return done, err
	}
	done.Removed = describeLines(ours)
	return done, k.reload()
}

func (k *knownHosts) holds(name string, key ssh.PublicKey) bool {
	lines, loose := k.about(name)
	return !loose && slices.ContainsFunc(lines, func(l knownLine) bool { return l.mark == markNone && sameKey(l.key, key) })
}

// ours are the lines of gone keys that may be removed: of the site's file, for this one
// name. Where they stand now counts, since the file may have changed.
func (k *knownHosts) ours(name string, gone []knownLine) (ours, left []knownLine) {
	lines, loose := k.about(name)
	for _, l := range lines {
		wasGone := slices.ContainsFunc(gone, func(g knownLine) bool { return sameKey(g.key, l.key) })
		switch {
		case loose || l.mark != markNone || !wasGone:
		case l.file == k.files[0] && l.only(knownName(name)):
			ours = append(ours, l)
		default:
			left = append(left, l)
		}
	}
	return ours, left
}

// remove writes the first file anew without some of its lines, and keeps it as it was
// under another name. Whoever waits for the old file's lock sees that it was replaced.
func (k *knownHosts) remove(lines []knownLine) (backup string, err error) {
	path := k.files[0]
	text, err := os.ReadFile(path) //nolint:gosec // the site's own known_hosts
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		at := slices.IndexFunc(lines, func(l knownLine) bool { return l.line == number })
		if at < 0 {
			out.WriteString(line)
			continue
		}
		if now, reason := parseKnownLine(strings.TrimSpace(line)); reason != "" || !sameKey(now.key, lines[at].key) {
			return "", fmt.Errorf("%s is no longer what it was", lines[at].place())
		}
	}
	backup = filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".before-rotation") // no site's name begins with a dot
	if err := replaceFile(backup, text); err != nil {
		return "", err
	}
	return backup, replaceFile(path, out.Bytes())
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".known_hosts-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
