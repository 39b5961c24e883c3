package linux

import (
	"slices"
	"strings"
)

// removals are the names of what would be gone after the transaction, however dnf
// puts it: a package that another one obsoletes is as gone as one that is removed.
func (p *dnfPlan) removals(running string) []string {
	var list []string
	for _, n := range p.removes {
		if !p.retires(n, running) {
			list = append(list, n.name)
		}
	}
	for _, n := range p.replaced {
		if !p.stays(n) && !slices.Contains(list, n.name) {
			list = append(list, n.name)
		}
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
