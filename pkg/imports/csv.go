package imports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// columns are those that a CSV file may have; name must be there. Second names are
// what spreadsheets often call them.
func columns() []string {
	return []string{"name", "address", "user", "port", "groups", "site", "jump", "become", "key"}
}

func columnOf(title string) string {
	title = strings.ToLower(strings.TrimSpace(title))
	switch title {
	case "host", "hostname", "server":
		return "name"
	case "ip", "ip_address", "ip address", "fqdn":
		return "address"
	case "group", "tags", "roles":
		return "groups"
	case "username", "login":
		return "user"
	case "client", "customer", "location":
		return "site"
	case "bastion", "proxy_jump", "proxyjump":
		return "jump"
	}
	return title
}

// FromCSV reads a table with a header: name, address, user, port, groups, site, jump,
// become, key; only name is needed. The separator is a comma, semicolon or tab.
// Groups and bastions within a cell are separated by blanks or any other of these.
// Unknown columns become notes; a bad value is an error that names its line.
func FromCSV(src []byte) (Draft, error) {
	if err := readable(src); err != nil {
		return Draft{}, err
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	t := &table{model: &model{origin: "CSV file"}, bySite: map[string]int{}, lines: map[string]int{}}
	r := csv.NewReader(bytes.NewReader(src))
	r.Comma, r.TrimLeadingSpace, r.FieldsPerRecord = separator(src), true, -1
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return Draft{}, fault.Usagef("begin with a header: name,address,groups", "the CSV file is empty")
	}
	if err != nil {
		return Draft{}, csvError(err)
	}
	if err := t.header(header); err != nil {
		return Draft{}, err
	}
	if err := t.rows(r); err != nil {
		return Draft{}, err
	}
	return t.model.draft()
}

func csvError(err error) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "the CSV file can't be read", Hint: "put cells that hold a separator, a quote or a line break in double quotes", Err: err}
}

// separator is the one that the first line uses most.
func separator(src []byte) rune {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	best := ','
	for _, r := range ";\t" {
		if bytes.Count(first, []byte(string(r))) > bytes.Count(first, []byte(string(best))) {
			best = r
		}
	}
	return best
}

// table is the state of reading one.
type table struct {
	model   *model
	columns []string       // by position; "" is left out
	bySite  map[string]int // position in model.sites
	lines   map[string]int // where each site/name stands
	count   int
}

// header finds the columns.
func (t *table) header(titles []string) error {
	for _, title := range titles {
		name := columnOf(title)
		switch {
		case slices.Contains(columns(), name) && slices.Contains(t.columns, name):
			return fault.Usagef("keep one of them", "two columns mean `%s`", name)
		case !slices.Contains(columns(), name):
			if name != "" {
				t.model.note("the column `%s` is not taken over; %s", clip(title), document.DidYouMean(name, columns(), "known are "+strings.Join(columns(), ", ")))
			}
			name = ""
		}
		t.columns = append(t.columns, name)
	}
	if !slices.Contains(t.columns, "name") {
		return fault.Usagef("the first line must be a header: name,address,groups", "the CSV file has no column `name`")
	}
	return nil
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

func (t *table) rows(r *csv.Reader) error {
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return csvError(err)
		}
		line, _ := r.FieldPos(0)
		if err := t.row(line, row); err != nil {
			return fault.On(atLine(line, err), "", "")
		}
	}
}

// atLine names the line of a bad value.
func atLine(line int, err error) error {
	return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: fmt.Sprintf("line %d: %s", line, plainText(err.Error())), Hint: fault.HintOf(err)}
}

// row adds one host; a row without any text is nothing.
func (t *table) row(line int, row []string) error {
	h, where := host{line: line}, ""
	empty := true
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if cell == "" || i >= len(t.columns) {
			continue
		}
		empty = false
		if t.columns[i] == "site" {
			where = cell
			continue
		}
		if err := setCell(&h, t.columns[i], cell); err != nil {
			return fmt.Errorf("%s: %w", t.columns[i], err)
		}
	}
	if empty {
		return nil
	}
	return t.add(h, where)
}

func (t *table) add(h host, where string) error {
	if h.name == "" {
		return fault.Usagef("every host needs one", "the name is missing")
	}
	if where != "" && inventory.CheckName(where) != nil {
		return fault.Usagef("letters, digits and . _ -", "`%s` can't be the name of a site", clip(where))
	}
	id := where + "/" + h.name
	if before, twice := t.lines[id]; twice {
		return fault.Usagef("remove one of them", "the host %s stands on line %d already", h.name, before)
	}
	if t.count++; t.count > maxHosts {
		return fault.Usagef("split it", "more than %d hosts", maxHosts)
	}
	t.lines[id] = h.line
	i, known := t.bySite[where]
	if !known {
		i = len(t.model.sites)
		t.bySite[where] = i
		t.model.sites = append(t.model.sites, site{name: where})
	}
	if _, nameless := t.bySite[""]; nameless && len(t.model.sites) > 1 {
		return fault.Usagef("name the site of every host, or of none", "some hosts have a site, and some have none")
	}
	t.model.sites[i].hosts = append(t.model.sites[i].hosts, h)
	return nil
}

// setCell takes one cell over to the host.
func setCell(h *host, column, cell string) error {
	switch column {
	case "name":
		return setOnce(&h.name, cell, inventory.CheckName)
	case "address":
		return setOnce(&h.address, cell, inventory.CheckAddress)
	case "user":
		return setOnce(&h.user, cell, inventory.CheckUser)
	case "port":
		return setPort(h, cell)
	case "key":
		return setOnce(&h.key, cell, inventory.CheckKey)
	case "become":
		return setOnce(&h.become, cell, checkBecome)
	case "groups":
		h.groups = items(cell)
		return each(h.groups, inventory.CheckName)
	case "jump":
		h.jump = items(cell)
		return each(h.jump, inventory.CheckHop)
	}
	return nil
}

func checkBecome(text string) error {
	if !slices.Contains([]string{"none", "sudo", "doas", "su"}, text) {
		return fault.Usagef("write none, sudo, doas or su", "not a way to get root")
	}
	return nil
}

// items splits a cell at blanks, commas, semicolons and bars; each item stands once.
func items(cell string) []string {
	list := strings.FieldsFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;|", r) })
	slices.Sort(list)
	return slices.Compact(list)
}

func each(list []string, check func(string) error) error {
	for _, item := range list {
		if err := check(item); err != nil {
			return fmt.Errorf("`%s`: %w", clip(item), err)
		}
	}
	return nil
}
