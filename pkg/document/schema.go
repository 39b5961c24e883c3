package document

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object; encoding/json sorts its keys.
type object = map[string]any

// Schemer is a TextUnmarshaler that says itself which texts are right.
type Schemer interface{ Schema() map[string]any }

// generator makes a JSON Schema (draft 2020-12) from the types that Decode reads
// into, so that the two can't disagree on the keys. Struct types become $defs.
type generator struct {
	shapes shapes
	defs   object
	names  map[reflect.Type]string
}

// Schema gives the JSON Schema of the file that Decode reads into root, a struct.
// It refuses what Decode refuses, as far as a schema can say it; rules between
// distant parts of a file are Decode's callers' alone.
func Schema(title string, root any) []byte {
	g := &generator{shapes: shapes{}, defs: object{}, names: map[reflect.Type]string{}}
	top := g.structure(reflect.TypeOf(root))
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = title
	top["$defs"] = g.defs
	top["type"] = "object"
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("document: schema: %v", err)) // only texts, numbers and maps are in it
	}
	return append(out, '\n')
}

// of gives the schema of a type as a field describes it; nil: the key is unknown.
func (g *generator) of(t reflect.Type, f *field) object {
	target := reflect.New(t).Interface()
	if r, ok := target.(nodeReader); ok {
		return r.schema(g, f)
	}
	if s, ok := target.(Schemer); ok {
		return s.Schema()
	}
	if _, ok := target.(encoding.TextUnmarshaler); ok {
		return g.text(f)
	}
	switch t.Kind() {
	case reflect.Struct:
		return g.reference(t)
	case reflect.Slice:
		return withCount(object{"type": "array", "items": g.of(t.Elem(), f.item())}, f)
	case reflect.Map:
		return object{"type": orNull("object"), "additionalProperties": g.of(t.Elem(), &field{raw: f.raw})}
	case reflect.Pointer:
		return g.of(t.Elem(), f)
	}
	return g.scalar(t, f)
}

func withCount(o object, f *field) object {
	if f.count > 0 {
		o["minItems"] = f.count
	}
	return o
}

func (g *generator) scalar(t reflect.Type, f *field) object {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "string", "pattern": durationPattern}
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return bounded(object{"type": "integer"}, f)
	case t.Kind() == reflect.Float64:
		return bounded(object{"type": "number"}, f)
	}
	return g.text(f)
}

func bounded(o object, f *field) object {
	if f.min != "" {
		o["minimum"] = numberBound(f.min)
	}
	if f.max != "" {
		o["maximum"] = numberBound(f.max)
	}
	return o
}

// text is any scalar, read as written: a version may look like a number.
func (g *generator) text(f *field) object {
	if len(f.enum) > 0 {
		return object{"enum": f.enum}
	}
	o := object{"type": []string{"string", "number", "boolean"}, "maxLength": maxText}
	if !f.raw {
		o["minLength"] = 1
		o["pattern"] = `^[^\x00-\x1f\x7f-\x9f]*$`
	}
	return o
}

// orNull: a mapping may be left empty (`web-01:`), which YAML reads as null.
func orNull(kind string) []string { return []string{kind, "null"} }

// reference puts a struct's schema among the $defs, once, and points at it.
func (g *generator) reference(t reflect.Type) object {
	name, known := g.names[t]
	if !known {
		name = g.nameOf(t)
		g.names[t] = name
		g.defs[name] = nil // the name is taken while its parts are made
		g.defs[name] = g.structure(t)
	}
	return object{"$ref": "#/$defs/" + name}
}

func (g *generator) nameOf(t reflect.Type) string {
	base := strings.Map(func(r rune) rune {
		if r < 'A' || r > 'z' || r > 'Z' && r < 'a' {
			return -1
		}
		return r
	}, t.Name())
	name := base
	for i := 2; g.taken(name); i++ {
		name = base + strconv.Itoa(i)
	}
	return name
}

func (g *generator) taken(name string) bool {
	_, taken := g.defs[name]
	return taken || name == ""
}

// structure is a mapping with known keys only.
func (g *generator) structure(t reflect.Type) object {
	sh := g.shapes.of(t)
	properties, required, together := object{}, []string{}, object{}
	for i := range sh.fields {
		f := &sh.fields[i]
		o := g.of(t.FieldByIndex(f.index).Type, f)
		if o == nil {
			continue
		}
		if f.doc != "" && o["description"] == nil {
			o["description"] = f.doc
		}
		properties[f.name] = o
		if f.required {
			required = append(required, f.name)
		}
		if f.with != "" {
			together[f.name] = []string{f.with}
		}
	}
	o := object{"type": orNull("object"), "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		o["required"] = required
		o["type"] = "object"
	}
	if len(together) > 0 {
		o["dependentRequired"] = together
	}
	return withChoices(o, sh)
}

func withChoices(o object, sh *shape) object {
	choices := func(key string, names []string) {
		if len(names) == 0 {
			return
		}
		var list []object
		for _, name := range names {
			list = append(list, object{"required": []string{name}})
		}
		o[key], o["type"] = list, "object"
	}
	choices("oneOf", sh.oneOf)
	choices("anyOf", sh.anyOf)
	return o
}
