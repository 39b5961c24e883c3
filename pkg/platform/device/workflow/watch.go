package workflow

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

var _ platform.Watcher = Driver{}

// Watch asks for every table of the definition, and for the configuration, each command
// once.
func (d Driver) Watch(facts fact.Facts) *health.Watch {
	tables := d.Platform.Tables(facts)
	var cmds []string
	for _, t := range tables {
		if !slices.Contains(cmds, t.Cmd) {
			cmds = append(cmds, t.Cmd)
		}
	}
	show := d.showing()
	if show != "" && !slices.Contains(cmds, show) {
		cmds = append(cmds, show)
	}
	dialect := d.Platform.Dialect()
	w := &health.Watch{}
	for _, cmd := range cmds {
		limit := int64(maxState)
		if cmd == show {
			limit = maxConfig
		}
		w.Ask = append(w.Ask, remote.Exchange{Dialect: dialect, Send: cmd, Enable: dialect.Enable != nil, Effect: remote.Reads, MaxOut: limit})
	}
	w.Read = func(results []remote.Result) map[string]fact.Section {
		sections := map[string]fact.Section{}
		for _, t := range tables {
			section := d.Platform.Unread(t.Table, "nobody asked")
			if at := slices.Index(cmds, t.Cmd); at < len(results) {
				section = d.section(t.Name, results[at])
			}
			sections[t.Name] = section
		}
		if at := slices.Index(cmds, show); show != "" && at < len(results) {
			sections[fact.SectionConfiguration] = d.configuration(results[at])
		}
		return sections
	}
	return w
}

// maxState bounds what one command prints of the state, in bytes.
const maxState = 4 << 20

// section reads one table. What the device refused is not known, and its words say why:
// the same words before and after mean that it has no such thing.
func (d Driver) section(name string, r remote.Result) fact.Section {
	table := entry(d.Platform.Definition.State, name)
	switch {
	case whole(r):
		return d.Platform.ReadTable(table, r.Out)
	case r.Ending == remote.Failed && !r.Truncated:
		return d.Platform.Unread(table, health.NotToBeHad+strings.TrimSpace(string(r.Out)))
	}
	return d.Platform.Unread(table, "the answer was cut off")
}
