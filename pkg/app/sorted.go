package app

import (
	"cmp"
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/rollout"
)

func sortHosts(hosts []rollout.HostStatus) {
	slices.SortFunc(hosts, func(a, b rollout.HostStatus) int { return a.ID.Compare(b.ID) })
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
