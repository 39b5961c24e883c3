package view

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/rollout"
)

// screen is a terminal small enough to trust: it knows the sequences that a live
// view may use, and fails the test at any other.
type screen struct {
	t      *testing.T
	mu     sync.Mutex
	width  int
	lines  []string
	row    int
	col    int
	hidden bool
	wrote  chan struct{}
}

func newScreen(t *testing.T, width int) *screen {
	t.Helper()
	return &screen{t: t, width: width, lines: []string{""}, wrote: make(chan struct{}, 100)}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sequence := regexp.MustCompile(`^\x1b\[(\??)(\d*)([A-Za-z])`)
	for text := string(b); text != ""; {
		if m := sequence.FindStringSubmatch(text); m != nil {
			s.control(m[1], m[2], m[3])
			text = text[len(m[0]):]
			continue
		}
		r, _ := utf8.DecodeRuneInString(text)
		s.put(r)
		text = text[len(string(r)):]
	}
	s.wrote <- struct{}{}
	return len(b), nil
}

func (s *screen) control(private, number, letter string) {
	n, _ := strconv.Atoi(number)
	switch {
	case private == "?" && n == 25:
		s.hidden = letter == "l"
	case letter == "A":
		s.row -= n
		if s.row < 0 {
			s.t.Error("the cursor left the screen")
			s.row = 0
		}
	case letter == "J":
		s.lines = append(s.lines[:s.row], s.lines[s.row][:s.col])
	case letter == "m":
	default:
		s.t.Errorf("a sequence that not every terminal knows: %q", private+number+letter)
	}
}

func (s *screen) put(r rune) {
	switch r {
	case '\r':
		s.col = 0
	case '\n':
		s.row++
		s.col = 0
		if s.row == len(s.lines) {
			s.lines = append(s.lines, "")
		}
	case '\x1b':
		s.t.Error("a stray escape")
	default:
		if s.col >= s.width { // wraps, as a terminal does
			s.put('\n')
		}
		line := []rune(s.lines[s.row])
		s.lines[s.row] = string(append(line[:s.col], r))
		s.col++
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// live plays on a screen; tick draws once and waits until it is drawn.
type live struct {
	*run
	view   *Live
	screen *screen
	ticks  chan time.Time
}

func newLive(t *testing.T, width, height int, colour bool) *live {
	t.Helper()
	l := &live{screen: newScreen(t, width), ticks: make(chan time.Time)}
	l.run = newRun(t)
	l.view = NewLive(LiveOptions{
		Out: l.screen, Clock: l.clock, Ticks: l.ticks, Colour: colour,
		Size: func() (int, int) { return width, height },
	})
	l.views = []View{l.view}
	return l
}

func (l *live) tick() {
	l.ticks <- l.clock()
	<-l.screen.wrote
}

func TestLiveGolden(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, width := range []int{100, 80, 60, 40} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			l := newLive(t, width, 24, false)
			l.open()
			l.tick()
			l.begin("canary1")
			l.tick()
			l.finish("canary1", health.Pass)
			l.tick()
			during := newLive(t, width, 24, false)
			during.middle()
			during.wait(95 * time.Second)
			during.tick()
			shown := during.screen.String()
			during.last()
			if err := during.view.Close(final(during.run)); err != nil {
				t.Fatal(err)
			}
			golden(t, fmt.Sprintf("live.%d.txt", width), []byte("--- at work\n"+shown+"\n--- closed\n"+during.screen.String()))
			boardHolds(t, l, width)
			if err := l.view.Close(nil); err != nil {
				t.Fatal(err)
			}
			closedHolds(t, l.screen)
			closedHolds(t, during.screen)
		})
	}
}

// boardHolds: drawn again and again, the board is on the screen once, in lines that fit.
func boardHolds(t *testing.T, l *live, width int) {
	t.Helper()
	shown := l.screen.String()
	if n := strings.Count(shown, " 1/1"); n != 1 {
		t.Errorf("the test ring stands %d times on the screen:\n%s", n, shown)
	}
	for _, line := range l.view.board.draw(l.clock(), width, 12, false) {
		if report.Width(line) > width {
			t.Errorf("wider than %d: %q", width, line)
		}
	}
	if !l.screen.hidden {
		t.Error("the cursor blinks in the middle of the board")
	}
}

