package device

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
)

// Boot is when a device came up. The zero At means: not known.
type Boot struct {
	At      time.Time // by the controller's clock
	Grain   time.Duration
	Members map[string]time.Time // by ID, where each tells its own
}

// ReadBoot reads when a device came up, of the first of its ways that tells it.
func (p *Platform) ReadBoot(outputs map[string][]byte, seen time.Time) (Boot, bool) {
	return p.boot(outputsOf(outputs), seen)
}

func (p *Platform) boot(from sources, seen time.Time) (Boot, bool) {
	for _, way := range p.Definition.BootTime {
		boot := Boot{Grain: way.Grain, Members: map[string]time.Time{}}
		for _, text := range from(way.Cmd) {
			p.bootRows(way, text, seen, &boot)
		}
		if !boot.At.IsZero() {
			return boot, true
		}
	}
	return Boot{}, false
}

// bootRows takes the first row as the device's own time.
func (p *Platform) bootRows(way BootTime, text string, seen time.Time, into *Boot) {
	re := p.Re(way.Re)
	headings := p.headings(way.Per, text)
	for _, at := range re.FindAllStringSubmatchIndex(text, maxMembers) {
		r := groups(re, text, at)
		if r["id"] == "" {
			r["id"] = above(headings, at[0])
		}
		booted, ok := bootOf(way.As, captured(re, submatches(text, at)), r["now"], seen)
		if !ok {
			continue
		}
		if into.At.IsZero() {
			into.At = booted
		}
		if _, twice := into.Members[r["id"]]; r["id"] != "" && !twice {
			into.Members[r["id"]] = booted
		}
	}
}

func submatches(text string, at []int) []string {
	var list []string
	for i := 0; i+1 < len(at); i += 2 {
		if at[i] < 0 {
			list = append(list, "")
			continue
		}
		list = append(list, text[at[i]:at[i+1]])
	}
	return list
}

// bootOf reads one value. A time without a zone means nothing by itself; beside it the
// pattern may have a group now, the device's own clock: then the distance between the two
// counts.
func bootOf(as, value, now string, seen time.Time) (time.Time, bool) {
	if as == "uptime" {
		d, ok := uptime(value)
		return seen.Add(-d), ok
	}
	at, zoned, ok := absolute(value)
	if !ok {
		return time.Time{}, false
	}
	if now != "" {
		clock, _, ok := absolute(now)
		return seen.Add(at.Sub(clock)), ok && !clock.Before(at)
	}
	return at.UTC(), zoned && !at.After(seen.Add(24*time.Hour))
}

// take puts the boot times into the facts. The device's own is that of the active unit,
// where each tells its own.
func (b Boot) take(d *fact.Device) {
	d.Booted, d.Grain = b.At, b.Grain
	for i, m := range d.Members {
		at, ok := b.Members[m.ID]
		if !ok {
			continue
		}
		d.Members[i].Booted = at
		if m.Role == fact.RoleActive {
			d.Booted = at
		}
	}
}
