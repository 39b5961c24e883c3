package statedir

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// Quarantine is a host that is known to be dead, on somebody's account, until a day. It
// is told of in each plan, and holds nobody up.
type Quarantine struct {
	Host   fact.HostID `json:"host"`
	Owner  string      `json:"owner"` // whose business it is
	Reason string      `json:"reason"`
	Until  time.Time   `json:"until"` // the end of the last day
	By     string      `json:"by"`    // user@machine
	Since  time.Time   `json:"since"`
}

// Over tells whether the quarantine has come to its end. It stays in the file until
// somebody lifts it.
func (q Quarantine) Over(now time.Time) bool { return !now.Before(q.Until) }

// maxWords bounds each text of a quarantine.
const maxWords = 500

func (q Quarantine) check() error {
	if err := checkHosts([]fact.HostID{q.Host}); err != nil {
		return err
	}
	for name, text := range map[string]string{"owner": q.Owner, "reason": q.Reason, "by": q.By} {
		if text == "" || text != remote.Clean(text, maxWords) {
			return fmt.Errorf("%s: its %s must be one line of printable text, of at most %d bytes", q.Host, name, maxWords)
		}
	}
	if q.Since.IsZero() || !q.Until.After(q.Since) {
		return fmt.Errorf("%s: its end must come after its beginning", q.Host)
	}
	return nil
}

type quarantineFile struct {
	Version int          `json:"version"`
	Hosts   []Quarantine `json:"hosts"` // sorted, none twice
}

func parseQuarantine(raw []byte) ([]Quarantine, error) {
	file, err := strict[quarantineFile](raw)
	if err != nil {
		return nil, err
	}
	var hosts []fact.HostID
	for _, q := range file.Hosts {
		if err := q.check(); err != nil {
			return nil, err
		}
		hosts = append(hosts, q.Host)
	}
	return file.Hosts, checkHosts(hosts)
}

// Quarantine lists the hosts in quarantine, sorted, also those whose time is over. A
// damaged file is an error: a host must not come back because nobody could read.
func (d *Dir) Quarantine() ([]Quarantine, error) {
	raw, found, err := readFile(d.root, quarantined)
	if err == nil && !found {
		return nil, nil
	}
	var all []Quarantine
	if err == nil {
		all, err = parseQuarantine(raw)
	}
	if err != nil {
		return nil, damaged(d.root, quarantined, "put it back from a copy; or remove it, and put the hosts into quarantine again", err)
	}
	return all, nil
}

// SetQuarantine puts a host into quarantine, or changes its quarantine. It waits for
// the folder's lock, which the caller must not hold.
func (d *Dir) SetQuarantine(ctx context.Context, q Quarantine) error {
	q.Until, q.Since = q.Until.Round(0), q.Since.UTC().Round(0)
	for _, text := range []*string{&q.Owner, &q.Reason, &q.By} {
		*text = remote.Clean(*text, maxWords)
	}
	if err := q.check(); err != nil {
		return fault.Usagef("it needs an owner, a reason, and a day to come", "quarantine: %v", err)
	}
	return d.changeQuarantine(ctx, func(all []Quarantine) ([]Quarantine, error) {
		at, there := find(all, q.Host)
		if there {
			all[at] = q
			return all, nil
		}
		return slices.Insert(all, at, q), nil
	})
}

// LiftQuarantine takes a host out of quarantine, and gives what it was. That it is not
// in one is a usage error.
func (d *Dir) LiftQuarantine(ctx context.Context, host fact.HostID) (was Quarantine, err error) {
	err = d.changeQuarantine(ctx, func(all []Quarantine) ([]Quarantine, error) {
		at, there := find(all, host)
		if !there {
			return nil, fault.Usagef("see: patchring quarantine", "%s is not in quarantine", host)
		}
		was = all[at]
		return slices.Delete(all, at, at+1), nil
	})
	return was, err
}

func find(all []Quarantine, host fact.HostID) (int, bool) {
	return slices.BinarySearchFunc(all, host, func(q Quarantine, h fact.HostID) int { return q.Host.Compare(h) })
}

func (d *Dir) changeQuarantine(ctx context.Context, change func([]Quarantine) ([]Quarantine, error)) error {
	lock, err := await(ctx, d.root, lockName, d.what())
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // it ends with the file
	all, err := d.Quarantine()
	if err != nil {
		return err
	}
	if all, err = change(all); err != nil {
		return err
	}
	raw, err := encode(quarantineFile{Version: fileVersion, Hosts: all})
	if err == nil {
		err = replace(d.root, quarantined, raw)
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}
