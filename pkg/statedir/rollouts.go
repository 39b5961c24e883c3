package statedir

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// About is what is known of a rollout without reading its journal.
type About struct {
	ID       string    `json:"rollout"`
	Playbook string    `json:"playbook"`
	Site     string    `json:"site"`
	Path     string    `json:"path,omitempty"` // of the playbook or plan, as it was typed
	Created  time.Time `json:"created"`
}

// Rollout is the open folder of one rollout.
type Rollout struct {
	About
	root  *os.Root
	state *os.Root // the folder of all
}

// maxPlan bounds what is read as a plan: 10,000 hosts with 100 updates each fit well.
const maxPlan = 1 << 30

// newPrefix is that of a folder which is not complete yet.
const newPrefix = ".new-"

// NewID names a rollout: "2026-11-21-monthly-7f3a". It sorts by day; the end is
// taken from random, so that two of one day differ.
func NewID(now time.Time, playbook string, random io.Reader) (string, error) {
	var tail [2]byte
	if _, err := io.ReadFull(random, tail[:]); err != nil {
		return "", fmt.Errorf("name the rollout: %w", err)
	}
	name := strings.Trim(strings.Map(plain, strings.ToLower(playbook)), "-")
	name = strings.TrimRight(name[:min(len(name), 32)], "-")
	return now.UTC().Format(time.DateOnly) + "-" + cmp.Or(name, "rollout") + "-" + hex.EncodeToString(tail[:]), nil
}

// plain keeps what is safe in a file name, a shell and a systemd unit.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// validID: what NewID can give, so that no id leads elsewhere.
func validID(id string) bool {
	return id != "" && len(id) <= 64 && id[0] != '-' && strings.Map(plain, id) == id
}

// Create makes the folder of a new rollout, whole or not at all: its plan, with the
// plan's signature where there is one, and an empty journal.
func (d *Dir) Create(about About, plan []byte, signature ...byte) (*Rollout, error) {
	if !validID(about.ID) {
		return nil, fmt.Errorf("%q can't be the id of a rollout", about.ID)
	}
	about.Created = about.Created.UTC().Round(0)
	raw, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("create the rollout: %w", err)
	}
	all, err := d.root.OpenRoot(rolloutsName)
	if err != nil {
		return nil, fmt.Errorf("create the rollout: %w", err)
	}
	defer all.Close()
	files := map[string][]byte{aboutName: append(raw, '\n'), planName: plan, JournalName: nil}
	if len(signature) > 0 {
		files[PlanSignatureName] = signature
	}
	if err := assemble(all, about.ID, files); err != nil {
		return nil, fmt.Errorf("create rollout %s: %w", about.ID, err)
	}
	return d.Rollout(about.ID)
}

// assemble makes a folder under another name and moves it to its place when it is complete.
func assemble(all *os.Root, id string, files map[string][]byte) error {
	temp := newPrefix + id
	if err := all.RemoveAll(temp); err != nil { // of a process that was killed here
		return err
	}
	if err := all.Mkdir(temp, 0o700); err != nil {
		return err
	}
	inside, err := all.OpenRoot(temp)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := write(inside, name, content); err != nil {
			return errors.Join(err, inside.Close())
		}
	}
	if err := errors.Join(syncFolder(inside), inside.Close()); err != nil {
		return err
	}
	if _, err := all.Stat(id); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errors.New("there is one of that id"), err)
	}
	if err := all.Rename(temp, id); err != nil {
		return err
	}
	return syncFolder(all)
}

// Rollout opens a rollout's folder. An unknown id is a usage error.
func (d *Dir) Rollout(id string) (*Rollout, error) {
	if !validID(id) {
		return nil, noRollout(id, nil)
	}
	root, err := d.root.OpenRoot(rolloutsName + "/" + id)
	if err != nil {
		return nil, noRollout(id, err)
	}
	r := &Rollout{root: root}
	if r.About, err = readAbout(root, id); err == nil {
		r.state, err = d.root.OpenRoot(".")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rollout %s: %w", id, err), root.Close())
	}
	return r, nil
}

func readAbout(root *os.Root, id string) (about About, err error) {
	raw, err := root.ReadFile(aboutName)
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(raw)).Decode(&about)
	}
	if err == nil && about.ID != id {
		err = fmt.Errorf("%s names rollout %q", aboutName, about.ID)
	}
	return about, err
}

func noRollout(id string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	e := fault.Usagef("see: patchring status", "no rollout %q in the state folder", id)
	e.Err = err
	return e
}

// Rollouts lists all, oldest first.
func (d *Dir) Rollouts() ([]About, error) {
	entries, err := fs.ReadDir(d.root.FS(), rolloutsName)
	if err != nil {
		return nil, fmt.Errorf("list the rollouts: %w", err)
	}
	var out []About
	for _, e := range entries {
		if !isRollout(e) {
			continue
		}
		r, err := d.Rollout(e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, r.About)
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b About) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// isRollout leaves out what a killed process left, and what is not ours.
func isRollout(e fs.DirEntry) bool { return e.IsDir() && validID(e.Name()) }

// Of lists the rollouts of a playbook in a site, newest first. At most one of them
// is not over; only its journal tells which.
func (d *Dir) Of(playbook, site string) ([]About, error) {
	all, err := d.Rollouts()
	if err != nil {
		return nil, err
	}
	of := slices.DeleteFunc(all, func(a About) bool { return a.Playbook != playbook || a.Site != site })
	slices.Reverse(of)
	return of, nil
}

// Root is the rollout's folder, for its journal. It is closed with the Rollout.
func (r *Rollout) Root() *os.Root { return r.root }

// Plan reads the saved plan, as it was given to Create.
func (r *Rollout) Plan() ([]byte, error) { return r.read(planName) }

// PlanSignature reads the plan's signature; nil where there is none.
func (r *Rollout) PlanSignature() ([]byte, error) {
	raw, err := r.read(PlanSignatureName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

func (r *Rollout) read(name string) ([]byte, error) {
	f, err := r.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxPlan+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	if len(raw) > maxPlan {
		return nil, fmt.Errorf("rollout %s: %s has more than %d bytes", r.ID, name, maxPlan)
	}
	return raw, nil
}

// Lock takes the rollout for the `run` that carries it on. Held by another process,
// it is a *fault.Error with Code Locked.
func (r *Rollout) Lock(o Owner) (*Lock, error) {
	return take(r.root, lockName, ofRollout+r.ID, o)
}

// Close closes the folder; locks and journals opened in it stay open.
func (r *Rollout) Close() error {
	if err := errors.Join(r.root.Close(), r.state.Close()); err != nil {
		return fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	return nil
}
