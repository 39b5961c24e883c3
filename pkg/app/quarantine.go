package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/statedir"
)

// QuarantineOptions are those of `quarantine`.
type QuarantineOptions struct {
	Options
	Host   string // "": list
	Until  string // day: 2027-02-01
	Reason string
	Owner  string // "": Env.Actor
	Lift   bool
}

// Quarantine leaves a host that is known to be dead out of new plans, until a day; or
// takes that back; or lists all.
func (e Env) Quarantine(ctx context.Context, o QuarantineOptions) (Ending, error) {
	dir, err := o.stateDir()
	if err != nil {
		return Ending{}, err
	}
	defer func() { _ = dir.Close() }()
	if o.Host != "" {
		if err := e.changeQuarantine(ctx, o, dir); err != nil {
			return Ending{}, err
		}
	}
	all, err := dir.Quarantine()
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // names the file
	}
	return Ending{}, e.print(o.Options, report.NewQuarantine(entries(all), e.Now()))
}

func entries(all []statedir.Quarantine) []report.QuarantineEntry {
	out := make([]report.QuarantineEntry, 0, len(all))
	for _, q := range all {
		out = append(out, report.QuarantineEntry{Host: q.Host, Owner: q.Owner, Reason: q.Reason, Until: q.Until, By: q.By, Since: q.Since})
	}
	return out
}

func (e Env) changeQuarantine(ctx context.Context, o QuarantineOptions, dir *statedir.Dir) error {
	inv, err := o.loadInventory()
	if err != nil {
		return err
	}
	host, err := oneHost(inv, o)
	if err != nil {
		return err
	}
	if o.Lift {
		_, err := dir.LiftQuarantine(ctx, host.ID)
		return err //nolint:wrapcheck // names host and file
	}
	until, err := dayEnd(o.Until, inv.Sites[host.ID.Site].Timezone)
	if err != nil {
		return err
	}
	if !until.After(e.Now()) {
		return fault.Usagef("name a day to come: --until 2027-02-01", "--until %s is over", o.Until)
	}
	owner := o.Owner
	if owner == "" {
		owner = e.Actor
	}
	return dir.SetQuarantine(ctx, statedir.Quarantine{ //nolint:wrapcheck // names host and file
		Host: host.ID, Owner: owner, Reason: o.Reason, Until: until, By: e.Actor, Since: e.Now().UTC(),
	})
}

// oneHost finds the host that was named; a pattern that names several is refused.
func oneHost(inv *inventory.Inventory, o QuarantineOptions) (inventory.Host, error) {
	hosts, err := o.selected(inv, o.Host)
	if err != nil {
		return inventory.Host{}, err
	}
	if len(hosts) != 1 {
		return inventory.Host{}, fault.Usagef("name one host; with several sites, also --site", "%s names %d hosts", o.Host, len(hosts))
	}
	return hosts[0], nil
}

// dayEnd is the first moment after a day on the site's clock.
func dayEnd(text string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, fault.Usagef("write the last day of it: --until 2027-02-01", "--until %q is not a day", text)
	}
	return day.AddDate(0, 0, 1).UTC(), nil
}

// quarantined gives the hosts that a plan leaves out.
func (o Options) quarantined() (map[fact.HostID]plan.Quarantined, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Quarantine()
	if err != nil {
		return nil, fmt.Errorf("read who is quarantined: %w", err)
	}
	out := map[fact.HostID]plan.Quarantined{}
	for _, q := range all {
		out[q.Host] = plan.Quarantined{ID: q.Host, Owner: q.Owner, Until: q.Until, Reason: q.Reason}
	}
	return out, nil
}
