package inventory

import (
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// approvers reads a site's lists. One person under two spellings would count twice.
func (l *loader) approvers(y document.Map[document.Value[[]document.Value[approver]]]) map[string][]string {
	made := map[string][]string{}
	for _, e := range y.Entries {
		if !nameShape.MatchString(e.Key) {
			l.badName(e.At, "list of approvers", e.Key)
			continue
		}
		made[e.Key] = l.people(e.Value.V)
	}
	return made
}

func (l *loader) people(list []document.Value[approver]) []string {
	var made []string
	first := map[string]document.Pos{}
	for _, one := range list {
		key := strings.ToLower(string(one.V))
		if before, twice := first[key]; twice && one.Set() {
			l.file.Errorf(one.At, "a list names each person once: approvals are counted by people", "`%s` stands in the list already, on line %d", one.V, before.Line)
			continue
		}
		first[key] = one.At
		made = append(made, string(one.V))
	}
	return made
}
