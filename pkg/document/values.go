package document

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// nodeReader is a type of this package that reads a node by itself.
type nodeReader interface {
	read(d *decoder, n *yaml.Node, f *field) bool
	schema(g *generator, f *field) object
}

// Value is a value and the place where it is written. At is zero where the file
// says nothing, or nothing that could be read.
type Value[T any] struct {
	V  T
	At Pos
}

// Set tells whether the file says something.
func (v Value[T]) Set() bool { return v.At.Written() }

// Or gives the value, or other where the file says nothing.
func (v Value[T]) Or(other T) T {
	if v.Set() {
		return v.V
	}
	return other
}

func (v *Value[T]) read(d *decoder, n *yaml.Node, f *field) bool {
	if !d.into(n, reflect.ValueOf(&v.V).Elem(), f) {
		return false
	}
	v.At = place(n)
	return true
}

func (v *Value[T]) schema(g *generator, f *field) object {
	return g.of(reflect.TypeFor[T](), f)
}

// Entry is one key of a Map.
type Entry[T any] struct {
	Key   string
	At    Pos // of the key
	Value T
}

// Map is a mapping whose keys the user chooses, in the order of the file. A key
// that stands twice is an error; the first holds.
type Map[T any] struct {
	Entries []Entry[T]
	At      Pos
}

func (m *Map[T]) read(d *decoder, n *yaml.Node, f *field) bool {
	pairs, ok := d.pairs(n, f)
	if !ok {
		return false
	}
	m.At = place(n)
	m.Entries = make([]Entry[T], 0, len(pairs))
	for _, p := range pairs {
		e := Entry[T]{Key: p.key.Value, At: place(p.key)}
		d.into(p.value, reflect.ValueOf(&e.Value).Elem(), &field{name: p.key.Value, raw: f.raw, count: f.count, doc: f.doc})
		m.Entries = append(m.Entries, e)
	}
	return true
}

func (m *Map[T]) schema(g *generator, f *field) object {
	o := object{"type": orNull("object"), "additionalProperties": g.of(reflect.TypeFor[T](), &field{raw: f.raw, count: f.count})}
	if f.keys != "" {
		o["propertyNames"] = object{"pattern": f.keys}
	}
	return o
}

// Unsupported stands for a setting that is known, but that this build can't honour.
// Using it is an error with the code Unsupported: it is never read and ignored. Its
// doc tag says what to do instead.
type Unsupported struct{}

func (*Unsupported) read(d *decoder, n *yaml.Node, f *field) bool {
	d.file.Unsupportedf(d.keyPlace(n), f.doc, "`%s` is not supported yet", f.name)
	return false
}

// schema refuses every value. The description is what an editor shows.
func (*Unsupported) schema(_ *generator, f *field) object {
	return object{"not": object{}, "description": "Not supported yet: " + f.doc}
}

// Elsewhere stands for a key that people try here, but that belongs elsewhere or is
// spelled differently. Its doc tag says what to write. The schema doesn't know it.
type Elsewhere struct{}

func (*Elsewhere) read(d *decoder, n *yaml.Node, f *field) bool {
	d.file.Errorf(d.keyPlace(n), f.doc, "`%s` can't stand here", f.name)
	return false
}

func (*Elsewhere) schema(*generator, *field) object { return nil }
