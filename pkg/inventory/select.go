package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
)

// Select gives the hosts that a pattern names, sorted by ID, each once. The words
// are those that Ansible users know:
//
//	web              a host, or the hosts of a group
//	all, *           every host; ungrouped: those in no group
//	web*, web-0[12]  a glob, over hosts and groups
//	web-[01:04]      the range, as the inventory writes it
//	a:b, a,b         both
//	a:&b             those of a that are in b too
//	a:!b             those of a that are not in b
//	acme/web-01      a host or group of one site; acme/* is the site
//	env=prod         a label; the value may be a glob
//	@file            the pattern that a file holds, one part a line, # is a comment
//
// Unlike Ansible, whatever names nothing that is known is an error: a slip behind a
// "!" would patch what should be left out. Positions (web[0]) and regular expressions
// don't exist. readList reads the files of @; nil refuses them.
func (inv *Inventory) Select(pattern string, readList func(path string) ([]byte, error)) ([]Host, error) {
	s := &selector{inv: inv, index: inv.indexed(), read: readList}
	set, err := s.eval(pattern)
	if err != nil {
		return nil, err
	}
	hosts := make([]Host, 0, len(set))
	for _, i := range slices.Sorted(maps.Keys(set)) {
		hosts = append(hosts, inv.Hosts[i])
	}
	return hosts, nil
}

// hostSet are positions in Inventory.Hosts.
type hostSet map[int]bool

func setOf(list []int) hostSet {
	set := make(hostSet, len(list))
	for _, i := range list {
		set[i] = true
	}
	return set
}

type selector struct {
	inv    *Inventory
	index  *index
	read   func(string) ([]byte, error)
	inFile bool
}

func (s *selector) eval(pattern string) (hostSet, error) {
	terms, err := parsePattern(pattern)
	if err != nil {
		return nil, err
	}
	set := hostSet{}
	for _, t := range terms {
		named, err := s.term(t.text)
		if err != nil {
			return nil, err
		}
		switch t.op {
		case '&':
			maps.DeleteFunc(set, func(i int, _ bool) bool { return !named[i] })
		case '!':
			maps.DeleteFunc(set, func(i int, _ bool) bool { return named[i] })
		default:
			maps.Copy(set, named)
		}
	}
	return set, nil
}

// term gives the hosts of one part. Nothing known is an error; a known group
// without hosts is not.
func (s *selector) term(text string) (hostSet, error) {
	switch {
	case text[0] == '@':
		return s.file(text[1:])
	case text[0] == '~':
		return nil, fault.Usagef("use * and ?", "regular expressions (`%s`) are not supported", text)
	case text == "all" || text == "*":
		return s.every(func(Host) bool { return true }), nil
	case text == "ungrouped":
		return s.every(func(h Host) bool { return len(h.Groups) == 0 }), nil
	}
	if site, name, ok := strings.Cut(text, "/"); ok {
		return s.inSite(site, name)
	}
	if key, value, ok := strings.Cut(text, "="); ok {
		return s.label(key, value)
	}
	return s.name(text)
}

func (s *selector) every(want func(Host) bool) hostSet {
	set := hostSet{}
	for i, h := range s.inv.Hosts {
		if want(h) {
			set[i] = true
		}
	}
	return set
}

// name finds hosts and groups, of any site.
func (s *selector) name(text string) (hostSet, error) {
	if hasRange(text) {
		return s.rangeOf(text)
	}
	if isGlob(text) {
		return s.globbed(text)
	}
	group, isGroup := s.index.byGroup[text]
	hosts, isHost := s.index.byName[text]
	if !isGroup && !isHost {
		return nil, s.unknown(text)
	}
	set := setOf(group)
	maps.Copy(set, setOf(hosts))
	return set, nil
}

// rangeOf expands a range; each of its names must be known.
func (s *selector) rangeOf(text string) (hostSet, error) {
	names, err := expand(text)
	if err != nil {
		return nil, err
	}
	set := hostSet{}
	for _, name := range names {
		one, err := s.name(name)
		if err != nil {
			return nil, err
		}
		maps.Copy(set, one)
	}
	return set, nil
}

