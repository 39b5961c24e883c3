package dnf

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
)

// removals are the names of what would be gone after the transaction.
func (p *dnfPlan) removals(running string) []string {
	var list []string
	for _, n := range p.going(running) {
		if !slices.Contains(list, n.name) {
			list = append(list, n.name)
		}
	}
	return list
}

// going is what would be gone after the transaction, however dnf puts it: a package that
// another one obsoletes is as gone as one that is removed.
func (p *dnfPlan) going(running string) []nevra {
	var list []nevra
	for _, n := range p.removes {
		if !p.retires(n, running) {
			list = append(list, n)
		}
	}
	for _, n := range p.replaced {
		if !p.stays(n) {
			list = append(list, n)
		}
	}
	return list
}

// takenAway is what would be gone on the way back, as the work names it. No kernel makes
// room for another then.
func (p *dnfPlan) takenAway(w patch.Work) []string {
	var list []string
	for _, n := range p.going("") {
		name := patch.Update{Name: n.name, Arch: n.arch}.Key()
		if !slices.Contains(w.Remove, name) && slices.Contains(w.Remove, n.name) {
			name = n.name
		}
		list = append(list, name)
	}
	return list
}

// retires: at its installonly_limit dnf takes the oldest kernel away for the new
// one. Only of what is installed side by side does one version come and another go
// in one transaction. What belongs to the running kernel is not let go.
func (p *dnfPlan) retires(n nevra, running string) bool {
	comes := func(other nevra) bool { return other.name == n.name && other.arch == n.arch }
	return running != "" && !n.runs(running) && slices.ContainsFunc(p.beside, comes)
}

// runs: uname -r says version, release and architecture, and of some kernels more.
func (n nevra) runs(running string) bool {
	_, plain, epoch := strings.Cut(n.evr, ":")
	if !epoch {
		plain = n.evr
	}
	return strings.HasPrefix(running, plain+"."+n.arch)
}

// stays: a package that was split obsoletes its own older self, and is there after it.
func (p *dnfPlan) stays(n nevra) bool {
	for _, c := range p.changes {
		if c.Name == n.name && (c.Arch == n.arch || c.Arch == "noarch" || n.arch == "noarch") {
			return true
		}
	}
	return false
}

// removedTwice is a package of which more than one version would go: a name says too
// little of kernels, which are installed side by side.
func (p *dnfPlan) removedTwice() string {
	seen := map[string]bool{}
	for _, n := range p.removes {
		key := n.name + "." + n.arch
		if seen[key] {
			return key
		}
		seen[key] = true
	}
	return ""
}
