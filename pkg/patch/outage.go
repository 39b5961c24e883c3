package patch

import "slices"

// Outage is what replacing a device's software costs those who use it. The zero value is
// the worst.
type Outage string

const (
	OutageUnknown    Outage = ""           // nobody knows: counts as whole
	OutageWhole      Outage = "whole"      // down until it has restarted, and all behind it with it
	OutageSwitchover Outage = "switchover" // a moment, while a partner takes over
	OutageNone       Outage = "none"       // none that anybody would notice
)

// Within tells whether o is no worse than what is accepted.
func (o Outage) Within(accepted Outage) bool {
	order := []Outage{OutageNone, OutageSwitchover, OutageWhole}
	have, most := slices.Index(order, o), slices.Index(order, accepted)
	return most >= 0 && (have >= 0 && have <= most || accepted == OutageWhole)
}
