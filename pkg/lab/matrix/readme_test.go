package matrix

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "with MATRIX=full: write testdata/verdicts.txt and README.md anew")

const readme = "README.md"

// tally is what was said of each play.
type tally struct {
	mu   sync.Mutex
	said map[string]verdict  // of those that were played
	all  map[string]struct{} // whether they are played or not
}

func newTally() *tally { return &tally{said: map[string]verdict{}, all: map[string]struct{}{}} }

func (c *tally) know(one cell) { c.all[one.String()] = struct{}{} }

func (c *tally) add(one cell, v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[one.String()] = v
}

func sum(said map[string]verdict, within string) map[verdict]int {
	n := map[verdict]int{}
	for name, v := range said {
		if strings.HasPrefix(name, within) {
			n[v]++
		}
	}
	return n
}

const preface = `# What was said, in all that can go wrong

Written by the tests (make matrix). Each play upgrades one simulated device over real SSH, in virtual time, while one thing goes
wrong during one step; in "special" are those that are easily forgotten. What patchring says in the end is held against what is
true of the device: *done* only where every member runs the target, it stays, and the configuration is what it was; *not done* where
the former software runs and the next boot starts it, or where the reasons say what is pending; *unknown* only where nobody could
know, see below. Of a pair, the host "b" is the standby and goes first, and "a" follows when "b" is done; here something goes wrong
on the host that is named.

The table is of all plays, and testdata/verdicts.txt has the verdict of each. An ordinary run of the tests plays a part of them,
always the same, and each must end as it is written there.

| device | step | plays | done | not done | unknown |
| --- | --- | ---: | ---: | ---: | ---: |
`

// page is the README of these verdicts.
func page(said map[string]verdict) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, row := range rows(said) {
		kind, step, _ := strings.Cut(row, "/")
		n := sum(said, row+"/")
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d |\n", kind, step, n[saidDone]+n[saidNotDone]+n[saidUnknown], n[saidDone], n[saidNotDone], n[saidUnknown])
	}
	n := sum(said, "")
	fmt.Fprintf(&b, "| all | | %d | %d | %d | %d |\n\n## Where unknown is right\n\n", len(said), n[saidDone], n[saidNotDone], n[saidUnknown])
	for _, list := range []map[string]string{excuses(), typedExcuses()} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			fmt.Fprintf(&b, "- `%s`: %s.\n", name, list[name])
		}
	}
	b.WriteString("- a boot variable that was left half changed: the reasons tell what to type, and another try carries on.\n")
	b.WriteString("\nThe six before the last only while a command that changes the device is at work; and all of it wherever nothing was begun that changes it.\n")
	return b.String()
}

// rows are the steps of the devices: "junos/add".
func rows(said map[string]verdict) []string {
	all := map[string]struct{}{}
	for name := range said {
		parts := strings.SplitN(name, "/", 3)
		all[parts[0]+"/"+parts[1]] = struct{}{}
	}
	return slices.Sorted(maps.Keys(all))
}

func verdictsFile() string { return filepath.Join("testdata", "verdicts.txt") }

// written are the verdicts of the last full run.
func written(t *testing.T) map[string]verdict {
	t.Helper()
	text, err := os.ReadFile(verdictsFile())
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	said := map[string]verdict{}
	for line := range strings.Lines(string(text)) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			said[name] = verdict(v)
		}
	}
	return said
}

// holds compares what was said with what is written of it, and the README with that.
func (c *tally) holds(t *testing.T) {
	t.Helper()
	before := written(t)
	for name := range c.all {
		if _, ok := before[name]; !ok {
			t.Errorf("%s is not in %s: make matrix", name, verdictsFile())
		}
	}
	for name, v := range before {
		if _, ok := c.all[name]; !ok {
			t.Errorf("%s (%s) is not played any more: make matrix", name, v)
		}
	}
	for name, v := range c.said {
		if v != before[name] {
			t.Errorf("%s: it said %s, and %q is written", name, v, before[name])
		}
	}
	if text, err := os.ReadFile(readme); err != nil || string(text) != page(before) {
		t.Errorf("%s is not what %s tells (%v): make matrix", readme, verdictsFile(), err)
	}
}

// write writes anew what is told of the devices that were played.
func (c *tally) write(t *testing.T) {
	t.Helper()
	all := written(t)
	maps.DeleteFunc(all, func(name string, _ verdict) bool {
		kind, _, _ := strings.Cut(name, "/")
		_, played := c.said[kind+"/all/well"]
		return played
	})
	maps.Copy(all, c.said)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s %s\n", name, all[name])
	}
	for file, text := range map[string]string{verdictsFile(): b.String(), readme: page(all)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
