package device

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// maxRows bounds what is read of one table, maxMembers what one device may be made of.
const (
	maxRows    = 4096
	maxMembers = 64
)

// row is one match of a pattern with named groups, cleaned.
type row map[string]string

// rows are the matches of a pattern in a text, each with the id of the heading above it,
// where there is a pattern of headings and the row itself has no id.
func (p *Platform) rows(pattern, per, idGroup, text string) []row {
	headings := p.headings(per, text)
	re := p.Re(pattern)
	var found []row
	for _, at := range re.FindAllStringSubmatchIndex(text, maxRows) {
		r := groups(re, text, at)
		if r[idGroup] == "" {
			r[idGroup] = above(headings, at[0])
		}
		found = append(found, r)
	}
	return found
}

func groups(re *regexp.Regexp, text string, at []int) row {
	r := row{}
	for i, name := range re.SubexpNames() {
		if from, to := at[2*i], at[2*i+1]; name != "" && from >= 0 && from < to && r[name] == "" {
			r[name] = remote.Clean(text[from:to], 200)
		}
	}
	return r
}

// heading is where a member's part of a text begins.
type heading struct {
	at int
	id string
}

func (p *Platform) headings(per, text string) []heading {
	if per == "" {
		return nil
	}
	var found []heading
	re := p.Re(per)
	for _, at := range re.FindAllStringSubmatchIndex(text, maxRows) {
		found = append(found, heading{at[0], groups(re, text, at)["id"]})
	}
	return found
}

func above(list []heading, at int) string {
	id := ""
	for _, h := range list {
		if h.at > at {
			break
		}
		id = h.id
	}
	return id
}

// byID orders "2" before "10", and numbers before words.
func byID(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil && x != y:
		return cmp.Compare(x, y)
	case (errX == nil) != (errY == nil):
		return map[bool]int{true: -1, false: 1}[errX == nil]
	}
	return cmp.Compare(a, b)
}

// table is what members or slots are read into: rows by key, in the order they came.
type table struct {
	keys []string
	rows map[string]row
	bad  []string
}

// put adds a row, or fills what an earlier one of the same key left out. Two that
// contradict each other leave the value out, and say so.
func (t *table) put(key string, r row) {
	if t.rows == nil {
		t.rows = map[string]row{}
	}
	have, known := t.rows[key]
	if !known {
		t.keys, t.rows[key] = append(t.keys, key), r
		return
	}
	for name, value := range r {
		switch {
		case have[name] == "":
			have[name] = value
		case value != "" && have[name] != value:
			if name != "version" && name != "serial" && name != "model" {
				continue // a second word for a role or a state: the first row's holds
			}
			t.bad = append(t.bad, name+" of "+orNone(key)+": both "+have[name]+" and "+value)
		}
	}
}

func orNone(id string) string {
	if id == "" {
		return "the device"
	}
	return id
}

// word maps a group's word to ours, and keeps an unknown one. The word "-" of a map stands
// for a row that has none: rows of a table that only lists what comes next.
func (r row) word(group string, words document.Map[string]) {
	if r[group] != "" {
		r[group] = mapped(words, r[group])
	} else if word := mapped(words, "-"); word != "-" {
		r[group] = word
	}
}

// state joins what two rows say of one slot: that it runs, and that the next boot starts
// it, are often told in two places.
func (r row) state(other string) {
	have := r["state"]
	switch {
	case other == "" || have == other:
	case have == "" || have == fact.SlotIdle:
		r["state"] = other
	case pair(have, other, fact.SlotOld, fact.SlotNext), pair(have, other, fact.SlotRunning, fact.SlotNext), pair(have, other, fact.SlotRunning, fact.SlotOld):
		r["state"] = fact.SlotRunning
	case other == fact.SlotTrial:
		r["state"] = fact.SlotTrial
	}
}

func pair(a, b, x, y string) bool { return a == x && b == y || a == y && b == x }

func sortMembers(list []fact.Member) {
	slices.SortStableFunc(list, func(a, b fact.Member) int { return byID(a.ID, b.ID) })
}
