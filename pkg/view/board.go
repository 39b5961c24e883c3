package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// board is what the live view knows of a run: how many hosts of each ring stand
// where, and what each host at work is doing. It follows the events by itself, so
// that a run of thousands of hosts need not be copied for each of them.
type board struct {
	known bool
	rings []tally
	hosts map[fact.HostID]*spot
	work  map[fact.HostID]*spot // those of hosts that are at work
}

type tally struct {
	name  string
	total int
	by    map[rollout.HostState]int
}

// spot is where one host stands.
type spot struct {
	id    fact.HostID
	ring  int
	state rollout.HostState
	step  platform.StepID
	since time.Time // the step began
	line  string    // the last it printed
}

// learn takes everything from a status: at the first event.
func (b *board) learn(st rollout.Status) {
	b.known = true
	b.hosts, b.work = map[fact.HostID]*spot{}, map[fact.HostID]*spot{}
	index := map[string]int{}
	for i, r := range st.Rings {
		index[r.Name] = i
		b.rings = append(b.rings, tally{name: clean(r.Name), by: map[rollout.HostState]int{}})
	}
	for _, h := range st.Hosts {
		at, ok := index[h.Ring]
		if !ok {
			continue
		}
		p := &spot{id: h.ID, ring: at, state: h.State, step: h.Step, since: h.Started}
		b.hosts[h.ID] = p
		b.rings[at].total++
		b.rings[at].by[h.State]++
		if h.State == rollout.HostWorking {
			b.work[h.ID] = p
		}
	}
}

// follow takes in one event; the state is as it was after it.
func (b *board) follow(e rollout.Event, s State) {
	if !b.known {
		b.learn(s.Status(e.Time))
	}
	switch entry := e.Entry.(type) {
	case rollout.StepStarted:
		b.move(entry.Host, e.Time, true, s)
	case rollout.StepEnded:
		b.move(entry.Host, e.Time, false, s)
	case rollout.Retried:
		for _, id := range entry.Hosts {
			b.move(id, e.Time, false, s)
		}
	}
}

func (b *board) move(id fact.HostID, at time.Time, begins bool, s State) {
	p, ok := b.hosts[id]
	h, found := s.Host(id)
	if !ok || !found {
		return
	}
	r := &b.rings[p.ring]
	r.by[p.state]--
	r.by[h.State]++
	p.state = h.State
	if begins || p.step != h.Step {
		p.step, p.since, p.line = h.Step, at, ""
	}
	if p.state == rollout.HostWorking {
		b.work[id] = p
	} else {
		delete(b.work, id)
	}
}

// say keeps the last line that a host printed, as long as it is at that step.
func (b *board) say(l Line) {
	if p, ok := b.work[l.host]; ok && (l.step == "" || l.step == p.step) {
		p.line = clean(l.text)
	}
}

// draw gives the lines of the board, each at most width columns and all at most
// height lines: the rings, then the hosts at work, the longest at it first.
func (b *board) draw(now time.Time, width, height int, colour bool) []string {
	if !b.known || height < 1 {
		return nil
	}
	var out []string
	for _, r := range b.rings {
		out = append(out, r.draw(b.nameWidth(), width, colour))
	}
	if len(out) > height { // the rings that are done or far off are not news
		out = out[:height]
	}
	hosts := b.atWork()
	room := height - len(out)
	for i, p := range hosts {
		if i == room-1 && len(hosts) > room {
			out = append(out, report.Truncate(fmt.Sprintf("  and %d more at work", len(hosts)-i), width))
			break
		}
		if i >= room {
			break
		}
		out = append(out, p.draw(now, width, hosts))
	}
	return out
}

func (b *board) atWork() []*spot {
	var out []*spot
	for _, p := range b.work {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y *spot) int {
		if c := x.since.Compare(y.since); c != 0 {
			return c
		}
		return x.id.Compare(y.id)
	})
	return out
}

func (b *board) nameWidth() int {
	w := 0
	for _, r := range b.rings {
		w = max(w, report.Width(r.name))
	}
	return min(w, 20)
}

// bar is how much of a ring has ended.
const bar = 20

// draw is e.g. "production [#####...............]  5/20  > 3 working  x 1 failed".
func (r tally) draw(name, width int, colour bool) string {
	ended := r.total - r.by[rollout.HostWaiting] - r.by[rollout.HostWorking]
	line := pad(report.Truncate(r.name, name), name)
	if width >= 70 && r.total > 0 {
		full := bar * ended / r.total
		line += " [" + strings.Repeat("#", full) + strings.Repeat(".", bar-full) + "]"
	}
	line += fmt.Sprintf(" %*d/%d", len(fmt.Sprint(r.total)), ended, r.total)
	used, parts := report.Width(line), []string{line}
	for _, m := range marks() {
		n := r.by[m.state]
		part := fmt.Sprintf("  %s %d %s", m.sign, n, m.word)
		if n == 0 {
			continue
		}
		if used += report.Width(part); used > width {
			break
		}
		parts = append(parts, paint(part, m.tint, colour))
	}
	return strings.Join(parts, "")
}

// mark is how a state is shown: a sign, its word, and the colour that repeats them.
type mark struct {
	state rollout.HostState
	sign  string
	word  string
	tint  string
}

// marks lists what needs attention first: a narrow line is cut at its end.
func marks() []mark {
	return []mark{
		{rollout.HostFailed, "x", "failed", "31"},
		{rollout.HostUnknown, "?", "unknown", "31"},
		{"", "?", "unknown", "31"},
		{rollout.HostUnreachable, "!", "unreachable", "31"},
		{rollout.HostRollback, "<", "to roll back", "33"},
		{rollout.HostRolledBack, "<", "rolled back", "33"},
		{rollout.HostWorking, ">", "working", "33"},
		{rollout.HostHealthy, "+", "healthy", "32"},
		{rollout.HostNothing, "-", "nothing to do", "2"},
		{rollout.HostWaiting, ".", "waiting", "2"},
	}
}

func markOf(state string) mark {
	for _, m := range marks() {
		if string(m.state) == state {
			return m
		}
	}
	return mark{sign: "?", word: state, tint: "31"}
}

// draw is e.g. "  > hq/web1  install  1m05s  Unpacking openssl".
func (p *spot) draw(now time.Time, width int, all []*spot) string {
	name, step := 0, 0
	for _, q := range all {
		name = max(name, report.Width(clean(q.id.String())))
		step = max(step, report.Width(stepName(q.step)))
	}
	name, step = min(name, max(width/3, 8)), min(step, 12)
	line := fmt.Sprintf("  > %s  %s  %6s", pad(report.Truncate(clean(p.id.String()), name), name),
		pad(report.Truncate(stepName(p.step), step), step), report.Elapsed(now.Sub(p.since)))
	if p.line != "" {
		line += "  " + p.line
	}
	return report.Truncate(trimRight(line), width)
}

// pad fills up to width columns of a terminal, which are not bytes.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-report.Width(text)))
}

func paint(text, code string, colour bool) string {
	if !colour {
		return text
	}
	return "\x1b[" + cmp.Or(code, "0") + "m" + text + "\x1b[0m"
}
