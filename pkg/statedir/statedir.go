// Package statedir is the state folder: its layout, its locks, its rollouts. What
// lies in the files belongs to other packages.
//
//	VERSION                     the layout's version, "1"
//	lock                        held while a rollout is created, a host is put into quarantine, or the folder is pruned
//	budget.lock                 held while a rollout looks at what the others keep out, and reserves
//	quarantine.json             hosts that are left out, by whom, why, and until when
//	known_hosts/SITE            the host keys of a site
//	store/                      content-addressed files, see package store
//	plans/                      what `plan` has saved; nothing else reads it
//	rollouts/ID/about.json      playbook, site, when created
//	rollouts/ID/plan.json       the plan that the rollout carries out
//	rollouts/ID/journal.jsonl   what happened, see package journal
//	rollouts/ID/out.json        the hosts that the rollout keeps out, for the budgets of others
//	rollouts/ID/lock            held by the `run` that is at work
//
// Folders are 0700, files 0600. Everything is opened through os.Root, so that no
// name and no link leads out of the folder. Copying the folder, while no run is at
// work, is a backup, and a hand-over to a colleague.
//
// # Locks
//
// A lock is the operating system's (flock), and ends with the process that holds it,
// however that ends. The file says who has it: user, machine, process, boot, since
// when. What a dead process left there is told, and hinders nobody. Budgets, the
// quarantine and pruning wait for their lock for half a minute; everything else is told
// at once who holds it.
//
// What can get stuck is a lock on a folder that machines share: a file server may keep
// the lock of a machine that is gone. Dir.ForceUnlock puts a new lock file in the place
// of that one. It refuses while the owner lives on this machine, and where nobody signed
// the lock. An owner on another machine can't be seen from here: whoever forces that
// lock says that it is at work no more. The locks on hosts are not touched by it.
//
// # Retention
//
// Dir.Prune removes rollouts that are over, old enough, and not among the last of their
// playbook and site; then what in the store nothing refers to any more. A file that
// names a digest, anywhere in the folder, is a reference.
package statedir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// Version of the layout.
const Version = "1"

// Names in the folder.
const (
	versionName  = "VERSION"
	lockName     = "lock"
	budgetName   = "budget.lock"
	quarantined  = "quarantine.json"
	outName      = "out.json"
	knownName    = "known_hosts"
	storeName    = "store"
	rolloutsName = "rollouts"
	aboutName    = "about.json"
	planName     = "plan.json"

	// PlanSignatureName is the file beside the plan that holds its signature.
	PlanSignatureName = planName + ".sig"
	JournalName       = "journal.jsonl"
)

// Dir is an open state folder.
type Dir struct {
	path string
	root *os.Root
}

// Open opens the state folder at path and creates it where there is none. A folder
// of a newer layout, and one that anybody may write to, are refused.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	d := &Dir{path: path, root: root}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return d, nil
}

func (d *Dir) prepare() error {
	info, err := d.root.Stat(".")
	if err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.Usage, What: "anybody may write to the state folder " + d.path,
			Hint: "chmod 700 " + d.path,
		}
	}
	if err := d.version(); err != nil {
		return err
	}
	for _, name := range []string{knownName, storeName, rolloutsName} {
		if err := d.root.MkdirAll(name, 0o700); err != nil {
			return fmt.Errorf("state folder: %w", err)
		}
	}
	return nil
}

// version writes VERSION into a new folder, and refuses another layout.
func (d *Dir) version() error {
	raw, err := d.root.ReadFile(versionName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Two that open a new folder at once both write, and write the same.
		temp := fmt.Sprintf("%s.new-%d-%d", versionName, os.Getpid(), time.Now().UnixNano())
		return replaceBy(d.root, temp, versionName, []byte(Version+"\n"))
	case err != nil:
		return fmt.Errorf("state folder: %w", err)
	case strings.TrimSpace(string(raw)) != Version:
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported, What: "the state folder " + d.path + " has a layout that this patchring does not know",
			Hint: "a newer patchring wrote it: use that version or a later one, or another folder with --state",
		}
	}
	return nil
}

// Close closes the folder, not what was opened in it.
func (d *Dir) Close() error {
	if err := d.root.Close(); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	return nil
}

// Path is the folder's path as it was opened.
func (d *Dir) Path() string { return d.path }

// Store opens the folder of the content-addressed files.
func (d *Dir) Store() (*os.Root, error) {
	root, err := d.root.OpenRoot(storeName)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	return root, nil
}

// KnownHosts is the path of a site's known_hosts file, which may not exist yet.
func (d *Dir) KnownHosts(site string) (string, error) {
	if !simple(site) {
		return "", fmt.Errorf("site %q can't be the name of a file", site)
	}
	return filepath.Join(d.path, knownName, site), nil
}

// simple: a name that is one element of a path, and no hidden one.
func simple(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.ContainsAny(name, "/\\\x00")
}

// ErrInDoubt is wrapped by errors of writes that may have been done, or not: only a
// process that reads again what the disk holds can tell.
var ErrInDoubt = errors.New("it is not known whether it was written")

// Lock takes the folder for oneself while deciding whether to create a rollout.
func (d *Dir) Lock(o Owner) (*Lock, error) {
	return take(d.root, lockName, d.what(), o)
}

// Await is Lock, but waits for whoever holds it: it is never held for long. ctx ends
// the wait; so does half a minute, with who holds it.
func (d *Dir) Await(ctx context.Context) (*Lock, error) {
	return await(ctx, d.root, lockName, d.what())
}

func (d *Dir) what() string { return "the state folder " + d.path }

// budgets names budget.lock for people.
func budgets(path string) string {
	return "what the rollouts of the state folder " + filepath.Clean(path) + " keep out"
}

// replace writes a file so that it is there whole or as it was before.
func replace(root *os.Root, name string, content []byte) error {
	return replaceBy(root, name+".new", name, content)
}

// replaceBy names the file that is written first.
func replaceBy(root *os.Root, temp, name string, content []byte) error {
	if err := write(root, temp, content); err != nil {
		return err
	}
	if err := root.Rename(temp, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncFolder(root)
}

func write(root *os.Root, name string, content []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	return nil
}
