package inventory

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

// windowYAML opens a window: by days of the week or month, or by an iCalendar file.
type windowYAML struct {
	Days   document.Value[[]document.Value[days]] `yaml:"days" doc:"weekdays, or the nth of the month: {days: [sat, \"2nd tue\", \"last fri\"], start: \"22:00\", length: 6h}" with:"start" count:"1"`
	Start  document.Value[clock]                  `yaml:"start" doc:"on the site's clock, beside days and length: {days: [sat], start: \"22:00\", length: 6h}" with:"length"`
	Length document.Value[time.Duration]          `yaml:"length" doc:"how long it stays open, over midnight too: {days: [sat], start: \"22:00\", length: 6h}" with:"days" min:"1m" max:"7d"`
	ICal   document.Value[icalPath]               `yaml:"ical" doc:"an iCalendar file, named from this file's folder; each of its events opens the window"`
}

// ExactlyOne tells document that an entry is a rule or a file.
func (*windowYAML) ExactlyOne() []string { return []string{"days", "ical"} }

// FreezeYAML is an entry of `freezes`, here and in playbooks.
type FreezeYAML struct {
	From    document.Value[moment]   `yaml:"from" doc:"its first day, beside through: {from: 2026-12-18, through: 2027-01-04, reason: year-end}" with:"through"`
	Through document.Value[moment]   `yaml:"through" doc:"its last day, beside from: {from: 2026-12-18, through: 2027-01-04, reason: year-end}" with:"from"`
	ICal    document.Value[icalPath] `yaml:"ical" doc:"an iCalendar file, named from this file's folder; each of its events is a freeze"`
	Reason  document.Value[string]   `yaml:"reason" doc:"say why: it stands wherever somebody waits for the end" flags:"required"`
}

// ExactlyOne tells document that an entry is a time or a file.
func (*FreezeYAML) ExactlyOne() []string { return []string{"from", "ical"} }

// Files is how a file gets the iCalendar files that it names, and from when on they
// matter. Without Read they are refused.
type Files struct {
	Read func(name string) ([]byte, error)
	Now  time.Time
}

// past is how far back of now a calendar is read: to show what has just ended.
const past = 7 * 24 * time.Hour

// Freezes reads the freezes of one site's clock, and reports to the file what is wrong.
func (fs Files) Freezes(file *document.File, zone *time.Location, list []FreezeYAML) []schedule.Freeze {
	return calendar{file: file, zone: zone, files: fs}.freezes(list)
}

// calendar makes one site's windows and freezes.
type calendar struct {
	file  *document.File
	zone  *time.Location
	files Files
}

func (c calendar) windows(y document.Map[document.Many[windowYAML]]) map[string]schedule.Window {
	made := map[string]schedule.Window{}
	for _, e := range y.Entries {
		switch {
		case e.Key == schedule.Any:
			c.file.Errorf(e.At, "choose another name; who means any time writes window: any in the playbook", "`%s` is the window that is always open", e.Key)
		case !nameShape.MatchString(e.Key):
			c.file.Errorf(e.At, "letters, digits and . _ -, not beginning with a dot or hyphen", "`%s` can't be the name of a window", e.Key)
		default:
			made[e.Key] = c.window(e.Key, e.Value.Items)
		}
	}
	return made
}

func (c calendar) window(name string, items []windowYAML) schedule.Window {
	var w schedule.Window
	for i := range items {
		if y := &items[i]; y.ICal.Set() {
			w.Spans = append(w.Spans, c.spans(y.ICal)...)
		} else if rule, ok := ruleOf(y); ok {
			w.Rules = append(w.Rules, rule)
			c.check(y.Length.At, schedule.Calendar{Windows: map[string]schedule.Window{name: {Rules: []schedule.Rule{rule}}}})
		}
	}
	slices.SortStableFunc(w.Spans, func(a, b schedule.Span) int { return a.From.Compare(b.From) })
	return w
}

// ruleOf gives false where a part is missing or wrong, which is reported already.
func ruleOf(y *windowYAML) (schedule.Rule, bool) {
	rule := schedule.Rule{Start: string(y.Start.V), Length: y.Length.V}
	for _, d := range y.Days.V {
		rule.Days = append(rule.Days, d.V.list...)
	}
	return rule, y.Start.Set() && y.Length.Set() && len(rule.Days) > 0
}

func (c calendar) freezes(list []FreezeYAML) []schedule.Freeze {
	var made []schedule.Freeze
	for i := range list {
		y := &list[i]
		f := schedule.Freeze{From: string(y.From.V), Through: string(y.Through.V), Reason: y.Reason.V}
		switch {
		case y.ICal.Set():
			if f.Spans = c.spans(y.ICal); len(f.Spans) > 0 { // else it is over, or far ahead
				made = append(made, f)
			}
		case y.From.Set() && y.Through.Set() && y.Reason.Set():
			c.freeze(y.Through.At, f)
			made = append(made, f)
		}
	}
	return made
}

// freeze judges one by dates. A day without a time is meant whole.
func (c calendar) freeze(through document.Pos, f schedule.Freeze) {
	const day = len(time.DateOnly)
	if f.Through[:day] < f.From[:day] || len(f.Through) > day && len(f.From) > day && f.Through < f.From {
		c.file.Errorf(through, "write the earlier one as from", "the freeze ends (%s) before it begins (%s)", f.Through, f.From)
		return
	}
	c.check(through, schedule.Calendar{Freezes: []schedule.Freeze{f}})
}

// check lets package schedule judge a part of the calendar, so that its error stands
// where the part does.
func (c calendar) check(at document.Pos, part schedule.Calendar) {
	part.Zone = c.zone.String()
	if _, err := schedule.Compile(part); err != nil {
		c.file.Report(at, err)
	}
}

// spans reads an iCalendar file.
func (c calendar) spans(name document.Value[icalPath]) []schedule.Span {
	if c.files.Read == nil {
		c.file.Errorf(name.At, "write days or dates here", "an iCalendar file can't be read in this place")
		return nil
	}
	src, err := c.files.Read(string(name.V))
	if err != nil {
		c.file.Errorf(name.At, hintOr(err, "its name begins in the folder of this file"), "`%s` can't be read: %v", name.V, err)
		return nil
	}
	spans, err := schedule.ParseICal(src, c.zone, c.files.Now.Add(-past), c.files.Now.Add(schedule.Horizon))
	if err != nil {
		c.file.Errorf(name.At, hintOr(err, "export it anew from the calendar, as iCalendar (.ics)"), "`%s` is not a calendar that can be used: %v", name.V, err)
	}
	return spans
}

func hintOr(err error, otherwise string) string {
	if hint := fault.HintOf(err); hint != "" {
		return hint
	}
	return otherwise
}
