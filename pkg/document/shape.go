package document

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is what a struct field's tags say.
type field struct {
	name     string
	index    []int
	doc      string
	enum     []string
	later    []string
	why      string
	min, max string
	count    int
	with     string
	keys     string
	required bool
	raw      bool
	refused  bool // Unsupported or Elsewhere
	entry    bool // the field is a list, and this is one of its items
}

// shape is a struct type as a mapping.
type shape struct {
	fields []field
	byName map[string]int
	oneOf  []string
	anyOf  []string
}

// shapes caches them for one file: a type is looked at once, not once a host.
type shapes map[reflect.Type]*shape

func (s shapes) of(t reflect.Type) *shape {
	if known, ok := s[t]; ok {
		return known
	}
	made := &shape{byName: map[string]int{}}
	made.add(t, nil)
	if one, ok := reflect.TypeAssert[interface{ ExactlyOne() []string }](reflect.New(t)); ok {
		made.oneOf = one.ExactlyOne()
	}
	if least, ok := reflect.TypeAssert[interface{ AtLeastOne() []string }](reflect.New(t)); ok {
		made.anyOf = least.AtLeastOne()
	}
	s[t] = made
	return made
}

// add takes over a struct's fields; embedded structs without a key are flattened. As
// in Go, a field hides those of the same name that stand deeper.
func (s *shape) add(t reflect.Type, above []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		name := sf.Tag.Get("yaml")
		if _, hidden := s.byName[name]; name != "" && !hidden {
			s.byName[name] = len(s.fields)
			s.fields = append(s.fields, newField(name, append(slices.Clone(above), i), sf))
		}
	}
	for i := range t.NumField() {
		if sf := t.Field(i); sf.Anonymous && sf.Tag.Get("yaml") == "" {
			s.add(sf.Type, append(slices.Clone(above), i))
		}
	}
}

func newField(name string, index []int, sf reflect.StructField) field {
	flags := strings.Split(sf.Tag.Get("flags"), ",")
	count, _ := strconv.Atoi(sf.Tag.Get("count"))
	return field{
		name: name, index: index, doc: sf.Tag.Get("doc"),
		enum: words(sf.Tag.Get("enum")), later: words(sf.Tag.Get("later")), why: sf.Tag.Get("why"),
		min: sf.Tag.Get("min"), max: sf.Tag.Get("max"), count: count, with: sf.Tag.Get("with"), keys: sf.Tag.Get("keys"),
		required: slices.Contains(flags, "required"), raw: slices.Contains(flags, "raw"),
		refused: sf.Type == reflect.TypeFor[Unsupported]() || sf.Type == reflect.TypeFor[Elsewhere](),
	}
}

func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}

// names lists the keys that a user may write, in the order of the struct.
func (s *shape) names() []string {
	var names []string
	for _, f := range s.fields {
		if !f.refused {
			names = append(names, f.name)
		}
	}
	return names
}

// item is the field as it holds for the items of a list: they have no count.
func (f *field) item() *field {
	one := *f
	one.count, one.entry = 0, true
	return &one
}

// label names the field in messages.
func (f *field) label() string {
	if f.name == "" {
		return "this file"
	}
	if f.entry {
		return "an entry of `" + f.name + "`"
	}
	return "`" + f.name + "`"
}
