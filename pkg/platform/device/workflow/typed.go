package workflow

import (
	"cmp"
	"maps"
	"strings"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/remote"
)

// maxConfig bounds a configuration, in bytes.
const maxConfig = 16 << 20

// has tells whether the definition has a command of this name for this way.
func (t *task) has(name string) bool { return entry(t.up.Commands, name).Cmd != "" }

// typed is one of the definition's commands that change, with all that it may ask.
func (t *task) typed(name string, more device.Values) platform.Operation {
	c := entry(t.up.Commands, name)
	if c.Cmd == "" && t.wrong == nil {
		t.wrong = refuse("add it to the definition", "%s: the workflow %s needs the command %q", t.def.Name, t.up.Workflow, name)
	}
	e := t.exchange(t.fill(c.Cmd, more), remote.Changes)
	e.Questions = t.p.Asked(name, c.Ask)
	e.Done, e.Failed = patterns(c.OK), patterns(c.Fail...)
	e.MayDrop, e.Cancel = c.Drops, c.Cancel
	e.Within, e.Quiet = c.Timeout, cmp.Or(c.Quiet, c.Timeout)
	return platform.Operation{Exchange: &e, MayDrop: c.Drops}
}

// each types several commands, those of them that the definition has.
func (t *task) each(more device.Values, names ...string) []platform.Operation {
	var ops []platform.Operation
	for _, name := range names {
		if t.has(name) {
			ops = append(ops, t.typed(name, more))
		}
	}
	return ops
}

func (t *task) exchange(line string, effect remote.Effect) remote.Exchange {
	return remote.Exchange{Dialect: t.dialect, Send: line, Enable: t.dialect.Enable != nil, Effect: effect}
}

func patterns(texts ...string) []remote.Pattern {
	var made []remote.Pattern
	for _, text := range texts {
		if text != "" {
			made = append(made, remote.Pattern(text))
		}
	}
	return made
}

// somewhere stands for the address that apply puts in: it passes the grammar of {url}.
const somewhere = "http://url.invalid/"

// pulled fills a command in which {url} stays as it is, for apply.
func (t *task) pulled(cmd string, more device.Values) string {
	values := device.Values{"url": somewhere}
	maps.Copy(values, more)
	return strings.ReplaceAll(t.fill(cmd, values), somewhere, "{url}")
}