// closedHolds: the board is gone, the cursor is back, what happened is still there.
func closedHolds(t *testing.T, s *screen) {
	t.Helper()
	shown := s.String()
	if s.hidden {
		t.Error("the cursor stayed hidden")
	}
	if strings.Contains(shown, "[##") || strings.Contains(shown, "> hq/") {
		t.Errorf("the board stayed on the screen:\n%s", shown)
	}
	if n := strings.Count(strings.ReplaceAll(shown, "\n", ""), "+ hq/canary1 healthy"); n != 1 {
		t.Errorf("the end of canary1 stands %d times on the screen", n)
	}
}

func TestLiveIdleWritesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newLive(t, 80, 24, false)
	l.middle()
	l.tick()
	before := l.screen.String()
	l.ticks <- l.clock() // nothing happened, no second went by
	l.wait(time.Second)
	l.tick() // elapsed times
	if after := l.screen.String(); after == before {
		t.Error("the elapsed times stood still")
	}
	if err := l.view.Close(nil); err != nil {
		t.Fatal(err)
	}
	if n := len(l.screen.wrote); n > 2 { // the last frame, the cursor
		t.Errorf("%d writes that nobody asked for", n)
	}
}

func TestLiveNoColour(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		ticks := make(chan time.Time)
		r := newRun(t)
		v := NewLive(LiveOptions{Out: &out, Clock: r.clock, Ticks: ticks, Colour: colour})
		r.views = []View{v}
		r.middle()
		r.last()
		if err := v.Close(final(r)); err != nil {
			t.Fatal(err)
		}
		if got := regexp.MustCompile(`\x1b\[\d+m`).MatchString(out.String()); got != colour {
			t.Errorf("colour asked for: %v, used: %v", colour, got)
		}
	}
}

func TestLiveSmallScreen(t *testing.T) {
	for height := range 6 {
		l := newLive(t, 80, height, false)
		l.middle()
		lines := l.view.board.draw(l.clock(), 79, max(height-2, 1), false)
		if len(lines) > max(height-2, 1) {
			t.Errorf("%d lines on a screen of %d", len(lines), height)
		}
		if err := l.view.Close(nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLiveCarriesOn joins a run that an earlier process opened.
func TestLiveCarriesOn(t *testing.T) {
	l := newLive(t, 80, 24, false)
	l.views = nil
	l.middle()
	l.views = []View{l.view}
	l.do(time.Minute, rollout.StepStarted{Host: id("web2"), Step: "install", Mode: rollout.Reconcile})
	l.tick()
	shown := l.screen.String()
	for _, want := range []string{"carrying on with rollout monthly-hq-7f3a, 6 hosts", "hq/web2: install looking", "> 2 working", "  > hq/web3  install"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q on the screen:\n%s", want, shown)
		}
	}
	if err := l.view.Close(nil); err != nil {
		t.Fatal(err)
	}
}

func TestViewsAreSafeForConcurrentUse(t *testing.T) {
	var out bytes.Buffer
	r := newRun(t)
	ticks := make(chan time.Time)
	now := r.clock()
	views := []View{NewLines(&out, nil), NewJSON(&bytes.Buffer{}),
		NewLive(LiveOptions{Out: &bytes.Buffer{}, Clock: func() time.Time { return now }, Ticks: ticks})}
	r.middle()
	e := rollout.Event{Seq: 99, Time: now, Entry: rollout.Paused{Reason: "lunch"}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				for _, v := range views {
					v.Event(e, r.state)
					v.Tell(Progress(id("web2"), "install", "line"))
					v.Tell(Note(now, "note"))
				}
			}
		})
	}
	for range 20 {
		ticks <- now
	}
	all.Wait()
	for _, v := range views {
		if err := v.Close(nil); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(out.String()) {
		if !strings.HasSuffix(line, "lunch\n") && !strings.HasSuffix(line, "note\n") {
			t.Fatalf("a torn line: %q", line)
		}
	}
}
