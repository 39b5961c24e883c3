package app

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/report"
)

// LintOptions are those of `lint`.
type LintOptions struct {
	Options
	Playbooks []string // none: all of playbooks/*.yaml beside the inventory
}

// Lint reads the inventory and the playbooks, shows every mistake and connects to nothing.
func (e Env) Lint(o LintOptions) (Ending, error) {
	inv, err := o.loadInventory()
	if err != nil {
		return Ending{}, err
	}
	if _, err := e.keyrings(inv); err != nil {
		return Ending{}, err
	}
	books, err := o.playbooks()
	if err != nil {
		return Ending{}, err
	}
	mistakes := o.unknownPlatforms(inv)
	for _, path := range books {
		if _, err := o.loadBook(path, inv); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if len(mistakes) > 0 {
		for _, err := range mistakes[:len(mistakes)-1] {
			e.Explain(err, o.JSON)
		}
		return Ending{}, mistakes[len(mistakes)-1]
	}
	return Ending{}, e.print(o.Options, report.NewLint(inv.Path, len(inv.Hosts), books))
}

// unknownPlatforms are those that the inventory names, and no driver has.
func (o LintOptions) unknownPlatforms(inv *inventory.Inventory) []error {
	set, err := o.drivers()
	if err != nil {
		return []error{err}
	}
	var names []string
	for _, d := range set.All() {
		names = append(names, string(d.Capabilities().Platform))
	}
	var mistakes []error
	for _, h := range inv.Hosts {
		if name := string(h.Platform); name != "" && !slices.Contains(names, name) {
			mistakes = append(mistakes, fault.Usagef(document.DidYouMean(name, names, "see all of them: patchring platforms"), "host %s: there is no platform %q", h.ID, name))
		}
	}
	return mistakes
}

func (o LintOptions) playbooks() ([]string, error) {
	if len(o.Playbooks) > 0 {
		return o.Playbooks, nil
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(o.inventoryPath()), "playbooks", "*.yaml"))
	if err != nil {
		return nil, &fault.Error{Code: fault.Usage, What: "list the playbooks", Err: errors.Unwrap(err)}
	}
	return found, nil
}
