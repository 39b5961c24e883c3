package document

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder reads one document into structs. hidden are the values that must not be
// quoted in messages.
type decoder struct {
	file    *File
	shapes  shapes
	hidden  map[*yaml.Node]bool
	key     *yaml.Node // the key whose value is being read
	nodes   int
	aliases int
	stopped bool
}

// top decodes the root. A document that holds nothing is as bad as an empty file.
func (d *decoder) top(root *yaml.Node, into any) {
	if len(root.Content) == 1 && isNull(root.Content[0]) {
		d.file.Errorf(Pos{1, 1}, "begin with `version: 1`", "the file is empty")
		d.file.broken = true
		return
	}
	for _, n := range root.Content {
		d.into(n, reflect.ValueOf(into).Elem(), &field{})
	}
}

// into decodes one node. It reports what is wrong, and then gives false.
func (d *decoder) into(n *yaml.Node, rv reflect.Value, f *field) bool {
	n, ok := d.follow(n)
	if !ok {
		return false
	}
	switch target := rv.Addr().Interface().(type) {
	case nodeReader:
		return target.read(d, n, f)
	case encoding.TextUnmarshaler:
		return d.custom(n, target, f)
	}
	switch rv.Kind() {
	case reflect.Struct:
		return d.mapping(n, rv, f)
	case reflect.Slice:
		return d.list(n, rv, f)
	case reflect.Map:
		return d.table(n, rv, f)
	case reflect.Pointer:
		rv.Set(reflect.New(rv.Type().Elem()))
		return d.into(n, rv.Elem(), f)
	}
	return d.scalarInto(n, rv, f)
}

// follow goes from an alias to what it names, within the limits: a small file
// could else stand for a huge one.
func (d *decoder) follow(n *yaml.Node) (*yaml.Node, bool) {
	d.nodes++
	for hops := 0; n.Kind == yaml.AliasNode && n.Alias != nil; hops++ {
		if d.aliases++; d.aliases > maxAliases || hops > 10 {
			d.stop(n, "the file uses more than %d aliases (*name)", maxAliases)
			break
		}
		n = n.Alias
	}
	if d.nodes > maxNodes {
		d.stop(n, "the file holds more than %d values", maxNodes)
	}
	return n, !d.stopped
}

func (d *decoder) stop(n *yaml.Node, format string, args ...any) {
	if !d.stopped {
		d.file.Errorf(place(n), "write it in a shorter way, or split the file", format, args...)
	}
	d.stopped = true
}

// pair is one key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs gives a mapping's keys, each once. Null is an empty mapping: `web-01:` is
// a host without settings.
func (d *decoder) pairs(n *yaml.Node, f *field) ([]pair, bool) {
	if isNull(n) {
		return nil, true
	}
	if n.Kind != yaml.MappingNode {
		hint := ""
		if n.Kind == yaml.SequenceNode {
			hint = "write `name: {}` instead of `- name`"
		}
		d.wrong(n, f, "a mapping (`key: value`)", hint)
		return nil, false
	}
	list := make([]pair, 0, len(n.Content)/2)
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := d.follow(n.Content[i])
		if !ok {
			return list, false
		}
		if d.goodKey(key, first) {
			first[key.Value] = key
			list = append(list, pair{key, n.Content[i+1]})
		}
	}
	return list, true
}

// goodKey refuses keys that aren't plain texts, merge keys and repeated keys.
func (d *decoder) goodKey(key *yaml.Node, first map[string]*yaml.Node) bool {
	switch {
	case key.Kind != yaml.ScalarNode:
		d.file.Errorf(place(key), `put a text that holds { or [ in quotes: "{{ .address }}"`, "a key must be a text")
		return false
	case key.Tag == "!!merge":
		d.file.Errorf(place(key), "put what hosts share into a group, a site or `defaults`", "merge keys (<<) are not supported")
		return false
	case key.Value == "":
		d.file.Errorf(place(key), "", "an empty key")
		return false
	}
	if before, twice := first[key.Value]; twice {
		d.file.Errorf(place(key), "keep one of them", "%s stands twice: the first is on line %d", d.keyName(key), before.Line)
		return false
	}
	return true
}

