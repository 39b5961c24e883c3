package matrix

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write README.md anew")

const readme = "README.md"

// tally counts plays by family, moment and verdict.
type tally struct {
	mu    sync.Mutex
	count map[[2]string]map[verdict]int
	all   map[[2]string]int
	total int
}

// know counts a play, whether it is played or not.
func (t *tally) know(c cell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[[2]string]int{}
	}
	t.all[[2]string{c.family.kind, c.moment}]++
	t.total++
}

func (t *tally) add(c cell, v verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := [2]string{c.family.kind, c.moment}
	if t.count == nil {
		t.count = map[[2]string]map[verdict]int{}
	}
	if t.count[at] == nil {
		t.count[at] = map[verdict]int{}
	}
	t.count[at][v]++
}

func (t *tally) sum() map[verdict]int {
	sum := map[verdict]int{}
	for _, row := range t.count {
		for v, n := range row {
			sum[v] += n
		}
	}
	return sum
}

const preface = `# What was said, in all that can go wrong

Written by the tests (go test ./pkg/lab/matrix -run Matrix -update). Each play upgrades one simulated device over real SSH, in virtual
time, while one thing goes wrong during one step; in "special" are those that are easily forgotten. What patchring says in the end is held against
what is true of the device: *done* only where every member runs the target, it stays, and the configuration is what it was; *not done* where the
former software runs and the next boot starts it, or where the reasons say what is pending; *unknown* only where nobody could know, see below.
An ordinary run plays a part of them, always the same, and the verdicts are of that part; MATRIX=full plays all.

| device | step | plays in all | played | done | not done | unknown |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
`

func (t *tally) page() string {
	var b strings.Builder
	b.WriteString(preface)
	keys := make([][2]string, 0, len(t.all))
	for k := range t.all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+"/"+a[1], b[0]+"/"+b[1]) })
	for _, k := range keys {
		row := t.count[k]
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d |\n", k[0], k[1], t.all[k], row[saidDone]+row[saidNotDone]+row[saidUnknown], row[saidDone], row[saidNotDone], row[saidUnknown])
	}
	sum := t.sum()
	fmt.Fprintf(&b, "| all | | %d | %d | %d | %d | %d |\n\n## Where unknown is right\n\n", t.total, sum[saidDone]+sum[saidNotDone]+sum[saidUnknown], sum[saidDone], sum[saidNotDone], sum[saidUnknown])
	for _, list := range []map[string]string{excuses(), typedExcuses()} {
		for _, name := range sorted(list) {
			fmt.Fprintf(&b, "- `%s`: %s.\n", name, list[name])
		}
	}
	b.WriteString("\nThe last six only while a command that changes the device is at work; and all of it wherever nothing was begun that changes it.\n\n## Findings that wait\n\n")
	for _, pattern := range sorted(open()) {
		fmt.Fprintf(&b, "- `%s`: %s.\n", pattern, open()[pattern])
	}
	return b.String()
}

func sorted(list map[string]string) []string {
	names := make([]string, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// holds compares the page with what is written.
func holds(t *testing.T, page string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(readme, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != page {
		t.Errorf("%s is not what was played; write it anew with -update, and look at what has changed:\n%s", readme, page)
	}
}
