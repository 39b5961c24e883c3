package imports

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// Answers are what `patchring init` asks. Only a host is needed.
type Answers struct {
	Site, Timezone, Owner string // Site "" with the others "": one site without a name
	User, Become          string
	Jump                  []string // chain of bastions of the site
	// Test and Production name the hosts of the two rings: NAME or NAME=ADDRESS; both
	// may hold a range (web-[01:04]).
	Test, Production []string
}

// FromAnswers writes a first inventory and playbook from a few answers. Without a
// test host the first production host becomes one, and that is said.
func FromAnswers(a Answers) (Draft, error) {
	m := &model{origin: "answers to patchring init", user: a.User, become: a.Become}
	if err := a.check(); err != nil {
		return Draft{}, err
	}
	s := site{name: a.Site, timezone: a.Timezone, owner: a.Owner, jump: a.Jump}
	for _, ring := range []struct {
		name  string
		hosts []string
	}{{"test", a.Test}, {"production", a.Production}} {
		for _, text := range ring.hosts {
			h, err := answer(text)
			if err != nil {
				return Draft{}, fmt.Errorf("`%s`: %w", plainText(clip(text)), err)
			}
			h.groups = []string{ring.name}
			s.hosts = append(s.hosts, h)
		}
	}
	m.sites = []site{s}
	return m.draft()
}

// check names the answer that can't be right.
func (a Answers) check() error {
	checks := []struct {
		what, text string
		check      func(string) error
	}{
		{"site", a.Site, inventory.CheckName}, {"user", a.User, inventory.CheckUser}, {"become", a.Become, checkBecome},
		{"timezone", a.Timezone, inventory.CheckTimezone},
	}
	for _, c := range checks {
		if c.text == "" {
			continue
		}
		if err := c.check(c.text); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
	}
	if err := each(a.Jump, inventory.CheckHop); err != nil {
		return fmt.Errorf("jump: %w", err)
	}
	if a.Owner != plainText(a.Owner) {
		return fault.Usagef("write plain text", "owner: not one line of text")
	}
	return nil
}

// answer reads NAME or NAME=ADDRESS.
func answer(text string) (host, error) {
	name, address, _ := strings.Cut(strings.TrimSpace(text), "=")
	h := host{name: strings.TrimSpace(name), address: strings.TrimSpace(address)}
	if err := eachOf(h.name, inventory.CheckName); err != nil {
		return host{}, err
	}
	if h.address == "" {
		return h, nil
	}
	if err := eachOf(h.address, inventory.CheckAddress); err != nil {
		return host{}, err
	}
	if names, addresses := len(h.names()), len(h.addresses()); names != addresses {
		return host{}, fault.Usagef("write a range in both: web-[01:03]=10.0.0.[1:3]", "%d addresses for %d hosts", addresses, names)
	}
	return h, nil
}

// eachOf checks every name that a range stands for.
func eachOf(text string, check func(string) error) error {
	all, err := inventory.Expand(text)
	if err != nil {
		return err
	}
	if len(all) > maxHosts {
		return fault.Usagef("split it", "more than %d hosts", maxHosts)
	}
	return each(all, check)
}
