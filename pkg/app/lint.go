package app

import (
	"errors"
	"path/filepath"

	"github.com/patchring/patchring/pkg/fault"
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
	var mistakes []error
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
