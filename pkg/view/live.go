package view

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// The control sequences that the live view uses; every terminal since the VT100
// knows them, and tmux, screen and the Windows console do.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearBelow = "\x1b[J"
)

const (
	refresh   = 200 * time.Millisecond // how often the live view looks whether something is to be redrawn
	mostLines = 12                     // of the board; the rest of the screen is for what happened
	mostNews  = 200_000                // lines kept for a terminal that takes nothing
)

// LiveOptions say where and how a live view is drawn.
type LiveOptions struct {
	Out    io.Writer
	Size   func() (width, height int) // asked before each redraw; nil or 0: 80 by 24
	Clock  func() time.Time           // what the elapsed times are counted by; the same clock as the events'
	Ticks  <-chan time.Time           // when to redraw; nil: a ticker of its own
	Colour bool
	Zone   *time.Location // of the times shown; nil: UTC
}

// Live is the view for a terminal. What has happened scrolls by as lines that stay;
// below them a few lines are redrawn: the rings with their counts, and the hosts at
// work, each with its step, how long it has been at it, and the last line of its log. It
// never takes the whole screen, and leaves the cursor as it was.
type Live struct {
	mu     sync.Mutex
	o      LiveOptions
	out    *sink // the loop's
	board  board
	news   []string // lines that stay, not yet written
	most   int      // of them
	left   int      // lines that found no room
	below  int      // lines of the board on the screen
	dirty  bool
	hidden bool // the cursor
	drawn  time.Time
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once
	final  report.Document // for the loop, once stop is closed
	err    error
}

// NewLive starts a live view. Close must be called, else the cursor stays hidden.
func NewLive(o LiveOptions) *Live {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	v := &Live{o: o, out: watched(o.Out), most: mostNews, stop: make(chan struct{}), done: make(chan struct{})}
	go v.loop()
	return v
}

// loop redraws: many events and lines of logs may come between two ticks, and only
// the last of them is worth drawing. All writing is done here.
func (v *Live) loop() {
	defer close(v.done)
	ticks := v.o.Ticks
	if ticks == nil {
		own := time.NewTicker(refresh)
		defer own.Stop()
		ticks = own.C
	}
	for {
		select {
		case <-v.stop:
			v.finish()
			return
		case <-ticks:
			v.out.print(v.frame(true))
		}
	}
}

// Event takes an event in. It is drawn with the next tick.
func (v *Live) Event(e rollout.Event, s State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.board.known && !isOpening(e.Entry) {
		st := s.Status(e.Time)
		v.say(e.Time, "carrying on with rollout "+clean(st.Rollout)+", "+plural(len(st.Hosts), "host"))
	}
	v.board.follow(e, s)
	v.dirty = true
	if id, state, text, ok := hostEnded(e, s); ok {
		v.hostLine(e.Time, id, state, text)
		return
	}
	t := report.TellIn(e, s)
	if t.Host == (fact.HostID{}) {
		v.say(e.Time, v.paintWord(t.Sentence(), t.Outcome))
	} else if remarkable(e.Entry) {
		v.say(e.Time, t.Sentence())
	}
}

func isOpening(e rollout.Entry) bool {
	_, ok := e.(rollout.Opened)
	return ok
}

// remarkable are the events of a host that stay on the screen beside its end:
// restarts, stepping back, and looking at what an earlier process left. Why a step failed stands in
// the line of the host's end, which follows at once.
func remarkable(e rollout.Entry) bool {
	switch e := e.(type) {
	case rollout.StepEnded:
		return e.Reboots || e.Outcome == rollout.OutcomeBack
	case rollout.StepStarted:
		return e.Mode == rollout.Reconcile
	}
	return false
}

func (v *Live) hostLine(at time.Time, id fact.HostID, state, text string) {
	m := markOf(state)
	line := paint(m.sign+" "+clean(id.String())+" "+m.word, m.tint, v.o.Colour)
	if text != "" {
		line += ": " + text
	}
	v.say(at, line)
}

// paintWord colours a sentence about the whole rollout by what happened.
func (v *Live) paintWord(sentence, outcome string) string {
	switch outcome {
	case "halted", "aborted", "unknown", "fail":
		return paint(sentence, "31", v.o.Colour)
	case "overridden", "waived":
		return paint(sentence, "33", v.o.Colour)
	case "opened", "approved", "finished":
		return paint(sentence, "32", v.o.Colour)
	}
	return sentence
}

// say adds a line that stays. Its text is clean; only this package adds colour.
func (v *Live) say(at time.Time, text string) {
	if len(v.news) >= v.most {
		v.left++
		return
	}
	v.news = append(v.news, at.In(v.o.Zone).Format("15:04:05")+" "+text)
	v.dirty = true
}

// Tell shows a note as a line that stays, and progress beside its host.
func (v *Live) Tell(l Line) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dirty = true
	if l.note {
		v.say(l.at, clean(l.text))
		return
	}
	v.board.say(l)
}

// frame is all that one redraw writes: the news where the board was, and the board
// below them. Without anything new there is one a second, for the elapsed times. It is
// written without the lock: a terminal that was stopped with Ctrl-S must not stop the run.
func (v *Live) frame(withBoard bool) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.o.Clock()
	aged := len(v.board.work) > 0 && now.Sub(v.drawn) >= time.Second
	if withBoard && !v.dirty && !aged {
		return ""
	}
	var out strings.Builder
	if !v.hidden && withBoard {
		out.WriteString(hideCursor)
		v.hidden = true
	}
	if v.below > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r%s", v.below, clearBelow)
	}
	width, height := v.size()
	for _, line := range v.news {
		at, text, _ := strings.Cut(line, " ")
		// What does not fit stands below the text, not below the time.
		indent := "\r\n" + strings.Repeat(" ", len(at)+1)
		out.WriteString(at + " " + strings.Join(report.Wrap(text, width-len(indent)), indent) + "\r\n")
	}
	v.news, v.below, v.dirty, v.drawn = nil, 0, false, now
	if withBoard {
		// One column stays free: some terminals wrap when the last one is written.
		for _, line := range v.board.draw(now, width-1, max(min(height-2, mostLines), 1), v.o.Colour) {
			out.WriteString(line + "\r\n")
			v.below++
		}
	}
	return out.String()
}

func (v *Live) size() (width, height int) {
	if v.o.Size != nil {
		width, height = v.o.Size()
	}
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 24
	}
	return max(width, 20), height
}

// Close takes the board away, gives the cursor back and shows the final document,
// unless the terminal takes nothing. Only the first call does something.
func (v *Live) Close(final report.Document) error {
	v.once.Do(func() {
		v.final = final
		close(v.stop)
		v.err = v.out.await(v.done)
	})
	return v.err
}

// finish writes what stays on the screen.
func (v *Live) finish() {
	v.out.print(v.frame(false))
	if text := v.missing(); text != "" {
		v.out.print(text + "\r\n")
	}
	if v.hidden {
		v.out.print(showCursor)
	}
	if v.final == nil {
		return
	}
	width, _ := v.size()
	v.out.print("\n")
	v.out.document(v.final, report.FormatTable, report.Options{Width: width, Colour: v.o.Colour, Brief: true})
}

func (v *Live) missing() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return missing(v.left)
}
