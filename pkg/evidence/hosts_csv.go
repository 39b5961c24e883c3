package evidence

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// maxCell bounds a text of a host in a table.
const maxCell = 2000

// csv writes hosts.csv: a row for each package of each host; a host without any has one
// row with empty package columns.
func (d hostsDoc) csv() ([]byte, error) {
	rows := [][]string{{
		"host", "ring", "state", "touched", "started", "ended", "package", "arch", "before", "planned", "after", "digest",
		"restarted", "boot_id_before", "boot_id_after", "kernel_before", "kernel_after", "checks_passed", "checks", "reasons",
	}}
	for _, h := range d.Hosts {
		versions := h.Versions
		if len(versions) == 0 {
			versions = []versionDoc{{}}
		}
		for _, v := range versions {
			rows = append(rows, h.row(v))
		}
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return out.Bytes(), nil
}

func (h hostDoc) row(v versionDoc) []string {
	passed := 0
	for _, c := range h.Checks {
		if c.Verdict == "pass" {
			passed++
		}
	}
	row := []string{
		h.Host.String(), h.Ring, string(h.State), yesNo(h.Touched), at(h.Started), at(h.Ended),
		v.Package, v.Arch, v.Before, v.Planned, v.After, string(v.Digest),
		yesNo(h.Boot.Restarted), h.Boot.IDBefore, h.Boot.IDAfter, h.Boot.KernelBefore, h.Boot.KernelAfter,
		strconv.Itoa(passed), strconv.Itoa(len(h.Checks)), strings.Join(h.Reasons, "; "),
	}
	for i, c := range row {
		row[i] = inert(c)
	}
	return row
}

// inert keeps a spreadsheet from taking a cell for a formula: an apostrophe stands before
// what would begin one (the full-width forms work in some locales).
func inert(text string) string {
	text = remote.Clean(text, maxCell)
	if strings.IndexAny(text, "=+-@＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
