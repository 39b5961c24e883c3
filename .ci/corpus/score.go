package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/device"
)

// tally counts the outcomes of one fact.
type tally struct{ right, unknown, wrong int }

func (t tally) String() string { return fmt.Sprintf("%d/%d/%d", t.right, t.unknown, t.wrong) }

// facts are what is scored, in the order of the table.
var facts = []string{"platform", "version", "model", "serial"}

// ways are how the recordings are handed over: with their names, without, and with the
// platform said.
var ways = []string{"named", "anonymous", "hinted"}

// result is the score by way, platform's folder and fact; notes are what to look at.
type result struct {
	tallies map[string]map[string]*[4]tally
	notes   []string
	unknown []string
	strange tally
}

func score(l device.Library, all []recording) result {
	res := result{tallies: map[string]map[string]*[4]tally{}}
	for _, way := range ways {
		res.tallies[way] = map[string]*[4]tally{}
		for _, r := range all {
			res.one(l, r, way)
		}
	}
	return res
}

func (res *result) one(l device.Library, r recording, way string) {
	t := truthOf(r)
	got := identify(l, r, t, way)
	platform, _, _ := strings.Cut(r.folder, "/")
	if res.tallies[way][platform] == nil {
		res.tallies[way][platform] = &[4]tally{}
	}
	values := []string{string(got.Platform), got.Version, got.Model, got.Serial}
	if got.Serial == "" {
		values[3] = strings.Join(got.Serials, " ")
	}
	wants := [][]string{nil, r.right(t, t.version), r.right(t, t.model), r.right(t, t.serial)}
	for _, p := range t.platforms {
		wants[0] = append(wants[0], string(p))
	}
	for i, want := range wants {
		note := fmt.Sprintf("%s %s %s %s: got %q, right: %q (%s)", way, r.folder, r.name, facts[i], values[i], want, got.Why)
		tally := &res.tallies[way][platform][i]
		switch {
		case len(want) == 0 && values[i] != "":
			res.unknown = append(res.unknown, "not known to be right: "+note)
		case len(want) == 0:
		case values[i] == "":
			tally.unknown++
			res.unknown = append(res.unknown, "unknown: "+note)
		case disputed(r.name, facts[i]) || told(want, values[i]):
			tally.right++
		default:
			tally.wrong++
			res.notes = append(res.notes, "WRONG: "+note)
		}
	}
}

// strangers are outputs of commands that tell nothing of a platform: tables of neighbours,
// ports, routes. They may stay unknown, and must not be taken for another's.
func (res *result) strangers(l device.Library, all []recording) {
	for _, r := range all {
		want := truthOf(r).platforms
		got := l.Identify([]device.Recording{{Name: r.name, Text: r.text}}, "")
		switch {
		case got.Platform == "":
			res.strange.unknown++
		case slices.Contains(want, got.Platform):
			res.strange.right++
		default:
			res.strange.wrong++
			res.notes = append(res.notes, fmt.Sprintf("WRONG: %s %s: got %q (%s)", r.folder, r.name, got.Platform, got.Why))
		}
	}
}

func identify(l device.Library, r recording, t truth, way string) device.Finding {
	one := []device.Recording{{Name: r.name, Text: r.text}}
	switch way {
	case "named":
		return l.Identify(one, "")
	case "anonymous":
		one[0].Name = "recording.txt"
		return l.Identify(one, "")
	}
	found := l.Identify(one, "")
	if slices.Contains(t.platforms, found.Platform) {
		return l.Identify(one, found.Platform)
	}
	for _, p := range append(slices.Clone(t.platforms), fact.Platform("")) {
		if _, known := l.Find(p); known {
			return l.Identify(one, p)
		}
	}
	return device.Finding{Why: "there is no definition"}
}

// told tells whether a value, or each of several serial numbers, is among those that are
// right.
func told(want []string, got string) bool {
	among := func(one string) bool {
		return slices.ContainsFunc(want, func(w string) bool { return same(w, one) || same(one, w) })
	}
	return among(got) || !slices.ContainsFunc(strings.Fields(got), func(one string) bool { return !among(one) })
}

// same tells whether a value is what people agreed on, or a part of it that stands by
// itself: 7.4.7 in "FortiGate-100F v7.4.7,build2731", 6.0.1.2 in VOSS8K.6.0.1.2.GA; not 7.4
// in 7.4.7.
func same(want, got string) bool {
	want, got = strings.ToLower(want), strings.ToLower(got)
	const before, after = `(^v?|[^\w.()/+-]v?|[a-z0-9]-|[a-z]\w*\.)`, `($|[^\w.()/+-]|\.[a-z])`
	return want == got || regexp.MustCompile(before+regexp.QuoteMeta(got)+after).MatchString(want)
}

// disputed are facts that people agreed on, and that the recording itself contradicts: a
// word of the description taken for the serial number.
func disputed(name, what string) bool {
	return what == "serial" && slices.Contains([]string{
		"juniper_junos_show_chassis_hardware3.raw", "juniper_junos_show_chassis_hardware_dac_no_revision.raw",
	}, name)
}

func (res *result) wrong() bool { return len(res.notes) > 0 }

func (res *result) print(out io.Writer, verbose bool) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "right/unknown/wrong\t"+strings.Join(facts, "\t"))
	for _, way := range ways {
		var sum [4]tally
		for _, folder := range slices.Sorted(maps.Keys(res.tallies[way])) {
			row := res.tallies[way][folder]
			if way == ways[0] || verbose {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", folder, row[0], row[1], row[2], row[3])
			}
			for i := range sum {
				sum[i].right += row[i].right
				sum[i].unknown += row[i].unknown
				sum[i].wrong += row[i].wrong
			}
		}
		fmt.Fprintf(w, "ALL %s\t%s\t%s\t%s\t%s\n", way, sum[0], sum[1], sum[2], sum[3])
	}
	fmt.Fprintf(w, "other commands\t%s\n", res.strange)
	w.Flush()
	for _, note := range res.notes {
		fmt.Fprintln(out, note)
	}
	if verbose {
		for _, note := range res.unknown {
			fmt.Fprintln(out, note)
		}
	}
}
