package app

import (
	"cmp"
	"strings"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/hook"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/playbook"
)

// wanted is what one host has to allow, and why.
type wanted struct {
	shell    []string // reasons for a shell as root
	narrower []string
	only     map[string][]one // by means: single commands
}

type one struct {
	rule linux.Rule
	why  string
}

func (w *wanted) empty() bool { return len(w.shell)+len(w.only) == 0 }

// of collects it for one host.
func (n needs) of(h inventory.Host) (*wanted, error) {
	w := &wanted{only: map[string][]one{}}
	if n.book == nil || n.rings[h.ID] {
		w.shell = append(w.shell,
			"looking at what only root may read, the lock on the host, files that are sent to it",
			"jobs that install, take back, restart services and reboot")
	}
	if n.book == nil {
		w.shell = append(w.shell, "hooks and checks of playbooks that say become: true")
		return w, nil
	}
	if err := n.checks(h, w); err != nil {
		return nil, err
	}
	if err := n.hooks(h, w); err != nil {
		return nil, err
	}
	return w, nil
}

func (n needs) checks(h inventory.Host, w *wanted) error {
	if !n.rings[h.ID] {
		return nil // only hosts of the rings are checked
	}
	checks, err := plan.ChecksFor(n.book, n.inv, h)
	if err != nil {
		return err //nolint:wrapcheck // carries file, line and hint
	}
	vars := health.Vars{Address: cmp.Or(h.Address, h.ID.Name), Name: h.ID.Name, Site: h.ID.Site}
	for _, c := range checks {
		if filled, err := c.Fill(vars); err == nil { // what can't be filled in is not run
			c = filled
		}
		switch {
		case !c.OnHost():
		case c.AsRoot() && c.Command == nil:
			w.shell = append(w.shell, "the check of configuration files, which may be closed to others")
		case c.AsRoot():
			w.asShell("check", c.Command.Argv, "")
		case c.Command != nil:
			w.itself("the check", c.Command.Argv, nil)
		}
	}
	return nil
}

// hooks are those that run on this host, for its own work or another's of its site.
func (n needs) hooks(h inventory.Host, w *wanted) error {
	for _, hk := range n.book.Hooks {
		runs, err := n.runsOn(hk, h)
		if err != nil {
			return err
		}
		if !runs {
			continue
		}
		words := [][]string{hk.Argv, hk.Undo}
		if hk.Wait != nil {
			words = append(words, hk.Wait.Argv)
		}
		for _, argv := range words {
			switch {
			case len(argv) == 0:
			case hk.Become && n.rings[h.ID]:
				w.asShell("hook "+hk.Name, argv, "")
			case hk.Become:
				w.asShell("hook "+hk.Name, argv, string(h.Become))
			default:
				w.itself("the hook "+hk.Name, argv, hookVariables())
			}
		}
	}
	return nil
}

// runsOn tells whether the hook runs on this host for any host of the rings.
func (n needs) runsOn(hk playbook.Hook, h inventory.Host) (bool, error) {
	if hk.On == playbook.OnController {
		return false, nil
	}
	hosts, err := n.inv.Select(hk.Hosts, readList)
	if err != nil {
		return false, err //nolint:wrapcheck // carries a hint
	}
	for _, of := range hosts {
		if !n.rings[of.ID] || of.ID.Site != h.ID.Site {
			continue
		}
		own := hk.On == playbook.OnHost || hk.On == ""
		if own && of.ID == h.ID || !own && strings.TrimPrefix(hk.On, h.ID.Site+"/") == h.ID.Name {
			return true, nil
		}
	}
	return false, nil
}

// asShell notes what says become: true. On a host that is not patched (means is not empty)
// it would need less if it said so itself.
func (w *wanted) asShell(what string, argv []string, means string) {
	w.shell = append(w.shell, what+" "+quoted(argv)+", which says become: true")
	if means != string(inventory.BecomeSudo) && means != string(inventory.BecomeDoas) {
		return
	}
	rule := linux.Grant{User: "x", Only: []linux.Rule{{Argv: argv}}}
	if _, err := rule.Sudoers(); err == nil {
		w.narrower = append(w.narrower, "Narrower: without become, and with argv: [/usr/bin/"+means+", -n, --, "+strings.Join(argv, ", ")+"], "+what+
			" needs a rule for this one command; where nothing else does, write become: none for this host.")
	}
}

// itself notes a command that becomes root by itself: /usr/bin/sudo -n -- /path words.
func (w *wanted) itself(what string, argv, keep []string) {
	if means, rest := becomes(argv); means != "" {
		w.only[means] = append(w.only[means], one{linux.Rule{Argv: rest, Keep: keep}, what + " " + quoted(rest)})
	}
}

// becomes takes such a command apart; options other than these are not understood, and give
// a rule that no file can say.
func becomes(argv []string) (means string, rest []string) {
	if len(argv) == 0 {
		return "", nil
	}
	means = argv[0][strings.LastIndexByte(argv[0], '/')+1:]
	if means != string(inventory.BecomeSudo) && means != string(inventory.BecomeDoas) {
		return "", nil
	}
	rest = argv[1:]
	if len(rest) > 0 && (rest[0] == "-n" || rest[0] == "--non-interactive") {
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	return means, rest
}

// hookVariables are the names that hooks are given.
func hookVariables() []string {
	var names []string
	for _, pair := range (hook.Values{}).Env() {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return names
}

func quoted(argv []string) string { return `"` + strings.Join(argv, " ") + `"` }
