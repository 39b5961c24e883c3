package detect

import (
	"context"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/device"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// appliance looks closer at a host that answered as a server and has the mark of
// something else: an appliance's packages must not be changed one by one. Without a mark
// nothing more is asked, unless the query says that it is one.
func (l *look) appliance(ctx context.Context, facts fact.Facts, results []remote.Result, root bool) (answer, error) {
	marks := linux.Marks(results)
	if named, ok := l.Library.Find(l.Platform); len(marks) == 0 && (!ok || !named.Definition.Match.Shell) {
		return answer{facts, true}, nil
	}
	p, err := l.shell(ctx, root)
	switch {
	case err != nil:
		return answer{}, err
	case p != nil && p.Definition.Class == string(fact.ClassServer):
		return l.hypervisor(ctx, facts, p, root)
	case p != nil:
		return l.special(ctx, facts, p, root)
	case len(marks) > 0 && l.consoles():
		a, err := l.identify(ctx)
		if a.known || err != nil && (passing(err) || ctx.Err() != nil) { // one without a console is what it was
			return a, err
		}
	}
	return answer{marked(facts, marks), true}, nil
}

// shell asks the probes of everything that has a shell, in one exec. The platform is nil
// where none of them, or several, hold.
func (l *look) shell(ctx context.Context, root bool) (*device.Platform, error) {
	var lines []string
	for _, p := range l.Library.All() {
		if p.Definition.Match.Shell {
			for _, probe := range p.Definition.Match.Probes {
				lines = append(lines, probe.Cmd)
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	answers, err := l.ask(ctx, lines, root)
	if err != nil {
		return nil, err
	}
	c := l.Library.Begin(device.Sight{Ident: l.ident, Shell: true})
	for _, line := range lines {
		c.Observe(line, answers[line])
	}
	v := c.Verdict()
	if v.Platform == "" {
		l.seen = append(l.seen, v.Why)
	}
	p, _ := l.Library.Find(v.Platform)
	return p, nil
}

// ask runs lines of the definitions in one exec.
func (l *look) ask(ctx context.Context, lines []string, root bool) (map[string][]byte, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	results, err := run(ctx, l.session.Runner, []remote.Command{linux.Ask(l.Nonce, lines, root)})
	if err != nil {
		return nil, err
	}
	return linux.Answers(lines, results[0]), nil
}

// special makes the facts of an appliance with a shell.
func (l *look) special(ctx context.Context, server fact.Facts, p *device.Platform, root bool) (answer, error) {
	outputs, err := l.ask(ctx, p.Commands(), root)
	if err != nil {
		return answer{}, err
	}
	a := l.read(p, outputs)
	a.facts.BootID, a.facts.Clock = server.BootID, server.Clock
	if a.facts.Hostname == "" {
		a.facts.Hostname = server.Hostname
	}
	return a, nil
}

// hypervisor is a server whose package manager patches it, though it is something special: a
// hypervisor. Its facts stay the server's, and say what it is.
func (l *look) hypervisor(ctx context.Context, server fact.Facts, p *device.Platform, root bool) (answer, error) {
	outputs, err := l.ask(ctx, p.Commands(), root)
	if err != nil {
		return answer{}, err
	}
	if a := l.read(p, outputs); a.known {
		server.Vendor = p.Definition.Vendor
		server.Model = strings.TrimSpace(p.Definition.Title + " " + a.facts.Version)
	}
	return answer{server, true}, nil
}

// marked is a server that bears the mark of what it was not recognised as. Where the mark
// is a sure one, it is not patched as a server.
func marked(f fact.Facts, marks []linux.Mark) fact.Facts {
	for _, m := range marks {
		if !m.Sure {
			continue
		}
		f.Platform, f.Reboot = linux.Other, fact.Reboot{Needed: patch.Unknown}
		f.Updates, f.KeptBack = nil, nil
		f.Problems = append(f.Problems, fact.Problem{
			What:   "platform",
			Detail: m.Path + " says that this is " + m.Of + ", and it does not answer as one: it can't be patched package by package",
		})
		return f
	}
	return f
}
