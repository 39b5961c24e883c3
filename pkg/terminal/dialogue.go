package terminal

import (
	"bytes"
	"regexp"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// dialogue is one exchange, or the login, under way.
type dialogue struct {
	dialect      *Dialect
	exchange     remote.Exchange
	login        bool
	raise        bool
	rows         []asked
	done, failed []*regexp.Regexp
	pages        []asked
	echo         echo
	out          output
	quiet        time.Duration

	passed   int  // of out.kept, what was judged
	isDone   bool // among what was judged
	isFailed bool
	paged    bool // a pager was answered, and nothing came since
	redraws  int
	parted   int // where in out.kept the prompt stands that log lines followed; -1: none
	canceled bool
	again    string // the secret that was given and is asked for once more

	over   bool
	ready  bool
	ending remote.Ending
	result []byte
}

// asked is a row and how often it was answered.
type asked struct {
	row
	times int
}

func (d *Dialect) dialogue(e remote.Exchange) *dialogue {
	limit := e.MaxOut
	if limit <= 0 {
		limit = remote.DefaultMaxOut
	}
	t := &dialogue{dialect: d, exchange: e, quiet: d.quiet(e.Quiet), parted: -1}
	t.out.limit = int(limit)
	t.pages = t.fresh(d.pager)
	return t
}

func (*dialogue) fresh(rows []row) []asked {
	out := make([]asked, 0, len(rows))
	for _, r := range rows {
		out = append(out, asked{row: r})
	}
	return out
}

func (d *dialogue) add(line []byte, whole bool) {
	if len(bytes.TrimSpace(line)) > 0 {
		d.parted = -1
	}
	d.out.add(line, whole)
	if d.out.cut { // what is dropped is judged line by line
		d.isFailed = d.isFailed || d.fails(line)
		d.isDone = d.isDone || hit(d.done, line)
	}
}

func (d *dialogue) fails(text []byte) bool {
	return hit(d.failed, text) || (!d.login && hit(d.dialect.errors, text))
}

// overlap is how much of what was judged is looked at again, for patterns of several lines.
const overlap = 2048

// judge looks for Failed and Done in what came since the last time.
func (d *dialogue) judge() {
	if d.passed == len(d.out.kept) {
		return
	}
	from := 0
	if d.passed > overlap {
		from = min(d.passed-overlap, len(d.out.kept))
		from += bytes.IndexByte(d.out.kept[from:], '\n') + 1
	}
	news := d.out.kept[from:]
	d.isFailed = d.isFailed || d.fails(news)
	d.isDone = d.isDone || hit(d.done, news)
	d.passed = len(d.out.kept)
}

// verdict is Failed, Done or Prompted, for an output whose end is known.
func (d *dialogue) verdict() remote.Ending {
	d.judge()
	switch {
	case d.isFailed:
		return remote.Failed
	case len(d.done) == 0 || d.isDone:
		return remote.Done
	}
	return remote.Prompted
}

// Judge says how a command ended that ran without a terminal, from what it printed. Cut
// says that not all of that is there.
func (d *Dialect) Judge(e remote.Exchange, printed []byte, cut bool) (remote.Result, error) {
	t := New(d)
	if err := t.Begin(e); err != nil {
		return remote.Result{}, err
	}
	t.talk.echo = echo{}
	t.Feed(printed)
	t.flush()
	t.end(t.talk.verdict(), true)
	r := t.Result()
	r.Truncated = r.Truncated || cut
	return r, nil
}

// flush puts what is unfinished to the output.
func (t *Terminal) flush() {
	t.giveUpEcho()
	if line := t.screen.text(); len(bytes.TrimSpace(line)) > 0 && !t.async(line) {
		t.talk.add(line, false)
	}
	t.screen.clear()
}

func (t *Terminal) giveUpEcho() {
	for _, l := range t.talk.echo.rest() {
		t.talk.add(l, true)
	}
	t.talk.echo.waiting, t.screen.echo = false, false
}

// end closes the exchange. Ready: the device is at its prompt.
func (t *Terminal) end(e remote.Ending, ready bool) {
	d := t.talk
	d.over, d.ready = true, ready
	if !d.canceled {
		d.ending, d.result = e, slices.Clip(d.out.kept)
	}
}
