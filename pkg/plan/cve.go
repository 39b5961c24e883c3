package plan

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

var cveForm = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,}$`)

// cvesOf reads what --cve asks for; nil is everything.
func cvesOf(list []string) (map[string]bool, error) {
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // no list is a list of its own kind: everything
	}
	out := map[string]bool{}
	for _, text := range list {
		id := strings.ToUpper(strings.TrimSpace(text))
		if !cveForm.MatchString(id) {
			return nil, fault.Usagef("write it as CVE-2026-12345", "%q is not the name of a CVE", text)
		}
		out[id] = true
	}
	return out, nil
}

// otherCVEs says why an update is not known to fix what was asked for. Not known is no:
// the urgent lane must not carry what nobody asked for.
func (p *picker) otherCVEs(u patch.Update) string {
	if u.CVEs == "" {
		p.nameless++
		return "it is not known which CVEs it fixes"
	}
	p.named = true
	if slices.ContainsFunc(strings.Fields(u.CVEs), func(id string) bool { return p.cves[id] }) {
		return ""
	}
	return "it fixes none of the CVEs asked for"
}

// untold is the note about updates whose CVEs are not known.
func (p *picker) untold() string {
	if p.named {
		return fmt.Sprintf("of %d updates it is not known which CVEs they fix; they are left", p.nameless)
	}
	return fmt.Sprintf("%s does not tell which CVEs its updates fix, so all %d are left", cmp.Or(p.manager, "its package manager"), p.nameless)
}

// matched: a run for a CVE that finds nothing at all must not look like one that is done.
func (d *Draft) matched() error {
	if d.cves == nil {
		return nil
	}
	unknown, hosts := 0, 0
	for _, h := range d.hosts {
		if len(h.Install) > 0 {
			return nil
		}
		n := 0
		for _, l := range h.Left {
			if l.Reason == patch.ReasonNarrowed && l.Update.CVEs == "" {
				n++
			}
		}
		if unknown += n; n > 0 {
			hosts++
		}
	}
	return fault.Usagef("name the packages instead: --package NAME",
		"no pending update is known to fix %s; of %d updates on %d hosts no CVEs are known",
		strings.Join(slices.Sorted(maps.Keys(d.cves)), ", "), unknown, hosts)
}
