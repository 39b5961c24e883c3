package document

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// Either is written as one text or number (soak: 48h), or as a mapping that says more
// (soak: {for: 48h, interval: 1h}). At most one of the two is set.
type Either[S, L any] struct {
	Short Value[S]
	Long  Value[L]
}

// Set tells whether the file says something.
func (e Either[S, L]) Set() bool { return e.Short.Set() || e.Long.Set() }

// At is the place of what is said.
func (e Either[S, L]) At() Pos {
	if e.Long.Set() {
		return e.Long.At
	}
	return e.Short.At
}

func (e *Either[S, L]) read(d *decoder, n *yaml.Node, f *field) bool {
	if n.Kind == yaml.MappingNode {
		return e.Long.read(d, n, f)
	}
	return e.Short.read(d, n, f)
}

func (e *Either[S, L]) schema(g *generator, f *field) object {
	return object{"anyOf": []object{g.of(reflect.TypeFor[S](), f), g.of(reflect.TypeFor[L](), f)}}
}

// Many is written as one T or as a list of them.
type Many[T any] struct {
	Items []T
	At    Pos
}

// Set tells whether the file says something.
func (m Many[T]) Set() bool { return m.At.Written() }

func (m *Many[T]) read(d *decoder, n *yaml.Node, f *field) bool {
	if n.Kind == yaml.SequenceNode {
		if !d.list(n, reflect.ValueOf(&m.Items).Elem(), f) {
			return false
		}
		m.At = place(n)
		return true
	}
	one := *f
	one.count = 0
	m.Items = make([]T, 1)
	if !d.into(n, reflect.ValueOf(&m.Items[0]).Elem(), &one) {
		m.Items = nil
		return false
	}
	m.At = place(n)
	return true
}

func (m *Many[T]) schema(g *generator, f *field) object {
	one := g.of(reflect.TypeFor[T](), f.item())
	return object{"anyOf": []object{one, withCount(object{"type": "array", "items": one}, f)}}
}
