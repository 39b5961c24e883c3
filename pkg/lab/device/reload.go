package device

import (
	"context"
	"time"
)

// reloading is a reload with its durations known.
type reloading struct {
	grace, refuse, noLogin, notReady, replay time.Duration
	run                                      string
}

// reload begins a reload; the lock is held. It does not block. One that comes while
// another has begun changes nothing, but for one without grace: the power is gone at once.
func (d *Device) reload(c *call, r ReloadStep) {
	left := func(text, name string) time.Duration {
		if text == "" {
			text = "@" + name
		}
		return d.duration(c, text)
	}
	plan := reloading{
		grace: d.duration(c, r.Grace), refuse: left(r.Refuse, "refuse"), noLogin: left(r.AAADown, "aaa_down"),
		notReady: left(r.NotReady, "not_ready"), replay: left(r.Replay, "config_replay"), run: d.text(c, r.Run),
	}
	switch {
	case d.cycling:
		if plan.grace == 0 {
			signal(d.sooner)
		}
	case d.down && d.listener == nil: // Refuse closed the port
	default:
		d.begin(plan)
	}
}

// begin starts the one cycle that there is at a time; the lock is held.
func (d *Device) begin(plan reloading) {
	d.cycling = true
	select {
	case <-d.sooner: // an earlier cycle was not in its grace any more
	default:
	}
	d.jobs.Go(func() { d.cycle(plan) })
}

// cycle is a reload, from the last second to the first login.
func (d *Device) cycle(plan reloading) {
	if plan.grace > 0 {
		d.sys.clock.sleep(d.ctx, plan.grace, d.sooner)
	}
	if d.ctx.Err() != nil {
		return
	}
	d.fall()
	d.deafen()
	d.Cut()
	c := &call{d: d, ctx: d.ctx}
	c.at("down")
	if !d.sys.clock.sleep(d.ctx, max(plan.refuse, time.Second), nil) {
		return
	}
	if d.stays(c) {
		return
	}
	d.rise(c, plan)
	if d.dead() {
		return
	}
	if d.ctx.Err() == nil {
		// It fails only when the device is being closed.
		_ = d.listen()
	}
	d.sys.mu.Lock()
	d.cycling = false
	d.sys.mu.Unlock()
	c.at("back")
	if d.again() {
		d.sys.clock.sleep(d.ctx, 2*time.Minute, nil)
		d.sys.mu.Lock()
		defer d.sys.mu.Unlock()
		if !d.cycling && d.ctx.Err() == nil {
			d.begin(reloading{refuse: plan.refuse, noLogin: plan.noLogin, notReady: plan.notReady, run: plan.run})
		}
	}
}

// fall ends every command that runs, and the timers: they are in memory.
func (d *Device) fall() {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	keep(&d.done.Effects, Effect{At: d.sys.clock.now(), Name: "reload"})
	d.die()
	d.life, d.die = context.WithCancel(d.ctx)
	for name, t := range d.timers {
		if !t.keeps {
			d.disarm(name)
		}
	}
}

// stays tells whether a fault keeps the device down.
func (d *Device) stays(c *call) bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.strikes("boot", nil, func(p *pending) bool { return p.Do == "never_back" }) != nil || d.ctx.Err() != nil || c == nil
}

// dead tells whether the boot routine found nothing to boot.
func (d *Device) dead() bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.values["dead"] == "yes"
}

// again tells whether the device reboots a second time by itself.
func (d *Device) again() bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.strikes("", nil, func(p *pending) bool { return p.Do == "second_reboot" }) != nil
}

// rise is the boot.
func (d *Device) rise(c *call, plan reloading) {
	d.sys.mu.Lock()
	now := d.sys.clock.now()
	d.boots++
	d.running = d.startup
	for _, m := range d.members {
		m.booted = now
	}
	d.noLogin = now.Add(plan.noLogin)
	d.notReady = d.noLogin.Add(plan.notReady)
	d.replaying = plan.replay > 0
	c.moment = "boot"
	d.atBoot()
	d.sys.mu.Unlock()
	c.at("boot")
	for _, name := range []string{"boot", plan.run} {
		if _, ok := d.kind.file.Routines[name]; ok {
			c.routine(name)
		}
	}
	if span := plan.noLogin + plan.notReady; span > 0 {
		d.sys.clock.after(span, true, func() {}) // so that the time passes
	}
	if plan.replay > 0 {
		d.sys.clock.after(plan.replay, true, func() {
			d.sys.mu.Lock()
			defer d.sys.mu.Unlock()
			d.replaying = false
		})
	}
}

// atBoot are the faults of a boot that the engine knows; the lock is held.
func (d *Device) atBoot() {
	struck := func(word string) *pending {
		return d.strikes("boot", nil, func(p *pending) bool { return p.Do == word })
	}
	if struck("key_changes") != nil {
		if key, err := makeKey(d.kind.file.SSH.HostKey); err == nil {
			d.key = key
		}
	}
	if struck("config_lost") != nil {
		d.running, d.startup = "", ""
	}
	if f := struck("aaa_down"); f != nil {
		d.noLogin = d.noLogin.Add(time.Duration(f.For))
		d.notReady = d.notReady.Add(time.Duration(f.For))
		d.sys.clock.after(time.Duration(f.For), true, func() {})
	}
	if f := struck("clock_jump"); f != nil {
		d.skew += time.Duration(f.For)
	}
	if f := struck("swap_member"); f != nil {
		d.swap(f)
	}
}

// swap puts another piece of hardware in a member's place.
func (d *Device) swap(f *pending) {
	m := d.members[len(d.members)-1]
	if other := d.member(f.Member); other != nil {
		m = other
	}
	m.V["serial"] = invent(sameForm(m.V["serial"]), d.options.Name+"/swapped/"+m.ID)
}

// sameForm keeps the first three letters of a serial number, and its digits digits.
func sameForm(serial string) string {
	form := []byte(serial)
	for i := 3; i < len(form); i++ {
		switch {
		case form[i] >= '0' && form[i] <= '9':
			form[i] = '%'
		case form[i] != '-':
			form[i] = '#'
		}
	}
	return string(form)
}

// disarm takes a timer back; the lock is held.
func (d *Device) disarm(name string) {
	if t := d.timers[name]; t != nil {
		d.sys.clock.cancel(t.event)
		delete(d.timers, name)
	}
}

// arm starts a timer; the lock is held.
func (d *Device) arm(c *call, a AfterStep) {
	name := d.text(c, a.Name)
	d.disarm(name)
	if a.Deadline && d.strikes("", c.member, func(p *pending) bool { return p.Do == "timer_inactive" }) != nil {
		return
	}
	t := &timer{member: c.member, run: d.text(c, a.Do), keeps: a.Keeps}
	life := d.life
	if a.Keeps {
		life = d.ctx
	}
	t.event = d.sys.clock.after(d.duration(c, a.In), !a.Deadline, func() {
		d.jobs.Go(func() { d.ring(life, name, t) })
	})
	d.timers[name] = t
}

// ring is a timer's end.
func (d *Device) ring(life context.Context, name string, t *timer) {
	d.sys.mu.Lock()
	mine := d.timers[name] == t
	if mine {
		delete(d.timers, name)
	}
	d.sys.mu.Unlock()
	if !mine || life.Err() != nil {
		return
	}
	c := &call{d: d, ctx: life, member: t.member}
	c.routine(t.run)
}
