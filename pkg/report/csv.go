package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// records are a head and rows of the same length.
type records struct {
	head []string
	rows [][]string
}

func writeCSV(w io.Writer, r records) error {
	out := csv.NewWriter(w)
	for _, row := range append([][]string{r.head}, r.rows...) {
		safe := make([]string, len(row))
		for i, c := range row {
			safe[i] = inert(c)
		}
		if err := out.Write(safe); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet from taking a cell for a formula: an apostrophe before what
// would begin one (the full-width forms work in some locales). Behind a semicolon too:
// where that is what divides cells, a spreadsheet splits ours there.
func inert(text string) string {
	starts := strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\r")
	text = formulaBehind.ReplaceAllString(clean(text), "$1'$2")
	if starts || formula.MatchString(text) {
		return "'" + text
	}
	return text
}

var (
	formula       = regexp.MustCompile(`^["' ]*[-=+@＝＋－＠]`)
	formulaBehind = regexp.MustCompile(`(;["' ]*)([-=+@＝＋－＠])`)
)

// records of a rollout: one row for each update of each host; a host without any
// has one row with empty package columns.
func (d Rollout) records() records {
	r := records{head: []string{
		"rollout", "playbook", "site", "ring", "host", "state", "touched", "rebooted", "seconds", "host_reasons",
		"package", "arch", "from", "to", "security", "outcome", "reason", "detail", "unit", "try", "drained",
	}}
	for _, h := range d.Hosts {
		host := []string{
			d.ID, d.Playbook, d.Site, h.Ring, h.Host, h.State, yesNo(h.Touched), yesNo(h.Reboot.Done),
			fmt.Sprint(h.Seconds), strings.Join(h.Reasons, "; "),
		}
		for _, c := range h.Updates {
			r.rows = append(r.rows, join(host, c.Package, c.Arch, c.From, c.To, c.Security, c.Outcome, c.Reason, c.Detail, h.Unit, fmt.Sprint(h.Try), yesNo(h.Drained)))
		}
		if len(h.Updates) == 0 {
			r.rows = append(r.rows, join(host, "", "", "", "", "", "", "", "", h.Unit, fmt.Sprint(h.Try), yesNo(h.Drained)))
		}
	}
	for _, q := range d.Quarantined {
		r.rows = append(r.rows, []string{d.ID, d.Playbook, d.Site, q.Ring, q.Host, "quarantined", "no", "no", "0", q.Reason, "", "", "", "", "", "", "quarantined", q.detail(), "", "0", "no"})
	}
	return r
}

// join makes a new row; append alone could share the host's array between rows.
func join(host []string, more ...string) []string {
	return append(append(make([]string, 0, len(host)+len(more)), host...), more...)
}
