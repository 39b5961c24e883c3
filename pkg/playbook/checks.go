package playbook

import (
	"fmt"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/health"
)

// checks reads the checks; without any, every host is asked for its default_diff.
func (l *loader) checks() {
	for i := range l.yaml.Checks.V {
		y := &l.yaml.Checks.V[i]
		l.hosts(y.Hosts)
		l.book.Checks = append(l.book.Checks, Check{Hosts: y.Hosts.V, Check: l.check(y)})
	}
	if !l.yaml.Checks.Set() {
		l.book.Checks = []Check{{Hosts: "*", Check: health.Check{Name: "default_diff", Within: health.DefaultWithin, DefaultDiff: true}}}
	}
}

// check turns one entry into the question that it asks. document has made sure that
// there is exactly one.
func (l *loader) check(y *checkYAML) health.Check {
	c := health.Check{
		Service: string(y.Service.V), TCP: tcp(y.TCP), HTTP: web(y.HTTP), Command: command(y.Command), Disk: disk(y.Disk), Load: load(y.Load),
		Conffiles:   conffiles(y.Conffiles),
		DefaultDiff: y.DefaultDiff.V, Within: y.Within.Or(y.HTTP.V.Within.Or(health.DefaultWithin)),
	}
	if y.Within.Set() && y.HTTP.V.Within.Set() {
		l.file.Errorf(y.HTTP.V.Within.At, "keep one of them", "`within` is said twice")
	}
	if y.DefaultDiff.Set() && !y.DefaultDiff.V {
		l.file.Errorf(y.DefaultDiff.At, "remove this entry: what isn't written isn't asked", "a check must ask something")
	}
	c.Name = y.Name.Or(health.CheckName(c))
	return c
}

func tcp(v document.Value[tcpYAML]) *health.TCP {
	if !v.Set() {
		return nil
	}
	t := &health.TCP{Address: string(v.V.Address.V), From: v.V.From.Or(defaultFrom)}
	if v.V.Port.Set() {
		t.Address = fmt.Sprintf(":%d", v.V.Port.V)
	}
	return t
}

func web(v document.Value[httpYAML]) *health.HTTP {
	if !v.Set() {
		return nil
	}
	return &health.HTTP{URL: string(v.V.URL.V), Status: v.V.Status.Or(defaultStatus), Contains: v.V.Contains.V, From: v.V.From.Or(defaultFrom)}
}

func command(v document.Value[commandYAML]) *health.Command {
	if !v.Set() {
		return nil
	}
	c := &health.Command{Become: v.V.Become.V}
	for _, arg := range v.V.Argv.V {
		c.Argv = append(c.Argv, arg.V)
	}
	return c
}

func disk(v document.Value[diskYAML]) *health.Disk {
	if !v.Set() {
		return nil
	}
	return &health.Disk{Path: string(v.V.Path.V), MinFree: string(v.V.MinFree.V)}
}

func load(v document.Value[loadYAML]) *health.Load {
	if !v.Set() {
		return nil
	}
	return &health.Load{Max: v.V.Max.V}
}

func conffiles(v document.Value[conffilesYAML]) *health.Conffiles {
	if !v.Set() {
		return nil
	}
	c := &health.Conffiles{}
	for _, path := range v.V.Paths.V {
		c.Paths = append(c.Paths, string(path.V))
	}
	return c
}
