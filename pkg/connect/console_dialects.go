package connect

import (
	"errors"
	"reflect"
	"slices"
	"sync"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

// maxVersions bounds how many dialects of one name are kept. There is one, but where an
// inventory's own definition has the name of another.
const maxVersions = 4

// dialects are compiled once for all hosts: patterns are much bigger than a console. Equal
// ones give the same pointer.
type dialects struct {
	mu   sync.RWMutex
	made map[string][]*terminal.Dialect // by name; what was made never changes
}

func (d *dialects) compiled(plain *remote.Dialect) (*terminal.Dialect, error) {
	if plain == nil {
		return nil, errors.New("an exchange without a dialect")
	}
	d.mu.RLock()
	known := d.made[plain.Name]
	d.mu.RUnlock()
	if old := find(known, plain); old != nil {
		return old, nil
	}
	made, err := terminal.Compile(plain)
	if err != nil {
		return nil, err
	}
	return d.keep(made), nil
}

// keep gives what another has kept meanwhile, if it is the same.
func (d *dialects) keep(made *terminal.Dialect) *terminal.Dialect {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := made.Plain().Name
	if old := find(d.made[name], made.Plain()); old != nil {
		return old
	}
	if d.made == nil {
		d.made = map[string][]*terminal.Dialect{}
	}
	known := d.made[name]
	d.made[name] = append(slices.Clone(known[max(0, len(known)-maxVersions+1):]), made)
	return made
}

func find(made []*terminal.Dialect, plain *remote.Dialect) *terminal.Dialect {
	for _, old := range made {
		if old.Plain() == plain || reflect.DeepEqual(old.Plain(), plain) {
			return old
		}
	}
	return nil
}