func (s *selector) globbed(text string) (hostSet, error) {
	match, err := glob(text)
	if err != nil {
		return nil, err
	}
	set, found := hostSet{}, false
	for _, g := range s.index.groups {
		if match(g) {
			found = true
			maps.Copy(set, setOf(s.index.byGroup[g]))
		}
	}
	for _, name := range s.index.names {
		if match(name) {
			found = true
			maps.Copy(set, setOf(s.index.byName[name]))
		}
	}
	if !found {
		return nil, s.unknown(text)
	}
	return set, nil
}

// inSite finds hosts and groups within the sites that match.
func (s *selector) inSite(site, name string) (hostSet, error) {
	match, err := glob(site)
	if err != nil {
		return nil, err
	}
	if site == "" || !slices.ContainsFunc(s.index.sites, match) {
		return nil, fault.Usagef(document.DidYouMean(site, s.index.sites, "known sites: "+few(s.index.sites)), "unknown site `%s` in `%s/%s`", site, site, name)
	}
	if name == "" || strings.ContainsAny(name, "/=@~") {
		return nil, fault.Usagef("write "+site+"/* for the whole site", "no host or group stands behind `%s/`", site)
	}
	set, err := s.term(name)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(set, func(i int, _ bool) bool { return !match(s.inv.Hosts[i].ID.Site) })
	if _, isGroup := s.index.byGroup[name]; len(set) == 0 && !isGroup && name != "*" && name != "all" {
		return nil, fault.Usagef("patchring inventory list shows every host", "the site `%s` has no host `%s`", site, name)
	}
	return set, nil
}

// label finds the hosts whose label matches.
func (s *selector) label(key, value string) (hostSet, error) {
	hosts, ok := s.index.byLabel[key]
	if !ok {
		return nil, fault.Usagef(document.DidYouMean(key, s.index.labels, "known labels: "+few(s.index.labels)), "no host has a label `%s`", key)
	}
	match, err := glob(value)
	if err != nil {
		return nil, err
	}
	set, values := hostSet{}, map[string]bool{}
	for _, i := range hosts {
		said := s.inv.Hosts[i].Labels[key]
		values[said] = true
		if said == value || match(said) {
			set[i] = true
		}
	}
	if len(set) == 0 {
		known := slices.Sorted(maps.Keys(values))
		return nil, fault.Usagef(document.DidYouMean(value, known, "known values: "+few(known)), "no host has the label `%s=%s`", key, value)
	}
	return set, nil
}

// file reads a pattern from a file. An empty file names nobody, and is an error: it
// must not mean everybody.
func (s *selector) file(path string) (hostSet, error) {
	if s.inFile || s.read == nil || path == "" {
		return nil, fault.Usagef("name the hosts or groups themselves", "`@%s` can't stand here", path)
	}
	content, err := s.read(path)
	if err != nil {
		return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: fmt.Sprintf("`@%s` can't be read", path),
			Hint: "a relative path begins in the current folder", Err: err}
	}
	var parts []string
	for line := range strings.Lines(string(content)) {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return nil, fault.Usagef("write one host, group or pattern a line", "`@%s` names no host", path)
	}
	inner := &selector{inv: s.inv, index: s.index, inFile: true}
	set, err := inner.eval(strings.Join(parts, ":"))
	if err != nil {
		return nil, fmt.Errorf("in `@%s`: %w", path, err)
	}
	return set, nil
}

// unknown is the error for a name that nothing has, with what may have been meant.
func (s *selector) unknown(text string) error {
	hint := document.DidYouMean(text, slices.Concat(s.index.groups, s.index.names), "patchring inventory graph shows every group and host")
	if slices.Contains(s.index.sites, text) {
		hint = "it is a site: write " + text + "/*"
	}
	return fault.Usagef(hint, "no host or group is named `%s`", text)
}

// few lists some of the names.
func few(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
