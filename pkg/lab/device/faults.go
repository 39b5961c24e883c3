package device

import (
	"strconv"
	"strings"
	"time"
)

// pending is a fault, and how often its moment has come.
type pending struct {
	Fault
	seen, struck int
}

// strikes gives the first fault of a moment that pick wants, and counts it; the lock
// is held. An empty moment fits every fault's.
func (d *Device) strikes(moment string, m *Member, pick func(*pending) bool) *pending {
	for _, p := range d.faults {
		if moment != "" && p.At != moment || p.Member != "" && m != nil && p.Member != m.ID || !pick(p) {
			continue
		}
		p.seen++
		if p.seen < max(p.Nth, 1) || p.struck >= max(p.Times, 1) {
			continue
		}
		p.struck++
		keep(&d.done.Faults, p.word())
		return p
	}
	return nil
}

func (p *pending) word() string {
	if p.Do == "" && p.Ask != "" {
		return "ask"
	}
	return p.Do
}

// known are the faults that the engine itself lets strike when a moment comes; those of
// transfers and boots are looked for there.
func known(p *pending) bool {
	switch p.word() {
	case "drop", "lose_reply", "ask", "error", "hang", "slow", "log", "flash_full", "power_cut", "vtys_full", "hostile":
		return true
	case "aaa_down", "clock_jump", "swap_member", "key_changes", "config_lost":
		return p.At != "boot"
	}
	return false
}

// at marks a moment. It gives what is left of the command: a fault may end it.
func (c *call) at(moment string) outcome {
	if moment == "" {
		return goOn
	}
	c.moment = moment
	for _, p := range c.d.due(moment) {
		if span, err := parseDuration(p.After); err == nil && span > 0 {
			later := *c
			later.session = nil
			c.d.sys.clock.after(span, true, func() { c.d.jobs.Go(func() { later.suffer(p) }) })
			continue
		}
		if out := c.suffer(p); out != goOn {
			return out
		}
	}
	return goOn
}

// due are the faults that strike at a moment, each once.
func (d *Device) due(moment string) []*pending {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	var all []*pending
	for _, p := range d.faults {
		if p.At == moment && known(p) && d.strikes(moment, nil, func(x *pending) bool { return x == p }) != nil {
			all = append(all, p)
		}
	}
	return all
}

// suffer lets a fault strike.
func (c *call) suffer(p *pending) outcome {
	d := c.d
	switch p.word() {
	case "drop":
		c.lose()
		d.Cut()
	case "lose_reply":
		c.lose()
	case "ask":
		return c.surprise(p)
	case "error":
		c.print(p.Text)
		c.code = 1
		return overCommand
	case "hang":
		c.hang(time.Duration(p.For))
	case "slow":
		d.sys.wall.sleep(c.ctx, time.Duration(p.For), nil)
	case "log":
		d.broadcast(p.Text)
	case "hostile":
		c.print(strings.Repeat("\x1b[2J\x1b]0;sw#\a\x00router# Password: \x9b31m", 20000))
	case "power_cut":
		d.sys.mu.Lock()
		d.reload(c, ReloadStep{})
		d.sys.mu.Unlock()
		return overSession
	default:
		c.change(p)
	}
	return goOn
}

// change are faults that only change the state.
func (c *call) change(p *pending) {
	d := c.d
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	switch p.word() {
	case "flash_full":
		for _, m := range d.members {
			if p.Member == "" || p.Member == m.ID {
				for _, v := range m.Volumes {
					v.Free = 0
				}
			}
		}
	case "config_lost":
		d.running, d.startup = "", ""
	case "clock_jump":
		d.skew += time.Duration(p.For)
	case "swap_member":
		d.swap(p)
	case "aaa_down":
		d.noLogin = d.sys.clock.now().Add(time.Duration(p.For))
	case "vtys_full":
		d.values["vtys_full"] = "yes"
	case "key_changes":
		if key, err := makeKey(d.kind.file.SSH.HostKey); err == nil {
			d.key = key
		}
	}
}

// surprise is a question that nobody expects.
func (c *call) surprise(p *pending) outcome {
	given, ok := c.question(p.Ask, p.Key, false)
	re, err := whole(p.Answer)
	fine := ok && err == nil && p.Answer != "" && re.MatchString(given)
	c.told(Answer{Question: strings.TrimSpace(p.Ask), Given: given, Accepted: fine})
	if fine {
		return goOn
	}
	c.code = 1
	c.effect("surprised")
	return overCommand
}

// transferFault is a fault of a transfer: after so many bytes of all.
type transferFault struct {
	*pending
	after int64
}

// transfer gives the fault of a transfer of this size, nil if all goes well.
func (d *Device) transfer(size int64) *transferFault {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	p := d.strikes("transfer", nil, func(p *pending) bool {
		return p.Do == "drop" || p.Do == "hash_mismatch" || p.Do == "flash_full" || p.Do == "hang"
	})
	if p == nil {
		return nil
	}
	after := size / 2
	if part, ok := strings.CutSuffix(p.After, "%"); ok {
		n, _ := strconv.ParseInt(part, 10, 64)
		after = size * n / 100
	} else if n, err := strconv.ParseInt(p.After, 10, 64); err == nil {
		after = n
	}
	return &transferFault{p, min(after, size)}
}
