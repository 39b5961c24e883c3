package report

import (
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

func newWaits(s Source) []Wait {
	out := []Wait{}
	for _, w := range s.Waits {
		out = append(out, Wait{Ring: clean(w.Ring), For: clean(w.For), Person: w.Person, Until: w.Until.UTC(), Text: s.waitText(w)})
	}
	return out
}

// waitText is one line: the ring, what is waited for, and until when, each unless the
// sentence says it already.
func (s Source) waitText(w rollout.Wait) string {
	out, ring := clean(w.For), clean(w.Ring)
	switch {
	case ring == "" || names(out, ring):
	case strings.HasPrefix(out, "opens ") || strings.HasPrefix(out, "waits "): // the ring does
		out = ring + " " + out
	default:
		out = ring + ": " + out
	}
	if when := s.say(w.Until); when != "" && !strings.Contains(out, when) {
		out += "; until " + when
	}
	return clean(out)
}

// names tells whether a sentence has a name as a word of its own.
func names(sentence, name string) bool {
	for word := range strings.FieldsSeq(sentence) {
		if strings.Trim(word, ":;,()") == name {
			return true
		}
	}
	return false
}

// say is a moment on the site's clock; "" for none.
func (s Source) say(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	clock, err := schedule.Compile(schedule.Calendar{Zone: s.zone()})
	if err != nil { // a zone that this system does not know
		return stamp(t)
	}
	return clock.Say(t, s.now())
}

func (s Source) now() time.Time {
	if s.Now.IsZero() {
		return s.Status.Changed
	}
	return s.Now
}

// zone is the name of the site's clock by the last calendar that is at hand; empty: UTC.
func (s Source) zone() string {
	name := ""
	if s.Plan != nil {
		name = s.Plan.Calendar.Zone
	}
	for _, e := range s.Events {
		switch entry := e.Entry.(type) {
		case rollout.Opened:
			name = orElse(entry.Calendar.Zone, name)
		case rollout.CalendarSet:
			name = orElse(entry.Calendar.Zone, name)
		}
	}
	return name
}

// needs tells whether somebody must act.
func (w Wait) needs() cell {
	if w.Person {
		return cell{"! a person", warn}
	}
	return text("nothing")
}

func waitTexts(all []Wait) string {
	var out []string
	for _, w := range all {
		out = append(out, w.Text)
	}
	return strings.Join(out, " | ")
}

func (d Rollout) waitSheet() sheet {
	s := sheet{title: "Waits for", columns: []column{{head: "NEEDS", whole: true}, {head: "WHAT", least: 30}}}
	for _, w := range d.Waits {
		s.rows = append(s.rows, []cell{w.needs(), text(w.Text)})
	}
	return s
}
