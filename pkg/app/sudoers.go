package app

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/report"
)

// SudoersOptions are those of `doctor --sudoers`.
type SudoersOptions struct {
	Options
	Hosts    string
	Playbook string // path; "": whatever a playbook may ask for
}

// Sudoers prints the smallest sudoers file, or doas.conf, that the hosts need. It connects to
// nothing: the file has to be there before anything can be learned of a host as root.
func (e Env) Sudoers(ctx context.Context, o SudoersOptions) (Ending, error) {
	inv, hosts, err := o.hosts(o.Hosts)
	if err != nil {
		return Ending{}, err
	}
	if err := e.whoLogsIn(ctx, o.Options, inv, hosts); err != nil {
		return Ending{}, err
	}
	set, err := o.drivers()
	if err != nil {
		return Ending{}, err
	}
	asked := needs{inv: inv, rings: map[fact.HostID]bool{}, gear: func(h inventory.Host) bool {
		p, ok := set.Devices.Find(h.Platform)
		return ok && !p.Definition.Match.Shell || h.Become == inventory.BecomeEnable
	}}
	if o.Playbook != "" {
		if asked, err = o.needsOf(asked); err != nil {
			return Ending{}, err
		}
	}
	doc, err := asked.document(hosts, o.Hosts != "")
	if err != nil {
		return Ending{}, err
	}
	if o.JSON {
		return Ending{Ending: doc.Exit}, e.print(o.Options, doc)
	}
	if _, err := io.WriteString(e.Out, quieted(e.Secrets.Filter, doc).Text()); err != nil {
		return Ending{}, fmt.Errorf("print the rules: %w", err)
	}
	return Ending{Ending: doc.Exit}, nil
}

// whoLogsIn fills in the users that ssh_config names and the inventory does not. That the
// name is the same as here, as ssh has it by default, is not written into a file of rights.
func (e Env) whoLogsIn(ctx context.Context, o Options, inv *inventory.Inventory, hosts []inventory.Host) error {
	if !slices.ContainsFunc(hosts, func(h inventory.Host) bool { return h.User == "" }) {
		return nil
	}
	f, err := e.fleet(o, inv)
	if err != nil {
		return err
	}
	defer f.Close()
	for i, h := range hosts {
		if h.User != "" {
			continue
		}
		lines, err := f.ssh.Explain(ctx, h, inv.Sites[h.ID.Site])
		if err != nil {
			continue // how to get there is another question: doctor answers it
		}
		for _, line := range lines {
			if line.Name == "user" && line.From != "default" {
				hosts[i].User = line.Value
			}
		}
	}
	return nil
}

// needs is what decides which rights a host has to give.
type needs struct {
	inv   *inventory.Inventory
	book  *playbook.Playbook // nil: any
	rings map[fact.HostID]bool
	gear  func(inventory.Host) bool // it has no shell
}

func (o SudoersOptions) needsOf(n needs) (needs, error) {
	book, err := o.loadBook(o.Playbook, n.inv)
	if err != nil {
		return n, err
	}
	n.book = book.Playbook
	members, err := o.ringHosts(n.inv, n.book, o.Site)
	for _, h := range members {
		n.rings[h.ID] = true
	}
	return n, err
}

// document tells of all hosts; without a pattern, those that have nothing to do with the
// playbook are left out.
func (n needs) document(hosts []inventory.Host, named bool) (report.Rights, error) {
	var files []report.RootFile
	var none []report.NoFile
	for _, h := range hosts {
		all, err := n.of(h)
		switch {
		case err != nil:
			return report.Rights{}, err
		case n.gear(h):
			none = append(none, report.NoFile{Host: h.ID.String(), Why: "a device: it has no sudo; see become: enable"})
		case all.empty() && n.book != nil && !named:
		default:
			more, why := all.files(h)
			files = append(files, more...)
			if why != nil {
				none = append(none, *why)
			}
		}
	}
	return report.NewRights(files, none), nil
}

// files are those of one host: at most one for sudo and one for doas. The other is why there
// is none, or not all of it.
func (w *wanted) files(h inventory.Host) ([]report.RootFile, *report.NoFile) {
	why := func(stop bool, text string) *report.NoFile {
		return &report.NoFile{Host: h.ID.String(), Why: text, Stop: stop}
	}
	switch {
	case h.User == "root":
		return nil, why(false, "who logs in is root: nothing has to be allowed, and nobody can be told apart in its logs")
	case w.empty():
		return nil, why(false, "nothing runs as root there: write become: none; detect looks without it, and says what it could not see")
	case h.User == "":
		return nil, why(true, "neither the inventory nor ssh_config says who logs in: write user: for it")
	case len(w.shell) > 0 && h.Become == inventory.BecomeSu:
		return nil, why(true, "su asks for root's password: no file can narrow that, whoever knows it is root; write become: sudo")
	case len(w.shell) > 0 && h.Become != inventory.BecomeSudo && h.Become != inventory.BecomeDoas:
		return nil, why(true, "something runs as root there, and nothing says how: write become: sudo")
	}
	var files []report.RootFile
	for _, means := range []inventory.Become{inventory.BecomeSudo, inventory.BecomeDoas} {
		f, err := w.file(h, means)
		if err != nil {
			return nil, why(true, err.Error()+"; put it into a script of root's own, and name that by its path and plain words")
		}
		if f != nil {
			files = append(files, *f)
		}
	}
	return files, nil
}

func (w *wanted) file(h inventory.Host, means inventory.Become) (*report.RootFile, error) {
	g := linux.Grant{User: h.User, Shell: h.Become == means && len(w.shell) > 0, Password: h.Become == means && !h.Credentials.Become.IsZero()}
	f := report.RootFile{Hosts: []string{h.ID.String()}, User: h.User, Means: string(means), Root: g.Shell, Path: "/etc/sudoers.d/patchring"}
	if g.Shell {
		f.Needs, f.Narrower, f.Password = slices.Clone(w.shell), w.narrower, g.Password
	}
	for _, o := range w.only[string(means)] {
		g.Only = append(g.Only, o.rule)
		if !slices.Contains(f.Needs, o.why) {
			f.Needs = append(f.Needs, o.why)
		}
	}
	if !g.Shell && len(g.Only) == 0 {
		return nil, nil
	}
	var err error
	if f.Rules, err = g.Sudoers(); means == inventory.BecomeDoas {
		f.Path = "/etc/doas.conf"
		f.Rules, err = g.Doas()
	}
	return &f, err //nolint:wrapcheck // says what can't be said
}
