package matrix

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/lab/device"
	"github.com/patchring/patchring/pkg/platform"
)

// surprise is a question that no table foresees. Whatever is answered to it, the device goes on.
const surprise = "Erase nvram? [confirm]"

// course is what a play in which all goes well tells: where something may go wrong.
type course struct {
	moments []moment
	ops     []stepOp
	steps   []platform.StepID // that take time
}

// stepOp is an operation that changes, by its place in its step.
type stepOp struct {
	step platform.StepID
	op   int
}

// learn plays a family once, with nothing going wrong.
func (f family) learn(t *testing.T, on ground) course {
	t.Helper()
	var c course
	t.Run(f.kind, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := cell{family: f, moment: "all", name: "well", watch: &c}.run(t, on)
			defer p.close()
			if p.judge(); p.said != saidDone {
				t.Errorf("all is well, and it said %s at %s: %v\n%s", p.said, p.at, p.why, strings.Join(p.log, "\n"))
			}
		})
	})
	c.moments = append(c.moments, f.moments...)
	return c
}

// cells are all plays of a family.
func (f family) cells(c course) []cell {
	all := []cell{{family: f, moment: "all", name: "well"}}
	for _, m := range c.moments {
		all = append(all, f.faults(m)...)
	}
	if f.on != nil {
		all = append(all, cell{family: f, moment: "special", name: "nobody_synchronises", on: hooks{"proven": func(*play) {}}, lies: "its units' configurations differ: a person decides which is right"})
	}
	if f.mate != nil {
		return all // what is left out here is played on a single one
	}
	all = append(all, f.kills(c)...)
	return append(all, f.specials()...)
}

// at makes a cell of one fault.
func (f family) at(m moment, name string, fault device.Fault) cell {
	fault.At = m.at
	if fault.Do == "" && fault.Ask == "" {
		fault.Do = name
	}
	return cell{family: f, moment: m.step, name: m.at + "/" + name, faults: []device.Fault{fault}}
}

func (f family) faults(m moment) []cell {
	switch m.at {
	case "transfer":
		return []cell{
			f.at(m, "drop", device.Fault{After: "50%"}), f.at(m, "hash_mismatch", device.Fault{}), f.at(m, "flash_full", device.Fault{After: "50%"}),
			f.at(m, "hang", device.Fault{After: "50%"}), f.at(m, "drop_twice", device.Fault{Do: "drop", After: "10%", Times: 2}),
		}
	case "boot":
		return f.boots(m)
	case "down":
		return []cell{f.at(m, "aaa_down", device.Fault{For: device.Duration(15 * time.Minute)})}
	case "back":
		return []cell{
			f.at(m, "power_cut", device.Fault{After: "30s"}), f.at(m, "drop", device.Fault{After: "10s"}), f.at(m, "vtys_full", device.Fault{}),
			f.at(m, "second_reboot", device.Fault{}),
		}
	}
	return []cell{
		f.at(m, "drop", device.Fault{}), f.at(m, "drop_later", device.Fault{Do: "drop", After: "2s"}), f.at(m, "lose_reply", device.Fault{}), f.at(m, "hang", device.Fault{}),
		f.at(m, "error", device.Fault{Text: "% Error: internal failure\n"}), f.at(m, "ask", device.Fault{Ask: surprise, Key: true, Answer: ".*"}),
		f.at(m, "power_cut", device.Fault{}), f.at(m, "power_cut_later", device.Fault{Do: "power_cut", After: "20s"}), f.at(m, "hostile", device.Fault{}),
		f.at(m, "log", device.Fault{Text: "%SYS-5-CONFIG_I: Configured from console by other on vty1"}), f.at(m, "slow", device.Fault{For: device.Duration(3 * time.Minute)}),
		f.at(m, "vtys_full", device.Fault{}), f.at(m, "aaa_down", device.Fault{For: device.Duration(2 * time.Minute)}),
		f.at(m, "flash_full", device.Fault{}), f.at(m, "timer_inactive", device.Fault{}), f.at(m, "clock_jump", device.Fault{For: device.Duration(90 * time.Minute)}),
		f.at(m, "key_changes", device.Fault{}),
	}
}

func (f family) boots(m moment) []cell {
	return []cell{
		f.at(m, "old_image", device.Fault{}), f.at(m, "one_old_image", device.Fault{Member: "2"}), f.at(m, "boots_degraded", device.Fault{}), f.at(m, "never_back", device.Fault{}),
		f.at(m, "key_changes", device.Fault{}), f.at(m, "config_lost", device.Fault{}), f.at(m, "aaa_down", device.Fault{For: device.Duration(3 * time.Minute)}),
		f.at(m, "aaa_down_long", device.Fault{Do: "aaa_down", For: device.Duration(20 * time.Minute)}),
		f.at(m, "clock_jump", device.Fault{For: device.Duration(90 * time.Minute)}), f.at(m, "swap_member", device.Fault{}), f.at(m, "standby_never_syncs", device.Fault{}),
	}
}

// kills end the first life at each operation that changes, and at times of each step.
func (f family) kills(c course) []cell {
	var all []cell
	add := func(name string, k kill) {
		pauses := []time.Duration{0, 3 * time.Hour}
		if k.when == "before" || k.when == "look" && k.delay < time.Minute {
			pauses = pauses[:1] // nothing is at work
		}
		for _, pause := range pauses {
			again := k
			all = append(all, cell{family: f, moment: string(k.step), name: "kill/" + name + "/" + pause.String(), kill: &again, pause: pause})
		}
	}
	for _, o := range c.ops {
		suffix := string(rune('0' + o.op))
		add("before_"+suffix, kill{step: o.step, op: o.op, when: "before"})
		add("asked_"+suffix, kill{step: o.step, op: o.op, when: "asked", delay: 5 * time.Second})
		add("sent_"+suffix, kill{step: o.step, op: o.op, when: "sent", delay: time.Second})
		add("half_"+suffix, kill{step: o.step, op: o.op, when: "sent", delay: time.Minute})
		add("after_"+suffix, kill{step: o.step, op: o.op, when: "after"})
	}
	for _, step := range c.steps {
		for _, delay := range []time.Duration{50 * time.Millisecond, 2 * time.Minute, 9 * time.Minute} {
			add("time_"+delay.String(), kill{step: step, when: "look", delay: delay})
		}
	}
	return all
}

// note takes in the course of a play.
func (c *course) note(p *play, id platform.StepID, began time.Time, took time.Duration) {
	if took > 30*time.Second {
		c.steps = append(c.steps, id)
	}
	for _, e := range p.device.Done().Effects {
		m := moment{e.Name, string(id)}
		if e.User != "" && !e.At.Before(began) && !slices.Contains(p.family.once, e.Name) && !slices.ContainsFunc(c.moments, func(x moment) bool { return x.at == e.Name }) {
			c.moments = append(c.moments, m)
		}
	}
}
