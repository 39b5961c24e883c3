package app

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/sshsig"
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
	mistakes := append(o.unknownPlatforms(inv), untrusted(inv)...)
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

// untrusted are the files of allowed signers that can't be used, and people who are to sign
// approvals and stand in none of their lines.
func untrusted(inv *inventory.Inventory) []error {
	var mistakes []error
	for _, name := range sortedKeys(inv.Sites) {
		site := inv.Sites[name]
		mistakes = append(mistakes, unpublished(inv, name)...)
		allowed, err := allowedSigners(inv, name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		for _, list := range sortedKeys(site.Approvers) {
			for _, person := range site.Approvers[list] {
				if site.Trust.Approvals && !allowed.Names(person, sshsig.NamespaceApproval) {
					mistakes = append(mistakes, fault.Usagef("add their line to "+site.Trust.AllowedSigners+", or take them off the list", "site %s: %s of the approvers %s may sign no approval by %s", name, person, list, site.Trust.AllowedSigners))
				}
			}
		}
	}
	return mistakes
}

// unpublished are places for checkpoints on this machine that are not there.
func unpublished(inv *inventory.Inventory, site string) []error {
	var mistakes []error
	p := publisher(inv, inv.Sites[site].Trust)
	if p == nil {
		return nil
	}
	for _, place := range []struct{ by, dir string }{{"file", filepath.Dir(p.File)}, {"git", p.Git}} {
		if info, err := os.Stat(place.dir); place.dir != "" && (err != nil || !info.IsDir()) {
			mistakes = append(mistakes, fault.Usagef("make the folder, or correct trust: {publish: …}", "site %s: checkpoints can't be published by %s: there is no folder %s", site, place.by, place.dir))
		}
	}
	return mistakes
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
