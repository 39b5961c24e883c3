package journal

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"
)

// What stands between the values of a line as Line writes it.
const (
	beforeSeq     = `{"v":1,"seq":`
	beforeTime    = `,"time":"`
	beforeActor   = `","actor":"`
	beforeKind    = `","kind":"`
	beforePayload = `","payload":`
	beforePrev    = `,"prev":"`
	behindPrev    = `"}`
)

// maxPlainPayload keeps the payload shorter than what it takes to nest deeper than
// parse allows.
const maxPlainPayload = 16 << 10

// canonical reads a line that stands there exactly as Line writes it, behind after,
// and has nothing that JSON would write in another way. That is nearly every line, and
// takes a fraction of what parse takes. Whatever it is not sure of, it leaves to parse:
// it gives what parse would give, or nothing.
func canonical(after Mark, line []byte) (Record, bool) {
	c := cutter{rest: line, ok: true}
	c.skip(beforeSeq)
	seq := c.number()
	c.skip(beforeTime)
	at := c.until(beforeActor)
	actor := c.until(beforeKind)
	kind := c.until(beforePayload)
	c.skipBack(behindPrev)
	c.skipBack(string(after.Line))
	c.skipBack(beforePrev)
	payload := c.rest
	if !c.ok || seq != after.Seq+1 || len(kind) == 0 || !plain(actor) || !plain(kind) || !plainPayload(payload) {
		return Record{}, false
	}
	when, ok := utc(at)
	return Record{
		Version: Version, Seq: seq, Time: when, Actor: string(actor), Kind: string(kind),
		Payload: slices.Clip(payload), Prev: after.Line,
	}, ok
}

// cutter takes a line apart from both ends; once something is not as expected, ok is
// false for good.
type cutter struct {
	rest []byte
	ok   bool
}

func (c *cutter) skip(what string) {
	if c.ok = c.ok && len(c.rest) >= len(what) && string(c.rest[:len(what)]) == what; c.ok {
		c.rest = c.rest[len(what):]
	}
}

func (c *cutter) skipBack(what string) {
	at := len(c.rest) - len(what)
	if c.ok = c.ok && at >= 0 && string(c.rest[at:]) == what; c.ok {
		c.rest = c.rest[:at]
	}
}

// until gives what stands before the next mark, and goes behind it. A string value
// can't hold the mark itself, since its quote would be escaped.
func (c *cutter) until(mark string) []byte {
	at := bytes.Index(c.rest, []byte(mark))
	if c.ok = c.ok && at >= 0; !c.ok {
		return nil
	}
	value := c.rest[:at]
	c.rest = c.rest[at+len(mark):]
	return value
}

// number reads digits as JSON allows them: no leading zero, and none too many.
func (c *cutter) number() (n uint64) {
	const most = 18 // digits that always fit
	i := 0
	for i < len(c.rest) && i <= most && c.rest[i] >= '0' && c.rest[i] <= '9' {
		n = n*10 + uint64(c.rest[i]-'0')
		i++
	}
	if c.ok = c.ok && i > 0 && i <= most && c.rest[0] != '0'; c.ok {
		c.rest = c.rest[i:]
	}
	return n
}

// plain: the inside of a JSON string that stands for itself.
func plain(text []byte) bool {
	for _, b := range text {
		if b < ' ' || b == '"' || b == '\\' {
			return false
		}
	}
	return utf8.Valid(text)
}

// plainPayload: one JSON value with nothing around it.
func plainPayload(p []byte) bool {
	return len(p) > 0 && len(p) <= maxPlainPayload && p[0] > ' ' && p[len(p)-1] > ' ' && json.Valid(p)
}

// utc reads a time in UTC; the text of any other stays parse's.
func utc(text []byte) (time.Time, bool) {
	var at time.Time
	if len(text) == 0 || text[len(text)-1] != 'Z' {
		return at, false
	}
	err := at.UnmarshalText(text)
	return at, err == nil
}
