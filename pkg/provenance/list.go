package provenance

import (
	"context"
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/repository"
)

const (
	maxShared = 2000 // lists that are remembered
	maxNames  = 5000 // whose entries are remembered of one list
)

// list is what is known of one verified list. Whoever has it locked may fetch it; others
// wait, and find it done. One who could not do it leaves it to the next, with another host.
type list struct {
	turn  chan struct{}
	raw   patch.Digest // in the store
	names map[string]bool
	index *repository.Index // of these names
}

// list gives the one that a key stands for: the keyring, all that is signed, and its name.
func (r *Reader) list(key patch.Digest) *list {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, found := r.lists[key]
	if !found {
		if len(r.lists) >= maxShared {
			clear(r.lists) // somebody makes them up; they are only fetched again
		}
		l = &list{turn: make(chan struct{}, 1), names: map[string]bool{}}
		r.lists[key] = l
	}
	return l
}

func (l *list) lock(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *list) unlock() { <-l.turn }

func (l *list) has(names []string) bool {
	for _, name := range names {
		if !l.names[name] {
			return false
		}
	}
	return l.index != nil
}

// widened are these names and those of hosts before, as long as they are not too many.
func (l *list) widened(names []string) []string {
	all := slices.Concat(names, slices.Collect(maps.Keys(l.names)))
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > maxNames {
		return names
	}
	return all
}

// keep remembers what was verified, and nothing else ever.
func (l *list) keep(raw patch.Digest, names []string, x *repository.Index) {
	l.raw, l.index, l.names = raw, x, make(map[string]bool, len(names))
	for _, name := range names {
		l.names[name] = true
	}
}