// mapping decodes the known keys of a struct, and reports the unknown ones.
func (d *decoder) mapping(n *yaml.Node, rv reflect.Value, f *field) bool {
	pairs, ok := d.pairs(n, f)
	if !ok {
		return false
	}
	sh := d.shapes.of(rv.Type())
	given := make(map[string]*yaml.Node, len(pairs))
	for _, p := range pairs {
		given[p.key.Value] = p.key
		i, known := sh.byName[p.key.Value]
		if !known {
			// What was meant counts as given: one slip must not be told twice.
			given[d.unknown(p.key, sh)] = p.key
			continue
		}
		d.key = p.key
		d.into(p.value, rv.FieldByIndex(sh.fields[i].index), &sh.fields[i])
	}
	d.complete(n, sh, f, given)
	return true
}

// keyName names a key for a message, unless it stands where a secret belongs.
func (d *decoder) keyName(key *yaml.Node) string {
	if d.hidden[key] {
		return hiddenText
	}
	return "`" + clip(key.Value) + "`"
}

// unknown reports a key, and gives the one that was probably meant, or "".
func (d *decoder) unknown(key *yaml.Node, sh *shape) string {
	names := sh.names()
	meant := Nearest(key.Value, names)
	hint := "did you mean `" + meant + "`?"
	if meant == "" {
		slices.Sort(names)
		hint = "known here: " + strings.Join(names, ", ")
	}
	d.file.Errorf(place(key), hint, "unknown key %s", d.keyName(key))
	return meant
}

// complete reports keys that are missing, or that don't go together.
func (d *decoder) complete(n *yaml.Node, sh *shape, f *field, given map[string]*yaml.Node) {
	for _, want := range sh.fields {
		key := given[want.name]
		switch {
		case want.required && key == nil:
			d.file.Errorf(place(n), "`"+want.name+"`: "+want.doc, "%s lacks `%s`", f.label(), want.name)
		case want.with != "" && key != nil && given[want.with] == nil:
			d.file.Errorf(place(key), want.doc, "`%s` can only stand beside `%s`", want.name, want.with)
		}
	}
	d.exactlyOne(n, sh, f, given)
	if len(sh.anyOf) > 0 && !slices.ContainsFunc(sh.anyOf, func(name string) bool { return given[name] != nil }) {
		d.file.Errorf(place(n), "write one of them or more", "%s lacks one of `%s`", f.label(), strings.Join(sh.anyOf, "`, `"))
	}
}

func (d *decoder) exactlyOne(n *yaml.Node, sh *shape, f *field, given map[string]*yaml.Node) {
	if len(sh.oneOf) == 0 {
		return
	}
	var found []string
	for _, name := range sh.oneOf {
		if given[name] != nil {
			found = append(found, name)
		}
	}
	switch {
	case len(found) == 0:
		d.file.Errorf(place(n), "write one of them", "%s lacks one of `%s`", f.label(), strings.Join(sh.oneOf, "`, `"))
	case len(found) > 1:
		at := slices.MaxFunc(found, func(a, b string) int { return place(given[a]).Compare(place(given[b])) })
		d.file.Errorf(place(given[at]), "keep one of them", "`%s` can't stand together", strings.Join(found, "` and `"))
	}
}

func (d *decoder) list(n *yaml.Node, rv reflect.Value, f *field) bool {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		switch {
		case n.Kind == yaml.MappingNode:
			hint = "begin each entry with a dash: `- name: ...`"
		case n.Kind == yaml.ScalarNode && !d.hidden[n] && !isNull(n):
			hint = fmt.Sprintf("write `%s: [%s]`", f.name, clip(n.Value))
		}
		d.wrong(n, f, "a list", hint)
		return false
	}
	if len(n.Content) < f.count {
		d.file.Errorf(place(n), f.doc, "%s needs at least %d", f.label(), f.count)
	}
	item := f.item()
	made := reflect.MakeSlice(rv.Type(), len(n.Content), len(n.Content))
	whole := true
	for i, one := range n.Content {
		whole = d.into(one, made.Index(i), item) && whole
	}
	rv.Set(made)
	return whole
}

// table decodes a plain map with text keys, for files that need no positions.
func (d *decoder) table(n *yaml.Node, rv reflect.Value, f *field) bool {
	pairs, ok := d.pairs(n, f)
	if !ok {
		return false
	}
	made := reflect.MakeMapWithSize(rv.Type(), len(pairs))
	for _, p := range pairs {
		value := reflect.New(rv.Type().Elem()).Elem()
		ok = d.into(p.value, value, &field{name: p.key.Value, raw: f.raw}) && ok
		made.SetMapIndex(reflect.ValueOf(p.key.Value).Convert(rv.Type().Key()), value)
	}
	rv.Set(made)
	return ok
}
