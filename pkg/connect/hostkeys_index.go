package connect

import (
	"slices"
	"strings"
)

// knownIndex finds the lines of a name. Most lines are for plain names, which are looked
// up; patterns and hashed names are tried one by one, as OpenSSH does.
type knownIndex struct {
	lines []knownLine
	exact map[string][]int
	tried []int
}

func indexed(lines []knownLine) knownIndex {
	x := knownIndex{exact: map[string][]int{}}
	for _, l := range lines {
		x.add(l)
	}
	return x
}

func (x *knownIndex) add(l knownLine) {
	at := len(x.lines)
	x.lines = append(x.lines, l)
	if strings.ContainsAny(l.names, "*?!|") {
		x.tried = append(x.tried, at)
		return
	}
	for name := range strings.SplitSeq(strings.ToLower(l.names), ",") {
		if in := x.exact[name]; len(in) == 0 || in[len(in)-1] != at { // a name may stand twice
			x.exact[name] = append(in, at)
		}
	}
}

// find gives the lines for a name as knownName gives it, in their order.
func (x *knownIndex) find(known string) []knownLine {
	at := slices.Clone(x.exact[known])
	for _, i := range x.tried {
		if x.lines[i].matches(known) {
			at = append(at, i)
		}
	}
	slices.Sort(at)
	out := make([]knownLine, 0, len(at))
	for _, i := range at {
		out = append(out, x.lines[i])
	}
	return out
}
