package device

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestClock: an hour of the device is a second while it is at work, and an hour else.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := newClock(start, 3600)
		var order []string
		say := func(word string) func() { return func() { order = append(order, word) } }
		c.after(2*time.Hour, false, say("deadline"))
		c.cancel(c.after(30*time.Minute, false, say("never")))
		if !c.sleep(t.Context(), time.Hour, nil) {
			t.Error("the sleep ended early")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("an hour took %s", took)
		}
		c.after(30*time.Minute, true, say("soon"))
		c.after(30*time.Minute, true, say("as soon"))
		<-time.After(time.Second)
		synctest.Wait()
		if want := []string{"soon", "as soon"}; !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
		before := c.now()
		<-time.After(time.Minute)
		if passed := c.now().Sub(before); passed != time.Minute {
			t.Errorf("%s passed in an idle minute", passed)
		}
		c.advance(time.Hour)
		if len(order) != 3 || order[2] != "deadline" || len(c.events) != 0 || c.hurry != 0 {
			t.Errorf("%v, %d left", order, len(c.events))
		}
	})
}

// TestPatterns: words, arguments, what they take and what they leave.
func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, line string
		want          fit
		arg, value    string
	}{
		{"show version", "show version", fitsExactly, "", ""},
		{"show version", "sh ver", fitsShort, "", ""},
		{"show version", "s ver", fitsNot, "", ""},
		{"show version", "show version detail", fitsNot, "", ""},
		{"show|list <what>", "list x", fitsExactly, "what", "x"},
		{"set /<h:md5|sha1> <f>", "set /md5 flash:a", fitsExactly, "h", "md5"},
		{"set /<h:md5|sha1> <f>", "set /sha9 flash:a", fitsNot, "", ""},
		{"run <all...>", "run a | b  c", fitsExactly, "all", "a | b c"},
		{"run <all...>", "run", fitsNot, "", ""},
		{"time <t:[0-9]{1,2}(?:<x>)?>", "time 12", fitsExactly, "t", "12"},
	} {
		form, err := pattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		args, how, _ := fitForm(form, strings.Fields(c.line), true)
		if how != c.want || args[c.arg] != c.value {
			t.Errorf("%s, %s: %v %v", c.pattern, c.line, how, args)
		}
	}
}

// FuzzTyped: what is typed never makes the line editor and the matching fall over.
func FuzzTyped(f *testing.F) {
	f.Add("show <x> <y...>", "show a b | c")
	f.Add("a|b", "\x00 | \xff")
	f.Fuzz(func(t *testing.T, in, line string) {
		form, err := pattern(in)
		if err != nil {
			return
		}
		_, how, known := fitForm(form, strings.Fields(line), true)
		if how != fitsNot && known > len(strings.Fields(line)) {
			t.Errorf("%q fits %q by more words than it has", line, in)
		}
		if at := column(line, strings.Fields(line), known); at < 0 || at > len(line) {
			t.Errorf("column %d of %q", at, line)
		}
		sift(line, in)
	})
}
